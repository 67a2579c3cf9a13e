// The finite range a table is fitted over. Towards infinity it ends where the tail has become as good as the function itself.

import { LutraError } from "../base/index.ts";
import type { Fn } from "../fn/index.ts";
import { ceil32, floor32, type Interval, powerOfTwo } from "../num/index.ts";
import type { Line, Problem, Tail } from "../table/index.ts";
import { errorWeight } from "./norm.ts";
import type { Reduced } from "./reduce.ts";

/** Weighted distance from the tail that is negligible: half an ulp of 1 in binary32; a quarter ulp for the ulp norm. */
const NEGLIGIBLE: number = 2 ** -24;
const NEGLIGIBLE_ULP = 0.25;
const LAST_EXPONENT = 127;
const FIRST_EXPONENT = -20;
const BISECTIONS = 10;

/**
 * The range of reduced arguments to fit over, its ends binary32. `given` are the ends to use where the domain is unbounded and the
 * tail is no line; without them the function must level off there. @throws LutraError if an infinite end has no tail to follow
 */
export function finiteRange(problem: Problem, { fn, domain, tails }: Reduced, given: Interval | null = null): Interval {
  const ends = [domain.lo, domain.hi].map((end, side) => {
    if (Number.isFinite(end)) return end;
    const tail = tails[side] as Tail;
    if (given !== null && typeof tail !== "object") return side === 0 ? given.lo : given.hi;
    return side === 0 ? -reach(problem, fn, tail, -1) : reach(problem, fn, tail, 1);
  });
  const [below, above] = ends as [number, number];
  const range = { lo: ceil32(below), hi: floor32(above) };
  if (range.lo < range.hi) return range;
  throw new LutraError("bad-argument", `the domain [${domain.lo}, ${domain.hi}] is too short to fit a table over`);
}

/** Distance from 0 beyond which the tail is negligibly far from the function. */
function reach(problem: Problem, fn: Fn, tail: Tail, sign: -1 | 1): number {
  const line = tailLine(fn, tail, sign);
  const weight = errorWeight(problem);
  const limit = problem.norm === "ulp" ? NEGLIGIBLE_ULP : NEGLIGIBLE;
  const near = (distance: number): boolean => {
    const x = sign * distance;
    const f = fn.evaluate(x);
    return weight(f) * Math.abs(f - (line.slope * x + line.intercept)) <= limit;
  };
  let exponent = LAST_EXPONENT;
  while (exponent >= FIRST_EXPONENT && near(powerOfTwo(exponent))) exponent--;
  if (exponent === LAST_EXPONENT) throw departs(fn, sign);
  let inside = powerOfTwo(exponent);
  let outside = powerOfTwo(exponent + 1);
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (inside + outside) / 2;
    if (near(middle)) outside = middle;
    else inside = middle;
  }
  return outside;
}

/** What the table says far out. */
function tailLine(fn: Fn, tail: Tail, sign: -1 | 1): Line {
  if (typeof tail === "object") return tail;
  const asymptote = fn.asymptotes[sign < 0 ? 0 : 1];
  if (tail === "clamp" && asymptote !== null && asymptote.slope === 0) return asymptote;
  throw departs(fn, sign);
}

function departs(fn: Fn, sign: -1 | 1): LutraError {
  const side = sign < 0 ? "below" : "above";
  return new LutraError("infeasible", `the tail ${side} cannot follow ${fn.text} to ${sign < 0 ? "-" : ""}Infinity`, {
    note: "give a finite domain, or the line that the function approaches as its tail",
  });
}
