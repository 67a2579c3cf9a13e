// NumPy's .npy: a Python dict literal with dtype, order and shape, then the elements. C order and plain number types only; anything
// else is refused by name. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { LutraError, sizeOf, type Tensor } from "../base/index.ts";
import { checkStored, decodeElements, type StoredType } from "./elements.ts";

const MAX_HEADER_BYTES = 65_536;
export const MAX_DIMENSIONS = 32;
/** Most elements of one array: far above any data set that fits in memory, far below where sizes lose exactness. */
export const MAX_ELEMENTS: number = 2 ** 31;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** NumPy's type codes without the byte order. */
const TYPES: Readonly<Record<string, StoredType>> = {
  b1: "bool",
  i1: "int8",
  u1: "uint8",
  i2: "int16",
  u2: "uint16",
  i4: "int32",
  u4: "uint32",
  i8: "int64",
  u8: "uint64",
  f2: "float16",
  f4: "float32",
  f8: "float64",
};

export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/**
 * The array of a .npy file, row-major; binary16 widened to binary32, bool as 0 and 1. `name` is the file's, for messages.
 * @throws LutraError "bad-data"
 */
export function readNpy(bytes: Uint8Array, name = "npy data"): Tensor {
  const { text, dataStart } = readHeader(bytes, name);
  const where = `${name}: header`;
  const { type, order } = parseType(headerField(text, /'descr'\s*:\s*(\[|'[^']*')/, "descr", where), where);
  if (headerField(text, /'fortran_order'\s*:\s*(True|False)/, "fortran_order", where) === "True") {
    throw new LutraError("bad-data", "the array is stored in Fortran order", {
      where,
      note: "save it with numpy.save(file, numpy.ascontiguousarray(array))",
    });
  }
  const shape = parseShape(headerField(text, /'shape'\s*:\s*\(([^)]*)\)/, "shape", where), where);
  checkStored(shape, type, bytes.length - dataStart, name);
  return { shape, data: decodeElements(bytes.subarray(dataStart), type, order, name) };
}

function readHeader(bytes: Uint8Array, name: string): { readonly text: string; readonly dataStart: number } {
  if (!isNpy(bytes) || bytes.length < 10) throw new LutraError("bad-data", "not a .npy file", { where: name });
  const version = bytes[6];
  if (version < 1 || version > 3)
    throw new LutraError("bad-data", `.npy version ${version} is unknown`, { where: name });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : bytes.length < 12 ? Infinity : view.getUint32(8, true);
  if (length > MAX_HEADER_BYTES || start + length > bytes.length) {
    throw new LutraError(
      "bad-data",
      `a .npy header of ${length} bytes is longer than the file or the limit of ${MAX_HEADER_BYTES}`,
      {
        where: name,
      },
    );
  }
  const text = String.fromCharCode(...bytes.subarray(start, start + length));
  return { text, dataStart: start + length };
}

function headerField(text: string, pattern: RegExp, field: string, where: string): string {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new LutraError("bad-data", `the .npy header has no readable '${field}'`, { where });
  return found;
}

function parseType(descr: string, where: string): { readonly type: StoredType; readonly order: "little" | "big" } {
  const match = /^'([<>|=])([a-z]\d)'$/.exec(descr);
  const type = match === null ? undefined : TYPES[match[2]];
  if (match === null || type === undefined) {
    const what = descr === "[" ? "structured arrays" : `arrays of dtype ${descr}`;
    throw new LutraError("bad-data", `${what} are not supported`, {
      where,
      note: `supported: ${Object.keys(TYPES).join(", ")}`,
    });
  }
  return { type, order: match[1] === ">" ? "big" : "little" };
}

function parseShape(text: string, where: string): readonly number[] {
  const extents = text.split(",").map((part) => part.trim());
  // Python writes (3,) for one dimension and () for none.
  if (extents.at(-1) === "") extents.pop();
  if (extents.length > MAX_DIMENSIONS || !extents.every((extent) => /^\d{1,15}$/.test(extent))) {
    throw new LutraError("bad-data", `the shape (${text.slice(0, 100)}) is not up to ${MAX_DIMENSIONS} whole numbers`, {
      where,
    });
  }
  const shape = extents.map(Number);
  checkSize(shape, where);
  return shape;
}

/** @throws LutraError "bad-data" above MAX_ELEMENTS */
export function checkSize(shape: readonly number[], where: string): void {
  const size = sizeOf(shape);
  if (!(size <= MAX_ELEMENTS)) {
    throw new LutraError(
      "bad-data",
      `an array of shape (${shape.join(", ")}) exceeds the limit of ${MAX_ELEMENTS} elements`,
      { where },
    );
  }
}
