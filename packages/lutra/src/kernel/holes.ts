// Holes: the lookups of a kernel that still need a Table, and filling them.

import { hash, LutraError } from "../base/index.ts";
import type { Spec, Table } from "../table/index.ts";
import type { Kernel } from "./types.ts";

export interface Hole {
  readonly hole: string;
  readonly spec: Spec;
}

/** The distinct lookups of a kernel, filled or not, in order of first use. */
export function holes(kernel: Kernel): readonly Hole[] {
  const found = new Map<string, Hole>();
  for (const value of kernel.values) {
    if (value.op === "lookup" && !found.has(value.hole)) {
      found.set(value.hole, { hole: value.hole, spec: value.spec });
    }
  }
  return [...found.values()];
}

/**
 * The kernel with tables in its holes. A kernel that is one lookup of its input is as good as its table: it takes over the domain
 * the table was made for.
 * @throws LutraError "mismatch" if a hole gets no table, or one made for another function or format
 */
export function fill(kernel: Kernel, tables: Readonly<Record<string, Table>>): Kernel {
  const values = kernel.values.map((value) => {
    if (value.op !== "lookup") return value;
    const table = tables[value.hole];
    if (table === undefined) throw new LutraError("mismatch", `no table for the hole "${value.hole}"`);
    checkFits(value.hole, value.spec, table.spec);
    return { ...value, table };
  });
  const only = tables[holeOfOneLookup(kernel) ?? ""];
  const spec = only === undefined ? kernel.spec : { ...kernel.spec, domain: only.spec.domain };
  return { ...kernel, spec, values };
}

/** The hole of a kernel that looks up its input and nothing else; null for others. */
function holeOfOneLookup({ values, results }: Kernel): string | null {
  const [input, lookup] = values;
  const isOne = values.length === 2 && input?.op === "param" && lookup?.op === "lookup" && results[0] === 1;
  return isOne ? lookup.hole : null;
}

function checkFits(hole: string, wanted: Spec, given: Spec): void {
  const same =
    wanted.fn === given.fn && hash(wanted.input) === hash(given.input) && hash(wanted.output) === hash(given.output);
  if (same) return;
  throw new LutraError("mismatch", `the hole "${hole}" needs a table of ${wanted.fn}, got one of ${given.fn}`, {
    note: "function, input format and output format must be equal",
  });
}

/** The tables that fill the kernel's lookups, by hole. @throws LutraError "mismatch" if one is missing */
export function tablesOf(kernel: Kernel): Readonly<Record<string, Table>> {
  const tables: Record<string, Table> = {};
  for (const value of kernel.values) {
    if (value.op !== "lookup") continue;
    if (value.table === undefined) throw new LutraError("mismatch", `the hole "${value.hole}" has no table`);
    tables[value.hole] = value.table;
  }
  return tables;
}
