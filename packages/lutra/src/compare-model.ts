// Methods compared by what they cost a whole model: one row per method, size and kind of layer replaced. Nothing is certified here: what
// is compared is measured.

import { type Control, checkCancelled, LutraError } from "./base/index.ts";
import { GRIDS } from "./compare/index.ts";
import type { Dataset } from "./data/index.ts";
import { type GivenParameters, METHODS, parametersByMethod } from "./fit/index.ts";
import type { Kernel } from "./kernel/index.ts";
import { hGelu, iGelu, iGeluFloat, onFloats } from "./layer/index.ts";
import { compareScores, type Metrics, type Plan, planSites, score } from "./model/index.ts";
import { type Interval, integerFormat } from "./num/index.ts";
import { concatenate, type Model, type Site } from "./onnx/index.ts";
import { fillPlan, rewritten } from "./prove.ts";
import { type Norm, tableBytes } from "./table/index.ts";
import { type CompileTools, openWorkbench, type Workbench } from "./workbench.ts";

export interface CompareModelOptions {
  readonly methods: readonly string[];
  /** What methods leave open, by name: each takes those that it declares. */
  readonly parameters?: GivenParameters;
  readonly segments: readonly number[];
  /** Groups of layers to replace, of `groupsOf`; each and then all together if absent. */
  readonly replaced?: readonly string[];
  /** Name of a grid whose ranges the tables are fitted on, as published; what suits the function and the data if absent. */
  readonly ranges?: string;
  readonly norm: Norm;
  readonly seed: number;
}

export interface CompareModelRow {
  readonly method: string;
  /** 0 for a formula. */
  readonly segments: number;
  /** "gelu", "softmax", "norms", ..., or "all". */
  readonly replaced: string;
  readonly layers: number;
  readonly metrics: Metrics;
  /** Share of answers that changed. */
  readonly flips: number;
  readonly logitError: { readonly max: number; readonly mean: number };
  /** Of all tables together. */
  readonly bytes: number;
  /** What finding the tables took, in seconds; those of an earlier row are known already. */
  readonly seconds: number;
}

export interface ModelComparison {
  readonly samples: number;
  readonly before: Metrics;
  readonly rows: readonly CompareModelRow[];
  readonly refused: readonly { readonly method: string; readonly segments: number; readonly reason: string }[];
}

/** All layers of a model together. */
const ALL = "all";

/**
 * Every method at every size on every group of layers, each scored on the report split.
 * @throws LutraError "bad-argument" for a method, parameter, group or grid that does not exist; whatever its parts throw; "cancelled"
 */
export async function compareModel(
  given: Model,
  dataset: Dataset,
  options: CompareModelOptions,
  tools: CompileTools,
  control: Control = {},
): Promise<ModelComparison> {
  const known = [...Object.keys(METHODS), ...Object.keys(GELU_FORMULAS)];
  const unknown = options.methods.find((method) => !known.includes(method));
  if (unknown !== undefined) throw unknownName("method", unknown, known);
  const ranges = options.ranges === undefined ? undefined : rangesOf(options.ranges);
  const parameters = parametersByMethod(options.methods, options.parameters ?? {});
  const workbench = await openWorkbench(given, dataset, { flat: false, seed: options.seed }, tools, control);
  try {
    const { before } = workbench;
    const trials = trialsOf(workbench, options, ranges, parameters);
    const rows: CompareModelRow[] = [];
    const refused: { method: string; segments: number; reason: string }[] = [];
    for (const [done, { kernels, ...trial }] of trials.entries()) {
      checkCancelled(control);
      control.onProgress?.({ stage: `${trial.method}, ${trial.replaced}`, done, total: trials.length });
      const row = await rowOrRefusal(workbench, kernels, tools, control);
      if (typeof row !== "string") rows.push({ ...trial, ...row });
      else refused.push({ method: trial.method, segments: trial.segments, reason: row });
    }
    return { samples: before.samples, before: before.metrics, rows, refused: distinct(refused) };
  } finally {
    await workbench.original.release();
  }
}

// trials --------------------------------------------------------------------------------------------------------------

/** Layers in the place of those of a model, by site id, and the bytes of their tables. */
interface Replaced {
  readonly kernels: ReadonlyMap<string, Kernel>;
  readonly bytes: number;
}

interface Trial {
  readonly method: string;
  readonly segments: number;
  readonly replaced: string;
  readonly layers: number;
  readonly kernels: () => Promise<Replaced>;
}

/** Format of int32 i-GELU's inputs: 12 fraction bits keep its published shift exact, 20 bits reach to 128. */
const INT32_INPUT = integerFormat(true, 20, 2 ** -12);

/** Methods that search no table, for layers of GELU alone. */
const GELU_FORMULAS: Readonly<Record<string, () => Kernel>> = {
  "i-gelu-f32": iGeluFloat,
  "i-gelu-int32": () => onFloats(iGelu(INT32_INPUT)),
  "h-gelu": hGelu,
};

/** What is tried: every method of tables at every size on every group, formulas once on the layers they are for. */
function trialsOf(
  { bench }: Workbench,
  { methods, segments, replaced, norm }: CompareModelOptions,
  ranges: Readonly<Record<string, Interval>> | undefined,
  parameters: ReadonlyMap<string, GivenParameters>,
): readonly Trial[] {
  const groups = [...chosenGroups(bench.sites, replaced)];
  const tables = segments.flatMap((count) =>
    methods
      .filter((method) => Object.hasOwn(METHODS, method))
      .flatMap((method) => {
        const own = { method, parameters: parameters.get(method) ?? {} };
        const asked = { ...own, segments: count, norm, ...(ranges === undefined ? {} : { ranges }) };
        const plan = planSites(bench.sites, bench.empty, bench.calibration, asked);
        return groups.map(([name, ids]): Trial => {
          const part = { ...plan, sites: plan.sites.filter(({ id }) => ids.has(id)) };
          const kernels = async (): Promise<Replaced> => {
            return { kernels: await fillPlan(part, bench), bytes: await bytesOf(part, bench) };
          };
          return { method, segments: count, replaced: name, layers: ids.size, kernels };
        });
      }),
  );
  const isGelu = new Set(bench.sites.filter(({ kind }) => GELU_KINDS.has(kind)).map(({ id }) => id));
  const formulas = methods.flatMap((method) => {
    const formula = Object.hasOwn(GELU_FORMULAS, method) ? GELU_FORMULAS[method] : undefined;
    const own = groups.filter(([, ids]) => [...ids].every((id) => isGelu.has(id)));
    if (formula === undefined) return [];
    return own.map(([name, ids]): Trial => {
      const kernels = async (): Promise<Replaced> => {
        const kernel = formula();
        return { kernels: new Map([...ids].map((id) => [id, kernel])), bytes: 0 };
      };
      return { method, segments: 0, replaced: name, layers: ids.size, kernels };
    });
  });
  return [...tables, ...formulas];
}

const GELU_KINDS: ReadonlySet<string> = new Set(["gelu", "gelu-tanh", "quick-gelu"]);

type Measured = Omit<CompareModelRow, "method" | "segments" | "replaced" | "layers">;

/** The reason, where the method cannot answer what the layers ask. */
async function rowOrRefusal(
  { bench, before, dataset }: Workbench,
  replaced: () => Promise<Replaced>,
  tools: CompileTools,
  control: Control,
): Promise<Measured | string> {
  const start = tools.now();
  try {
    const { kernels, bytes } = await replaced();
    const seconds = (tools.now() - start) / 1000;
    const session = await tools.openSession(concatenate(rewritten(bench, kernels)));
    try {
      const after = await score(session, dataset, "report", { signal: control.signal });
      const { flips, logitError } = compareScores(before, after);
      return { metrics: after.metrics, flips, logitError, bytes, seconds };
    } finally {
      await session.release();
    }
  } catch (error) {
    if (!(error instanceof LutraError) || !REFUSALS.has(error.code)) throw error;
    return error.message;
  }
}

const REFUSALS: ReadonlySet<string> = new Set(["unsupported", "infeasible", "bad-argument"]);

async function bytesOf({ tables, sites }: Plan, { solve }: Workbench["bench"]): Promise<number> {
  let bytes = 0;
  for (const name of new Set(sites.flatMap((site) => Object.values(site.tables)))) {
    const table = tables[name];
    if (table !== undefined) bytes += tableBytes((await solve(table)).table);
  }
  return bytes;
}

// groups --------------------------------------------------------------------------------------------------------------

const ROW_GROUPS: Readonly<Record<string, string>> = {
  softmax: "softmax",
  "log-softmax": "softmax",
  "layer-norm": "norms",
  "rms-norm": "norms",
};

/** The layers of a model by what papers replace together, and all of them where that is more than one group. */
function groupsOf(sites: readonly Site[]): ReadonlyMap<string, ReadonlySet<string>> {
  const groups = new Map<string, Set<string>>();
  for (const { id, kind } of sites) {
    const name = Object.hasOwn(ROW_GROUPS, kind) ? (ROW_GROUPS[kind] as string) : kind;
    groups.set(name, (groups.get(name) ?? new Set()).add(id));
  }
  if (groups.size > 1) groups.set(ALL, new Set(sites.map(({ id }) => id)));
  return groups;
}

function chosenGroups(
  sites: readonly Site[],
  names: readonly string[] | undefined,
): ReadonlyMap<string, ReadonlySet<string>> {
  const groups = groupsOf(sites);
  if (names === undefined) return groups;
  const unknown = names.find((name) => !groups.has(name));
  if (unknown !== undefined) throw unknownName("kind of layer", unknown, [...groups.keys()]);
  return new Map([...groups].filter(([name]) => names.includes(name)));
}

function rangesOf(grid: string): Readonly<Record<string, Interval>> {
  const found = Object.hasOwn(GRIDS, grid) ? GRIDS[grid] : undefined;
  if (found === undefined) throw unknownName("grid", grid, Object.keys(GRIDS));
  return found.ranges;
}

function unknownName(what: string, name: string, known: readonly string[]): LutraError {
  return new LutraError("bad-argument", `unknown ${what} "${name}"`, { note: `known: ${known.join(", ")}` });
}

function distinct<T>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
