// The demo's folder as a user would prepare one: `node models/demo/make.mjs [folder]` copies the trained date model there and writes
// a dataset for it, made anew from a seed. Its texts are of a split that training never sees; dataset.json describes them.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digitsOf, idsOf } from "../train/dist/batch.js";
import { distinctSamples } from "../train/dist/dates.js";

const MODEL = "dates.onnx";
const SEED = 2;
const SPLITS = { calibration: 256, selection: 256, report: 1000, seed: 1 };

/** Writes dates.onnx, ids.npy, digits.npy and dataset.json. @returns the number of samples */
export function makeDemo(folder) {
  const samples = distinctSamples("demo", SPLITS.calibration + SPLITS.selection + SPLITS.report, SEED);
  const ids = idsOf(samples.map(({ text }) => text));
  const digits = samples.map(({ iso }) => digitsOf(iso));
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(import.meta.dirname, MODEL), join(folder, MODEL));
  writeFileSync(join(folder, "ids.npy"), npy(ids.shape, ids.data));
  writeFileSync(join(folder, "digits.npy"), npy([samples.length, digits[0].length], digits.flat()));
  writeFileSync(join(folder, "dataset.json"), `${JSON.stringify(description(), null, 2)}\n`);
  return samples.length;
}

/** Each digit is a row of the output; a date is right if all its digits are. */
function description() {
  return {
    name: "dates",
    inputs: { ids: { file: "ids.npy", type: "int64" } },
    target: { kind: "masked-token", file: "digits.npy" },
    metrics: ["sequence-accuracy", "accuracy", "nll"],
    splits: SPLITS,
  };
}

/** A NumPy file of bytes: magic, version 1.0, header length, header padded to a multiple of 64, data. */
function npy(shape, values) {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const length = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const start = [0x93, ...Buffer.from("NUMPY"), 1, 0, length % 256, Math.floor(length / 256)];
  return Buffer.concat([Buffer.from(start), Buffer.from(`${header.padEnd(length - 1)}\n`), Buffer.from(values)]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? join("out", "demo");
  const count = makeDemo(folder);
  console.log(`Wrote ${join(folder, MODEL)} and ${count} dates for it, dataset.json.`);
}
