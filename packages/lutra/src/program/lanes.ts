// Lanes of tensors: of typed arrays, and which lane holds some integers.

import { laneRange } from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import type { Codes, TensorLane } from "./types.ts";

/** From the narrowest on. */
export const TENSOR_LANES: readonly TensorLane[] = ["i8", "u8", "i16", "u16", "i32", "u32"];

export function laneOfCodes(codes: Codes): TensorLane {
  return `${codes[Symbol.toStringTag].startsWith("U") ? "u" : "i"}${(8 * codes.BYTES_PER_ELEMENT) as 8 | 16 | 32}`;
}

/** The narrowest lane that holds all integers of a range; undefined where none does. */
export function narrowestLane({ lo, hi }: Interval): TensorLane | undefined {
  return TENSOR_LANES.find((lane) => {
    const whole = laneRange(lane) as Interval;
    return whole.lo <= lo && hi <= whole.hi;
  });
}

/** Least and greatest of some integers: from Infinity to -Infinity of none. */
export function spanOf(codes: ArrayLike<number>): Interval {
  let lo = Infinity;
  let hi = -Infinity;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    if (code < lo) lo = code;
    if (code > hi) hi = code;
  }
  return { lo, hi };
}
