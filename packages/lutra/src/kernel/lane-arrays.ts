// The typed array that holds numbers of a lane: one table for all that make, name or measure arrays of codes. i64 has none: its numbers
// reach 2^53, and BigInt64Array holds no numbers.

import type { Lane } from "./types.ts";

/** Lanes with a typed array of numbers. */
export type ArrayLane = Exclude<Lane, "i64">;

export type IntegerArray =
  | Int8Array<ArrayBufferLike>
  | Uint8Array<ArrayBufferLike>
  | Int16Array<ArrayBufferLike>
  | Uint16Array<ArrayBufferLike>
  | Int32Array<ArrayBufferLike>
  | Uint32Array<ArrayBufferLike>;

export type LaneArray = IntegerArray | Float32Array<ArrayBufferLike>;

export interface LaneArrayType<T extends LaneArray = LaneArray> {
  new (length: number): T;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
  from(numbers: Iterable<number> | ArrayLike<number>): T;
  readonly name: string;
  readonly BYTES_PER_ELEMENT: number;
}

/** By lane; floats of every format are in Float32Array. */
export const LANE_ARRAYS: Readonly<
  Record<Exclude<ArrayLane, "f32">, LaneArrayType<IntegerArray>> & Record<"f32", LaneArrayType>
> = {
  f32: Float32Array,
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
};

/** Bits of a number of a lane. */
export function laneBits(lane: Lane): 8 | 16 | 32 | 64 {
  return lane === "i64" ? 64 : ((8 * LANE_ARRAYS[lane].BYTES_PER_ELEMENT) as 8 | 16 | 32);
}
