// What is said about a budget: why it cannot be kept, and why the tables that keep it are not smaller.

import { LutraError } from "../base/index.ts";
import type { Metric } from "../data/index.ts";
import { type Budget, type FrontPoint, isCount, limitsModel, type Trial } from "./budget.ts";

export function outOfReach({ bytes, trial, segments }: FrontPoint, budget: Budget, metric: Metric): LutraError {
  const { maxDrop, maxFlips } = budget;
  const limits = [
    ...(maxDrop === undefined ? [] : [dropText(metric, maxDrop)]),
    ...(maxFlips === undefined ? [] : [`${percent(maxFlips)} of the answers changed`]),
  ];
  const largest = Math.max(...Object.values(segments));
  const message = `even ${bytes} bytes of tables (${largest} segments) leave the budget of ${limits.join(" and ")}`;
  return new LutraError("infeasible", message, {
    where: `${trial.samples} selection samples: ${costText(metric, trial)}`,
    note: "\u00b1 is one standard error, which the budget must cover: allow more, select on more samples, or replace fewer kinds of layer",
  });
}

function costText(metric: Metric, { drop, dropMargin, flips, flipsMargin }: Trial): string {
  const margin = isCount(metric) ? ` (\u00b1${percent(dropMargin)})` : "";
  return `${dropText(metric, drop)}${margin}, ${percent(flips)} of the answers changed (\u00b1${percent(flipsMargin)})`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

export function refuseBeyondBytes(budget: Budget, bytes: number): void {
  const { maxBytes = Infinity } = budget;
  if (bytes <= maxBytes) return;
  const kept = limitsModel(budget) ? " that keep the model within its other limits" : "";
  throw new LutraError("infeasible", `the smallest tables found${kept} take ${bytes} bytes, more than ${maxBytes}`, {
    note: "allow more bytes, or replace fewer kinds of layer with --only",
  });
}

/** The best of the smaller plans that were tried, and what it would have cost. */
export function whyNotSmaller(
  front: readonly FrontPoint[],
  chosen: FrontPoint,
  outside: FrontPoint | null,
  budget: Budget,
  metric: Metric,
): string {
  if (!limitsModel(budget)) return `the most accurate tables found in ${budget.maxBytes} bytes`;
  const next = outside ?? front.findLast(({ bytes, isInside }) => bytes < chosen.bytes && !isInside);
  if (next === undefined) return "no smaller tables are offered";
  return `of the smaller plans that were tried the next one, ${next.bytes} bytes, leaves the budget on ${next.trial.samples} samples: ${costText(metric, next.trial)}`;
}

/** A drop as people read it. */
function dropText(metric: Metric, drop: number): string {
  const size = Math.abs(drop * 100).toFixed(2);
  if (isCount(metric)) return `${size} points of ${metric} ${drop < 0 ? "gained" : "lost"}`;
  return `${metric} ${size} % ${drop < 0 ? "lower" : "higher"}`;
}
