// Metrics as people read them: accuracy in percent, likelihoods with four decimals.

import { alignedTable, left, percent, plural, right, type Style, significant } from "./text.ts";

/** By name; fractions are 0..1. */
export type Metrics = Readonly<Record<string, number>>;

export function metricText(name: string, value: number): string {
  if (isShare(name)) return percent(value);
  return name === "nll" || name === "perplexity" ? value.toFixed(4) : significant(value);
}

function isShare(name: string): boolean {
  return name === "accuracy" || name === "sequence-accuracy";
}

/** The difference of a metric with its sign; percentage points for accuracy. */
function changeText(name: string, before: number, after: number): string {
  const change = after - before;
  const sign = change > 0 ? "+" : "";
  return isShare(name) ? `${sign}${(change * 100).toFixed(2)} points` : `${sign}${change.toFixed(4)}`;
}

/** What something made of a model changed, on the samples of one split. */
export interface Change {
  readonly dataset: string;
  readonly samples: number;
  readonly before: Metrics;
  readonly after: Metrics;
  /** Share of predictions that changed. */
  readonly flips: number;
  readonly logitError: { readonly max: number; readonly mean: number };
}

/** Metrics of both under their names, then flips and logit errors. */
export function changeTable(change: Change, names: readonly [before: string, after: string], style: Style): string {
  const { dataset, samples, before, after, flips, logitError } = change;
  const rows = Object.entries(before).map(([name, was]) => {
    const is = after[name] ?? Number.NaN;
    return [name, metricText(name, was), metricText(name, is), changeText(name, was, is)];
  });
  rows.push(["predictions flipped", "", "", percent(flips)]);
  rows.push(["logit error, largest", "", "", significant(logitError.max)]);
  rows.push(["logit error, mean", "", "", significant(logitError.mean)]);
  const columns = [left(""), ...names.map(right), right("difference")];
  return `${style.bold(`${plural(samples, "sample")} of ${dataset}`)}\n${alignedTable(columns, rows, style)}`;
}
