// From a Plan to what is executable: its tables solved, its kernels filled and certified, the model rewritten around them. compile.ts tries
// plans with the first half and compiles one with all of it.

import { type Control, checkCancelled, drive, hash, LutraError } from "./base/index.ts";
import { type Certificate, certify } from "./certify/index.ts";
import { type FitResult, solve } from "./fit/index.ts";
import { fill, type Kernel } from "./kernel/index.ts";
import { elementwise } from "./layer/index.ts";
import type { Calibration, Plan, PlannedTable } from "./model/index.ts";
import type { Histogram } from "./num/index.ts";
import { type Model, rewrite, type Site, writeModel } from "./onnx/index.ts";
import { type Problem, type Table, tableBytes } from "./table/index.ts";
import { emit } from "./target/onnx/index.ts";

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
  /** Of a layer from codes to codes. */
  readonly formats?: NonNullable<Site["formats"]>;
  readonly nodes: readonly string[];
  /** Names of its tables. */
  readonly tables: readonly string[];
  readonly certificate: Certificate;
}

/** What every plan of one model is tried and compiled with. */
export interface Bench {
  readonly model: Model;
  readonly sites: readonly Site[];
  /** The layer of each site, its holes empty, by site id. */
  readonly empty: ReadonlyMap<string, Kernel>;
  readonly calibration: Calibration;
  readonly solve: Solver;
  readonly flat: boolean;
}

export type Solver = (table: PlannedTable) => Promise<FitResult>;

/** Solves each distinct question once. */
export function solver(seed: number, control: Control): Solver {
  const known = new Map<string, Promise<FitResult>>();
  return (table) => {
    const question = hash(table);
    const options = { seed, parameters: table.parameters ?? {} };
    const found = known.get(question) ?? drive(solve(table.problem, table.method, options), { signal: control.signal });
    known.set(question, found);
    return found;
  };
}

/** The kernels of the planned sites, filled, by site id. */
export async function fillPlan({ tables, sites }: Plan, { empty, solve }: Bench): Promise<ReadonlyMap<string, Kernel>> {
  const kernels = new Map<string, Kernel>();
  for (const { id, tables: names } of sites) {
    const filled: Record<string, Table> = {};
    for (const [hole, name] of Object.entries(names))
      filled[hole] = (await solveNamed(name, tables[name], solve)).table;
    kernels.set(id, fill(empty.get(id) as Kernel, filled));
  }
  return kernels;
}

/** @throws LutraError as `solve` does, with the table's name */
async function solveNamed(name: string, table: PlannedTable, solve: Solver): Promise<FitResult> {
  try {
    return await solve(table);
  } catch (error) {
    if (!(error instanceof LutraError) || error.code === "cancelled") throw error;
    const { code, message, note, where } = error;
    const place = { where: [`table ${name}`, ...(where === undefined ? [] : [where])].join(": ") };
    throw new LutraError(code, message, { ...place, ...(note === undefined ? {} : { note }), cause: error });
  }
}

export function rewritten({ model, sites, flat }: Bench, kernels: ReadonlyMap<string, Kernel>): readonly Uint8Array[] {
  const replacements = sites.flatMap((site) => {
    const kernel = kernels.get(site.id);
    if (kernel === undefined) return [];
    return [{ site, function: emit(kernel, { axes: site.axes ?? [-1], opset: model.opset }) }];
  });
  return writeModel(rewrite(model, replacements, { flat }));
}

// certificates --------------------------------------------------------------------------------------------------------

export interface ProvenPlan {
  readonly sites: readonly CompiledSite[];
  readonly tables: readonly CompiledTable[];
  readonly kernels: ReadonlyMap<string, Kernel>;
}

/** Solves and certifies every table and every layer of a plan; equal layers are certified once. */
export async function provePlan(plan: Plan, bench: Bench, control: Control): Promise<ProvenPlan> {
  const quiet = { signal: control.signal };
  const tables = new Map<string, CompiledTable>();
  const certificates = new Map<string, Certificate>();
  const compiled: CompiledSite[] = [];
  const byId = new Map(bench.sites.map((site) => [site.id, site]));
  const kernels = new Map<string, Kernel>();
  for (const [done, { id, kind, tables: names }] of plan.sites.entries()) {
    checkCancelled(control);
    control.onProgress?.({ stage: "tables", done, total: plan.sites.length });
    for (const [hole, name] of Object.entries(names)) {
      if (tables.has(name)) continue;
      const { method, problem } = plan.tables[name];
      const { table, objective, bound, boundHolds } = await solveNamed(name, plan.tables[name], bench.solve);
      const certificate = await drive(certify(fill(elementwise(problem.spec), { f: table })), quiet);
      const histogram = bench.calibration[id]?.holes[hole] ?? null;
      const facts = { table, certificate, histogram, objective, bound, boundHolds };
      tables.set(name, { name, hole, problem, method, bytes: tableBytes(table), ...facts });
    }
    const filling = Object.entries(names).map(([hole, name]) => [hole, (tables.get(name) as CompiledTable).table]);
    const kernel = fill(bench.empty.get(id) as Kernel, Object.fromEntries(filling));
    const fingerprint = hash(kernel);
    const certificate = certificates.get(fingerprint) ?? (await drive(certify(kernel), quiet));
    certificates.set(fingerprint, certificate);
    kernels.set(id, kernel);
    const { form, nodes, formats } = byId.get(id) as Site;
    const codes = formats === undefined ? {} : { formats };
    compiled.push({ id, kind, form, ...codes, nodes, tables: Object.values(names), certificate });
  }
  control.onProgress?.({ stage: "tables", done: plan.sites.length, total: plan.sites.length });
  return { sites: compiled, tables: [...tables.values()], kernels };
}
