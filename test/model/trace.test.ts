// A traced network computes what the model does: against onnxruntime, on every Transformer at hand, at lengths the exporter never saw.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { trace } from "../../packages/lutra/src/model/trace/trace.ts";
import { random } from "../../packages/lutra/src/num/index.ts";
import { readModel } from "../../packages/lutra/src/onnx/index.ts";
import { describeShared, ROOT, sharedPath } from "../shared.ts";
import { runNetwork } from "./run-network.ts";

const SOURCE = random(3);
const ids = (shape: readonly number[], most: number) => ({
  shape,
  type: "int64" as const,
  data: fill(shape, () => Math.floor(SOURCE.uniform() * most)),
});
const floats = (shape: readonly number[]) => ({
  shape,
  type: "float32" as const,
  data: fill(shape, () => SOURCE.normal()),
});
const ones = (shape: readonly number[]) => ({ shape, type: "int64" as const, data: fill(shape, () => 1) });

function fill(shape: readonly number[], of: () => number): number[] {
  return Array.from({ length: shape.reduce((a, b) => a * b, 1) }, of);
}

describeShared("the traced network", () => {
  it.each([
    ["kwt1/kwt1_mfcc.onnx", { mfcc: floats([2, 98, 40]) }],
    ["kwt1/kwt1_mfcc_decomposed.onnx", { mfcc: floats([98, 40]) }],
    ["vit_mnist/vit_mnist.onnx", { image: floats([3, 1, 28, 28]) }],
    [
      "sst2_bert_tiny/sst2_bert_tiny.onnx",
      {
        input_ids: ids([2, 7], 1000),
        attention_mask: { ...ones([2, 7]), data: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0] },
      },
    ],
    ["gpt_nano_sort/gpt_nano_sort.onnx", { idx: ids([2, 5], 3) }],
    ["stories260k/stories260k.onnx", { idx: ids([1, 9], 512) }],
    ["rxnmapper_albert/rxnmapper_albert_op17.onnx", { input_ids: ids([1, 9], 500), attention_mask: ones([1, 9]) }],
    ["models/demo/dates.onnx", { ids: ids([3, 40], 60) }],
  ])("of %s gives onnxruntime's outputs", { timeout: 60_000 }, async (path, inputs) => {
    const bytes = readFileSync(path.startsWith("models/") ? join(ROOT, path) : sharedPath(`models/${path}`));
    const network = trace(readModel(bytes));
    const session = await ort.InferenceSession.create(bytes);
    const feeds = Object.entries(inputs).map(([name, { shape, type, data }]) => {
      const values = type === "int64" ? BigInt64Array.from(data.map(BigInt)) : Float32Array.from(data);
      return [name, new ort.Tensor(type, values as never, shape)] as const;
    });
    const expected = await session.run(Object.fromEntries(feeds));
    const given = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data) }]),
    );
    const outputs = runNetwork(network, given);
    for (const [name, { shape, data }] of Object.entries(outputs)) {
      const wanted = expected[name]?.data as Float32Array;
      expect(shape).toEqual(expected[name]?.dims);
      const error = data.reduce((most, y, i) => Math.max(most, Math.abs(y - (wanted[i] as number))), 0);
      expect(error).toBeLessThan(1e-3);
    }
  });
});
