// The norms: what an error at an input counts, and what a delivered table's error is, measured with evaluate().

import { codeRange, decode, encode, type Format, ulpOf } from "../num/index.ts";
import { evaluate, type Problem, type Table } from "../table/index.ts";

/** Inputs a delivered table is measured at. `weights` as in Points, but for errors of the whole table. Arrays of equal length. */
export interface Samples {
  readonly codes: Float64Array;
  readonly exact: Float64Array;
  readonly weights: Float64Array;
}

/** The floor where a problem gives none: as NLI (Yu et al. 2026) measures, and certificates too. */
export const DEFAULT_FLOOR: number = 2 ** -14;

/**
 * What multiplies |error| where the exact value is f: 1, 1 / max(|f|, floor), or 1 / ulp at max(|f|, floor): the floor is there
 * because no line can keep a relative error where f crosses 0. mse: 1, the mass comes besides.
 */
export function errorWeight(problem: Problem): (f: number) => number {
  const { output } = problem.spec;
  const floor = problem.floor ?? DEFAULT_FLOOR;
  if (problem.norm === "relative") {
    return (f) => 1 / Math.max(Math.abs(f), floor);
  }
  if (problem.norm === "ulp") return (f) => 1 / ulpOf(output, Math.max(Math.abs(f), floor));
  return () => 1;
}

/** The norm of a table's error over samples: a largest weighted error, or a weighted mean square. */
export function measure(problem: Problem, table: Table, samples: Samples): number {
  const { output } = problem.spec;
  return combine(problem, samples, (code) => decode(output, evaluate(table, code)));
}

/** The error that rounding the exact value to the output format would leave: no table has less. */
export function roundingError(problem: Problem, samples: Samples): number {
  const { output } = problem.spec;
  return combine(problem, samples, (_code, exact) => decode(output, encode(output, exact)));
}

function combine(problem: Problem, samples: Samples, answer: (code: number, exact: number) => number): number {
  let worst = 0;
  let sum = 0;
  for (let i = 0; i < samples.codes.length; i++) {
    const exact = samples.exact[i] as number;
    const error = answer(samples.codes[i] as number, exact) - exact;
    const weight = samples.weights[i] as number;
    worst = Math.max(worst, weight * Math.abs(error));
    sum += weight * error * error;
  }
  return problem.norm === "mse" ? sum : worst;
}

/**
 * What a table can answer at best: an integer format ends somewhere, and what lies beyond costs every table the same. Without this, one
 * unreachable value would set the largest error, and nothing would be left to gain elsewhere.
 */
export function withinOutput(output: Format, y: number): number {
  if (output.kind === "float") return y;
  const { lo, hi } = codeRange(output);
  return Math.min(decode(output, hi), Math.max(decode(output, lo), y));
}
