// lutra compile --to program: a whole model in integers, what that changes, and the report. The library compiles; here options become its
// options and its result becomes files.

import {
  type CompileProgramOptions as Choices,
  compileProgram as compileModel,
  type ProgramTools,
  programFile,
} from "lutra";
import { LutraError } from "lutra/base";
import { openSession } from "lutra/onnxruntime";
import { openProgram } from "lutra/run";
import type { Command, CommonOptions } from "../command.ts";
import { writeProgramFiles } from "../compiled-program-files.ts";
import { type CompiledProgramData, compiledProgramText } from "../compiled-program-text.ts";
import { readDataset } from "../dataset-file.ts";
import { stageFolder } from "../files.ts";
import { inFile, loadRuntime, modelSize, readWholeModel } from "../model-file.ts";
import { programSession } from "../program-session.ts";

export interface CompileProgramOptions extends CommonOptions {
  readonly file: string;
  readonly data: string;
  readonly output: string;
  readonly to: "program";
  readonly ranges: "auto" | "min-max" | "percentile" | "mse";
  readonly migration: "auto" | number;
  readonly attention: "auto" | "narrow" | "wide";
  /** Points of the headline metric. */
  readonly maxDrop?: number;
  readonly sensitivity?: boolean;
  readonly allowFloat?: boolean;
}

export const compileProgram: Command<CompileProgramOptions, CompiledProgramData> = {
  async run(options, control) {
    const { file, output } = options;
    const model = await readWholeModel(file, "compiling it into integers");
    const originalBytes = await modelSize(file, model);
    const dataset = await readDataset(options.data);
    const ort = await loadRuntime();
    const folder = await stageFolder(output);
    try {
      const tools: ProgramTools = {
        openSession: (bytes) => openSession(ort, bytes),
        openProgram: async (program) => programSession(openProgram(program)),
        now: () => performance.now(),
      };
      const { program, ...results } = await inFile(file, () =>
        inIntegers(() => compileModel(model, dataset, choicesOf(options), tools, control)),
      );
      const named = { file, output, dataset: dataset.name, originalBytes };
      const data = await writeProgramFiles(folder, named, { program, bytes: programFile(program), results });
      await folder.commit();
      return data;
    } catch (error) {
      await folder.discard();
      throw error;
    }
  },
  print: compiledProgramText,
};

/** Points become a share. */
function choicesOf(options: CompileProgramOptions): Choices {
  const { ranges, migration, attention, maxDrop, sensitivity, allowFloat } = options;
  const limit = maxDrop === undefined ? {} : { maxDrop: maxDrop / 100 };
  const asked = { sensitivity: sensitivity === true, allowFloat: allowFloat === true };
  return { ranges, migration, attention, ...limit, ...asked };
}

/** What has no integer form stops the compilation with its node, and a word on what is left to do. */
async function inIntegers<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LutraError) || error.code !== "unsupported" || error.where === undefined) throw error;
    const way = "--to onnx gives tables to the layers that it finds in any model and keeps the rest in floating point";
    const note = error.note === undefined ? way : `${error.note}\n${way}`;
    throw new LutraError(error.code, error.message, { where: error.where, note, cause: error });
  }
}
