// lutra compile: a model with its non-linear layers replaced by proven tables, what that changes, and the report. The library
// compiles; here options become its options and its result becomes files.

import { dirname, join } from "node:path";
import { type Budget, compile as compileModel, externalFiles, type Norm } from "lutra";
import { openSession } from "lutra/onnxruntime";
import type { Command, CommonOptions } from "../command.ts";
import { type CompileData, compileText } from "../compile-text.ts";
import { writeFiles } from "../compiled-files.ts";
import { readDataset } from "../dataset-file.ts";
import { stageFolder } from "../files.ts";
import { inFile, loadRuntime, readModelFile } from "../model-file.ts";
import { readPlan } from "../plan-file.ts";

export interface CompileOptions extends CommonOptions {
  readonly file: string;
  readonly data: string;
  readonly output: string;
  readonly segments: number;
  readonly method: string;
  /** Points of the headline metric. */
  readonly maxDrop?: number;
  /** Percent of the answers. */
  readonly maxFlips?: number;
  readonly maxBytes?: number;
  /** A file. */
  readonly plan?: string;
  readonly only?: readonly string[];
  readonly norm: Norm;
  readonly to: "onnx";
  readonly flat?: boolean;
  readonly seed: number;
}

export const compile: Command<CompileOptions, CompileData> = {
  async run(options, control) {
    const { file, segments, method, norm, only, flat, seed } = options;
    const budget = budgetOf(options);
    const plan = options.plan === undefined ? undefined : await readPlan(options.plan);
    const chosen = {
      ...(only === undefined ? {} : { only }),
      ...(budget === null ? {} : { budget }),
      ...(plan === undefined ? {} : { plan }),
    };
    const model = await readModelFile(file);
    const dataset = await readDataset(options.data);
    const ort = await loadRuntime();
    const folder = await stageFolder(options.output);
    const beside = externalFiles(model);
    try {
      for (const name of beside) await folder.addFile(name, join(dirname(file), name));
      const compilation = await inFile(file, () =>
        compileModel(
          model,
          dataset,
          { segments, method, norm, flat: flat === true, seed, ...chosen },
          {
            // With files beside it, a model can only be opened where they are.
            openSession: (bytes) =>
              beside.length === 0 ? openSession(ort, bytes) : folder.lend(bytes, (path) => openSession(ort, path)),
            now: () => performance.now(),
          },
          control,
        ),
      );
      const data = await writeFiles(folder, { ...options, dataset: dataset.name }, compilation);
      await folder.commit();
      return data;
    } catch (error) {
      await folder.discard();
      throw error;
    }
  },
  print: compileText,
};

/** Percent become shares; null without a limit. */
function budgetOf({ maxDrop, maxFlips, maxBytes }: CompileOptions): Budget | null {
  if (maxDrop === undefined && maxFlips === undefined && maxBytes === undefined) return null;
  return {
    ...(maxDrop === undefined ? {} : { maxDrop: maxDrop / 100 }),
    ...(maxFlips === undefined ? {} : { maxFlips: maxFlips / 100 }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  };
}
