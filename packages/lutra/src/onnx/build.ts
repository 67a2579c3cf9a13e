// Makes the protobuf messages that rewriting adds: nodes, attributes and constant tensors. Pure constructors, no checks against
// an operator set: who emits a node knows its opset.

import { create } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
} from "onnx-buf";

/** An attribute's value: bigint is INT, number is FLOAT, arrays their lists; a tensor is TENSOR, a graph GRAPH. */
export type AttributeValue =
  | bigint
  | number
  | string
  | readonly bigint[]
  | readonly number[]
  | TensorProto
  | GraphProto;

/** A node of the default domain, or of `domain`. An empty input name leaves an optional input out. */
export function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  options: { readonly name?: string; readonly domain?: string } = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => makeAttribute(name, value));
  return create(NodeProtoSchema, { opType, input: [...inputs], output: [...outputs], attribute, ...options });
}

/** Elements of a constant tensor; the element type is the array's. */
export type Elements =
  | Float32Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array<ArrayBuffer>;

/** A Constant node that gives `output` the values; shape [] if there is one value and no shape is given. */
export function constant(output: string, values: Elements | number, shape?: readonly number[]): NodeProto {
  return node("Constant", [], [output], { value: tensor(values, shape) });
}

/** A constant tensor, little-endian in raw_data; a number is one binary32 element. */
export function tensor(values: Elements | number, shape?: readonly number[], name?: string): TensorProto {
  const data = typeof values === "number" ? Float32Array.of(values) : values;
  const dims = shape ?? (typeof values === "number" ? [] : [data.length]);
  if (dims.reduce((product, extent) => product * extent, 1) !== data.length)
    throw new RangeError(`a tensor of shape [${dims.join(", ")}] cannot hold ${data.length} values`);
  return create(TensorProtoSchema, {
    dims: dims.map(BigInt),
    dataType: elementType(data),
    rawData: littleEndian(data),
    ...(name === undefined ? {} : { name }),
  });
}

/** Integers as ONNX wants them: int64. */
export function int64(values: readonly number[]): BigInt64Array {
  return BigInt64Array.from(values, BigInt);
}

function makeAttribute(name: string, value: AttributeValue): AttributeProto {
  const type = AttributeProto_AttributeType;
  if (typeof value === "bigint") return create(AttributeProtoSchema, { name, type: type.INT, i: value });
  if (typeof value === "number") return create(AttributeProtoSchema, { name, type: type.FLOAT, f: value });
  if (typeof value === "string")
    return create(AttributeProtoSchema, { name, type: type.STRING, s: new TextEncoder().encode(value) });
  if ("$typeName" in value)
    return value.$typeName === "onnx.GraphProto"
      ? create(AttributeProtoSchema, { name, type: type.GRAPH, g: value })
      : create(AttributeProtoSchema, { name, type: type.TENSOR, t: value });
  const list: readonly (bigint | number)[] = value;
  if (list.every((item) => typeof item === "bigint"))
    return create(AttributeProtoSchema, { name, type: type.INTS, ints: [...list] });
  return create(AttributeProtoSchema, { name, type: type.FLOATS, floats: list.map(Number) });
}

function elementType(data: Elements): TensorProto_DataType {
  const type = TensorProto_DataType;
  if (data instanceof Float32Array) return type.FLOAT;
  if (data instanceof BigInt64Array) return type.INT64;
  if (data instanceof Int32Array) return type.INT32;
  if (data instanceof Int16Array) return type.INT16;
  if (data instanceof Uint16Array) return type.UINT16;
  return data instanceof Int8Array ? type.INT8 : type.UINT8;
}

function littleEndian(data: Elements): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.byteLength);
  const view = new DataView(bytes.buffer);
  const width = data.BYTES_PER_ELEMENT;
  data.forEach((value, i) => {
    if (typeof value === "bigint") view.setBigInt64(width * i, value, true);
    else if (data instanceof Float32Array) view.setFloat32(width * i, value, true);
    else if (width === 4) view.setInt32(width * i, value, true);
    else if (width === 2) view.setInt16(width * i, value, true);
    else view.setInt8(width * i, value);
  });
  return bytes;
}
