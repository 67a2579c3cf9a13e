// Softmax and LogSoftmax of a row in binary32, around tables of exp, 1/x and log.
// Shifted by the row's maximum (Milakov and Gimelshein 2018, equation 3), so that exp sees only (-infinity, 0] and the sum is at least 1.

import { type Kernel, KernelBuilder } from "../kernel/index.ts";
import { BINARY32, type Interval, MAX_BINARY32 } from "../num/index.ts";
import type { Spec } from "../table/index.ts";

/** Softmax: p = min(e * r, 1) with e = min(T_exp(x - max x), T_exp(0)), r = T_1/x(sum e). Holes "exp" and "reciprocal". */
export function softmax(maxRow: number): Kernel {
  const { build, exponentials, sum } = shifted();
  const scale = build.lookup("reciprocal", hole("reciprocal", sumRange(maxRow)), sum);
  const share = build.binary("mul", exponentials, scale);
  return build.finish(rowSpec("softmax", maxRow), build.binary("min", share, build.constant(1)));
}

/** LogSoftmax: (x - max x) - T_log(sum e). Holes "exp" and "log". */
export function logSoftmax(maxRow: number): Kernel {
  const { build, difference, sum } = shifted();
  const logarithm = build.lookup("log", hole("log", sumRange(maxRow)), sum);
  return build.finish(rowSpec("log-softmax", maxRow), build.binary("sub", difference, logarithm));
}

interface Shifted {
  readonly build: KernelBuilder;
  readonly difference: number;
  readonly exponentials: number;
  readonly sum: number;
}

/**
 * The common part. Taking the minimum with T_exp(0) keeps the argmax whatever the table: no entry can exceed that of the maximum.
 */
function shifted(): Shifted {
  const build = new KernelBuilder();
  const x = build.param("x", "element");
  const difference = build.binary("sub", x, build.reduce("max", x));
  const exp = hole("exp", { lo: -Infinity, hi: 0 });
  const atMaximum = build.lookup("exp", exp, build.constant(0));
  const exponentials = build.binary("min", build.lookup("exp", exp, difference), atMaximum);
  return { build, difference, exponentials, sum: build.reduce("add", exponentials) };
}

/**
 * What the sum of a row can be: at least T_exp(0) >= 1/2, at most 2 maxRow, for any table of exp within a factor of 2 of it.
 */
function sumRange(maxRow: number): Interval {
  return { lo: 0.5, hi: 2 * maxRow };
}

function hole(fn: string, domain: Interval): Spec {
  return { fn, domain, input: BINARY32, output: BINARY32 };
}

function rowSpec(fn: string, maxRow: number): Spec {
  return { fn, domain: { lo: -MAX_BINARY32, hi: MAX_BINARY32 }, input: BINARY32, output: BINARY32, maxRow };
}
