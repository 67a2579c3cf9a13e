// Closed intervals of reals with binary64 ends, rounded outward: every operation's result contains every exact result.

import { nextDown, nextUp } from "./float.ts";

export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

export const EVERYTHING: Interval = { lo: -Infinity, hi: Infinity };

/** @throws RangeError unless lo <= hi */
export function interval(lo: number, hi: number = lo): Interval {
  if (!(lo <= hi)) throw new RangeError(`an interval needs lo <= hi, got [${lo}, ${hi}]`);
  return { lo, hi };
}

/** Widens both ends by `ulps` neighbours' worth of relative error plus one subnormal step. */
export function widen({ lo, hi }: Interval, ulps: number): Interval {
  return { lo: nextDown(lo - Math.abs(lo) * ulps * 2 ** -52), hi: nextUp(hi + Math.abs(hi) * ulps * 2 ** -52) };
}

export function hull(a: Interval, b: Interval): Interval {
  return { lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
}

/** Common part, or null. */
export function intersect(a: Interval, b: Interval): Interval | null {
  const lo = Math.max(a.lo, b.lo);
  const hi = Math.min(a.hi, b.hi);
  return lo <= hi ? { lo, hi } : null;
}

export function contains(a: Interval, x: number): boolean {
  return a.lo <= x && x <= a.hi;
}

/** Largest |x| in the interval. */
export function magnitude({ lo, hi }: Interval): number {
  return Math.max(Math.abs(lo), Math.abs(hi));
}

/** Smallest |x| in the interval. */
export function mignitude({ lo, hi }: Interval): number {
  return lo <= 0 && hi >= 0 ? 0 : Math.min(Math.abs(lo), Math.abs(hi));
}

export function negate({ lo, hi }: Interval): Interval {
  return { lo: -hi, hi: -lo };
}

/** A rounded sum is 0 only where it is exact, so 0 stays: x - 1 at 1 has its sign. */
export function add(a: Interval, b: Interval): Interval {
  const lo = a.lo + b.lo;
  const hi = a.hi + b.hi;
  return { lo: lo === 0 ? 0 : nextDown(lo), hi: hi === 0 ? 0 : nextUp(hi) };
}

export function subtract(a: Interval, b: Interval): Interval {
  return add(a, negate(b));
}

/** 0 times infinity counts as 0: an infinite end stands for arbitrarily large finite values. */
export function multiply(a: Interval, b: Interval): Interval {
  const products = [times(a.lo, b.lo), times(a.lo, b.hi), times(a.hi, b.lo), times(a.hi, b.hi)];
  return { lo: nextDown(Math.min(...products)), hi: nextUp(Math.max(...products)) };
}

function times(x: number, y: number): number {
  return x === 0 || y === 0 ? 0 : x * y;
}

/** Everything if the divisor contains 0 inside. */
export function divide(a: Interval, b: Interval): Interval {
  return multiply(a, inverse(b));
}

export function inverse({ lo, hi }: Interval): Interval {
  if (lo < 0 && hi > 0) return EVERYTHING;
  if (lo === 0 && hi === 0) return EVERYTHING;
  return { lo: hi === 0 ? -Infinity : nextDown(1 / hi), hi: lo === 0 ? Infinity : nextUp(1 / lo) };
}

export function square(a: Interval): Interval {
  const small = mignitude(a);
  const large = magnitude(a);
  return { lo: Math.max(0, nextDown(small * small)), hi: nextUp(large * large) };
}
