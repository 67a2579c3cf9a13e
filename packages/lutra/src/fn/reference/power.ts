// x^p for a constant p in binary64: repeated multiplication for whole p, sqrt first for half-integers, e^(p log x) otherwise.

import { exp } from "./exp.ts";
import { log } from "./log.ts";

/** x^p. NaN for negative x unless p is whole. */
export function power(x: number, p: number): number {
  if (Number.isInteger(p)) return wholePower(x, p);
  if (x < 0) return Number.NaN;
  if (Number.isInteger(2 * p)) return wholePower(Math.sqrt(x), 2 * p);
  if (x === 0 || x === Infinity) return (x === 0) === p > 0 ? 0 : Infinity;
  return exp(p * log(x));
}

function wholePower(x: number, n: number): number {
  let result = 1;
  let square = x;
  for (let rest = Math.abs(n); rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return n < 0 ? 1 / result : result;
}

/**
 * Bound on the relative error of power(x, p), in ulps, for x whose own power is x^p. Each multiplication adds half an ulp to the factors
 * it joins, so x^n has at most n; sqrt adds |n| / 2. For the rest: exp adds 1, and p log x carries 1.5 ulp of its own size, 745 at most.
 */
export function powerUlps(p: number): number {
  if (Number.isInteger(p)) return Math.abs(p) + 1;
  return Number.isInteger(2 * p) ? 3 * Math.abs(p) + 2 : 1200;
}
