// Enclosures of sin and cos, which turn endlessly often: does the interval hold a crest, does it hold a trough?

import type { Interval } from "../num/index.ts";
import { PI, toDouble } from "./reference/fixed.ts";
import { cos, sin } from "./reference/trig.ts";
import { widenBy } from "./shape.ts";

const TURN = 2 * toDouble(PI);
/** Beyond this a turn's place in binary64 is too vague to be worth asking; only a single point is enclosed tightly. */
const FAR = 2 ** 30;

/** Whether phase + k * TURN lies in [lo, hi] for an integer k, or so close outside that it cannot be excluded. */
function mayHold(x: Interval, phase: number): boolean {
  const slack = 1e-9 + Math.max(Math.abs(x.lo), Math.abs(x.hi)) * 1e-15;
  const k = Math.ceil((x.lo - slack - phase) / TURN - 1e-12);
  return phase + k * TURN <= x.hi + 2 * slack;
}

/** Encloses sin (crest at pi/2) or cos (crest at 0) with error bound `ulps`. */
export function encloseWave(wave: "sin" | "cos", x: Interval, ulps: number): Interval {
  const evaluate = wave === "sin" ? sin : cos;
  const isFar = Math.max(-x.lo, x.hi) > FAR;
  if (x.hi - x.lo >= TURN || (isFar && x.lo !== x.hi) || !Number.isFinite(x.lo)) return { lo: -1, hi: 1 };
  const a = evaluate(x.lo);
  const b = evaluate(x.hi);
  const wide = widenBy(Math.min(a, b), Math.max(a, b), ulps);
  if (isFar) return wide;
  const crest = wave === "sin" ? TURN / 4 : 0;
  return {
    lo: mayHold(x, crest - TURN / 2) ? -1 : Math.max(-1, wide.lo),
    hi: mayHold(x, crest) ? 1 : Math.min(1, wide.hi),
  };
}
