// Integer arithmetic as kernels define it, on binary64 numbers that hold integers of at most 2^53: exact, rounded only as stated.

import { type Rounding, roundShift } from "../table/index.ts";
import type { Lane } from "./types.ts";

/** Longest shift: what a 32-bit shift of hardware takes, and more than empties i64. */
export function longestShift(lane: Lane): number {
  return lane === "i64" || lane === "f32" ? 62 : 31;
}

/** a / b for b > 0, rounded. The remainder of two binary64 numbers is exact, so no quotient is ever rounded to binary64. */
export function divide(a: number, b: number, rounding: Rounding): number {
  const truncated = (a - (a % b)) / b;
  const down = a % b < 0 ? truncated - 1 : truncated;
  if (rounding === "floor") return down;
  const rest = a % b < 0 ? (a % b) + b : a % b;
  if (2 * rest !== b) return 2 * rest > b ? down + 1 : down;
  return rounding === "half-up" || down % 2 !== 0 ? down + 1 : down;
}

/** a * 2^b. Exact while the result is at most 2^53; beyond that still beyond. */
export function shiftLeft(a: number, b: number): number {
  return a * 2 ** b;
}

/** a / 2^b, rounded. */
export function shiftRight(a: number, b: number, rounding: Rounding): number {
  return roundShift(a, b, rounding);
}

/** Binary digits of a >= 0: 0 for 0, 1 + floor(log2 a) for others. */
export function bitLength(a: number): number {
  const high = Math.floor(a / 2 ** 32);
  return high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(a);
}

/** A real number as an integer, rounded; NaN is 0. */
export function roundReal(x: number, rounding: Rounding): number {
  if (Number.isNaN(x)) return 0;
  if (!Number.isFinite(x)) return x;
  const down = Math.floor(x);
  if (rounding === "floor" || x === down) return down;
  const rest = x - down;
  if (rest !== 0.5) return rest > 0.5 ? down + 1 : down;
  return rounding === "half-up" || down % 2 !== 0 ? down + 1 : down;
}
