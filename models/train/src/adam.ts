// Adam (Kingma and Ba 2015, algorithm 1) over parameters in memory, with the gradient clipped to a norm of 1.
// In binary64 with exact operations only, so that the same gradients give the same weights in every engine.
import type { HostArray } from "./array.ts";
import type { Parameters } from "./shape.ts";

const BETA1 = 0.9;
const BETA2 = 0.98;
const EPSILON = 1e-8;
const LARGEST_NORM = 1;

/** Running means of the gradient and of its square. They and the parameters change in place. */
export interface AdamState {
  readonly first: Parameters;
  readonly second: Parameters;
}

export function startAdam(parameters: Parameters): AdamState {
  const zeros = ({ shape, data }: HostArray): HostArray => ({ shape, data: new Float32Array(data.length) });
  return { first: parameters.map(zeros), second: parameters.map(zeros) };
}

/** One step. @param step counted from 1 */
export function adamStep(
  parameters: Parameters,
  { first, second }: AdamState,
  gradient: Parameters,
  step: number,
  rate: number,
): void {
  const clip = Math.min(1, LARGEST_NORM / norm(gradient));
  const scale = (rate * Math.sqrt(1 - power(BETA2, step))) / (1 - power(BETA1, step));
  parameters.forEach(({ data }, i) => {
    const [mean, square, slope] = [first[i].data, second[i].data, gradient[i].data];
    for (let k = 0; k < data.length; k++) {
      const g = slope[k] * clip;
      mean[k] = BETA1 * mean[k] + (1 - BETA1) * g;
      square[k] = BETA2 * square[k] + (1 - BETA2) * g * g;
      data[k] -= (scale * mean[k]) / (Math.sqrt(square[k]) + EPSILON);
    }
  });
}

function norm(arrays: Parameters): number {
  let sum = 0;
  for (const { data } of arrays) for (const x of data) sum += x * x;
  return Math.sqrt(sum);
}

/** base to a whole power, by multiplication: engines round `**` differently. */
function power(base: number, exponent: number): number {
  let product = 1;
  for (let i = 0; i < exponent && product > 0; i++) product *= base;
  return product;
}
