// sigmoid, tanh and softplus in binary64, with their first two derivatives. All in e = e^(-|x|), which never overflows, so that
// nothing cancels; differences to 1 go through expm1.

import { exp, expm1 } from "./exp.ts";
import { log1p } from "./log.ts";

/** 1 / (1 + e^-x). */
export function sigmoid(x: number): number {
  const e = exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/** e / (1 + e)^2. */
export function sigmoid1(x: number): number {
  const e = exp(-Math.abs(x));
  return e / ((1 + e) * (1 + e));
}

/** -sign(x) e (1 - e) / (1 + e)^3. */
export function sigmoid2(x: number): number {
  const e = exp(-Math.abs(x));
  const difference = expm1(-Math.abs(x));
  return (Math.sign(x) * e * difference) / ((1 + e) * (1 + e) * (1 + e));
}

/** With m = e^(2|x|) - 1: m / (m + 2). */
export function tanh(x: number): number {
  const t = Math.abs(x);
  if (t > 20) return Math.sign(x);
  const m = expm1(2 * t);
  return x < 0 ? -m / (m + 2) : m / (m + 2);
}

/** 1 / cosh^2 x = 4 e^2 / (1 + e^2)^2. */
export function tanh1(x: number): number {
  return 4 * sigmoid1(2 * x);
}

/** -2 tanh(x) / cosh^2(x). */
export function tanh2(x: number): number {
  return 8 * sigmoid2(2 * x);
}

/** log(1 + e^x) = max(x, 0) + log1p(e^-|x|). */
export function softplus(x: number): number {
  return Math.max(x, 0) + log1p(exp(-Math.abs(x)));
}
