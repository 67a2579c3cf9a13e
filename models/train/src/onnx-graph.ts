// Writes an ONNX file node by node (opset 20, IR 9): nodes and their outputs are named after their place and operator, "layer0/MatMul_3".
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "onnx-buf";
import type { HostArray } from "./array.ts";

/** A number is an integer attribute if it is whole. */
type Attributes = Readonly<Record<string, number | readonly number[]>>;

export type Dimension = number | string;

/** An operator over named values; returns the name of its output. */
export type Node = (opType: string, inputs: readonly string[], attributes?: Attributes) => string;

export interface OnnxGraph {
  /** Writes nodes whose names begin with `scope`. */
  readonly scoped: (scope: string) => Node;
  readonly constant: (name: string, array: HostArray) => string;
  readonly scalar: (value: number) => string;
  readonly integers: (values: readonly number[]) => string;
  /** The file, whose output is the value `result` under the name `output`. */
  readonly toBytes: (input: Declared, output: Declared, result: string) => Uint8Array;
}

/** int64 as an input, binary32 as an output. A dimension that is a name is free. */
export interface Declared {
  readonly name: string;
  readonly shape: readonly Dimension[];
}

export function onnxGraph(name: string): OnnxGraph {
  const nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  const constants = new Map<string, MessageInitShape<typeof TensorProtoSchema>>();
  const store = (key: string, dims: readonly number[], dataType: DataType, data: Float32Array | BigInt64Array) => {
    const rawData = Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    constants.set(key, { name: key, dims: dims.map(BigInt), dataType, rawData });
    return key;
  };
  const scoped = (scope: string): Node => {
    return (opType, inputs, attributes = {}) => {
      const key = `${scope}/${opType}_${nodes.length}`;
      const attribute = Object.entries(attributes).map(([label, value]) => toAttribute(label, value));
      nodes.push({ name: key, opType, input: [...inputs], output: [key], attribute });
      return key;
    };
  };
  return {
    scoped,
    constant: (key, { shape, data }) => store(key, shape, DataType.FLOAT, data),
    scalar: (value) => store(`scalar ${value}`, [], DataType.FLOAT, Float32Array.of(value)),
    integers: (values) =>
      store(`integers ${values.join(" ")}`, [values.length], DataType.INT64, BigInt64Array.from(values, BigInt)),
    toBytes: (input, output, result) => {
      nodes.push({ name: output.name, opType: "Identity", input: [result], output: [output.name] });
      const model = create(ModelProtoSchema, {
        irVersion: 9n,
        producerName: "lutra models/train",
        opsetImport: [{ domain: "", version: 20n }],
        graph: {
          name,
          node: nodes,
          initializer: [...constants.values()],
          input: [valueInfo(input, DataType.INT64)],
          output: [valueInfo(output, DataType.FLOAT)],
        },
      });
      return toBinary(ModelProtoSchema, model);
    },
  };
}

function toAttribute(name: string, value: number | readonly number[]): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value !== "number") return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
  if (Number.isInteger(value)) return { name, type: AttributeType.INT, i: BigInt(value) };
  return { name, type: AttributeType.FLOAT, f: value };
}

function valueInfo({ name, shape }: Declared, elemType: DataType): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape.map((extent) => ({
    value:
      typeof extent === "string"
        ? ({ case: "dimParam", value: extent } as const)
        : ({ case: "dimValue", value: BigInt(extent) } as const),
  }));
  return { name, type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } } };
}
