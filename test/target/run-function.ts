// Runs one emitted function in onnxruntime: a model whose only node calls it.

import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema, TensorProto_DataType } from "onnx-buf";
import * as ort from "onnxruntime-node";
import type { FunctionDefinition } from "../../packages/lutra/src/onnx/index.ts";

export interface RunInput {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** The function's only output for the inputs, in the function's order. */
export async function runFunction(
  definition: FunctionDefinition,
  inputs: readonly RunInput[],
  opset: number,
): Promise<Float32Array> {
  const opsetImport = [
    { domain: "", version: BigInt(opset) },
    { domain: "lutra", version: 1n },
  ];
  const valueInfo = (name: string) => ({
    name,
    type: { value: { case: "tensorType" as const, value: { elemType: TensorProto_DataType.FLOAT } } },
  });
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport,
    functions: [
      {
        name: definition.name,
        domain: "lutra",
        input: [...definition.inputs],
        output: [...definition.outputs],
        node: [...definition.nodes],
        opsetImport: [{ domain: "", version: BigInt(opset) }],
      },
    ],
    graph: {
      name: "one",
      node: [{ opType: definition.name, domain: "lutra", input: [...definition.inputs], output: ["out"] }],
      input: definition.inputs.map(valueInfo),
      output: [valueInfo("out")],
    },
  });
  const session = await ort.InferenceSession.create(toBinary(ModelProtoSchema, model), { logSeverityLevel: 3 });
  const feeds = Object.fromEntries(
    definition.inputs.map((name, i) => {
      const input = inputs[i] as RunInput;
      return [name, new ort.Tensor("float32", input.data, [...input.shape])];
    }),
  );
  const results = await session.run(feeds);
  const out = results.out?.data;
  await session.release();
  if (!(out instanceof Float32Array)) throw new TypeError("expected a float output");
  return out;
}
