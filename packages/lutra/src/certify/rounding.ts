// Error bounds of sums in binary32, for any order of the additions (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
// equation 4.4): |computed - exact| <= gamma(n - 1) * (sum of the terms' magnitudes).

import { LutraError } from "../base/index.ts";
import { type Interval, UNIT_BINARY32 } from "../num/index.ts";

/** gamma(n) = n u / (1 - n u), from above: n roundings in a row change a value by at most this share. @throws LutraError "infeasible" */
export function gamma(n: number): number {
  const nu = n * UNIT_BINARY32;
  if (nu >= 0.5) throw new LutraError("infeasible", `rows of ${n} terms are too long for a bound in binary32`);
  return (nu / (1 - nu)) * (1 + 2 ** -50);
}

/** [1 - e, 1 + e], outward. */
export function around1(e: number): Interval {
  return { lo: 1 - e * (1 + 2 ** -50) - 2 ** -53, hi: 1 + e * (1 + 2 ** -50) + 2 ** -52 };
}

/** Largest distance of an interval from 1. */
export function distanceFrom1({ lo, hi }: Interval): number {
  return Math.max(1 - lo, hi - 1, 0);
}

/** One rounded operation, as a factor. */
export const ONE_ROUNDING: Interval = { lo: 1 - UNIT_BINARY32, hi: 1 + UNIT_BINARY32 };
