// What the tables do to real networks: each compiled with one setting for all its layers, before and after on the samples
// kept for the report. The limits are the project's own: accuracy within 0.2 points, at most 1 % of the answers changed,
// perplexity within a fraction of a percent. Accuracy hides defects, so NLL, logit error and flips stand beside it.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atMost, lutra, shared } from "./lutra.mjs";

export const name = "models";

const RUNS = [
  { model: "kwt1/kwt1_mfcc.onnx", data: "speech-commands.json", segments: 16, keepsAnswers: true, secondsAtMost: 90 },
  { model: "kwt1/kwt1_mfcc_decomposed.onnx", data: "speech-commands.json", segments: 16, keepsAnswers: true },
  { model: "sst2_bert_tiny/sst2_bert_tiny.onnx", data: "sst2.json", segments: 16, keepsAnswers: true },
  { model: "stories260k/stories260k.onnx", data: "stories260k.json", segments: 16, perplexityAtMost: 3.56 },
  { model: "stories260k/stories260k.onnx", data: "stories260k.json", segments: 64, perplexityAtMost: 3.549 },
];

/** Accuracy may fall by 0.2 points, or by two samples where the dataset is too small to resolve that. */
const ACCURACY_LOSS = 0.002;
const NOISE_SAMPLES = 2;
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
      flips,
      logitError,
      seconds,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function judge(
  { model, segments, keepsAnswers, secondsAtMost, perplexityAtMost },
  { samples, before, after, flips, seconds },
) {
  const where = `${model}, ${segments} segments`;
  const figures = [];
  if (keepsAnswers) {
    const allowed = Math.max(ACCURACY_LOSS, NOISE_SAMPLES / samples);
    figures.push(atMost(`${where}: accuracy lost`, before.accuracy - after.accuracy, allowed, "%"));
    figures.push(atMost(`${where}: answers changed`, flips, FLIPS, "%"));
  }
  if (perplexityAtMost) figures.push(atMost(`${where}: perplexity`, after.perplexity, perplexityAtMost));
  if (secondsAtMost) figures.push(atMost(`${where}: time to compile`, seconds, secondsAtMost, "s"));
  return figures;
}
