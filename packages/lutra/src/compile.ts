// The main job, in order: find the layers, see what they see, plan a table for each hole, solve and prove it, put it into the model,
// measure both. The only file that knows the whole order. No algorithm of its own.

import { type Control, LutraError, type Session } from "./base/index.ts";
import { type Dataset, fitDataset } from "./data/index.ts";
import { parseFn } from "./fn/index.ts";
import { holes, type Kernel } from "./kernel/index.ts";
import { layerFor } from "./layer/index.ts";
import {
  type Allocation,
  type Asked,
  allocate,
  type Budget,
  calibrate,
  checkBudget,
  checkPlan,
  compareScores,
  declaredInputs,
  type Metrics,
  needsCalibration,
  type Plan,
  planSites,
  score,
  selectionOf,
  thinnedSelection,
  trialOf,
} from "./model/index.ts";
import { concatenate, embedExternal, findSites, type Model, type Site, writeModel } from "./onnx/index.ts";
import { type Bench, type CompiledSite, type CompiledTable, fillPlan, provePlan, rewritten, solver } from "./prove.ts";
import { type Norm, tableBytes } from "./table/index.ts";

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

export interface CompileTools {
  /** A session over a serialized model. */
  openSession(model: Uint8Array): Promise<Session>;
  /** Milliseconds, for the seconds reported; the library has no clock of its own. */
  now(): number;
}

export interface Compilation {
  readonly sites: readonly CompiledSite[];
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
  const model = embedExternal(given);
  const sites = chooseSites(model, options);
  const original = await tools.openSession(concatenate(writeModel(model)));
  try {
    const fitted = fitDataset(dataset, declaredInputs(model));
    const before = await score(original, fitted, "report", control, { stage: "measuring the original" });
    const unsized = new Map(sites.map((site) => [site.id, kernelFor(site, UNKNOWN_ROW)]));
    const calibration = await calibrate(model, sites, Object.fromEntries(unsized), fitted, tools.openSession, control);
    const bench: Bench = {
      model,
      sites,
      empty: new Map(
        sites.map((site) => [site.id, kernelFor(site, certifiedRow(calibration[site.id]?.longestRow ?? UNSEEN_ROW))]),
      ),
      calibration,
      solve: solver(options.seed, control),
      flat: options.flat,
    };
    const { plan, allocation } = await choosePlan(bench, original, fitted, options, tools, control);
    const proven = await provePlan(plan, bench, control);
    const chunks = rewritten(bench, proven.kernels);
    const session = await tools.openSession(concatenate(chunks));
    try {
      const after = await score(session, fitted, "report", control, { stage: "measuring the tables" });
      const { flips, logitError } = compareScores(before, after);
      const seconds = (tools.now() - start) / 1000;
      const measured = { before: before.metrics, after: after.metrics, samples: before.samples, flips, logitError };
      return { sites: proven.sites, tables: proven.tables, ...measured, plan, allocation, model: chunks, seconds };
    } finally {
      await session.release();
    }
  } finally {
    await original.release();
  }
}

// sites ---------------------------------------------------------------------------------------------------------------

/** @throws LutraError "bad-model" if no site is left; "bad-argument" if `only` names a kind the model has not */
function chooseSites(model: Model, { only, plan }: CompileOptions): readonly Site[] {
  const found = findSites(model).filter(isPlannable);
  if (found.length === 0) {
    throw new LutraError("bad-model", "no non-linear layer was found in the model", {
      note: "lutra inspect lists what is looked for",
    });
  }
  if (only === undefined || plan !== undefined) return found;
  const kinds = [...new Set(found.map((site) => site.kind))];
  const unknown = only.find((kind) => !kinds.includes(kind));
  if (unknown !== undefined) {
    throw new LutraError("bad-argument", `the model has no layer of kind "${unknown}"`, {
      note: `it has ${kinds.join(", ")}`,
    });
  }
  return found.filter((site) => only.includes(site.kind));
}

/** Calibration does not see what goes on in bodies and functions: there, only functions that need no range are replaced. */
function isPlannable(site: Site): boolean {
  return site.scope === undefined || !holes(kernelFor(site, UNSEEN_ROW)).some(({ spec }) => needsCalibration(spec));
}

/** Rows inside a body or a function, which calibration does not see, are certified up to this length. */
const UNSEEN_ROW = 4096;

/** Row length assumed before calibration has seen the rows; no part of what calibration computes depends on it. */
const UNKNOWN_ROW = 1;

function kernelFor(site: Site, maxRow: number): Kernel {
  const isRow = site.axes !== null;
  return layerFor({
    kind: site.kind,
    inputCount: site.inputs.length,
    maxRow,
    domain: isRow ? { lo: -Infinity, hi: Infinity } : parseFn(site.kind).domain,
    ...(site.attributes.epsilon === undefined ? {} : { epsilon: site.attributes.epsilon }),
  });
}

/** Rows are certified up to the next power of two of the longest row seen, at least 64: small changes of a batch change no certificate. */
function certifiedRow(longest: number): number {
  return Math.max(64, 2 ** (32 - Math.clz32(Math.max(1, longest) - 1)));
}

// the plan ------------------------------------------------------------------------------------------------------------

/** The plan given, or the uniform one, or what trials make of it to keep a budget. */
async function choosePlan(
  bench: Bench,
  original: Session,
  dataset: Dataset,
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
  return { plan: chosen.plan, allocation: { ...chosen.allocation, chosenOn: says } };
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
      return { bytes: tableBytes(found), objective };
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
