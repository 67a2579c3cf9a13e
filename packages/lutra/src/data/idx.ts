// The idx format of MNIST: two zero bytes, a type code, the rank, big-endian extents, then big-endian elements.
// http://yann.lecun.com/exdb/mnist (format description). Gzip is undone before this.

import { LutraError, type Tensor } from "../base/index.ts";
import { checkStored, decodeElements, type StoredType } from "./elements.ts";
import { checkSize, MAX_DIMENSIONS } from "./npy.ts";

const TYPES: Readonly<Record<number, StoredType>> = {
  8: "uint8",
  9: "int8",
  11: "int16",
  12: "int32",
  13: "float32",
  14: "float64",
};

export function isIdx(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 && bytes[2] in TYPES;
}

/** The array of an idx file, row-major. @throws LutraError "bad-data" */
export function readIdx(bytes: Uint8Array, name = "idx data"): Tensor {
  if (!isIdx(bytes)) throw new LutraError("bad-data", "not an idx file", { where: name });
  const type = TYPES[bytes[2]];
  const rank = bytes[3];
  const dataStart = 4 + 4 * rank;
  if (rank > MAX_DIMENSIONS || dataStart > bytes.length) {
    throw new LutraError(
      "bad-data",
      `an idx header of ${rank} dimensions does not fit the file or the limit of ${MAX_DIMENSIONS}`,
      {
        where: name,
      },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  checkSize(shape, name);
  checkStored(shape, type, bytes.length - dataStart, name);
  return { shape, data: decodeElements(bytes.subarray(dataStart), type, "big", name) };
}
