// silu, quick-gelu, gelu-tanh and mish in binary64, with their first two derivatives. A derivative has a root where its terms cancel.
// There the value at the root, 0, is subtracted term by term, with d = x - root a double-double and e^x - e^root = e^root expm1(d):
// then all large terms have one sign, and the relative error stays at a few ulp.

import { productError, sumError } from "./double-double.ts";
import { exp, expm1, expTimes } from "./exp.ts";
import {
  exponential,
  fromDouble,
  ONE,
  PI,
  quotient,
  rootNear,
  squareRoot,
  times,
  toDouble,
  toDoubleDouble,
} from "./fixed.ts";

/** x * sigmoid(t + tail). */
function gated(x: number, t: number, tail: number): number {
  if (t >= 0) return x / (1 + expTimes(1, -t, -tail));
  if (t < -40) return expTimes(x, t, tail);
  const e = expTimes(1, t, tail);
  return (x * e) / (1 + e);
}

/** factor * sigmoid'(t + tail) * (1 + e^-|t|)^(2 - power), that is factor * e / (1 + e)^power. */
function bell(factor: number, t: number, tail: number, power: 2 | 3): number {
  const e = expTimes(1, -Math.abs(t), t < 0 ? tail : -tail);
  const scale = factor / ((1 + e) * (1 + e) * (power === 3 ? 1 + e : 1));
  return t < -600 || t > 600 ? expTimes(scale, -Math.abs(t), t < 0 ? tail : -tail) : scale * e;
}

/** x - root, for a root known as a double-double. */
function distance(x: number, root: readonly [number, number]): number {
  return x - root[0] - root[1];
}

const fixed = (x: number): bigint => BigInt(x) * ONE;

// silu' = e (1 + t + e) / (1 + e)^2 with e = e^t: root of 1 + t + e^t.
const SILU1_ROOT = toDoubleDouble(rootNear((t) => ONE + t + exponential(t), -1.2784645427610737));
/** e^t at the root: -1 - root. */
const SILU1_POWER = -1 - SILU1_ROOT[0] - SILU1_ROOT[1];
// silu'' = e h / (1 + e)^3 with e = e^-t, t > 0: root of h = 2 - t + (2 + t) e.
const SILU2_ROOT = toDoubleDouble(
  rootNear((t) => 2n * ONE - t + times(2n * ONE + t, exponential(-t)), 2.399357280520468),
);

/** (2 + t) e at the root, which is root - 2 there. */
const SILU2_WEIGHT = SILU2_ROOT[0] - 2 + SILU2_ROOT[1];

/** Where silu' is 0, and where silu'' is 0 (and at its negative). */
export const SILU_TURNS: readonly [number, number] = [SILU1_ROOT[0], SILU2_ROOT[0]];

export function silu(x: number): number {
  return gated(x, x, 0);
}

/** silu'(t + tail). Below 0: 1 + t + e^t = d + e^root expm1(d). */
export function silu1(t: number, tail = 0): number {
  if (t < 0) {
    const d = distance(t, SILU1_ROOT) + tail;
    return bell(d + SILU1_POWER * expm1(d), t, tail, 2);
  }
  const e = expTimes(1, -t, -tail);
  return (1 + e * (1 + Math.min(t, 1e4))) / ((1 + e) * (1 + e));
}

/** silu''(t + tail). Even; h = -d (1 - e^-t) + (root - 2) expm1(-d). */
export function silu2(t: number, tail = 0): number {
  if (t < 0) return silu2(-t, -tail);
  const d = distance(t, SILU2_ROOT) + tail;
  return bell(SILU2_WEIGHT * expm1(-d) + d * expm1(-t), t, tail, 3);
}

/** The 1.702 of quick-gelu: the binary64 number. quick-gelu(x) = x sigmoid(1.702 x) = silu(1.702 x) / 1.702. */
export const QUICK = 1.702;

/** Beyond this the answer is a limit, and the products for tails could overflow. */
const FAR = 1e3;

export function quickGelu(x: number): number {
  if (Math.abs(x) > FAR) return Math.max(x, 0);
  const t = QUICK * x;
  return gated(x, t, productError(QUICK, x, t));
}

export function quickGelu1(x: number): number {
  if (Math.abs(x) > FAR) return x > 0 ? 1 : 0;
  const t = QUICK * x;
  return silu1(t, productError(QUICK, x, t));
}

export function quickGelu2(x: number): number {
  if (Math.abs(x) > FAR) return 0;
  const t = QUICK * x;
  return QUICK * silu2(t, productError(QUICK, x, t));
}

// gelu-tanh(x) = x/2 (1 + tanh(sqrt(2/pi)(x + c x^3))) = x sigmoid(v), v = K0 x + K1 x^3, K0 = 2 sqrt(2/pi), K1 = c K0; c = 0.044715, the binary64.
const FIXED_K0 = 2n * squareRoot(quotient(2n * ONE, PI));
const FIXED_K1 = times(FIXED_K0, fromDouble(0.044715));
const [K0, K0_LOW] = toDoubleDouble(FIXED_K0);
const [K1, K1_LOW] = toDoubleDouble(FIXED_K1);
const fixedV = (x: bigint): bigint => times(x, FIXED_K0 + times(FIXED_K1, times(x, x)));
/** v'(x) = K0 + 3 K1 x^2. */
const fixedSlope = (x: bigint): bigint => FIXED_K0 + 3n * times(FIXED_K1, times(x, x));

// f' = e (1 + e + x v') / (1 + e)^2 with e = e^v.
const FIXED_TANH1_ROOT = rootNear((x) => ONE + times(x, fixedSlope(x)) + exponential(fixedV(x)), -0.7524614220710162);
const TANH1_ROOT = toDoubleDouble(FIXED_TANH1_ROOT);
const TANH1_POWER = toDouble(exponential(fixedV(FIXED_TANH1_ROOT)));

// f'' = e N / (1 + e)^3 with e = e^-v, x > 0; N = A - B + (A + B) e; A = 2 v' + x v'' = 2 K0 + 12 K1 x^2, B = x v'^2.
const fixedA = (x: bigint): bigint => 2n * FIXED_K0 + 12n * times(FIXED_K1, times(x, x));
const fixedB = (x: bigint): bigint => times(x, times(fixedSlope(x), fixedSlope(x)));
const FIXED_TANH2_ROOT = rootNear(
  (x) => fixedA(x) - fixedB(x) + times(fixedA(x) + fixedB(x), exponential(-fixedV(x))),
  1.4,
);
const TANH2_ROOT = toDoubleDouble(FIXED_TANH2_ROOT);
/** (A + B) e at the root, which is B - A there. */
const TANH2_WEIGHT = toDouble(fixedB(FIXED_TANH2_ROOT) - fixedA(FIXED_TANH2_ROOT));

/** Where gelu-tanh' is 0, and where gelu-tanh'' is 0 (and at its negative). */
export const GELU_TANH_TURNS: readonly [number, number] = [TANH1_ROOT[0], TANH2_ROOT[0]];

/** Low part of the last v computed: no allocation, read at once. */
let vTail = 0;

/** v(x) = x (K0 + K1 x^2) as a double-double, for |x| <= FAR. */
function v(x: number): number {
  const z = x * x;
  const cubic = K1 * z;
  const cubicTail = productError(K1, z, cubic) + K1 * productError(x, x, z) + K1_LOW * z;
  const inner = K0 + cubic;
  const innerTail = sumError(K0, cubic, inner) + cubicTail + K0_LOW;
  const product = x * inner;
  vTail = productError(x, inner, product) + x * innerTail;
  return product;
}

export function geluTanh(x: number): number {
  if (Math.abs(x) > FAR) return Math.max(x, 0);
  return gated(x, v(x), vTail);
}

export function geluTanh1(x: number): number {
  if (Math.abs(x) > FAR) return x > 0 ? 1 : 0;
  const t = v(x);
  const tail = vTail;
  if (x >= 0) {
    const e = expTimes(1, -t, -tail);
    return (1 + e * (1 + x * (K0 + 3 * K1 * x * x))) / ((1 + e) * (1 + e));
  }
  const d = distance(x, TANH1_ROOT);
  const squares = x * x + x * TANH1_ROOT[0] + TANH1_ROOT[0] * TANH1_ROOT[0];
  const n = d * (K0 + 3 * K1 * squares) + TANH1_POWER * expm1(d * (K0 + K1 * squares));
  return bell(n, t, tail, 2);
}

export function geluTanh2(x: number): number {
  if (x < 0) return geluTanh2(-x);
  if (x > FAR) return 0;
  const t = v(x);
  const tail = vTail;
  const r = TANH2_ROOT[0];
  const d = distance(x, TANH2_ROOT);
  const squares = x * x + x * r + r * r;
  const fourths = x * x * x * x + x * r * squares + r * r * r * r;
  const a = 12 * K1 * d * (x + r);
  const b = d * (K0 * K0 + 6 * K0 * K1 * squares + 9 * K1 * K1 * fourths);
  const e = expTimes(1, -t, -tail);
  return bell(a - b + (a + b) * e + TANH2_WEIGHT * expm1(-d * (K0 + K1 * squares)), t, tail, 3);
}

// mish = x tanh(softplus(x)) = x n / (n + 2), n = e (e + 2), e = e^x. With f = e^-x where x > 0.
// mish' = e W / D^2, D = e^2 + 2 e + 2, W = 4 (x + 1) + (4 x + 6) e + 4 e^2 + e^3.
const cube = (a: bigint): bigint => times(a, times(a, a));
const FIXED_MISH1_ROOT = rootNear((x) => {
  const e = exponential(x);
  return 4n * (x + ONE) + times(4n * x + fixed(6), e) + 4n * times(e, e) + cube(e);
}, -1.1924312145154952);
const MISH1_ROOT = toDoubleDouble(FIXED_MISH1_ROOT);
const MISH1_POWER = exp(MISH1_ROOT[0]);

// mish'' = 4 e P / D^3, P = (4 + 2 x) + (8 + 2 x) e + (6 - 3 x) e^2 + (2 - 2 x) e^3; two roots.
const fixedP = (x: bigint): bigint => {
  const e = exponential(x);
  const square = times(e, e);
  return (
    fixed(4) +
    2n * x +
    times(fixed(8) + 2n * x, e) +
    times(fixed(6) - 3n * x, square) +
    times(fixed(2) - 2n * x, times(square, e))
  );
};
const MISH2_LEFT = toDoubleDouble(rootNear(fixedP, -2.256));
const MISH2_RIGHT = toDoubleDouble(rootNear(fixedP, 1.4906));
const MISH2_LEFT_POWER = exp(MISH2_LEFT[0]);
const MISH2_RIGHT_POWER = exp(-MISH2_RIGHT[0]);

/** Where mish' is 0; where mish'' is 0. */
export const MISH_TURNS: readonly [number, readonly [number, number]] = [
  MISH1_ROOT[0],
  [MISH2_LEFT[0], MISH2_RIGHT[0]],
];

/** D / e^2 for x > 0, D for x <= 0, D = e^2 + 2 e + 2, given e^-|x|. */
function mishDivisor(x: number, e: number): number {
  return x > 0 ? 1 + 2 * e * (1 + e) : 2 + e * (2 + e);
}

export function mish(x: number): number {
  if (x < -40) return expTimes(x, x, 0);
  const e = exp(-Math.abs(x));
  return (x * (x > 0 ? 1 + 2 * e : e * (e + 2))) / mishDivisor(x, e);
}

export function mish1(x: number): number {
  if (x < -FAR) return 0;
  const e = exp(-Math.abs(x));
  const base = mishDivisor(x, e);
  const divisor = base * base;
  if (x > 0) {
    const t = Math.min(x, 1e4);
    return (1 + e * (4 + e * (4 * t + 6 + 4 * (t + 1) * e))) / divisor;
  }
  const d = distance(x, MISH1_ROOT);
  const m = expm1(d);
  const e0 = MISH1_POWER;
  const squares = 4 * e0 * e0 * m * (m + 2);
  const cubes = e0 * e0 * e0 * m * (m * (m + 3) + 3);
  const w = 4 * d * (1 + e) + (4 * MISH1_ROOT[0] + 6) * e0 * m + squares + cubes;
  return expTimes(w / divisor, x, 0);
}

export function mish2(x: number): number {
  if (x < -FAR) return 0;
  const e = exp(-Math.abs(x));
  const base = mishDivisor(x, e);
  const divisor = base * base * base;
  if (x > 0) {
    const t = Math.min(x, 1e4);
    const r = MISH2_RIGHT[0];
    const f0 = MISH2_RIGHT_POWER;
    const d = distance(t, MISH2_RIGHT);
    const m = expm1(-d);
    const ends = d * (-2 + e * (-3 + e * (2 + 2 * e)));
    const squares = (8 + 2 * r) * f0 * f0 * m * (m + 2);
    const cubes = (4 + 2 * r) * f0 * f0 * f0 * m * (m * (m + 3) + 3);
    return expTimes((4 * (ends + (6 - 3 * r) * f0 * m + squares + cubes)) / divisor, -2 * x, 0);
  }
  const r = MISH2_LEFT[0];
  const e0 = MISH2_LEFT_POWER;
  const d = distance(x, MISH2_LEFT);
  const m = expm1(d);
  const ends = d * (2 + e * (2 + e * (-3 - 2 * e)));
  const squares = (6 - 3 * r) * e0 * e0 * m * (m + 2);
  const cubes = (2 - 2 * r) * e0 * e0 * e0 * m * (m * (m + 3) + 3);
  return expTimes((4 * (ends + (8 + 2 * r) * e0 * m + squares + cubes)) / divisor, x, 0);
}
