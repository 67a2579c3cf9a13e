// What the tests of the TensorFlow.js drop-in share: its functions with their exact values, and inputs that try them everywhere.

import * as tf from "@tensorflow/tfjs-core";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { allCodes, BFLOAT16, random } from "../../packages/lutra/src/num/index.ts";

/** Functions of one number that the drop-in replaces, by TensorFlow.js's name of the kernel. */
export const FUNCTIONS = {
  Tanh: { op: tf.tanh, exact: parseFn("tanh") },
  Sigmoid: { op: tf.sigmoid, exact: parseFn("sigmoid") },
  Erf: { op: tf.erf, exact: parseFn("erf") },
  Elu: { op: tf.elu, exact: parseFn("elu") },
  Softplus: { op: tf.softplus, exact: parseFn("softplus") },
  Exp: { op: tf.exp, exact: parseFn("exp") },
  Rsqrt: { op: tf.rsqrt, exact: parseFn("rsqrt") },
} as const;

export type FunctionName = keyof typeof FUNCTIONS;
export const NAMES = Object.keys(FUNCTIONS) as readonly FunctionName[];

/** All bfloat16 values with the infinities and NaN, and seeded ones around 0. */
export function inputs(seeded: number): Float32Array {
  const source = random(11);
  const near = Array.from({ length: seeded }, () => 4 * source.normal());
  return Float32Array.from([...allCodes(BFLOAT16), Infinity, -Infinity, Number.NaN, ...near]);
}

/** What an operation makes of the values, as a vector. */
export function answers(op: (x: tf.Tensor) => tf.Tensor, values: Float32Array): Float32Array {
  return tf.tidy(() => op(tf.tensor1d(values)).dataSync<"float32">());
}
