// Real models for tests that compile: the runtime, reading a model of ../shared, and datasets cut short.

import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import type { Dataset } from "../../packages/lutra/src/data/index.ts";
import { type Model, readModel } from "../../packages/lutra/src/onnx/index.ts";
import type { CompileTools } from "../../packages/lutra/src/workbench.ts";
import { sharedPath } from "../shared.ts";

export const tools: CompileTools = {
  openSession: (bytes) => openSession(ort, bytes, { threads: 2 }),
  now: () => performance.now(),
};

/** A model by its name under ../shared/models. */
export function sharedModel(name: string): Model {
  return readModel(readFileSync(sharedPath(`models/${name}`)));
}

/** The first samples of two splits: quick, and enough to see a broken layer. The benches run all of them. */
export function shortened(dataset: Dataset, calibration: number, report: number): Dataset {
  const { parts } = dataset;
  const first = (split: "calibration" | "report", count: number) => ({
    ...parts[split],
    indices: parts[split].indices.slice(0, count),
  });
  return {
    ...dataset,
    parts: { ...parts, calibration: first("calibration", calibration), report: first("report", report) },
  };
}
