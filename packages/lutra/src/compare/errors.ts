// The error of an approximation over the points of a problem: plain counting, whatever the approximation is.

import { prepare } from "../fit/index.ts";
import { BINARY32, ulpOf } from "../num/index.ts";
import type { Problem } from "../table/index.ts";

export interface MethodErrors {
  readonly mse: number;
  readonly max: number;
  readonly ulp: number;
  readonly l2: number;
}

/** Where the exact value is smaller, ulps are those of this: near a zero of f they would say nothing. As certificates measure. */
const ULP_FLOOR: number = 2 ** -14;

/** @param answer the real value that the approximation gives for a code of the problem's input format */
export function errorsOver(problem: Problem, answer: (code: number) => number): MethodErrors {
  const { codes, exact } = prepare(problem).samples;
  let [max, ulp, squares] = [0, 0, 0];
  codes.forEach((code, i) => {
    const y = exact[i] as number;
    const error = Math.abs(answer(code) - y);
    max = Math.max(max, error);
    ulp = Math.max(ulp, error / ulpOf(BINARY32, Math.max(Math.abs(y), ULP_FLOOR)));
    squares += error * error;
  });
  return { mse: squares / codes.length, max, ulp, l2: Math.sqrt(squares) };
}

/** Errors over several scales as one: mean of the mean squares, largest of the largest, all squares in the L2 distance. */
export function overScales(all: readonly MethodErrors[]): MethodErrors {
  const sum = (of: (errors: MethodErrors) => number): number => all.reduce((total, errors) => total + of(errors), 0);
  return {
    mse: sum(({ mse }) => mse) / all.length,
    max: Math.max(...all.map(({ max }) => max)),
    ulp: Math.max(...all.map(({ ulp }) => ulp)),
    l2: Math.sqrt(sum(({ l2 }) => l2 * l2)),
  };
}
