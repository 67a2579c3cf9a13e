// What the tables do to real networks: each compiled with one setting for all its layers, before and after on the samples
// kept for the report. The limits are the project's own: accuracy within 0.2 points, NLL within 0.5 %, at most 1 % of the answers
// changed. Accuracy hides defects, so NLL, logit error and flips stand beside it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, lutra, shared } from "./lutra.mjs";

export const name = "models";

const RUNS = [
  { model: "kwt1/kwt1_mfcc.onnx", data: "speech-commands.json", segments: 16, secondsAtMost: 90 },
  { model: "kwt1/kwt1_mfcc_decomposed.onnx", data: "speech-commands.json", segments: 16 },
  { model: "vit_mnist/vit_mnist.onnx", data: "vit-mnist.json", segments: 16 },
  { model: "sst2_bert_tiny/sst2_bert_tiny.onnx", data: "sst2.json", segments: 16 },
  { model: "gpt_nano_sort/gpt_nano_sort.onnx", data: "sorted-digits.json", segments: 16 },
  { model: "magika/model.onnx", data: "magika.json", segments: 16 },
  { model: "rxnmapper_albert/rxnmapper_albert_op17.onnx", data: "rxnmapper.json", segments: 16 },
  { model: "g2pm_bilstm/g2pm_bilstm.onnx", data: "g2pm.json", segments: 16 },
  { model: "mnist_lstm/mnist_lstm.onnx", data: "mnist-lstm.json", segments: 16 },
  { model: "silero_vad/silero_vad.onnx", data: "silero-vad.json", segments: 16 },
  { model: "stories260k/stories260k.onnx", data: "stories260k.json", segments: 16, perplexityAtMost: 3.56 },
  { model: "stories260k/stories260k.onnx", data: "stories260k.json", segments: 64, perplexityAtMost: 3.549 },
];

/** Accuracy may fall by 0.2 points, or by two samples where the dataset is too small to resolve that. */
const ACCURACY_LOSS = 0.002;
const NOISE_SAMPLES = 2;
/** Of the NLL before. */
const NLL_RISE = 0.005;
const FLIPS = 0.01;

export async function measure() {
  const rows = [];
  const figures = [];
  for (const run of RUNS) {
    const row = await compile(run);
    rows.push(row);
    figures.push(...judge(run, row));
  }
  return { rows, figures };
}

async function compile({ model, data, segments }) {
  const folder = await mkdtemp(join(tmpdir(), "lutra-bench-"));
  try {
    const dataset = join("examples", "datasets", data);
    const options = ["--data", dataset, "--segments", String(segments), "-o", join(folder, "out")];
    const { sites, tables, samples, before, after, flips, logitError, seconds } = await lutra(
      "compile",
      shared(join("models", model)),
      ...options,
    );
    return {
      model,
      data,
      segments,
      sites: sites.length,
      tables: tables.length,
      samples,
      before,
      after,
      nllChange: before.nll === undefined ? null : after.nll / before.nll - 1,
      flips,
      logitError,
      seconds,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A language model has its own limit; a model without labels is held to its own answers alone. */
function judge(
  { model, segments, secondsAtMost, perplexityAtMost },
  { samples, before, after, nllChange, flips, seconds },
) {
  const where = `${model}, ${segments} segments`;
  const figures = [];
  if (perplexityAtMost) figures.push(atMost(`${where}: perplexity`, after.perplexity, perplexityAtMost));
  else {
    const allowed = Math.max(ACCURACY_LOSS, NOISE_SAMPLES / samples);
    const metric = before["sequence-accuracy"] === undefined ? "accuracy" : "sequence-accuracy";
    if (before[metric] !== undefined)
      figures.push(atMost(`${where}: ${metric} lost`, before[metric] - after[metric], allowed, "%"));
    figures.push(atMost(`${where}: answers changed`, flips, FLIPS, "%"));
  }
  if (nllChange !== null) figures.push(atMost(`${where}: rise of NLL`, nllChange, NLL_RISE, "%"));
  if (secondsAtMost) figures.push(atMost(`${where}: time to compile`, seconds, secondsAtMost, "s"));
  return figures;
}
