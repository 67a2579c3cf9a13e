// What methods cost whole models, as `lutra compare-model` prints it: the published methods with 16 entries, and Huang et al.'s 4,096
// uniform segments on their own ranges (their tables 5 and 10).
import { lutra, shared } from "./lutra.mjs";

export const name = "compare-models";

const MODELS = [
  { model: "kwt1/kwt1_mfcc.onnx", data: "speech-commands" },
  { model: "sst2_bert_tiny/sst2_bert_tiny.onnx", data: "sst2" },
  { model: "vit_mnist/vit_mnist.onnx", data: "vit-mnist" },
  { model: "rxnmapper_albert/rxnmapper_albert_op17.onnx", data: "rxnmapper" },
  { model: "stories260k/stories260k.onnx", data: "stories260k" },
];

const RUNS = [
  { methods: "optimal,uniform,relu-net,i-gelu-f32,i-gelu-int32,h-gelu", segments: "16", options: [] },
  { methods: "uniform", segments: "4096", options: ["--ranges", "huang"] },
];

export async function measure() {
  const rows = [];
  for (const { model, data } of MODELS) {
    for (const { methods, segments, options } of RUNS) {
      const asked = ["--methods", methods, "--segments", segments, ...options];
      const {
        before,
        samples,
        rows: found,
      } = await lutra("compare-model", shared(`models/${model}`), "--data", `examples/datasets/${data}.json`, ...asked);
      const method = (row) => (options.length === 0 ? row.method : `${row.method}, ranges of Huang et al.`);
      rows.push(...found.map((row) => ({ ...row, method: method(row), model, samples, before })));
    }
  }
  return { rows, figures: [] };
}
