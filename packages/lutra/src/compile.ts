// The main job, in order: find the layers, see what they see, plan a table for each hole, solve and prove it, put it into the model,
// measure both. The only file that knows the whole order. No algorithm of its own.

import type { Control, Session } from "./base/index.ts";
import type { Dataset } from "./data/index.ts";
import {
  type Allocation,
  type Asked,
  allocate,
  type Budget,
  checkBudget,
  checkPlan,
  compareScores,
  type Metrics,
  type Plan,
  planSites,
  score,
  selectionOf,
  squaredLoss,
  thinnedSelection,
  trialOf,
} from "./model/index.ts";
import { concatenate, type Model, type Skipped } from "./onnx/index.ts";
import { type Bench, type CompiledSite, type CompiledTable, fillPlan, provePlan, rewritten } from "./prove.ts";
import { type Norm, tableBytes } from "./table/index.ts";
import { type CompileTools, openWorkbench, type Workbench } from "./workbench.ts";

export interface CompileOptions {
  /** Entries of every table; with a budget, of the tables that the chosen ones are compared with. */
  readonly segments: number;
  readonly method: string;
  readonly norm: Norm;
  /** Kinds of layer to replace; all if absent. */
  readonly only?: readonly string[];
  /** Write the functions' nodes inline instead of model-local functions. */
  readonly flat: boolean;
  readonly seed: number;
  /** Chooses the size of each table by trials on the selection split, instead of `segments` for all. */
  readonly budget?: Budget;
  /** Every choice made already: nothing above but `flat` and `seed` is asked. */
  readonly plan?: Plan;
}

export interface Compilation {
  readonly sites: readonly CompiledSite[];
  /** Layers that stay as they are, and why; those that `only` leaves out are not among them. */
  readonly skipped: readonly Skipped[];
  readonly tables: readonly CompiledTable[];
  readonly before: Metrics;
  readonly after: Metrics;
  /** Share of predictions that changed. */
  readonly flips: number;
  readonly logitError: { readonly max: number; readonly mean: number };
  readonly samples: number;
  /** What was compiled: give it back as `CompileOptions.plan`, as it is or edited. */
  readonly plan: Plan;
  /** How a budget was kept; null without one. */
  readonly allocation: CompiledAllocation | null;
  /** The rewritten model, in chunks to be written one after another. */
  readonly model: readonly Uint8Array[];
  readonly seconds: number;
}

export interface CompiledAllocation extends Allocation {
  /** In words: the samples that sizes were chosen on. */
  readonly chosenOn: string;
  /** Of the tables that the chosen ones are compared with, but for those that have an entry per code. */
  readonly segments: number;
}

/** Samples of a trial; the plan that trials choose is verified on all. */
const TRIAL_SAMPLES = 256;

/**
 * Compiles a model: every layer found, or those of the kinds asked for, becomes tables of the same size, of sizes that keep a budget,
 * or those of a plan.
 * @param given external tensors are taken into the model, so that what is rewritten is one file, unless `externalFiles` says otherwise:
 *   then sessions are given, and the result is, a model that needs those files beside it
 * @param dataset as loaded; it is fitted to the model's inputs here
 * @throws LutraError "bad-model" if there is nothing to replace; "infeasible" if no plan keeps the budget; "mismatch" if the plan is
 *   about another model; whatever its parts throw; "cancelled"
 */
export async function compile(
  given: Model,
  dataset: Dataset,
  options: CompileOptions,
  tools: CompileTools,
  control: Control = {},
): Promise<Compilation> {
  const start = tools.now();
  if (options.budget !== undefined) checkBudget(options.budget);
  const { plan: decided, only, flat, seed } = options;
  // A plan names its sites.
  const chosen = decided === undefined && only !== undefined ? { only } : {};
  const workbench = await openWorkbench(given, dataset, { flat, seed, ...chosen }, tools, control);
  try {
    const { plan, allocation } = await choosePlan(workbench, options, tools, control);
    return { ...(await compilePlan(workbench, plan, start, tools, control)), allocation };
  } finally {
    await workbench.original.release();
  }
}

/** The model compiled by a plan, and measured. @param start when the work began, by `tools.now` */
export async function compilePlan(
  { bench, skipped, dataset, before }: Workbench,
  plan: Plan,
  start: number,
  tools: CompileTools,
  control: Control,
): Promise<Omit<Compilation, "allocation">> {
  const { sites, tables, kernels } = await provePlan(plan, bench, control);
  const model = rewritten(bench, kernels);
  const session = await tools.openSession(concatenate(model));
  try {
    const after = await score(session, dataset, "report", control, { stage: "measuring the tables" });
    const { flips, logitError } = compareScores(before, after);
    const seconds = (tools.now() - start) / 1000;
    const measured = { before: before.metrics, after: after.metrics, samples: before.samples, flips, logitError };
    return { sites, skipped, tables, ...measured, plan, model, seconds };
  } finally {
    await session.release();
  }
}

// the plan ------------------------------------------------------------------------------------------------------------

/** The plan given, or the uniform one, or what trials make of it to keep a budget. */
async function choosePlan(
  { bench, original, dataset }: Workbench,
  { plan, budget, ...options }: CompileOptions,
  tools: CompileTools,
  control: Control,
): Promise<{ readonly plan: Plan; readonly allocation: CompiledAllocation | null }> {
  if (plan !== undefined) {
    checkPlan(plan, bench.sites, bench.empty);
    return { plan, allocation: null };
  }
  const uniform = planSites(bench.sites, bench.empty, bench.calibration, options);
  if (budget === undefined) return { plan: uniform, allocation: null };
  const { dataset: selection, says } = await selectionOf(dataset, original, control);
  const asked = await askBench(bench, original, selection, tools, control);
  const chosen = await allocate(uniform, options.segments, budget, asked, control);
  return { plan: chosen.plan, allocation: { ...chosen.allocation, chosenOn: says, segments: options.segments } };
}

/** Answers what `allocate` asks: tables from the solver, trials from sessions of rewritten models. */
async function askBench(
  bench: Bench,
  original: Session,
  all: Dataset,
  tools: CompileTools,
  control: Control,
): Promise<Asked> {
  const some = thinnedSelection(all, TRIAL_SAMPLES);
  const quiet = { signal: control.signal };
  const expected = {
    some: await score(original, some, "selection", quiet),
    all: await score(original, all, "selection", quiet),
  };
  const [metric] = all.metrics;
  return {
    metric,
    isSampled: some !== all,
    async solve(table) {
      const { table: found, objective } = await bench.solve(table);
      if (found.spec.input.kind === "float") return { bytes: tableBytes(found), objective };
      const loss = squaredLoss(found);
      return { bytes: tableBytes(found), objective: table.problem.norm === "mse" ? loss : Math.sqrt(loss) };
    },
    async trial(plan, samples) {
      const session = await tools.openSession(concatenate(rewritten(bench, await fillPlan(plan, bench))));
      try {
        return trialOf(
          expected[samples],
          await score(session, samples === "some" ? some : all, "selection", quiet),
          metric,
        );
      } finally {
        await session.release();
      }
    },
  };
}
