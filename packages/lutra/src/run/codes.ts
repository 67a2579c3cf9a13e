// Typed arrays of a kernel's codes: which type holds a lane, and what is wrong with an array that a user gives.

import { LutraError } from "../base/index.ts";
import type { Lane } from "../kernel/index.ts";

/** Arrays of codes, by lane. Floats of every format are in Float32Array. */
export type Codes =
  | Float32Array<ArrayBufferLike>
  | Int8Array<ArrayBufferLike>
  | Uint8Array<ArrayBufferLike>
  | Int16Array<ArrayBufferLike>
  | Uint16Array<ArrayBufferLike>
  | Int32Array<ArrayBufferLike>
  | Uint32Array<ArrayBufferLike>;

const ARRAYS = {
  f32: Float32Array,
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
} as const;

function arrayOf(lane: Lane): (typeof ARRAYS)[keyof typeof ARRAYS] {
  if (lane === "i64") throw new RangeError("no typed array of numbers holds i64");
  return ARRAYS[lane];
}

/** Bytes of one code. */
export function bytesOf(lane: Lane): number {
  return arrayOf(lane).BYTES_PER_ELEMENT;
}

export function newCodes(lane: Lane, length: number): Codes {
  return new (arrayOf(lane))(length);
}

/** The codes at an address. */
export function codesAt(lane: Lane, buffer: ArrayBuffer, address: number, length: number): Codes {
  return new (arrayOf(lane))(buffer, address, length);
}

/** @throws LutraError "bad-argument" for another type, a detached array or one that is too short */
export function checkCodes(what: string, codes: Codes, lane: Lane, length: number): void {
  const wanted = arrayOf(lane).name;
  const given: unknown = codes?.[Symbol.toStringTag];
  if (given !== wanted) {
    const got = typeof given === "string" ? given : typeof codes;
    throw new LutraError("bad-argument", `the ${what} of this kernel is a ${wanted}, got ${got}`);
  }
  if (isDetached(codes)) {
    throw new LutraError("bad-argument", `the ${what}'s memory is detached`, {
      note: "it was transferred, or a kernel's memory grew: ask for its buffers again",
    });
  }
  if (codes.length < length) {
    throw new LutraError("bad-argument", `the ${what} has room for ${codes.length} answers, the input has ${length}`);
  }
}

/** Only a detached buffer, or an empty one, has no bytes; no view of a detached one can be made. */
function isDetached({ buffer }: Codes): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** Whether two arrays share bytes without beginning at the same one and having codes of one size. */
export function overlap(a: Codes, b: Codes): boolean {
  if (a.buffer !== b.buffer || a.length === 0) return false;
  if (a.byteOffset === b.byteOffset && a.BYTES_PER_ELEMENT === b.BYTES_PER_ELEMENT) return false;
  return a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength;
}
