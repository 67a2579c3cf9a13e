// What each lane can hold, and which lane holds a format's codes.

import type { Format, Interval } from "../num/index.ts";
import type { Lane } from "./types.ts";

/** 2^53: up to here every integer is a binary64 number. */
const LARGEST_EXACT = 2 ** 53;

const RANGES: Readonly<Record<Exclude<Lane, "f32">, Interval>> = {
  i8: { lo: -(2 ** 7), hi: 2 ** 7 - 1 },
  u8: { lo: 0, hi: 2 ** 8 - 1 },
  i16: { lo: -(2 ** 15), hi: 2 ** 15 - 1 },
  u16: { lo: 0, hi: 2 ** 16 - 1 },
  i32: { lo: -(2 ** 31), hi: 2 ** 31 - 1 },
  u32: { lo: 0, hi: 2 ** 32 - 1 },
  i64: { lo: -LARGEST_EXACT, hi: LARGEST_EXACT },
};

/** Least and greatest integer of a lane; null for binary32. */
export function laneRange(lane: Lane): Interval | null {
  return lane === "f32" ? null : RANGES[lane];
}

/** The lane that holds a format's codes. */
export function laneOf(format: Format): Lane {
  if (format.kind === "float") return "f32";
  const width = format.bits <= 8 ? 8 : format.bits <= 16 ? 16 : 32;
  return `${format.signed ? "i" : "u"}${width}`;
}
