// Bytes to typed arrays: the element types that npy and idx files store. Engines are little-endian, so big-endian input is swapped
// on the way. binary16 becomes binary32, exactly; unsigned 64-bit must fit in a signed one. No headers, no shapes.

import { LutraError, type Numbers, sizeOf } from "../base/index.ts";
import { fromBits16 } from "../num/index.ts";

export type StoredType =
  | "bool"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float16"
  | "float32"
  | "float64";

const WIDTH_BYTES: Readonly<Record<StoredType, number>> = {
  bool: 1,
  int8: 1,
  uint8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  uint64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
};

/** The elements of `bytes`, copied. @throws LutraError "bad-data" if a uint64 is 2^63 or more */
export function decodeElements(bytes: Uint8Array, type: StoredType, order: "little" | "big", where: string): Numbers {
  // A copy: typed arrays need aligned storage. Not slice(): Node's Buffer, which files arrive in, makes that a view.
  const copy = new Uint8Array(bytes);
  if (order === "big") swapBytes(copy, WIDTH_BYTES[type]);
  const { buffer } = copy;
  switch (type) {
    case "bool":
    case "uint8":
      return copy;
    case "int8":
      return new Int8Array(buffer);
    case "int16":
      return new Int16Array(buffer);
    case "uint16":
      return new Uint16Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "uint32":
      return new Uint32Array(buffer);
    case "int64":
      return new BigInt64Array(buffer);
    case "uint64":
      return checkSigned(new BigInt64Array(buffer), where);
    case "float16":
      return widenBinary16(new Uint16Array(buffer));
    case "float32":
      return new Float32Array(buffer);
    case "float64":
      return new Float64Array(buffer);
    default:
      return type satisfies never;
  }
}

function swapBytes(bytes: Uint8Array, width: number): void {
  if (width === 1) return;
  for (let start = 0; start < bytes.length; start += width) bytes.subarray(start, start + width).reverse();
}

function checkSigned(values: BigInt64Array, where: string): BigInt64Array {
  const i = values.findIndex((value) => value < 0n);
  if (i >= 0) {
    const value = BigInt.asUintN(64, values[i]);
    throw new LutraError("bad-data", `a 64-bit integer must be below 2^63, got ${value}`, {
      where: `${where}: element ${i}`,
    });
  }
  return values;
}

function widenBinary16(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = fromBits16(halves[i]);
  return values;
}

/** @throws LutraError "bad-data" unless the file holds exactly the elements that its header promises */
export function checkStored(shape: readonly number[], type: StoredType, storedBytes: number, name: string): void {
  const expected = sizeOf(shape) * WIDTH_BYTES[type];
  if (storedBytes === expected) return;
  const message = `shape (${shape.join(", ")}) of ${type} needs ${expected} bytes, the file holds ${storedBytes}`;
  throw new LutraError("bad-data", message, {
    where: name,
    note: "the file is truncated or not what its header says",
  });
}
