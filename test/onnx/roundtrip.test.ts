import { readdirSync, readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { describe, expect, it } from "vitest";
import { concatenate, node, readModel, tensor, writeModel } from "../../packages/lutra/src/onnx/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { model, modelBytes } from "./models.ts";

function rewritten(bytes: Uint8Array): Uint8Array {
  return concatenate(writeModel(readModel(bytes)));
}

/** The model's bytes as the protobuf library writes them: equal for files that were written canonically. */
function isCanonical(bytes: Uint8Array): boolean {
  return Buffer.compare(toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, bytes)), bytes) === 0;
}

function checkLossless(bytes: Uint8Array): boolean {
  const written = rewritten(bytes);
  const canonical = isCanonical(bytes);
  if (canonical) expect(Buffer.compare(written, bytes)).toBe(0);
  else expect(fromBinary(ModelProtoSchema, written)).toEqual(fromBinary(ModelProtoSchema, bytes));
  return canonical;
}

describe("writeModel", () => {
  const large = tensor(new Float32Array(2 ** 16), [2 ** 16], "w");
  const parts = { nodes: [node("Add", ["x", "w"], ["y"])], initializers: [large, tensor(1, [], "small")] };

  it("passes large raw_data on without copying it", () => {
    const bytes = modelBytes(parts);
    const chunks = writeModel(readModel(bytes));
    const tensorChunk = chunks.find((chunk) => chunk.length === 2 ** 18);
    expect(tensorChunk?.buffer).toBe(bytes.buffer);
    expect(Buffer.compare(concatenate(chunks), bytes)).toBe(0);
  });

  it("writes large tensors in attributes and subgraphs too", () => {
    const nodes = [node("Constant", [], ["w"], { value: large }), node("Add", ["x", "w"], ["y"])];
    const bytes = modelBytes({ nodes });
    expect(writeModel(readModel(bytes)).length).toBe(3);
    expect(Buffer.compare(rewritten(bytes), bytes)).toBe(0);
  });

  it("keeps unknown fields at every level, beside small and beside large tensors", () => {
    const unknown = [{ no: 900, wireType: 2, data: Uint8Array.of(3, 1, 2, 3) }];
    for (const initializers of [parts.initializers, [tensor(1, [], "w")]]) {
      const { proto } = model({ ...parts, initializers });
      const { graph } = proto;
      if (graph === undefined) throw new Error("no graph");
      for (const message of [proto, graph, graph.node[0], graph.initializer[0], graph.input[0]])
        message.$unknown = unknown;
      const again = readModel(rewritten(toBinary(ModelProtoSchema, proto)));
      expect(again.proto).toEqual(fromBinary(ModelProtoSchema, toBinary(ModelProtoSchema, proto)));
      expect(again.graph.node[0].$unknown).toEqual(unknown);
      expect(again.graph.initializer[0].$unknown).toEqual(unknown);
    }
  });

  it("tells an absent field from one that is set to its default", () => {
    const { proto } = model(parts);
    const absent = toBinary(ModelProtoSchema, proto);
    proto.docString = "";
    const present = toBinary(ModelProtoSchema, proto);
    expect(present.length).toBe(absent.length + 2);
    expect(Buffer.compare(rewritten(absent), absent)).toBe(0);
    expect(Buffer.compare(rewritten(present), present)).toBe(0);
  });
});

describeShared("reading and writing real models", () => {
  const MODELS = [
    "kwt1/kwt1_mfcc.onnx",
    "kwt1/kwt1_mfcc_decomposed.onnx",
    "sst2_bert_tiny/sst2_bert_tiny.onnx",
    "stories260k/stories260k.onnx",
    "gpt_nano_sort/gpt_nano_sort.onnx",
    "g2pm_bilstm/g2pm_bilstm.onnx",
    "magika/model.onnx",
    "mnist_lstm/mnist_lstm.onnx",
    "rxnmapper_albert/rxnmapper_albert_op17.onnx",
    "silero_vad/silero_vad.onnx",
    "silero_vad/silero_vad_16k_op15.onnx",
    "vit_mnist/vit_mnist.onnx",
  ];

  it.each(MODELS)("gives %s back byte for byte", (name) => {
    const bytes = readFileSync(sharedPath(`models/${name}`));
    expect(Buffer.compare(rewritten(bytes), bytes)).toBe(0);
  });

  it("gives every ONNX node test back: the same message, and the same bytes where they were canonical", () => {
    const folder = sharedPath("vectors/onnx_node_tests");
    const names = readdirSync(folder).filter((name) => name.startsWith("test_"));
    const canonical = names.filter((name) => checkLossless(readFileSync(`${folder}/${name}/model.onnx`)));
    expect(names.length).toBeGreaterThan(380);
    expect(canonical.length).toBe(names.length);
  });
});
