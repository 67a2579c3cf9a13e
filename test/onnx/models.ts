// Small ONNX models for the tests of packages/lutra/src/onnx, built message by message.

import { create, toBinary } from "@bufbuild/protobuf";
import {
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProto_DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { type Model, readModel } from "../../packages/lutra/src/onnx/index.ts";

export interface ModelParts {
  readonly nodes: readonly NodeProto[];
  readonly inputs?: readonly ValueInfoProto[];
  readonly outputs?: readonly ValueInfoProto[];
  readonly initializers?: readonly TensorProto[];
  readonly opset?: number;
  readonly irVersion?: number;
  /** Further operator set domains, at version 1. */
  readonly domains?: readonly string[];
}

/** A float32 value of this shape; text extents are symbolic. */
export function valueInfo(
  name: string,
  shape: readonly (number | string)[] | null = [2, 4],
  elemType: number = TensorProto_DataType.FLOAT,
): ValueInfoProto {
  const dim = (shape ?? []).map((extent) => ({
    value:
      typeof extent === "string"
        ? { case: "dimParam" as const, value: extent }
        : { case: "dimValue" as const, value: BigInt(extent) },
  }));
  const tensor = shape === null ? { elemType } : { elemType, shape: { dim } };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value: tensor } } });
}

/** Input "x" and output "y" of shape [2, 4] unless other ones are given; opset 17, IR 8. */
export function modelProto(parts: ModelParts): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: BigInt(parts.irVersion ?? 8),
    producerName: "lutra tests",
    graph: {
      name: "graph",
      node: [...parts.nodes],
      input: [...(parts.inputs ?? [valueInfo("x")])],
      output: [...(parts.outputs ?? [valueInfo("y")])],
      initializer: [...(parts.initializers ?? [])],
    },
    opsetImport: [
      { domain: "", version: BigInt(parts.opset ?? 17) },
      ...(parts.domains ?? []).map((domain) => ({ domain, version: 1n })),
    ],
  });
}

export function modelBytes(parts: ModelParts): Uint8Array {
  return toBinary(ModelProtoSchema, modelProto(parts));
}

export function model(parts: ModelParts): Model {
  return readModel(modelBytes(parts));
}
