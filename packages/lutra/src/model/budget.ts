// What a user allows a compilation to cost, and whether a trial on some samples stays within it. A sample of answers is a sample: one
// standard error is kept as a margin, so that what holds here is likely to hold on samples not seen.

import { LutraError } from "../base/index.ts";
import type { Metric } from "../data/index.ts";
import type { Metrics } from "./metrics.ts";
import { compareScores, type Score } from "./score.ts";

/** At least one limit. Shares are 0 to 1. */
export interface Budget {
  /** How much worse the dataset's first metric may get: of accuracy a difference, of NLL and perplexity a share of their value. */
  readonly maxDrop?: number;
  /** Share of answers that may change. */
  readonly maxFlips?: number;
  /** Bytes of all tables together. */
  readonly maxBytes?: number;
}

/** What a plan does to the model on some samples, against the original. */
export interface Trial {
  readonly samples: number;
  readonly metrics: Metrics;
  /** As `Budget.maxDrop` counts it; negative if the metric got better. */
  readonly drop: number;
  readonly flips: number;
  /** One standard error of `flips`: sqrt(answers changed) / answers. */
  readonly flipsMargin: number;
  /** The same of `drop`, where it counts answers; 0 of a likelihood, whose mean is far less noisy than a count. */
  readonly dropMargin: number;
  readonly logitError: { readonly max: number; readonly mean: number };
}

/** A plan that was tried: its place on the front of accuracy against bytes. */
export interface FrontPoint {
  /** Segments by name of the table. */
  readonly segments: Readonly<Record<string, number>>;
  readonly bytes: number;
  readonly trial: Trial;
  /** Whether the model stays within the limits on drop and flips. */
  readonly isInside: boolean;
}

/** @throws LutraError "bad-argument" with the value; also if there is no limit at all */
export function checkBudget(budget: Budget): void {
  const { maxDrop, maxFlips, maxBytes } = budget;
  const limits = Object.entries({ maxDrop, maxFlips, maxBytes }).filter(([, limit]) => limit !== undefined);
  if (limits.length === 0) throw new LutraError("bad-argument", "a budget needs a limit");
  for (const [name, limit] of limits as [string, number][]) {
    if (limit >= 0 && limit < Infinity) continue;
    throw new LutraError("bad-argument", `${name} must be a number that is not negative, got ${limit}`);
  }
}

/** @param metric the one that `drop` is about */
export function trialOf(before: Score, after: Score, metric: Metric): Trial {
  const { flips, flipped, rows, logitError } = compareScores(before, after);
  const [was, is] = [before.metrics[metric] ?? Number.NaN, after.metrics[metric] ?? Number.NaN];
  const { samples, metrics } = after;
  // A sequence is wrong once, however many of its answers changed.
  const answers = metric === "sequence-accuracy" ? samples : rows;
  return {
    samples,
    metrics,
    drop: isCount(metric) ? was - is : (is - was) / was,
    flips,
    flipsMargin: Math.sqrt(flipped) / rows,
    dropMargin: isCount(metric) ? Math.sqrt(Math.min(flipped, answers)) / answers : 0,
    logitError,
  };
}

/** Whether a metric is a share of answers, the larger the better; the others are likelihoods. */
export function isCount(metric: Metric): boolean {
  return metric === "accuracy" || metric === "sequence-accuracy";
}

/** Whether there is a limit on what happens to the model, not only on bytes. */
export function limitsModel({ maxDrop, maxFlips }: Budget): boolean {
  return maxDrop !== undefined || maxFlips !== undefined;
}

/** Whether the model stays what it was: bytes are not asked here. */
export function keepsModel({ maxDrop, maxFlips }: Budget, trial: Trial): boolean {
  // A model that got better by chance has earned nothing: a gain does not pay for the margin.
  const isNoWorse = maxDrop === undefined || Math.max(0, trial.drop) + trial.dropMargin <= maxDrop;
  return isNoWorse && (maxFlips === undefined || trial.flips + trial.flipsMargin <= maxFlips);
}
