// What a kernel costs: scalar operations, the bits of its tables, its depth. Counts and not time: a target may fuse or overlap them.

import type { Interval } from "../num/index.ts";
import { type Operations, operationsPerValue, searchCost, type Table, tableBytes } from "../table/index.ts";
import { tablesOf } from "./holes.ts";
import { laneRange } from "./lanes.ts";
import { ranges } from "./ranges.ts";
import type { Kernel, Value } from "./types.ts";

/** Counted as for tables (table/cost.ts): a selection is a comparison, a bit length or a change between integer and float a shift. */
export interface KernelOperations extends Operations {
  readonly divisions: number;
}

export interface KernelCost {
  /** For each element of the tile; a sum or maximum along a row is one operation for each element. */
  readonly perElement: KernelOperations;
  /** Done once for each row or column, or once. */
  readonly perRow: KernelOperations;
  /** How many perElement are in all: operations per value. */
  readonly operations: number;
  /** Coefficients and breakpoints; lookups of one hole share their table, those of one argument behind equal indices the breakpoints. */
  readonly tableBits: number;
  /** Values on the longest path from an input to a result that are computed, a lookup or reduction being one. */
  readonly depth: number;
}

const NONE: KernelOperations = { comparisons: 0, multiplications: 0, additions: 0, shifts: 0, divisions: 0 };

/**
 * The cost of a filled kernel. Saturations that are proven not to happen, negations and reads are free.
 * @throws LutraError "mismatch" if a hole is empty; RangeError if verify would refuse the kernel
 */
export function cost(kernel: Kernel): KernelCost {
  const tables = tablesOf(kernel);
  const known = ranges(kernel);
  let [perElement, perRow] = [NONE, NONE];
  const depths: number[] = [];
  const repeated = repeatedSearches(kernel, tables);
  for (const value of kernel.values) {
    const spared = repeated.get(value);
    const all = operationsOf(value, kernel, tables, known);
    const done = spared === undefined ? all : sumOf(sumOf(NONE, all), negated(searchCost(spared).operations));
    if (value.over === "element" || value.op === "reduce") perElement = sumOf(perElement, done);
    else perRow = sumOf(perRow, done);
    const before = ("args" in value ? value.args : []).map((arg) => depths[arg] as number);
    depths.push(value.op === "param" || value.op === "const" ? 0 : 1 + Math.max(...before));
  }
  const spared = [...new Set(repeated.values())].reduce((sum, table) => sum + searchCost(table).bytes, 0);
  return {
    perElement,
    perRow,
    operations: Object.values(perElement).reduce((sum, count) => sum + count, 0),
    tableBits: 8 * (Object.values(tables).reduce((sum, table) => sum + tableBytes(table), 0) - spared),
    depth: Math.max(...kernel.results.map((i) => depths[i] as number)),
  };
}

/** The lookups whose segment another hole's lookup of the same argument has found, with their tables: a polynomial's coefficients. */
function repeatedSearches({ values }: Kernel, tables: Readonly<Record<string, Table>>): ReadonlyMap<Value, Table> {
  const first = new Map<string, string>();
  const repeated = new Map<Value, Table>();
  for (const value of values) {
    if (value.op !== "lookup") continue;
    const table = tables[value.hole] as Table;
    const { index, reductions, clamp, entries } = table;
    if (entries !== undefined) continue;
    const search = JSON.stringify([value.args[0], index, reductions, clamp.map(String)]);
    const known = first.get(search);
    if (known === undefined) first.set(search, value.hole);
    else if (known !== value.hole) repeated.set(value, table);
  }
  return repeated;
}

function negated(operations: Partial<Operations>): Partial<KernelOperations> {
  return Object.fromEntries(Object.entries(operations).map(([name, count]) => [name, -count]));
}

function operationsOf(
  value: Value,
  { values }: Kernel,
  tables: Readonly<Record<string, Table>>,
  known: readonly (Interval | null)[],
): Partial<KernelOperations> {
  switch (value.op) {
    case "param":
    case "const":
      return {};
    case "lookup":
      return operationsPerValue(tables[value.hole] as Table);
    case "reduce":
      return value.with === "max" ? { comparisons: 1 } : { additions: 1 };
    case "add":
      return { additions: 1 };
    case "sub": {
      const from = values[value.args[0]];
      return from?.op === "const" && from.value === 0 ? {} : { additions: 1 };
    }
    case "mul":
      return { multiplications: 1 };
    case "div":
      return { divisions: 1 };
    case "min":
    case "max":
    case "select":
      return { comparisons: 1 };
    case "shift-left":
      return { shifts: 1 };
    case "shift-right":
      return value.rounding === undefined || value.rounding === "floor" ? { shifts: 1 } : { shifts: 1, additions: 1 };
    case "bits":
      return { shifts: 1 };
    case "cast":
      return castOperations(value, known[value.args[0]] ?? null);
    default:
      return value satisfies never;
  }
}

/** Between integers: a comparison at each end that may be passed. */
function castOperations(value: Value, from: Interval | null): Partial<KernelOperations> {
  const lane = laneRange(value.lane);
  if (lane === null || from === null) return { shifts: 1 };
  return { comparisons: (from.lo < lane.lo ? 1 : 0) + (from.hi > lane.hi ? 1 : 0) };
}

function sumOf(a: KernelOperations, b: Partial<KernelOperations>): KernelOperations {
  return {
    comparisons: a.comparisons + (b.comparisons ?? 0),
    multiplications: a.multiplications + (b.multiplications ?? 0),
    additions: a.additions + (b.additions ?? 0),
    shifts: a.shifts + (b.shifts ?? 0),
    divisions: a.divisions + (b.divisions ?? 0),
  };
}
