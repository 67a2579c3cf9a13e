// Whole models as integer programs: what they lose against binary32 on the samples kept for the report, how large their files are, how soon a page
// or a process has a first answer, and what memory that takes. Programs are compiled by the library and scored through the runner, from the file
// that a user would get. Speed is programs-speed.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareScores, score } from "lutra";
import { load } from "lutra/run";
import { atMost, ROOT, shared } from "./lutra.mjs";
import { compiled } from "./programs/compiled.mjs";
import { firstAnswers, peakMemory } from "./programs/fresh.mjs";

export const name = "programs";

/** Points of the headline metric that may be lost. */
const HALF_A_POINT = { lossAtMost: 0.005 };
const MODELS = [
  { model: "kwt1/kwt1_mfcc.onnx", data: "speech-commands.json", ...HALF_A_POINT, isFresh: true },
  { model: "kwt1/kwt1_mfcc_decomposed.onnx", data: "speech-commands.json", ...HALF_A_POINT },
  { model: "vit_mnist/vit_mnist.onnx", data: "vit-mnist.json", ...HALF_A_POINT },
  { model: "sst2_bert_tiny/sst2_bert_tiny.onnx", data: "sst2.json", ...HALF_A_POINT, isFresh: true },
  // All 729 lists: what calibrated on some of them must sort the others too.
  { model: "gpt_nano_sort/gpt_nano_sort.onnx", data: "sorted-digits.json", split: "all", wrongAtMost: 0 },
  { model: "rxnmapper_albert/rxnmapper_albert_op17.onnx", data: "rxnmapper.json", ...HALF_A_POINT },
  { model: "stories260k/stories260k.onnx", data: "stories260k.json", perplexityAtMost: 3.62 },
  {
    ...{ model: "stories260k/stories260k.onnx", data: "stories260k.json", perplexityAtMost: 3.58 },
    ...{ variant: "int16 q and k", options: { attention: "wide" } },
  },
  { model: "demo/dates.onnx", lossAtMost: 0.002 },
];

/** Of a program's file: this much of the float file, and so many bytes. */
const SIZE = { share: 0.27, bytes: 32_000 };
const FIRST_ANSWER_MS = 100;
/** Peak memory: this often the weights, and so many bytes. */
const MEMORY = { weights: 2, bytes: 2 * 2 ** 20 };

export async function measure() {
  const rows = [];
  const figures = [];
  const folder = mkdtempSync(join(tmpdir(), "lutra-programs-"));
  try {
    for (const one of MODELS) {
      const row = await measureModel(one, folder);
      console.log(`  ${titleOf(one)}: ${Math.round(row.seconds)} s`);
      rows.push(row);
      figures.push(...judge(one, row));
    }
    return { rows, figures };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measureModel(one, folder) {
  const { path, data } = filesOf(one, folder);
  const { bytes, result, dataset, onnx } = await compiled(path, data, one.options);
  const file = join(folder, "model.lutra");
  writeFileSync(file, bytes);
  const split = one.split ?? "report";
  const before = await score(onnx, dataset, split);
  await onnx.release();
  const after = await score(await load(bytes), dataset, split);
  const { flips, logitError } = compareScores(before, after);
  const constants = Object.values(result.program.constants);
  return {
    ...{ model: one.model, variant: one.variant ?? null, split, samples: before.samples },
    ...{ before: before.metrics, after: after.metrics, flips, logitError },
    ...{ floatBytes: statSync(path).size, bytes: bytes.length },
    weightBytes: constants.reduce((sum, { byteLength }) => sum + byteLength, 0),
    ...{ choices: result.choices, seconds: result.seconds },
    ...(one.isFresh === true ? await fresh(file, path, dataset) : {}),
  };
}

/** What a new process sees. */
async function fresh(file, onnxFile, dataset) {
  return { firstAnswer: await firstAnswers(file, onnxFile, dataset), memory: await peakMemory(file, dataset) };
}

function filesOf({ model, data }, folder) {
  if (data !== undefined) {
    return { path: shared(`models/${model}`), data: join(ROOT, "examples", "datasets", data) };
  }
  const demo = join(folder, "demo");
  execFileSync(process.execPath, [join(ROOT, "models", "demo", "make.mjs"), demo]);
  return { path: join(demo, "dates.onnx"), data: join(demo, "dataset.json") };
}

function judge(one, { before, after, samples, floatBytes, bytes, weightBytes, firstAnswer, memory }) {
  const title = titleOf(one);
  const figures = [];
  const metric = before["sequence-accuracy"] === undefined ? "accuracy" : "sequence-accuracy";
  if (one.lossAtMost !== undefined)
    figures.push(atMost(`${title}: ${metric} lost`, before[metric] - after[metric], one.lossAtMost, "%"));
  if (one.wrongAtMost !== undefined)
    figures.push(atMost(`${title}: wrong of ${samples}`, Math.round((1 - after[metric]) * samples), one.wrongAtMost));
  if (one.perplexityAtMost !== undefined)
    figures.push(atMost(`${title}: perplexity`, after.perplexity, one.perplexityAtMost));
  figures.push(atMost(`${title}: file`, bytes / 1e6, (SIZE.share * floatBytes + SIZE.bytes) / 1e6, "MB"));
  if (firstAnswer !== undefined) {
    figures.push(atMost(`${title}: load to first answer`, firstAnswer.lutra.milliseconds, FIRST_ANSWER_MS, "ms"));
    const limit = MEMORY.weights * weightBytes + MEMORY.bytes;
    figures.push(atMost(`${title}: peak of buffers and memory`, memory.bytes / 1e6, limit / 1e6, "MB"));
  }
  return figures;
}

function titleOf({ model, variant }) {
  const name = model.replace(/^.*\/|\.onnx$/g, "");
  return variant === undefined ? name : `${name}, ${variant}`;
}
