// The text of lutra compare: one table per function and number of segments, best first, and who did not take part.

import type { CompareRefusal, CompareRow } from "lutra";
import { alignedTable, grouped, left, right, type Style, seconds, significant } from "./text.ts";

export interface CompareData {
  readonly rows: readonly CompareRow[];
  readonly refused: readonly CompareRefusal[];
  readonly files: readonly string[];
}

export function compareText(data: CompareData, style: Style): string {
  const parts = groupsOf(data.rows).map((rows) => groupText(rows, style));
  if (data.refused.length > 0) parts.push(refusals(data, style));
  if (data.files.length > 0) parts.push(`${style.bold("written")}\n${data.files.join("\n")}`);
  return parts.join("\n\n");
}

function groupsOf(rows: readonly CompareRow[]): readonly (readonly CompareRow[])[] {
  const groups = new Map<string, CompareRow[]>();
  for (const row of rows) {
    const key = `${row.fn} ${row.segments}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

function groupText(rows: readonly CompareRow[], style: Style): string {
  const [first] = rows;
  const title = `${first?.fn}, ${first?.segments} segments, grid ${first?.grid}`;
  const ordered = rows.toSorted((a, b) => a.mse - b.mse);
  const columns = [
    left("method"),
    right("entries"),
    right("mse"),
    right("max"),
    right("ulp"),
    right("L2"),
    right("optimum x"),
    right("real x"),
    right("bytes"),
    right("operations"),
    right("found in"),
  ];
  const cells = ordered.map((row) => [
    nameOf(row),
    row.entries === 0 ? "" : grouped(row.entries),
    significant(row.mse),
    significant(row.max),
    significant(row.ulp),
    significant(row.l2),
    row.ratio === null ? "" : significant(row.ratio),
    row.realRatio === null ? "" : significant(row.realRatio),
    grouped(row.bytes),
    grouped(row.operations),
    seconds(row.seconds),
  ]);
  return `${style.bold(title)}\n${alignedTable(columns, cells, style)}`;
}

function nameOf({ method, seeds }: CompareRow): string {
  return seeds === null
    ? method
    : `${method} (${seeds.count} seeds: ${significant(seeds.best)} to ${significant(seeds.worst)})`;
}

/** Each method once, with its reason and how often. */
function refusals({ refused }: CompareData, style: Style): string {
  const reasons = new Map<string, readonly [string, string]>(
    refused.map(({ method, reason }) => [`${method} ${reason}`, [method, reason]]),
  );
  const rows = [...reasons.values()].map(([method, reason]) => [method, reason]);
  return alignedTable([left("not in it"), left("because")], rows, style);
}
