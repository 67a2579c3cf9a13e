// gelu(x) = x Phi(x) in binary64, with its first two derivatives, Phi + x phi and (2 - x^2) phi; phi and Phi from erf.ts.

import { productError } from "./double-double.ts";
import { densityTimes, fixedScaledErfc, millsRatio, NORMAL_PEAK, upperTailTimes } from "./erf.ts";
import { exp } from "./exp.ts";
import { ONE, PI, rootNear, squareRoot, times, toDoubleDouble } from "./fixed.ts";

const ROOT_HALF = squareRoot(ONE / 2n);
const ROOT_HALF_PI = squareRoot(PI / 2n);

/** gelu' is 0 at -a where Mills' ratio of a is a: sqrt(pi/2) G(a / sqrt 2) = a. */
const [NEGATED_ROOT, NEGATED_ROOT_LOW] = toDoubleDouble(
  rootNear((a) => times(ROOT_HALF_PI, fixedScaledErfc(times(a, ROOT_HALF))) - a, 0.7517915246935645),
);
/** Where gelu is least. */
export const GELU_TURN: number = -NEGATED_ROOT;

/** Half width of the neighbourhood of the root where gelu' is evaluated by its Taylor polynomial there. */
const NEAR_ROOT = 1 / 4;
const DEGREE = 20;

/**
 * Taylor coefficients of gelu' at its root, from degree 1: gelu'' = (2 - x^2) phi = phi - phi'', so the k-th derivative of gelu' is
 * phi^(k-1) - phi^(k+1); phi^(n) = (-1)^n He_n phi, He_(n+1) = x He_n - n He_(n-1). The term of degree 21 is below 2^-65.
 */
const ROOT_SERIES: readonly number[] = (() => {
  const x = GELU_TURN;
  const hermite = [1, x];
  for (let n = 1; n <= DEGREE; n++) hermite.push(x * hermite[n] - n * hermite[n - 1]);
  const density = NORMAL_PEAK * exp(-0.5 * x * x);
  let factorial = 1;
  return Array.from({ length: DEGREE }, (_, i) => {
    const k = i + 1;
    factorial *= k;
    const difference = k === 1 ? 2 - x * x : (k % 2 === 0 ? -1 : 1) * (hermite[k - 1] - hermite[k + 1]);
    return (difference * density) / factorial;
  });
})();

/** x Phi(x). Negative x through the upper tail, with x inside the scaling: no early underflow. */
export function gelu(x: number): number {
  return x < 0 ? upperTailTimes(x, -x) : x * (1 - upperTailTimes(1, x));
}

/** Phi(x) + x phi(x) = phi(a) (Mills(a) - a) for a = -x > 0. */
export function gelu1(x: number): number {
  const d = x + NEGATED_ROOT + NEGATED_ROOT_LOW;
  if (Math.abs(d) < NEAR_ROOT) {
    let sum = 0;
    for (let k = DEGREE - 1; k >= 0; k--) sum = sum * d + ROOT_SERIES[k];
    return sum * d;
  }
  if (x < 0) return x < -50 ? 0 : densityTimes(millsRatio(-x) + x, x);
  return 1 - upperTailTimes(1, x) + densityTimes(x, x);
}

/** (2 - x^2) phi(x). The error of the square is carried, so the roots +-sqrt 2 cost nothing. */
export function gelu2(x: number): number {
  if (Math.abs(x) > 50) return 0;
  const square = x * x;
  return densityTimes(2 - square - productError(x, x, square), x);
}
