// A Shape is one real function with all that makes a tight enclosure cheap: where it turns, what it tends to, how exact its evaluation
// is. Between neighbouring turns it is monotone, so its values over an interval lie between those at the ends and at the turns inside.

import type { Interval } from "../num/index.ts";

/** A jump: the limit from the left; the value there is the limit from the right. A pole is a jump from or to infinity. */
export interface Jump {
  readonly at: number;
  readonly left: number;
}

export interface Shape {
  /** For finite arguments; NaN outside the domain. */
  readonly evaluate: (x: number) => number;
  /** At -Infinity and Infinity; NaN where the domain does not reach. */
  readonly limits: readonly [below: number, above: number];
  /** |evaluate(x) - f(x)| <= ulps * ulp(f(x)) + (ulps + 1) * 2^-1074. */
  readonly ulps: number;
  /**
   * Local extrema, increasing, each within an ulp or two of the true one. The value there differs from the extremum by the square of
   * that, which the widening by `ulps` covers: no extremum of a shape is small against its curvature.
   */
  readonly turns: readonly number[];
  /** Increasing. */
  readonly jumps: readonly Jump[];
  /** All values lie here; the widening stops at it. */
  readonly range: Interval;
  /** For functions with endlessly many turns; otherwise the turns say all. */
  readonly enclose?: (x: Interval) => Interval;
}

/** Where the function jumps, poles left out. */
export function finiteJumps({ jumps }: Shape): readonly number[] {
  return jumps.filter(({ left }) => Number.isFinite(left)).map(({ at }) => at);
}

const UNIT = 2 ** -52;
const TINY = Number.MIN_VALUE;

/** A bound on the error of a computed value y that is right to `ulps`. One ulp more for the rounding of the widening itself. */
export function slack(y: number, ulps: number): number {
  return Math.abs(y) * (ulps + 1) * UNIT + (ulps + 2) * TINY;
}

function widenDown(y: number, ulps: number): number {
  if (y === Infinity) return Number.MAX_VALUE;
  return y === -Infinity ? y : y - slack(y, ulps);
}

/** [lo, hi] widened by `ulps`; an infinite lower end above all numbers becomes the largest of them, for values that overflowed. */
export function widenBy(lo: number, hi: number, ulps: number): Interval {
  return { lo: widenDown(lo, ulps), hi: -widenDown(-hi, ulps) };
}

/** The value, limits at infinities included. */
export function evaluateShape(shape: Shape, x: number): number {
  if (x === Infinity) return shape.limits[1];
  return x === -Infinity ? shape.limits[0] : shape.evaluate(x);
}

/** Contains f(t) for all t in x and in the domain; the whole range if x misses the domain. */
export function encloseShape(shape: Shape, domain: Interval, x: Interval): Interval {
  const from = Math.max(x.lo, domain.lo);
  const to = Math.min(x.hi, domain.hi);
  if (!(from <= to)) return shape.range;
  if (shape.enclose !== undefined) return shape.enclose({ lo: from, hi: to });
  const first = evaluateShape(shape, from);
  const last = evaluateShape(shape, to);
  let lo = Math.min(first, last);
  let hi = Math.max(first, last);
  const include = (y: number): void => {
    lo = Math.min(lo, y);
    hi = Math.max(hi, y);
  };
  for (const turn of shape.turns) {
    if (from < turn && turn < to) include(shape.evaluate(turn));
  }
  for (const { at, left } of shape.jumps) {
    if (from < at && at <= to) {
      include(left);
      include(shape.evaluate(at));
    }
  }
  const wide = widenBy(lo, hi, shape.ulps);
  return { lo: Math.max(wide.lo, shape.range.lo), hi: Math.min(wide.hi, shape.range.hi) };
}
