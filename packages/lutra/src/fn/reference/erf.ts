// erf, erfc and the normal distribution in binary64, all from G(t) = erfc(t) e^(t^2), which is smooth and decays like 1/t: Taylor
// polynomials about the centres of 128 pieces of [0, 8), the asymptotic series above. e^(-t^2) gets t^2 as a double-double.

import { productError } from "./double-double.ts";
import { expTimes } from "./exp.ts";
import { exponential, fromDouble, ONE, PI, quotient, squareRoot, times, toDouble, toDoubleDouble } from "./fixed.ts";

const ROOT_PI = squareRoot(PI);
/** 2 / sqrt(pi), the slope of erf at 0. */
const ERF_SLOPE = quotient(2n * ONE, ROOT_PI);
export const ERF_SLOPE_DOUBLE: number = toDouble(ERF_SLOPE);
const ROOT_HALF = toDouble(squareRoot(ONE / 2n));
/** 1 / sqrt(2 pi), the normal density at 0. */
export const NORMAL_PEAK: number = toDouble(quotient(ONE, squareRoot(2n * PI)));

/** Pieces: 64 of width 1/32 on [0, 2), 32 of 1/16 on [2, 4), 32 of 1/8 on [4, 8). */
const PIECES = 128;
const END = 8;
/** Half a piece over the distance to -1, where G grows, is at most 1/64: r^10 and beyond are below 2^-59 of G. */
const DEGREE = 9;
/** Per piece: centre, low part of coefficient 0, coefficients 0 .. DEGREE. */
const STRIDE = DEGREE + 3;
let pieces: Float64Array | null = null;

function pieceOf(t: number): number {
  return t < 2 ? Math.floor(t * 32) : t < 4 ? 32 + Math.floor(t * 16) : 64 + Math.floor(t * 8);
}

function centreOf(piece: number): number {
  return piece < 64 ? (piece + 0.5) / 32 : piece < 96 ? (piece - 31.5) / 16 : (piece - 63.5) / 8;
}

/** G(c) = e^(c^2) - (2 / sqrt(pi)) sum of 2^n c^(2n+1) / (2n+1)!!, in fixed point. */
export function fixedScaledErfc(c: bigint): bigint {
  const square = times(c, c);
  let sum = 0n;
  let term = c;
  for (let n = 1n; term !== 0n; n += 2n) {
    sum += term;
    term = (2n * times(term, square)) / (n + 2n);
  }
  return exponential(square) - times(ERF_SLOPE, sum);
}

/** Taylor coefficients g_n = G^(n)(c) / n!: G' = 2 t G - 2/sqrt(pi) gives (n + 1) g_(n+1) = 2 c g_n + 2 g_(n-1). */
function derivePieces(): Float64Array {
  const table = new Float64Array(PIECES * STRIDE);
  for (let piece = 0; piece < PIECES; piece++) {
    const at = piece * STRIDE;
    const centre = centreOf(piece);
    const c = fromDouble(centre);
    let before = fixedScaledErfc(c);
    let current = 2n * times(c, before) - ERF_SLOPE;
    const [high, low] = toDoubleDouble(before);
    table[at] = centre;
    table[at + 1] = low;
    table[at + 2] = high;
    for (let n = 1; n <= DEGREE; n++) {
      table[at + 2 + n] = toDouble(current);
      const next = (2n * times(c, current) + 2n * before) / BigInt(n + 1);
      before = current;
      current = next;
    }
  }
  return table;
}

/** G(t) = erfc(t) e^(t^2) for t >= 0. Error at most 0.6 ulp below 8, 1.5 ulp above. */
function scaledErfc(t: number): number {
  if (!(t < END)) return scaledErfcSeries(t);
  pieces ??= derivePieces();
  const p = pieces;
  const at = pieceOf(t) * STRIDE;
  const r = t - p[at];
  const s = r * r;
  const odd = p[at + 3] + s * (p[at + 5] + s * (p[at + 7] + s * (p[at + 9] + s * p[at + 11])));
  const even = p[at + 4] + s * (p[at + 6] + s * (p[at + 8] + s * p[at + 10]));
  return p[at + 2] + (p[at + 1] + r * (odd + r * even));
}

/** Signed coefficients (-1)^n (2n-1)!!, n = 0 .. 17. */
const DOUBLE_FACTORIALS: readonly number[] = Array.from({ length: 18 }, (_, n) => {
  let product = 1;
  for (let k = 1; k <= n; k++) product *= 1 - 2 * k;
  return product;
});

/** (1 / (t sqrt(pi))) sum of (-1)^n (2n-1)!! / (2 t^2)^n; at t = 8 the first term left out is 2e-18. */
function scaledErfcSeries(t: number): number {
  if (t > 2 ** 30) return (0.5 * ERF_SLOPE_DOUBLE) / t;
  const z = 1 / (2 * t * t);
  let sum = 0;
  for (let n = DOUBLE_FACTORIALS.length - 1; n > 0; n--) sum = (sum + DOUBLE_FACTORIALS[n]) * z;
  return (0.5 * ERF_SLOPE_DOUBLE * (1 + sum)) / t;
}

/** factor * e^(-x^2 / divisor) for divisor 1 or 2; the square's rounding error is carried. */
export function gaussTimes(factor: number, x: number, divisor: 1 | 2): number {
  if (!(Math.abs(x) < 50)) return Number.isNaN(x) ? x : 0;
  const square = x * x;
  return expTimes(factor, -square / divisor, -productError(x, x, square) / divisor);
}

/** 1 - erf(x). Error at most 2 ulp. */
export function erfc(x: number): number {
  if (x < 0) return 1 + erf(-x);
  return gaussTimes(scaledErfc(x), x, 1);
}

/** Maclaurin series of erf(x) / x - 1, in x^2: the first coefficient is 2/sqrt(pi) - 1, then (2/sqrt(pi)) (-1)^n / (n! (2n+1)). */
const ERF_SERIES: readonly number[] = Array.from({ length: 13 }, (_, n) => {
  let factorial = 1n;
  for (let k = 1n; k <= BigInt(n); k++) factorial *= k;
  const coefficient = ERF_SLOPE / (factorial * BigInt(2 * n + 1));
  return toDouble(n === 0 ? coefficient - ONE : n % 2 === 0 ? coefficient : -coefficient);
});

/** The error function. Error at most 1.5 ulp. */
export function erf(x: number): number {
  const t = Math.abs(x);
  if (t < 0.5) {
    const z = x * x;
    let sum = ERF_SERIES[12];
    for (let n = 11; n >= 0; n--) sum = sum * z + ERF_SERIES[n];
    return x + x * sum;
  }
  if (t > 6) return Math.sign(x);
  const complement = gaussTimes(scaledErfc(t), t, 1);
  return x > 0 ? 1 - complement : complement - 1;
}

/** factor * (1 - Phi(a)), the upper tail of the normal distribution, for a >= 0. Error at most 3 ulp. */
export function upperTailTimes(factor: number, a: number): number {
  return gaussTimes(0.5 * factor * scaledErfc(a * ROOT_HALF), a, 2);
}

/** (1 - Phi(a)) / phi(a), Mills' ratio, for a >= 0: sqrt(pi / 2) G(a / sqrt 2). */
export function millsRatio(a: number): number {
  return (0.5 / NORMAL_PEAK) * scaledErfc(a * ROOT_HALF);
}

/** factor * phi(x), the normal density. Error at most 2 ulp. */
export function densityTimes(factor: number, x: number): number {
  return gaussTimes(factor * NORMAL_PEAK, x, 2);
}
