// The sizes that tables may have: what each costs in bytes and leaves in error, tables that change size together, and the path of
// upgrades from the smallest to the largest. No trials, no model.

import { type Control, checkCancelled, LutraError } from "../base/index.ts";
import type { Plan, PlannedTable } from "./plan.ts";

/** What solving a question answers about its table. */
export interface SolvedSize {
  readonly bytes: number;
  /** The problem's norm of the delivered table; of codes, what it loses against a table of the correctly rounded answers. */
  readonly objective: number;
}

interface Option {
  readonly segments: number;
  /** Of all tables of the group together. */
  readonly bytes: number;
  readonly squaredError: number;
}

/** Tables that have the same number of segments. */
export interface Group {
  /** Names in the plan. */
  readonly names: readonly string[];
  /** Ascending in segments and bytes, strictly descending in error. At least one. */
  readonly options: readonly Option[];
  /** Bytes with the segments of the uniform plan. */
  readonly uniformBytes: number;
  readonly uniformSegments: number;
}

/** Segments of each group. */
export type Sizes = readonly number[];

/** Segments that tables are offered with. */
const SEGMENTS: readonly number[] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64];
/** With more distinct tables than this, those of one function change size together: trials are dear. */
const MAX_GROUPS = 12;

/**
 * The uniform plan's tables in groups, with what each size costs. Sizes that are not feasible or buy nothing are left out.
 * @param largest no table is offered with more segments than that, or than its own
 * @throws LutraError whatever `solve` throws but "infeasible"; "cancelled"
 */
export async function groupTables(
  plan: Plan,
  largest: number,
  solve: (table: PlannedTable) => Promise<SolvedSize>,
  control: Control,
): Promise<readonly Group[]> {
  const groups: Group[] = [];
  const members = together(plan);
  for (const [done, names] of members.entries()) {
    control.onProgress?.({ stage: "tables of every size", done, total: members.length });
    const tables = names.map((name) => plan.tables[name]);
    const own = Math.max(...tables.map(sizeOf));
    const options: Option[] = [];
    for (const size of ascendingSizes(own).filter((offer) => offer <= Math.max(largest, own))) {
      checkCancelled(control);
      const option = await optionOf(tables, size, solve);
      if (option !== null) offer(options, option);
    }
    const uniform = await optionOf(tables, own, solve);
    if (uniform === null || options.length === 0) {
      throw new LutraError("infeasible", `no table of ${own} segments can be found`, { where: names[0] });
    }
    groups.push({ names, options, uniformBytes: uniform.bytes, uniformSegments: own });
  }
  control.onProgress?.({ stage: "tables of every size", done: members.length, total: members.length });
  return groups;
}

function sizeOf({ problem: { size } }: PlannedTable): number {
  if ("segments" in size) return size.segments;
  throw new TypeError("sizes are chosen for tables that have a number of segments");
}

function ascendingSizes(own: number): readonly number[] {
  return [...new Set([...SEGMENTS, own])].sort((a, b) => a - b);
}

/** Keeps only what a larger table buys: less error for more bytes. */
function offer(options: Option[], option: Option): void {
  const last = options.at(-1);
  if (last !== undefined && option.squaredError >= last.squaredError) return;
  while (option.bytes <= (options.at(-1)?.bytes ?? -1)) options.pop();
  options.push(option);
}

function together({ tables }: Plan): readonly (readonly string[])[] {
  const names = Object.keys(tables);
  if (names.length <= MAX_GROUPS) return names.map((name) => [name]);
  const byFunction = new Map<string, string[]>();
  for (const name of names) {
    const { method, problem } = tables[name];
    const alike = `${method} ${problem.spec.fn}`;
    byFunction.set(alike, [...(byFunction.get(alike) ?? []), name]);
  }
  return [...byFunction.values()];
}

async function optionOf(
  tables: readonly PlannedTable[],
  segments: number,
  solve: (table: PlannedTable) => Promise<SolvedSize>,
): Promise<Option | null> {
  let [bytes, squaredError] = [0, 0];
  for (const table of tables) {
    const solved = await solve(sized(table, segments)).catch((error: unknown) => {
      if (error instanceof LutraError && error.code === "infeasible") return null;
      throw error;
    });
    if (solved === null) return null;
    bytes += solved.bytes;
    squaredError += solved.objective * (table.problem.norm === "mse" ? 1 : solved.objective);
  }
  return { segments, bytes, squaredError };
}

/** A table of fewer entries than codes is no longer one that lists the answers. */
function sized(table: PlannedTable, segments: number): PlannedTable {
  const isShorter = table.method === "direct" && segments < sizeOf(table);
  return { ...table, method: isShorter ? "optimal" : table.method, problem: { ...table.problem, size: { segments } } };
}

/** The plan with the groups' tables in other sizes. */
export function withSizes(plan: Plan, groups: readonly Group[], sizes: Sizes): Plan {
  const resized = groups.flatMap(({ names }, i) => names.map((name) => [name, sized(plan.tables[name], sizes[i])]));
  return { ...plan, tables: { ...plan.tables, ...Object.fromEntries(resized) } };
}

export function bytesOf(groups: readonly Group[], sizes: Sizes): number {
  return groups.reduce((sum, { options, uniformBytes, uniformSegments }, i) => {
    const option = options.find(({ segments }) => segments === sizes[i]);
    if (option === undefined && sizes[i] !== uniformSegments) throw new RangeError(`no table has ${sizes[i]} segments`);
    return sum + (option?.bytes ?? uniformBytes);
  }, 0);
}

/**
 * From the smallest sizes (or given ones), one upgrade after the other: always the one that removes most predicted damage per byte.
 * @param weights damage of a group = weight * squared error of its tables
 * @param maxBytes upgrades beyond so many bytes are passed over
 */
export function upgrades(
  groups: readonly Group[],
  weights: readonly number[],
  maxBytes: number = Infinity,
  from: Sizes = groups.map(({ options }) => options[0].segments),
): readonly Sizes[] {
  const path: Sizes[] = [from];
  for (let sizes = from; ; ) {
    const before = bytesOf(groups, sizes);
    let [best, bestGain] = [null as Sizes | null, -1];
    for (const [i, { options }] of groups.entries()) {
      const at = options.findIndex(({ segments }) => segments === sizes[i]);
      const [now, next] = [options[at], options[at + 1]];
      if (next === undefined || before - now.bytes + next.bytes > maxBytes) continue;
      const gain = (weights[i] * (now.squaredError - next.squaredError)) / (next.bytes - now.bytes);
      if (gain > bestGain) [best, bestGain] = [sizes.with(i, next.segments), gain];
    }
    if (best === null) return path;
    path.push(best);
    sizes = best;
  }
}
