// What a budget buys: models compiled with `--max-drop 0.5`, the bytes of their tables against 16 segments everywhere, and what that did
// to the samples kept for the report, which the search has not seen. The front of every plan tried stands beside it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, lutra, shared } from "./lutra.mjs";

export const name = "budgets";

const RUNS = [
  { model: "kwt1/kwt1_mfcc.onnx", data: "speech-commands.json" },
  { model: "sst2_bert_tiny/sst2_bert_tiny.onnx", data: "sst2.json" },
  { model: "gpt_nano_sort/gpt_nano_sort.onnx", data: "sorted-digits.json" },
  { model: "mnist_lstm/mnist_lstm.onnx", data: "mnist-lstm.json" },
  { model: "stories260k/stories260k.onnx", data: "stories260k.json" },
];

/** Points of accuracy, percent of perplexity. */
const MAX_DROP = 0.5;
/** Of the bytes of 16 segments everywhere. */
const BYTES = 0.5;

export async function measure() {
  const rows = [];
  const figures = [];
  for (const run of RUNS) {
    const row = await compile(run);
    rows.push(row);
    figures.push(atMost(`${run.model}: bytes, of 16 segments everywhere`, row.bytes / row.uniformBytes, BYTES, "%"));
    figures.push(atMost(`${run.model}: lost on the report's samples`, lost(row), MAX_DROP / 100, "%"));
  }
  return { rows, figures };
}

async function compile({ model, data }) {
  const folder = await mkdtemp(join(tmpdir(), "lutra-bench-"));
  try {
    const dataset = join("examples", "datasets", data);
    const options = ["--data", dataset, "--max-drop", String(MAX_DROP), "-o", join(folder, "out")];
    const compiled = await lutra("compile", shared(join("models", model)), ...options);
    const { samples, before, after, flips, logitError, seconds, allocation } = compiled;
    const { metric, front, chosen, uniform, chosenOn, why } = allocation;
    return {
      model,
      data,
      maxDrop: MAX_DROP,
      metric,
      segments: chosen.segments,
      bytes: chosen.bytes,
      uniformBytes: uniform.bytes,
      samples,
      before,
      after,
      flips,
      logitError,
      chosenOn,
      why,
      seconds,
      front: front.map(({ bytes, trial, isInside }) => ({ bytes, drop: trial.drop, flips: trial.flips, isInside })),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As the budget counts it: a difference of accuracy, a share of perplexity. */
function lost({ metric, before, after }) {
  const [was, is] = [before[metric], after[metric]];
  return metric.endsWith("accuracy") ? was - is : (is - was) / was;
}
