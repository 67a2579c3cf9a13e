// Addresses of elements.

import { type Code, i32, op } from "../assembler.ts";
import type { Width } from "./widths.ts";

const BYTE_SHIFTS = { 8: 0, 16: 1, 32: 2, 64: 3 } as const satisfies Record<Width, number>;

/** Bytes of n elements of a width. */
export function bytesOf(n: Code, width: Width): Code {
  return width === 8 ? n : op("i32.shl", n, i32(BYTE_SHIFTS[width]));
}

/** The address of the n-th element. */
export function addressOf(base: Code, n: Code, width: Width): Code {
  return op("i32.add", base, bytesOf(n, width));
}
