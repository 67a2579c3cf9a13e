// Metrics as people read them: accuracy in percent, likelihoods with four decimals.

import { percent, significant } from "./text.ts";

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
export function changeText(name: string, before: number, after: number): string {
  const change = after - before;
  const sign = change > 0 ? "+" : "";
  return isShare(name) ? `${sign}${(change * 100).toFixed(2)} points` : `${sign}${change.toFixed(4)}`;
}
