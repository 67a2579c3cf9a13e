// Values, errors and enclosures of a function by the line it keeps to far out.

import { type Interval, iv } from "../../num/index.ts";
import type { FarLine } from "../types.ts";

/** No line begins nearer to 0: a quick answer for almost every argument. */
export const NEAREST: number = 2 ** 10;

/** Towards -Infinity and Infinity, made when first asked for. */
export type FarLines = readonly [below: () => FarLine | null, above: () => FarLine | null];

/** The line that holds for all of [lo, hi]; null if there is none. */
export function farOut(lo: number, hi: number, [below, above]: FarLines): FarLine | null {
  if (lo >= NEAREST) {
    const line = above();
    return line !== null && lo >= line.from ? line : null;
  }
  if (!(hi <= -NEAREST)) return null;
  const line = below();
  return line !== null && hi <= -line.from ? line : null;
}

/** Whether the line, where it has a slope, is the function's value to within a rounding everywhere. */
export function settlesOn({ slope, slopeError, from, deviation }: FarLine): boolean {
  const size = Math.abs(slope);
  return slopeError <= size * 2 ** -52 && iv.magnitude(deviation) < size * from * 2 ** -54;
}

/** |fl(slope x + intercept) - f(x)| at most. Products of two binary32 numbers are exact, and so is adding 0. */
export function farError({ slope, intercept, slopeError, deviation }: FarLine, x: number): number {
  const product = Math.abs(slope * x);
  const productError = Math.fround(slope) === slope && Math.fround(x) === x ? 0 : product * 2 ** -52;
  const sumError = intercept === 0 ? 0 : (product + Math.abs(intercept)) * 2 ** -52;
  return (iv.magnitude(deviation) + slopeError * Math.abs(x) + productError + sumError) * (1 + 2 ** -50);
}

/** Contains f on x, which lies where the line holds. */
export function encloseFar({ slope, intercept, slopeError, deviation }: FarLine, x: Interval): Interval {
  const line = iv.add(iv.multiply({ lo: slope, hi: slope }, x), { lo: intercept, hi: intercept });
  const doubt = slopeError === 0 ? 0 : slopeError * iv.magnitude(x) * (1 + 2 ** -50);
  return iv.add(line, { lo: deviation.lo - doubt, hi: deviation.hi + doubt });
}
