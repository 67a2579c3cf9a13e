// Refitting, NN-LUT's calibration (Yu et al. 2022, section 3.3.2): the model stays as it is, its tables are fitted again to the inputs that
// the layers were seen to get. No labels.

import { LutraError } from "../base/index.ts";
import { type Histogram, mergeHistograms } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import type { Calibration } from "./calibrate.ts";
import type { Plan, PlannedSite, PlannedTable } from "./plan.ts";

export interface RefitOptions {
  /** Every layer gets tables of its own; else layers that share a table keep sharing it, fitted to what all of them see. */
  readonly perLayer: boolean;
}

/**
 * The plan with every table's question weighted by what its layers see. Nothing else changes, but for the norm where it takes no weights:
 * "max" becomes "mse". Tables of integers stay, and those in bodies and functions, whose inputs are not recorded.
 * @throws LutraError "bad-argument" if that leaves nothing to refit
 */
export function refitPlan(plan: Plan, calibration: Calibration, { perLayer }: RefitOptions): Plan {
  const split = perLayer ? unshared(plan) : plan;
  const seen = inputsOf(split.sites, calibration);
  if (seen.size === 0) throw new LutraError("bad-argument", "none of the plan's tables has inputs that were recorded");
  const tables = Object.entries(split.tables).map(([name, table]): [string, PlannedTable] => {
    const histograms = seen.get(name);
    return [name, histograms === undefined ? table : { ...table, problem: weighted(table.problem, histograms) }];
  });
  return { ...split, tables: Object.fromEntries(tables) };
}

/** A table for each lookup of each layer, named after both. */
function unshared({ tables, sites }: Plan): Plan {
  const own: Record<string, PlannedTable> = {};
  const planned = sites.map(({ tables: names, ...site }) => {
    const renamed = Object.entries(names).map(([hole, name]): [string, string] => {
      const given = tables[name];
      if (given === undefined) throw new TypeError(`no table ${name}`);
      let chosen = `${site.kind}.${hole}@${site.id}`;
      for (let i = 2; Object.hasOwn(own, chosen); i++) chosen = `${site.kind}.${hole}@${site.id}-${i}`;
      own[chosen] = given;
      return [hole, chosen];
    });
    return { ...site, tables: Object.fromEntries(renamed) };
  });
  return { tables: own, sites: planned };
}

/** By table: what each lookup that uses it was given. */
function inputsOf(sites: readonly PlannedSite[], calibration: Calibration): ReadonlyMap<string, readonly Histogram[]> {
  const seen = new Map<string, Histogram[]>();
  for (const { id, tables } of sites) {
    for (const [hole, name] of Object.entries(tables)) {
      const histogram = calibration[id]?.holes[hole];
      if (histogram !== undefined) seen.set(name, [...(seen.get(name) ?? []), histogram]);
    }
  }
  return seen;
}

function weighted(problem: Problem, histograms: readonly Histogram[]): Problem {
  if (problem.spec.input.kind === "integer") return problem;
  return {
    ...problem,
    histogram: mergeHistograms(histograms),
    norm: problem.norm === "max" ? "mse" : problem.norm,
  };
}
