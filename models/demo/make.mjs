// Writes the demo model and its dataset: `node models/demo/make.mjs [folder]`, out/demo if no folder is given.
// The model is seeded and untrained, so its labels are its own answers: what the dataset can measure is how often the
// tables change an answer, not whether an answer is right. A trained model is to replace it.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { random } from "lutra";
import * as ort from "onnxruntime-node";
import { buildTransformer, SHAPE } from "./transformer.mjs";

const SEED = 2024;
const CANDIDATES = 1600;

/** A candidate becomes a sample where the best score leads by at least this much: a label must not depend on rounding. */
const MARGIN = 0.05;

const SPLITS = { calibration: 256, selection: 256, seed: 1 };

/** Writes model.onnx, ids.npy, labels.npy and dataset.json. @returns the number of samples */
export async function makeDemo(folder) {
  const model = buildTransformer(SEED);
  const samples = await label(model, Array.from({ length: CANDIDATES }, sentenceMaker(random(SEED + 1))));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.onnx"), model);
  writeFileSync(
    join(folder, "ids.npy"),
    npy(
      [samples.length, SHAPE.positions],
      samples.flatMap(({ ids }) => ids),
    ),
  );
  writeFileSync(
    join(folder, "labels.npy"),
    npy(
      [samples.length],
      samples.map(({ answer }) => answer),
    ),
  );
  writeFileSync(join(folder, "dataset.json"), `${JSON.stringify(description(), null, 2)}\n`);
  return samples.length;
}

/** Sentences of 6 to 24 token ids, padded with 0. */
function sentenceMaker({ below }) {
  const shortest = 6;
  return () => {
    const length = shortest + below(SHAPE.positions - shortest + 1);
    return Array.from({ length: SHAPE.positions }, (_, i) => (i < length ? 1 + below(SHAPE.tokens - 1) : 0));
  };
}

/** The model's own answers, for the sentences where it is sure of them. */
async function label(model, sentences) {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  const ids = BigInt64Array.from(sentences.flat(), BigInt);
  const shape = [sentences.length, SHAPE.positions];
  const { logits } = await session.run({
    input_ids: new ort.Tensor("int64", ids, shape),
    attention_mask: new ort.Tensor(
      "int64",
      ids.map((id) => (id === 0n ? 0n : 1n)),
      shape,
    ),
  });
  await session.release();
  return sentences.flatMap((sentence, i) => {
    const scores = [...logits.data.subarray(i * SHAPE.classes, (i + 1) * SHAPE.classes)];
    const [best, second] = scores.toSorted((a, b) => b - a);
    return best - second < MARGIN ? [] : [{ ids: sentence, answer: scores.indexOf(best) }];
  });
}

function description() {
  return {
    name: "demo sentences",
    inputs: {
      input_ids: { file: "ids.npy", type: "int64", length: { pad: 0 } },
      attention_mask: { mask: "input_ids", type: "int64" },
    },
    target: { kind: "labels", file: "labels.npy" },
    splits: SPLITS,
  };
}

/** A NumPy file of bytes: magic, version 1.0, header length, header padded to a multiple of 64, data. */
function npy(shape, values) {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${dims}), }`;
  const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const start = [0x93, ...Buffer.from("NUMPY"), 1, 0, length % 256, Math.floor(length / 256)];
  return Buffer.concat([Buffer.from(start), Buffer.from(`${header.padEnd(length - 1)}\n`), Buffer.from(values)]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? join("out", "demo");
  const count = await makeDemo(folder);
  console.log(`Wrote ${join(folder, "model.onnx")} and a dataset of ${count} samples, dataset.json.`);
}
