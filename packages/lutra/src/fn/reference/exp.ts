// exp, exp2, expm1 in binary64. One reduction: x = (n / 32) ln 2 + r, |r| <= ln 2 / 64 = 0.0109; 2^(j/32) from a table of
// double-doubles; e^r - 1 by its Taylor polynomial. The power of two is applied last, so factor * e^x is right where e^x underflows.

import { LN2, ONE, quotient, split, squareRoot, times, toDouble, toDoubleDouble } from "./fixed.ts";

/** Entries of the table: 2^(j/32) for j = 0 .. 31. */
const STEPS = 32;
/** n / 32 ln 2 is subtracted in two parts: |n| < 2^16, so n times the first part's 36 bits is exact. */
const [STEP_HIGH, STEP_LOW] = split(LN2 / BigInt(STEPS), [36, 53]) as [number, number];
const STEPS_PER_UNIT = toDouble(quotient(BigInt(STEPS) * ONE, LN2));
const LN2_DOUBLE = toDouble(LN2);
/** Adding and subtracting 1.5 * 2^52 rounds to the nearest integer. */
const ROUNDER = 1.5 * 2 ** 52;

const ROOT_HIGH = new Float64Array(STEPS);
const ROOT_LOW = new Float64Array(STEPS);
{
  // 2^(1/32) is the fifth square root of 2.
  let base = 2n * ONE;
  for (let i = 1; i < STEPS; i *= 2) base = squareRoot(base);
  let power = ONE;
  for (let j = 0; j < STEPS; j++) {
    const [high, low] = toDoubleDouble(power);
    ROOT_HIGH[j] = high;
    ROOT_LOW[j] = low;
    power = times(power, base);
  }
}

/** 2^k for k = -1022 .. 1023, at index k + 1022. */
const POWERS = new Float64Array(2046);
POWERS[0] = 2 ** -1022;
for (let i = 1; i < POWERS.length; i++) POWERS[i] = 2 * (POWERS[i - 1] as number);

/** y * 2^k, rounded once. */
function scale(y: number, k: number): number {
  if (k >= -1022 && k <= 1023) return y * (POWERS[k + 1022] as number);
  if (k < -1022) return y * (POWERS[Math.max(k + 600, -1022) + 1022] as number) * 2 ** -600;
  return y * 2 ** 1000 * (POWERS[Math.min(k - 1000, 1023) + 1022] as number);
}

/** e^r - 1 for |r| <= 0.0109: Taylor to r^6; the rest, r^7 / 5040, is below 2^-57 |r|. */
function smallExpm1(r: number): number {
  return r + r * r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720)))));
}

/**
 * factor * e^(x + tail) for a finite factor of moderate size (2^-500 to 2^500) and |tail| below an ulp of x. Error: at most 0.51 ulp from the
 * exponential, 0.5 more from a factor other than +-1.
 */
export function expTimes(factor: number, x: number, tail: number): number {
  if (!(x < 1200)) return Number.isNaN(x) ? x : factor * Infinity;
  if (x < -1200) return factor * 0;
  const n = x * STEPS_PER_UNIT + ROUNDER - ROUNDER;
  const j = n & (STEPS - 1);
  const r = x - n * STEP_HIGH - n * STEP_LOW + tail;
  const root = ROOT_HIGH[j] as number;
  const value = root + ((ROOT_LOW[j] as number) + root * smallExpm1(r));
  return scale(factor * value, (n - j) / STEPS);
}

/** e^x. Error at most 0.51 ulp. */
export function exp(x: number): number {
  return expTimes(1, x, 0);
}

/** factor * 2^x. Error as expTimes. */
export function exp2Times(factor: number, x: number): number {
  if (!(x < 1700)) return Number.isNaN(x) ? x : factor * Infinity;
  if (x < -1700) return factor * 0;
  const n = x * STEPS + ROUNDER - ROUNDER;
  const j = n & (STEPS - 1);
  const r = (x - n / STEPS) * LN2_DOUBLE;
  const root = ROOT_HIGH[j] as number;
  const value = root + ((ROOT_LOW[j] as number) + root * smallExpm1(r));
  return scale(factor * value, (n - j) / STEPS);
}

/** e^x - 1 for |x| <= 1/16: Taylor to x^10; the rest is below 2^-64 |x|. */
function mediumExpm1(x: number): number {
  const low = 1 / 2 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720))));
  const high = 1 / 5040 + x * (1 / 40320 + x * (1 / 362880 + x * (1 / 3628800)));
  const square = x * x;
  return x + square * (low + square * square * x * high);
}

/** e^x - 1. Error below 1 ulp: beyond 1/16, the table entry's distance to 1 is exact, and the rest is a sixth of the result or less. */
export function expm1(x: number): number {
  if (!(x < 40)) return exp(x);
  if (x < -40) return -1;
  if (x > -1 / 16 && x < 1 / 16) return mediumExpm1(x);
  const n = x * STEPS_PER_UNIT + ROUNDER - ROUNDER;
  const r = x - n * STEP_HIGH - n * STEP_LOW;
  const j = n & (STEPS - 1);
  const power = POWERS[(n - j) / STEPS + 1022] as number;
  const root = (ROOT_HIGH[j] as number) * power;
  const difference = root - 1;
  const lost = root - (difference + 1);
  return difference + (lost + (ROOT_LOW[j] as number) * power + root * smallExpm1(r));
}
