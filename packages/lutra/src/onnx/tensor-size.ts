// Whether a stored tensor has as many bytes or numbers as its shape and its type ask for, without reading them: what does not fit is told
// here, by the tensor's name, before a runtime is asked to load it.

import { type TensorProto, TensorProto_DataType } from "onnx-buf";
import { LutraError, sizeOf } from "../base/index.ts";
import { externalReference } from "./external.ts";
import { MAX_RANK } from "./limits.ts";

const Type = TensorProto_DataType;

/** Bits of one element by type; texts have none. */
const BITS: ReadonlyMap<number, number> = new Map(
  (
    [
      [2, [Type.UINT2, Type.INT2]],
      [4, [Type.UINT4, Type.INT4, Type.FLOAT4E2M1]],
      [8, [Type.UINT8, Type.INT8, Type.BOOL]],
      [8, [Type.FLOAT8E4M3FN, Type.FLOAT8E4M3FNUZ, Type.FLOAT8E5M2, Type.FLOAT8E5M2FNUZ, Type.FLOAT8E8M0]],
      [16, [Type.UINT16, Type.INT16, Type.FLOAT16, Type.BFLOAT16]],
      [32, [Type.UINT32, Type.INT32, Type.FLOAT]],
      [64, [Type.UINT64, Type.INT64, Type.DOUBLE, Type.COMPLEX64]],
      [128, [Type.COMPLEX128]],
    ] as const
  ).flatMap(([bits, types]) => types.map((type) => [type, bits] as const)),
);

/** @throws LutraError "bad-model" naming the tensor whose data do not fit its shape and type */
export function checkTensorSize(tensor: TensorProto): void {
  const shape = tensor.dims.map(Number);
  if (shape.length > MAX_RANK || shape.some((extent) => extent < 0)) refuse(tensor, "is no shape", "");
  const bits = BITS.get(tensor.dataType);
  if (bits === undefined) return;
  const size = sizeOf(shape);
  const bytes = Math.ceil((size * bits) / 8);
  const asks = (count: number, unit: string): string => `asks for ${count} ${unit}${count === 1 ? "" : "s"}`;
  const reference = externalReference(tensor);
  if (reference !== null) {
    const length = reference.length ?? bytes;
    if (length !== bytes) refuse(tensor, asks(bytes, "byte"), `, ${length} are set aside in "${reference.location}"`);
  } else if (tensor.rawData.length > 0) {
    if (tensor.rawData.length !== bytes) refuse(tensor, asks(bytes, "byte"), `, it has ${tensor.rawData.length}`);
  } else if (bits >= 8) {
    const count = numbersIn(tensor);
    const expected = tensor.dataType === Type.COMPLEX64 || tensor.dataType === Type.COMPLEX128 ? 2 * size : size;
    if (count !== expected) refuse(tensor, asks(expected, "number"), `, it has ${count}`);
  }
}

/** Numbers in the typed lists: a tensor uses one of them. */
function numbersIn({ floatData, doubleData, int32Data, int64Data, uint64Data }: TensorProto): number {
  return floatData.length + doubleData.length + int32Data.length + int64Data.length + uint64Data.length;
}

function refuse(tensor: TensorProto, asks: string, has: string): never {
  const type = Type[tensor.dataType]?.toLowerCase() ?? `type ${tensor.dataType}`;
  const shape = `[${tensor.dims.join(", ")}] of ${type}`;
  throw new LutraError("bad-model", `the data of tensor "${tensor.name}" do not fit: ${shape} ${asks}${has}`, {
    where: `tensor ${tensor.name}`,
    note: "Fetch or export the file again.",
  });
}
