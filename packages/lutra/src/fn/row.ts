// Functions of a row in binary64: the references of the layer kernels. Sums are compensated (Neumaier), exponentials taken below the
// row's maximum.

import { sumError } from "./reference/double-double.ts";
import { exp } from "./reference/exp.ts";
import { log } from "./reference/log.ts";

export const ROW_FUNCTIONS: readonly string[] = ["softmax", "log-softmax", "layer-norm", "rms-norm"];

/** The sum of f over the row, right to about an ulp. */
function sum(row: ArrayLike<number>, f: (x: number) => number): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < row.length; i++) {
    const term = f(row[i]);
    const next = total + term;
    lost += sumError(total, term, next);
    total = next;
  }
  return total + lost;
}

function maximum(row: ArrayLike<number>): number {
  let max = -Infinity;
  for (let i = 0; i < row.length; i++) {
    if (!(row[i] <= max)) max = row[i];
  }
  return max;
}

/** e^(x_i - max) / sum of them. An entry of -Infinity gives 0; a row of nothing else gives NaN, as does one with NaN or Infinity. */
export function softmax(row: ArrayLike<number>): Float64Array {
  const max = maximum(row);
  const powers = Float64Array.from(row, (x) => exp(x - max));
  const total = sum(powers, (e) => e);
  return powers.map((e) => e / total);
}

/** x_i - max - log(sum of e^(x_j - max)). An entry of -Infinity gives -Infinity; a row of nothing else gives NaN. */
export function logSoftmax(row: ArrayLike<number>): Float64Array {
  const max = maximum(row);
  const logTotal = log(sum(row, (x) => exp(x - max)));
  return Float64Array.from(row, (x) => x - max - logTotal);
}

/**
 * (x_i - mean) / sqrt(mean of (x_j - mean)^2 + epsilon), times gamma_i, plus beta_i; gamma and beta as long as the row, or null.
 * @throws RangeError if a length differs
 */
export function layerNorm(
  row: ArrayLike<number>,
  gamma: ArrayLike<number> | null,
  beta: ArrayLike<number> | null,
  epsilon: number,
): Float64Array {
  checkLength(row, gamma);
  checkLength(row, beta);
  const mean = sum(row, (x) => x) / row.length;
  const variance = sum(row, (x) => (x - mean) * (x - mean)) / row.length;
  const deviation = Math.sqrt(variance + epsilon);
  return Float64Array.from(row, (x, i) => {
    const normal = (x - mean) / deviation;
    return (gamma === null ? normal : normal * gamma[i]) + (beta === null ? 0 : beta[i]);
  });
}

/** x_i / sqrt(mean of x_j^2 + epsilon), times gamma_i. @throws RangeError if a length differs */
export function rmsNorm(row: ArrayLike<number>, gamma: ArrayLike<number> | null, epsilon: number): Float64Array {
  checkLength(row, gamma);
  const size = Math.sqrt(sum(row, (x) => x * x) / row.length + epsilon);
  return Float64Array.from(row, (x, i) => (x / size) * (gamma === null ? 1 : gamma[i]));
}

function checkLength(row: ArrayLike<number>, weights: ArrayLike<number> | null): void {
  if (weights !== null && weights.length !== row.length) {
    throw new RangeError(`a row of ${row.length} needs as many weights, got ${weights.length}`);
  }
}
