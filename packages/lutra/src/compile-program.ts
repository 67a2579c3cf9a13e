// From a float model to an integer program, in order: trace it, see its numbers, choose a scheme by trials, lower it, measure both. The only file
// that knows this order; what a scheme is, model/quantize knows.

import { type Control, checkCancelled, finish, LutraError, type Session } from "./base/index.ts";
import { type Dataset, fitDataset } from "./data/index.ts";
import { solve } from "./fit/index.ts";
import {
  chooseScheme,
  compareScores,
  declaredInputs,
  type LayerReport,
  type Metrics,
  type ProgramChoice,
  type ProgramTrial,
  quantizer,
  type Scheme,
  type SchemeOptions,
  type Score,
  score,
  selectionOf,
  type Trials,
  thinnedSelection,
  trialOf,
} from "./model/index.ts";
import { concatenate, embedExternal, type Model, writeModel } from "./onnx/index.ts";
import type { Program } from "./program/index.ts";
import type { Spec, Table } from "./table/index.ts";
import type { CompileTools } from "./workbench.ts";

export interface ProgramTools extends CompileTools {
  /** A session over a program: numbers in, numbers out. `interpreterSession` is one, slowly. */
  openProgram(program: Program): Promise<Session>;
}

/** What is absent is chosen by trials, as "auto" says it. */
export interface CompileProgramOptions extends Partial<SchemeOptions> {
  /** How much worse the dataset's first metric may get: of accuracy a difference, of NLL and perplexity a share of their value. */
  readonly maxDrop?: number;
  /** Whether what has no integer form may be computed in binary32, instead of an error that names it. */
  readonly allowFloat?: boolean;
  /** Whether to report each layer: the program is interpreted on a few calibration samples. */
  readonly sensitivity?: boolean;
}

export interface CompiledProgram {
  readonly program: Program;
  readonly choices: readonly ProgramChoice[];
  /** Every scheme tried, in the order of the trials; none where nothing was left to choose. */
  readonly trials: readonly ProgramTrial[];
  /** On the report split, as are the four below. */
  readonly before: Metrics;
  readonly after: Metrics;
  /** Share of predictions that changed. */
  readonly flips: number;
  readonly logitError: { readonly max: number; readonly mean: number };
  readonly samples: number;
  /** By layer, worst first; null if not asked for. */
  readonly sensitivity: readonly LayerReport[] | null;
  readonly seconds: number;
}

/**
 * The integer program of a model, quantized after training: ranges from the calibration split, choices from the selection split, both without
 * answers if there are none, the numbers from the report split.
 * @param given external tensors are taken into the model
 * @param dataset as loaded; it is fitted to the model's inputs here
 * @throws LutraError "unsupported" naming the node that has no integer form; "infeasible" if no scheme keeps `maxDrop`; "bad-argument" for
 *   options out of range; whatever its parts throw; "cancelled"
 */
export async function compileProgram(
  given: Model,
  dataset: Dataset,
  options: CompileProgramOptions,
  tools: ProgramTools,
  control: Control = {},
): Promise<CompiledProgram> {
  const start = tools.now();
  checkOptions(options);
  const model = embedExternal(given);
  const empty = quantizer(model, { table: directTables(), allowFloat: options.allowFloat ?? false });
  const fitted = fitDataset(dataset, declaredInputs(model));
  const original = await tools.openSession(concatenate(writeModel(model)));
  try {
    const before = await score(original, fitted, "report", control, { stage: "measuring the original" });
    const calibrated = await empty.calibrate(fitted, tools.openSession, control);
    const { ranges = "auto", migration = "auto", attention = "auto", maxDrop } = options;
    const programOf = (scheme: Scheme): Program => calibrated.quantize(scheme).program;
    const chosen = await chooseScheme(empty.choosable, { ranges, migration, attention }, maxDrop, () =>
      openTrials(programOf, original, fitted, maxDrop === undefined ? TRIAL_SAMPLES : Infinity, tools, control),
    );
    const quantized = calibrated.quantize(chosen.scheme);
    const after = await measured(quantized.program, fitted, tools, control);
    const { flips, logitError } = compareScores(before, after);
    return {
      program: quantized.program,
      choices: [...chosen.choices, ...quantized.choices],
      trials: chosen.trials,
      ...{ before: before.metrics, after: after.metrics, flips, logitError, samples: before.samples },
      sensitivity: options.sensitivity === true ? await quantized.compareLayers(control) : null,
      seconds: (tools.now() - start) / 1000,
    };
  } finally {
    await original.release();
  }
}

/** @throws LutraError "bad-argument" */
function checkOptions({ migration = 0, maxDrop = 0 }: CompileProgramOptions): void {
  if (migration !== "auto" && !(migration >= 0 && migration <= 1))
    throw new LutraError("bad-argument", `migration must be a number from 0 to 1, got ${migration}`);
  if (!(maxDrop >= 0 && maxDrop < Infinity))
    throw new LutraError("bad-argument", `maxDrop must be a number that is not negative, got ${maxDrop}`);
}

async function measured(program: Program, dataset: Dataset, tools: ProgramTools, control: Control): Promise<Score> {
  const session = await tools.openProgram(program);
  try {
    return await score(session, dataset, "report", control, { stage: "measuring the program" });
  } finally {
    await session.release();
  }
}

/** Tables of every answer, correctly rounded; each is solved once. */
function directTables(): (spec: Spec) => Table {
  const known = new Map<string, Table>();
  return (spec) => {
    const key = JSON.stringify(spec);
    const bits = spec.input.kind === "integer" ? spec.input.bits : 8;
    const size = { segments: 2 ** bits };
    const problem = { spec, size, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
    const table = known.get(key) ?? finish(solve(problem, "direct", { seed: 1 })).table;
    known.set(key, table);
    return table;
  };
}

/** Samples of a trial without a limit on the drop: logit errors need few. */
const TRIAL_SAMPLES = 64;

/** Trials on the selection samples, or at most so many of them. */
async function openTrials(
  programOf: (scheme: Scheme) => Program,
  original: Session,
  fitted: Dataset,
  most: number,
  tools: ProgramTools,
  control: Control,
): Promise<Trials> {
  const { dataset: selection, says } = await selectionOf(fitted, original, control);
  const dataset = thinnedSelection(selection, most);
  const quiet = { signal: control.signal };
  const before = await score(original, dataset, "selection", quiet);
  const [metric = "accuracy"] = dataset.metrics;
  let done = 0;
  return {
    metric,
    says: `${before.samples} of ${says}`,
    async run(scheme) {
      checkCancelled(control);
      control.onProgress?.({ stage: "choosing a scheme", done, total: done + 1 });
      const session = await tools.openProgram(programOf(scheme));
      try {
        return trialOf(before, await score(session, dataset, "selection", quiet), metric);
      } finally {
        done++;
        await session.release();
      }
    },
  };
}
