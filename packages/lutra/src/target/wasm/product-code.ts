// Short pieces of code that the functions around products share.

import { type Code, get, i32, type Local, op, select, set, shuffle, v128 } from "./assembler.ts";
import { PANEL_COLUMNS } from "./product-methods.ts";

export const VECTOR_BYTES = 16;

/** Adds to a local. */
export function advance(local: Local, by: Code | number): Code {
  return set(local, op("i32.add", get(local), typeof by === "number" ? i32(by) : by));
}

export function isPositive(local: Local): Code {
  return op("i32.lt_s", i32(0), get(local));
}

/** The lesser of two signed numbers, both computed twice. */
export function least(a: Code, b: Code): Code {
  return select(a, b, op("i32.lt_s", a, b));
}

/** How many panels n columns take. */
export function panelsOf(n: Local): Code {
  return groupsOf(n, PANEL_COLUMNS);
}

/** How many groups of `size`, a power of two, k elements take. */
export function groupsOf(k: Local, size: number): Code {
  return op("i32.shr_u", op("i32.add", get(k), i32(size - 1)), i32(31 - Math.clz32(size)));
}

/** A mask of the bytes whose number is less than the count. */
export function bytesBelow(count: Code, numberOf: (byte: number) => number = (byte) => byte): Code {
  const numbers = Array.from({ length: VECTOR_BYTES }, (_, byte) => numberOf(byte));
  return op("i8x16.lt_u", v128(numbers, "i8"), op("i8x16.splat", count));
}

/** Units of a and of b in turn, of their lower or upper halves. */
export function interleave(a: Code, b: Code, unitBytes: number, half: 0 | 1): Code {
  const unitsOfHalf = VECTOR_BYTES / 2 / unitBytes;
  const lanes = Array.from({ length: VECTOR_BYTES }, (_, byte) => {
    const unit = Math.floor(byte / unitBytes);
    const from = Math.floor(unit / 2) + half * unitsOfHalf;
    return (unit % 2) * VECTOR_BYTES + from * unitBytes + (byte % unitBytes);
  });
  return shuffle(lanes, a, b);
}
