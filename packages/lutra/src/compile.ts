// The main job, in order: find the layers, see what they see, give each hole a table, prove it, put it into the model, measure both.
// The only file that knows the whole order. No algorithm of its own.

import { type Control, checkCancelled, drive, hash, LutraError, type Session } from "./base/index.ts";
import { type Certificate, certify } from "./certify/index.ts";
import { type Dataset, fitDataset } from "./data/index.ts";
import { solve } from "./fit/index.ts";
import { parseFn } from "./fn/index.ts";
import { fill, holes, type Kernel } from "./kernel/index.ts";
import { elementwise, layerFor } from "./layer/index.ts";
import {
  type Calibration,
  calibrate,
  compareScores,
  declaredInputs,
  type Metrics,
  planProblem,
  score,
} from "./model/index.ts";
import type { Histogram } from "./num/index.ts";
import { concatenate, embedExternal, findSites, type Model, rewrite, type Site, writeModel } from "./onnx/index.ts";
import { type Norm, type Problem, type Table, tableBytes } from "./table/index.ts";
import { emit } from "./target/onnx/index.ts";

export interface CompileOptions {
  /** Entries of every table. */
  readonly segments: number;
  readonly method: string;
  readonly norm: Norm;
  /** Kinds of layer to replace; all if absent. */
  readonly only?: readonly string[];
  /** Write the functions' nodes inline instead of model-local functions. */
  readonly flat: boolean;
  readonly seed: number;
}

export interface CompileTools {
  /** A session over a serialized model. */
  openSession(model: Uint8Array): Promise<Session>;
  /** Milliseconds, for the seconds reported; the library has no clock of its own. */
  now(): number;
}

/** One distinct table; sites that ask the same question share it. */
export interface CompiledTable {
  readonly name: string;
  /** The lookup it fills: "f", "exp", "reciprocal", "rsqrt", "log". */
  readonly hole: string;
  readonly problem: Problem;
  readonly method: string;
  readonly table: Table;
  readonly bytes: number;
  readonly certificate: Certificate;
  /** Inputs seen in calibration, by the first site that uses the table. */
  readonly histogram: Histogram | null;
  readonly objective: number;
  readonly bound: number;
  readonly boundHolds: string;
}

export interface CompiledSite {
  readonly id: string;
  readonly kind: string;
  readonly form: Site["form"];
  readonly nodes: readonly string[];
  /** Names of its tables. */
  readonly tables: readonly string[];
  readonly certificate: Certificate;
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
  /** The rewritten model, in chunks to be written one after another. */
  readonly model: readonly Uint8Array[];
  readonly seconds: number;
}

/**
 * Compiles a model: every layer found, or those of the kinds asked for, becomes tables of the same size.
 * @param given external tensors are taken into the model: what is rewritten is one file
 * @param dataset as loaded; it is fitted to the model's inputs here
 * @throws LutraError "bad-model" if there is nothing to replace; whatever its parts throw; "cancelled"
 */
export async function compile(
  given: Model,
  dataset: Dataset,
  options: CompileOptions,
  tools: CompileTools,
  control: Control = {},
): Promise<Compilation> {
  const start = tools.now();
  const model = embedExternal(given);
  const sites = chooseSites(model, options.only);
  const original = await tools.openSession(concatenate(writeModel(model)));
  try {
    const fitted = fitDataset(dataset, declaredInputs(model));
    const before = await score(original, fitted, "report", control, { stage: "measuring the original" });
    const calibration = await calibrate(
      model,
      sites,
      Object.fromEntries(sites.map((site) => [site.id, kernelFor(site, UNKNOWN_ROW)])),
      fitted,
      tools.openSession,
      control,
    );
    const solved = await solveSites(sites, calibration, options, control);
    const replacements = sites.map((site) => ({
      site,
      function: emit(solved.kernels.get(site.id) as Kernel, { axes: site.axes ?? [-1], opset: model.opset }),
    }));
    const chunks = writeModel(rewrite(model, replacements, { flat: options.flat }));
    const rewritten = await tools.openSession(concatenate(chunks));
    try {
      const after = await score(rewritten, fitted, "report", control, { stage: "measuring the tables" });
      const { flips, logitError } = compareScores(before, after);
      const seconds = (tools.now() - start) / 1000;
      const measured = { before: before.metrics, after: after.metrics, samples: before.samples, flips, logitError };
      return { sites: solved.sites, tables: solved.tables, ...measured, model: chunks, seconds };
    } finally {
      await rewritten.release();
    }
  } finally {
    await original.release();
  }
}

// sites ---------------------------------------------------------------------------------------------------------------

/** @throws LutraError "bad-model" if no site is left; "bad-argument" if `only` names a kind the model has not */
function chooseSites(model: Model, only: readonly string[] | undefined): readonly Site[] {
  const found = findSites(model);
  if (found.length === 0) {
    throw new LutraError("bad-model", "no non-linear layer was found in the model", {
      note: "lutra inspect lists what is looked for",
    });
  }
  if (only === undefined) return found;
  const kinds = [...new Set(found.map((site) => site.kind))];
  const unknown = only.find((kind) => !kinds.includes(kind));
  if (unknown !== undefined) {
    throw new LutraError("bad-argument", `the model has no layer of kind "${unknown}"`, {
      note: `it has ${kinds.join(", ")}`,
    });
  }
  return found.filter((site) => only.includes(site.kind));
}

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

interface SolvedSites {
  readonly sites: readonly CompiledSite[];
  readonly tables: readonly CompiledTable[];
  readonly kernels: ReadonlyMap<string, Kernel>;
}

/** A table for every hole and a certificate for every kernel; equal questions are asked once. */
async function solveSites(
  sites: readonly Site[],
  calibration: Calibration,
  options: CompileOptions,
  control: Control,
): Promise<SolvedSites> {
  const solver = tableSolver(options, control);
  const certificates = new Map<string, Certificate>();
  const kernels = new Map<string, Kernel>();
  const compiled: CompiledSite[] = [];
  for (const [done, site] of sites.entries()) {
    checkCancelled(control);
    control.onProgress?.({ stage: "tables", done, total: sites.length });
    const seen = calibration[site.id];
    const empty = kernelFor(site, certifiedRow(seen?.longestRow ?? UNKNOWN_ROW));
    const tables: Record<string, CompiledTable> = {};
    for (const { hole, spec } of holes(empty)) {
      const histogram = seen?.holes[hole];
      tables[hole] = await solver.solve(site.kind, hole, planProblem(spec, options, histogram), histogram ?? null);
    }
    const kernel = fill(empty, Object.fromEntries(Object.entries(tables).map(([hole, { table }]) => [hole, table])));
    const fingerprint = hash(kernel);
    const certificate = certificates.get(fingerprint) ?? (await drive(certify(kernel), { signal: control.signal }));
    certificates.set(fingerprint, certificate);
    kernels.set(site.id, kernel);
    const { id, kind, form, nodes } = site;
    compiled.push({ id, kind, form, nodes, tables: Object.values(tables).map(({ name }) => name), certificate });
  }
  control.onProgress?.({ stage: "tables", done: sites.length, total: sites.length });
  return { sites: compiled, tables: solver.tables(), kernels };
}

interface TableSolver {
  solve(kind: string, hole: string, problem: Problem, histogram: Histogram | null): Promise<CompiledTable>;
  tables(): readonly CompiledTable[];
}

/** Solves each distinct problem once, names its table after the layer and certifies it on its own. */
function tableSolver(options: CompileOptions, control: Control): TableSolver {
  const solved = new Map<string, CompiledTable>();
  const counts = new Map<string, number>();
  return {
    async solve(kind, hole, problem, histogram) {
      const question = hash(problem);
      const known = solved.get(question);
      if (known !== undefined) return known;
      const stem = hole === "f" ? kind : `${kind}.${hole}`;
      const count = (counts.get(stem) ?? 0) + 1;
      counts.set(stem, count);
      const quiet = { signal: control.signal };
      const { table, objective, bound, boundHolds } = await drive(solve(problem, options.method, options), quiet);
      const certificate = await drive(certify(fill(elementwise(problem.spec), { f: table })), quiet);
      const name = `${stem}-${count}`;
      const facts = { table, certificate, histogram, objective, bound, boundHolds };
      const result = { name, hole, problem, method: options.method, bytes: tableBytes(table), ...facts };
      solved.set(question, result);
      return result;
    },
    tables: () => [...solved.values()],
  };
}
