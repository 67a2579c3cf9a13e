// Functions made of pieces, in binary64: elu, selu, hard-swish, hard-sigmoid, softsign, abs, relu, and their first two derivatives.
// At a breakpoint a derivative is the one from the right.

import { exp, expm1 } from "./exp.ts";

/** Klambauer et al. 2017: the fixed point of zero mean and unit variance. lambda, and lambda * alpha, to binary64. */
export const SELU_LAMBDA = 1.0507009873554805;
export const SELU_LAMBDA_ALPHA = 1.7580993408473768;

export function elu(x: number): number {
  return x >= 0 ? x : expm1(x);
}

export function elu1(x: number): number {
  return x >= 0 ? 1 : exp(x);
}

export function elu2(x: number): number {
  return x >= 0 ? 0 : exp(x);
}

export function selu(x: number): number {
  return x >= 0 ? SELU_LAMBDA * x : SELU_LAMBDA_ALPHA * expm1(x);
}

export function selu1(x: number): number {
  return x >= 0 ? SELU_LAMBDA : SELU_LAMBDA_ALPHA * exp(x);
}

export function selu2(x: number): number {
  return x >= 0 ? 0 : SELU_LAMBDA_ALPHA * exp(x);
}

/** max(0, min(1, x / 6 + 1/2)), as in ONNX HardSwish; the sum x + 3 is exact near its root. */
export function hardSigmoid(x: number): number {
  return x < -3 ? 0 : x >= 3 ? 1 : (x + 3) / 6;
}

export function hardSigmoid1(x: number): number {
  return x < -3 || x >= 3 ? 0 : 1 / 6;
}

export function hardSwish(x: number): number {
  return x < -3 ? 0 : x >= 3 ? x : (x * (x + 3)) / 6;
}

export function hardSwish1(x: number): number {
  return x < -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6;
}

export function hardSwish2(x: number): number {
  return x < -3 || x >= 3 ? 0 : 1 / 3;
}

export function softsign(x: number): number {
  return x / (1 + Math.abs(x));
}

export function softsign1(x: number): number {
  const d = 1 + Math.abs(x);
  return 1 / d / d;
}

export function softsign2(x: number): number {
  const d = 1 + Math.abs(x);
  return (x >= 0 ? -2 : 2) / d / d / d;
}

export function relu(x: number): number {
  return Math.max(x, 0);
}

/** 1 from 0 on. */
export function step(x: number): number {
  return x >= 0 ? 1 : 0;
}

/** -1 below 0, 1 from 0 on. */
export function sign(x: number): number {
  return x >= 0 ? 1 : -1;
}
