// Typed arrays of a kernel's codes: which type holds a lane, and what is wrong with an array that a user gives.

import { LutraError } from "../base/index.ts";
import { LANE_ARRAYS, type Lane, type LaneArray, type LaneArrayType } from "../kernel/index.ts";
import type { EmittedModule } from "../target/wasm/index.ts";

/** Arrays of codes. Floats of every format are in Float32Array. */
export type Codes = LaneArray;

/** @throws LutraError "unsupported" for a kernel with integers of 64 bits among its arrays */
export function checkLanes({ params, results }: Pick<EmittedModule, "params" | "results">): void {
  const wide = [...params, ...results].find(({ lane }) => lane === "i64");
  if (wide === undefined) return;
  const what = `"${wide.name}" has integers of 64 bits, which no typed array of numbers holds`;
  throw new LutraError("unsupported", what, { note: "cast them to at most 32 bits in the kernel" });
}

function arrayOf(lane: Lane): LaneArrayType {
  if (lane === "i64") throw new RangeError("no typed array of numbers holds i64");
  return LANE_ARRAYS[lane];
}

/** The name of a lane's arrays, which an array of any realm says of itself. */
export function arrayName(lane: Lane): string {
  return arrayOf(lane).name;
}

/** Bytes of one code. */
export function bytesOf(lane: Lane): number {
  return arrayOf(lane).BYTES_PER_ELEMENT;
}

export function newCodes(lane: Lane, length: number): Codes {
  return new (arrayOf(lane))(length);
}

/** The codes at an address. */
export function codesAt(lane: Lane, buffer: ArrayBufferLike, address: number, length: number): Codes {
  return new (arrayOf(lane))(buffer, address, length);
}

/** @throws LutraError "bad-argument" for another type or a detached array */
export function checkCodes(what: string, codes: Codes, lane: Lane): void {
  const wanted = arrayName(lane);
  const given: unknown = codes?.[Symbol.toStringTag];
  if (given !== wanted || !ArrayBuffer.isView(codes)) {
    const got = typeof given === "string" ? given : codes === null ? "null" : typeof codes;
    throw new LutraError("bad-argument", `${what} of this kernel is a ${wanted}, got ${got}`);
  }
  if (codes.length === 0 && isDetached(codes)) {
    throw new LutraError("bad-argument", `the memory of ${what} is detached`, {
      note: "it was transferred, or a kernel's memory grew: ask for its buffers again",
    });
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

/** Whether two arrays have bytes in common. */
export function overlap(a: Codes, b: Codes): boolean {
  return (
    a.buffer === b.buffer && a.byteOffset < b.byteOffset + b.byteLength && b.byteOffset < a.byteOffset + a.byteLength
  );
}

/** Whether two arrays begin at one byte with codes of one size. */
export function isSamePlace(a: Codes, b: Codes): boolean {
  return a.byteOffset === b.byteOffset && a.BYTES_PER_ELEMENT === b.BYTES_PER_ELEMENT;
}
