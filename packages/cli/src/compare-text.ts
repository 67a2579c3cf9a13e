// The text of lutra compare: one table per function and number of segments, best first, and who did not take part.

import type { CompareRefusal, CompareRow } from "lutra";
import { alignedTable, grouped, left, right, type Style, seconds, significant } from "./text.ts";

export interface CompareData {
  /** Given to the methods that have them; their defaults where absent. */
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly rows: readonly CompareRow[];
  readonly refused: readonly CompareRefusal[];
  readonly files: readonly string[];
}

export function compareText(data: CompareData, style: Style): string {
  const parts = groupsOf(data.rows).map((rows) => groupText(rows, data.parameters, style));
  if (parts.length > 1) parts.push(summary(data.rows, style));
  if (data.refused.length > 0) parts.push(refusals(data, style));
  if (data.rows.length > 0) parts.push(style.dim(LEGEND));
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

const LEGEND = `optimum x: mse over that of the best table of as many entries in the same storage, of one for each scale on int8
real x: over that of the best with real lines; L2: root of the summed squares; operations: for one value`;

function groupText(rows: readonly CompareRow[], parameters: CompareData["parameters"], style: Style): string {
  const [first] = rows;
  const given = Object.entries(parameters).map(([name, value]) => `, ${name}=${value}`);
  const title = `${first?.fn}, ${first?.segments} segments, grid ${first?.grid}${given.join("")}`;
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
    ...(row.operations === 0 ? ["", ""] : [grouped(row.bytes), grouped(row.operations)]),
    seconds(row.seconds),
  ]);
  return `${style.bold(title)}\n${alignedTable(columns, cells, style)}`;
}

/** Over all questions: what each method's error is of the optimum's, in the geometric mean. */
function summary(rows: readonly CompareRow[], style: Style): string {
  const cells = [...new Set(rows.map(({ method }) => method))]
    .map((method) => {
      const own = rows.filter((row) => row.method === method);
      return {
        method,
        ratio: geometricMean(own.map(({ ratio }) => ratio)),
        real: geometricMean(own.map((row) => row.realRatio)),
      };
    })
    .filter(({ ratio, real }) => ratio !== null || real !== null)
    .toSorted((a, b) => (a.real?.mean ?? Infinity) - (b.real?.mean ?? Infinity))
    .map(({ method, ratio, real }) => [
      method,
      ...[ratio, real].flatMap((one) => (one === null ? ["", ""] : [significant(one.mean), grouped(one.count)])),
    ]);
  const columns = [left("geometric means"), right("optimum x"), right("of"), right("real x"), right("of")];
  return alignedTable(columns, cells, style);
}

/** Of the positive ones; null if there are none. */
function geometricMean(values: readonly (number | null)[]): { readonly mean: number; readonly count: number } | null {
  const positive = values.filter((value) => value !== null && value > 0) as readonly number[];
  if (positive.length === 0) return null;
  return {
    mean: Math.exp(positive.reduce((sum, x) => sum + Math.log(x), 0) / positive.length),
    count: positive.length,
  };
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
