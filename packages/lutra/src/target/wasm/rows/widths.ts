// In how many bits a value is held: as few as its proven range needs, whatever its lane. Integers are two's complement; whether the highest
// bit is a sign follows from the range.

import type { Interval } from "../../../num/index.ts";

export type Width = 8 | 16 | 32 | 64;
export const WIDTHS: readonly Width[] = [8, 16, 32, 64];

/** Names of vectors of such integers. */
export const SHAPES: { readonly 8: "i8x16"; readonly 16: "i16x8"; readonly 32: "i32x4"; readonly 64: "i64x2" } = {
  8: "i8x16",
  16: "i16x8",
  32: "i32x4",
  64: "i64x2",
};

/** Elements of one step: one vector of bytes, two of 16 bits and so on. */
export const STEP: number = 16;
export const VECTOR_BYTES: number = 16;

/** Vectors of one step. */
export function partsOf(width: Width): number {
  return width / 8;
}

export function fitsSigned({ lo, hi }: Interval, width: Width): boolean {
  return lo >= -(2 ** (width - 1)) && hi < 2 ** (width - 1);
}

export function fitsUnsigned({ lo, hi }: Interval, width: Width): boolean {
  return lo >= 0 && hi < 2 ** width;
}

export function fits({ lo, hi }: Interval, width: Width): boolean {
  const half = 2 ** (width - 1);
  return lo >= 0 ? hi < 2 * half : lo >= -half && hi < half;
}

/** The least width that holds all integers of a range; 32 for binary32 (null). */
export function bitsOf(range: Interval | null): Width {
  if (range === null) return 32;
  for (const width of WIDTHS) if (fits(range, width)) return width;
  return 64;
}
