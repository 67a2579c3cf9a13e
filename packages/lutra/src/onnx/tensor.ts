// TensorProto to Tensor: decodes the numeric types that models store constants in, from raw_data, typed lists or external files.

import { type TensorProto, TensorProto_DataType } from "onnx-buf";
import { LutraError, type Numbers, sizeOf, type Tensor } from "../base/index.ts";
import { fromBits16, fromBits32 } from "../num/index.ts";
import { externalReference } from "./external.ts";
import { MAX_DECODED_ELEMENTS, MAX_RANK } from "./limits.ts";
import type { ExternalFile } from "./types.ts";

/** How one stored type is laid out and read. */
interface Layout {
  readonly width: number;
  readonly allocate: (length: number) => Numbers;
  readonly read: (view: DataView, offset: number) => number | bigint;
  readonly list: (tensor: TensorProto) => readonly (number | bigint)[];
}

const Type = TensorProto_DataType;
const floats = (length: number): Numbers => new Float32Array(length);
const LAYOUTS: ReadonlyMap<number, Layout> = new Map<number, Layout>([
  [Type.FLOAT, { width: 4, allocate: floats, read: (v, i) => v.getFloat32(i, true), list: (t) => t.floatData }],
  [
    Type.DOUBLE,
    {
      width: 8,
      allocate: (n) => new Float64Array(n),
      read: (v, i) => v.getFloat64(i, true),
      list: (t) => t.doubleData,
    },
  ],
  [
    Type.INT64,
    {
      width: 8,
      allocate: (n) => new BigInt64Array(n),
      read: (v, i) => v.getBigInt64(i, true),
      list: (t) => t.int64Data,
    },
  ],
  [
    Type.INT32,
    { width: 4, allocate: (n) => new Int32Array(n), read: (v, i) => v.getInt32(i, true), list: (t) => t.int32Data },
  ],
  [
    Type.INT16,
    { width: 2, allocate: (n) => new Int16Array(n), read: (v, i) => v.getInt16(i, true), list: (t) => t.int32Data },
  ],
  [
    Type.UINT16,
    { width: 2, allocate: (n) => new Uint16Array(n), read: (v, i) => v.getUint16(i, true), list: (t) => t.int32Data },
  ],
  [Type.INT8, { width: 1, allocate: (n) => new Int8Array(n), read: (v, i) => v.getInt8(i), list: (t) => t.int32Data }],
  [
    Type.UINT8,
    { width: 1, allocate: (n) => new Uint8Array(n), read: (v, i) => v.getUint8(i), list: (t) => t.int32Data },
  ],
  [
    Type.BOOL,
    { width: 1, allocate: (n) => new Uint8Array(n), read: (v, i) => v.getUint8(i), list: (t) => t.int32Data },
  ],
  [
    Type.FLOAT16,
    {
      width: 2,
      allocate: floats,
      read: (v, i) => fromBits16(v.getUint16(i, true)),
      list: (t) => t.int32Data.map(fromBits16),
    },
  ],
  [
    Type.BFLOAT16,
    {
      width: 2,
      allocate: floats,
      read: (v, i) => fromBits32(v.getUint16(i, true) * 2 ** 16),
      list: (t) => t.int32Data.map((bits) => fromBits32((bits & 0xffff) * 2 ** 16)),
    },
  ],
]);

/**
 * The tensor's values; null if it holds no plain numbers (strings, 4-bit and 8-bit floats, ...) or is external and was not loaded.
 * binary16 and bfloat16 come as Float32Array.
 * @throws LutraError "bad-model" if the shape and the data do not fit each other
 */
export function decodeTensor(
  proto: TensorProto,
  external: ReadonlyMap<string, ExternalFile> = new Map(),
): Tensor | null {
  const layout = LAYOUTS.get(proto.dataType);
  if (layout === undefined) return null;
  const shape = proto.dims.map(Number);
  const length = sizeOf(shape);
  if (shape.length > MAX_RANK || shape.some((n) => n < 0) || !(length <= MAX_DECODED_ELEMENTS))
    return bad(proto, `a tensor of shape [${shape.join(", ")}]`);
  const bytes = bytesOf(proto, length * layout.width, external);
  if (bytes === null) return null;
  const data = layout.allocate(length);
  if (bytes.length === 0 && length > 0) {
    const list = layout.list(proto);
    if (list.length !== length) bad(proto, `${list.length} values in a tensor of shape [${shape.join(", ")}]`);
    for (let i = 0; i < length; i++) data[i] = list[i];
    return { shape, data };
  }
  if (bytes.length !== length * layout.width)
    bad(proto, `${bytes.length} bytes in a tensor of shape [${shape.join(", ")}]`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < length; i++) data[i] = layout.read(view, i * layout.width);
  return { shape, data };
}

function bytesOf(proto: TensorProto, size: number, external: ReadonlyMap<string, ExternalFile>): Uint8Array | null {
  const reference = externalReference(proto);
  if (reference === null) return proto.rawData;
  const file = external.get(reference.location);
  if (file === undefined) return null;
  const length = reference.length ?? Math.min(size, file.size - reference.offset);
  // Not to be read, then: it may be all of a large file.
  return length === size ? file.read(reference.offset, length) : bad(proto, `${length} external bytes`);
}

function bad(proto: TensorProto, what: string): never {
  throw new LutraError("bad-model", `${what} does not fit`, { where: `tensor ${proto.name}` });
}
