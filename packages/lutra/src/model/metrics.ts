// What a model's outputs are worth: accuracy and negative log-likelihood of recorded logits against the right answers, and how far two
// recordings of the same samples are apart. Fractions are 0 to 1. exp and log are the library's own, so every engine reports the same.

import { LutraError } from "../base/index.ts";
import type { Metric, Scores, Target } from "../data/index.ts";
import { parseFn } from "../fn/index.ts";

/** The scored rows of every sample, in the order of the split; `columns` numbers a row, binary32 as the model gave them: logits or probabilities. */
export interface Logits {
  readonly scores: Scores;
  readonly columns: number;
  /** One array per sample: rows * columns. */
  readonly samples: readonly Float32Array[];
}

export type Metrics = Readonly<Partial<Record<Metric, number>>>;

/** How far two sessions' answers are apart. */
export interface Comparison {
  /** Share of rows (samples, or tokens) whose largest logit is at another class. */
  readonly flips: number;
  /** The same as a count, and out of how many rows. */
  readonly flipped: number;
  readonly rows: number;
  /** Absolute differences over all logits of all rows. */
  readonly logitError: { readonly max: number; readonly mean: number };
}

/** The metrics asked for. Row i of a sample is judged by its target's class i; there must be at least one row. */
export function measure(logits: Logits, targets: readonly Target[], metrics: readonly Metric[]): Metrics {
  let rows = 0;
  let right = 0;
  let rightSamples = 0;
  let nllSum = 0;
  const needsNll = metrics.some((metric) => metric === "nll" || metric === "perplexity");
  const nllOf = logits.scores === "logits" ? nllOfLogits() : nllOfProbabilities();
  targets.forEach(({ classes }, sample) => {
    let rightRows = 0;
    classes.forEach((label, i) => {
      const row = rowOf(logits, sample, i);
      if (argmax(row) === label) rightRows++;
      if (needsNll) nllSum += nllOf(row, label);
    });
    rows += classes.length;
    right += rightRows;
    if (rightRows === classes.length) rightSamples++;
  });
  const nll = nllSum / rows;
  const values: Record<Metric, () => number> = {
    accuracy: () => right / rows,
    nll: () => nll,
    perplexity: () => parseFn("exp").evaluate(nll),
    "sequence-accuracy": () => rightSamples / targets.length,
  };
  return Object.fromEntries(metrics.map((metric) => [metric, values[metric]()]));
}

/** One row: a number per class. A single number is that of "yes", class 1; "no" has the rest of the probability, or the logit 0. */
export function rowOf({ scores, columns, samples }: Logits, sample: number, row: number): Float32Array {
  if (columns > 1) return samples[sample].subarray(row * columns, (row + 1) * columns);
  const yes = samples[sample][row];
  return Float32Array.of(scores === "logits" ? 0 : 1 - yes, yes);
}

/** The first index of the largest value. */
export function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i;
  return best;
}

/** log(sum exp x_j) - x_label, shifted by the largest logit so that nothing overflows; binary64. */
function nllOfLogits(): (row: Float32Array, label: number) => number {
  const exp = parseFn("exp");
  const log = parseFn("log");
  return (row, label) => {
    const largest = row[argmax(row)];
    let sum = 0;
    for (const x of row) sum += exp.evaluate(x - largest);
    return log.evaluate(sum) - (row[label] - largest);
  };
}

/** Smallest positive binary32: what a probability that was rounded to 0 counts as. */
const LEAST_PROBABILITY: number = 2 ** -149;

function nllOfProbabilities(): (row: Float32Array, label: number) => number {
  const log = parseFn("log");
  return (row, label) => -log.evaluate(Math.max(row[label], LEAST_PROBABILITY));
}

/**
 * Compares two recordings of the same split.
 * @throws LutraError "mismatch" if they are of different samples or shapes
 */
export function compareLogits(before: Logits, after: Logits): Comparison {
  checkComparable(before, after);
  let rows = 0;
  let flipped = 0;
  let max = 0;
  let sum = 0;
  before.samples.forEach((expected, sample) => {
    const found = after.samples[sample];
    for (let i = 0; i < expected.length; i++) {
      // Equal infinities (classes that a model rules out) are no difference; their subtraction would be NaN.
      const error = expected[i] === found[i] ? 0 : Math.abs(expected[i] - found[i]);
      max = Math.max(max, error);
      sum += error;
    }
    for (let row = 0; row < expected.length / before.columns; row++) {
      rows++;
      if (argmax(rowOf(before, sample, row)) !== argmax(rowOf(after, sample, row))) flipped++;
    }
  });
  return { flips: flipped / rows, flipped, rows, logitError: { max, mean: sum / (rows * before.columns) } };
}

function checkComparable(before: Logits, after: Logits): void {
  const sameShape =
    before.columns === after.columns &&
    before.samples.length === after.samples.length &&
    before.samples.every(({ length }, sample) => length === after.samples[sample].length);
  if (!sameShape) {
    throw new LutraError("mismatch", "the two models' outputs have different shapes", {
      note: `${before.samples.length} samples of ${before.columns} classes, ${after.samples.length} of ${after.columns}`,
    });
  }
}
