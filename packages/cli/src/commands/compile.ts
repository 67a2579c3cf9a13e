// lutra compile: a model with its non-linear layers replaced by proven tables, what that changes, and the report. The library
// compiles; here options become its options and its result becomes files.

import { basename, dirname, join } from "node:path";
import {
  type Budget,
  type Compilation,
  compile as compileModel,
  externalFiles,
  type Norm,
  planFile,
  toJson,
} from "lutra";
import { openSession } from "lutra/onnxruntime";
import { report } from "lutra-figures";
import type { Command, CommonOptions } from "../command.ts";
import { type CompileData, compileText } from "../compile-text.ts";
import { readDataset } from "../dataset-file.ts";
import { type StagedFolder, stageFolder } from "../files.ts";
import { inFile, loadRuntime, readModelFile } from "../model-file.ts";
import { readPlan } from "../plan-file.ts";
import { tableFileText } from "../table-file.ts";

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

interface Named {
  readonly file: string;
  readonly output: string;
  readonly dataset: string;
}

/** The model, every table, the plan, the report, and compile.json: what --json prints, but for the time, so that files repeat byte for byte. */
async function writeFiles(folder: StagedFolder, named: Named, compilation: Compilation): Promise<CompileData> {
  const { model: chunks, plan, ...results } = compilation;
  const name = basename(named.file).replace(/\.onnx$/i, "");
  const modelFile = `${name}.lut.onnx`;
  const tableFiles = fileNames(results.tables.map((table) => table.name));
  const files = [modelFile, ...tableFiles, "plan.json", "report.html", "compile.json"].map((path) =>
    join(named.output, path),
  );
  const data: CompileData = { model: name, dataset: named.dataset, ...results, files };
  await folder.write(modelFile, chunks);
  for (const [i, { table, problem, certificate }] of results.tables.entries()) {
    await folder.write(tableFiles[i] as string, tableFileText({ table, problem, certificate }));
  }
  await folder.write("plan.json", `${toJson(planFile(plan), 2)}\n`);
  await folder.write("report.html", report(data));
  const { seconds: _, ...lasting } = data;
  await folder.write("compile.json", `${toJson(lasting)}\n`);
  return data;
}

/** tables/NAME.json with what a file name may hold; a number where two would be the same. */
function fileNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const plain = name.replace(/[^A-Za-z0-9._-]+/g, "_");
    let chosen = plain;
    for (let n = 2; taken.has(chosen.toLowerCase()); n++) chosen = `${plain}-${n}`;
    taken.add(chosen.toLowerCase());
    return `tables/${chosen}.json`;
  });
}
