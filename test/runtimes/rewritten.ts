// The rewritten models that other runtimes are given, and what onnxruntime-node answers to some samples.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import type { Tensors } from "../../packages/lutra/src/base/index.ts";
import { compile } from "../../packages/lutra/src/compile.ts";
import { batches, type Dataset, fitDataset, type Split } from "../../packages/lutra/src/data/index.ts";
import { concatenate, readModel } from "../../packages/lutra/src/onnx/index.ts";
import { sharedPath } from "../shared.ts";

/** The model with every layer replaced: 16 segments, one setting for all, calibrated on 64 samples. */
export async function rewrite(model: string, dataset: Dataset): Promise<Uint8Array> {
  const options = { segments: 16, method: "optimal", norm: "max", flat: false, seed: 1 } as const;
  const tools = { openSession: (bytes: Uint8Array) => openSession(ort, bytes), now: () => performance.now() };
  const short = shortened(shortened(dataset, "calibration", 64), "report", 8);
  const compilation = await compile(readModel(readFileSync(sharedPath(model))), short, options, tools);
  return concatenate(compilation.model);
}

/** One sample per run. */
export interface Answers {
  readonly runs: readonly Readonly<Record<string, PlainTensor>>[];
  /** The logits that onnxruntime-node gives to each run. */
  readonly logits: readonly (readonly number[])[];
}

/** As tensors travel to a page. */
interface PlainTensor {
  readonly type: "int64" | "float32";
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** The first samples of the report split, and the answers to them. */
export async function answersOf(model: Uint8Array, dataset: Dataset, count: number): Promise<Answers> {
  const session = await openSession(ort, model, { threads: 1 });
  const fitted = fitDataset(shortened(dataset, "report", count), session.inputs);
  const runs: Readonly<Record<string, PlainTensor>>[] = [];
  const logits: number[][] = [];
  for (const { inputs } of batches(fitted, "report", { size: 1, pad: false })) {
    runs.push(plain(inputs));
    logits.push(Array.from((await session.run(inputs)).logits.data, Number));
  }
  await session.release();
  return { runs, logits };
}

function shortened(dataset: Dataset, split: Split, count: number): Dataset {
  const part = dataset.parts[split];
  return { ...dataset, parts: { ...dataset.parts, [split]: { ...part, indices: part.indices.slice(0, count) } } };
}

function plain(tensors: Tensors): Readonly<Record<string, PlainTensor>> {
  const entries = Object.entries(tensors).map(([name, { shape, data }]) => {
    const type = data instanceof BigInt64Array ? "int64" : "float32";
    return [name, { type, shape, data: Array.from(data, Number) }] as const;
  });
  return Object.fromEntries(entries);
}

/** Over all runs; NaN if the answers are not equally many. */
export function largestDifference(a: Answers["logits"], b: Answers["logits"]): number {
  if (a.length !== b.length) return Number.NaN;
  const differences = a.flatMap((row, run) => row.map((value, i) => Math.abs(value - (b[run][i] ?? Number.NaN))));
  return Math.max(...differences);
}
