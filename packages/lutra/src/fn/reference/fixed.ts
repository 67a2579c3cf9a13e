// Reals in fixed point, as BigInts in units of 2^-BITS: where the constants and tables of the references come from. Every constant
// is derived here from its definition instead of being copied. Errors are a few units of 2^-BITS; nothing here is fast.

import { powerOfTwo } from "../../num/index.ts";

/** Fraction bits. The largest thing derived is e^64 minus something almost equal (erf.ts): 93 + 93 bits lost, 130 left. */
const BITS = 320n;

/** The real 1. */
export const ONE: bigint = 1n << BITS;

export function times(a: bigint, b: bigint): bigint {
  return (a * b) >> BITS;
}

export function quotient(a: bigint, b: bigint): bigint {
  return (a << BITS) / b;
}

/** The nearest binary64 (normal results). */
export function toDouble(a: bigint): number {
  return Number(a) * powerOfTwo(-Number(BITS));
}

/**
 * Binary64 parts that sum to a, each the head of what is left: part i keeps `bits[i]` significant bits, counted from the leading
 * bit of the remainder, so that its products with integers of up to 53 - bits[i] bits are exact.
 */
export function split(a: bigint, bits: readonly number[]): number[] {
  let rest = a;
  return bits.map((width) => {
    const magnitude = rest < 0n ? -rest : rest;
    const drop = BigInt(Math.max(0, magnitude.toString(2).length - width));
    const head = (rest >> drop) << drop;
    rest -= head;
    return toDouble(head);
  });
}

/** Two binary64 numbers, the nearest and the nearest to what is left: 107 bits together. */
export function toDoubleDouble(a: bigint): readonly [high: number, low: number] {
  const high = toDouble(a);
  return [high, toDouble(a - fromDouble(high))];
}

/** A binary64 exactly, if its last bit is at or above 2^-BITS. */
export function fromDouble(x: number): bigint {
  const whole = Math.trunc(x);
  return (BigInt(whole) << BITS) + (BigInt((x - whole) * 2 ** 200) << (BITS - 200n));
}

/** floor(sqrt(a)) in fixed point, by Newton's integer iteration from above. */
export function squareRoot(a: bigint): bigint {
  const target = a << BITS;
  let root = 1n << BigInt((target.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + target / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** e^a: Taylor's series at a / 2^16, squared 16 times. */
export function exponential(a: bigint): bigint {
  const halvings = 16n;
  const small = a >> halvings;
  let sum = ONE;
  let term = ONE;
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    term = times(term, small) / n;
    sum += term;
  }
  for (let i = 0n; i < halvings; i++) sum = times(sum, sum);
  return sum;
}

/** atan(1 / n) or atanh(1 / n): the sum of (sign)^k / ((2k + 1) n^(2k+1)), with `bits` fraction bits. */
function arcSeries(n: bigint, sign: 1n | -1n, bits: bigint): bigint {
  let power = (1n << bits) / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power = (sign * power) / (n * n);
    sum += power / k;
  }
  return sum;
}

/** pi with `bits` fraction bits, by Machin's formula: pi = 16 atan(1/5) - 4 atan(1/239). */
export function piWithBits(bits: bigint): bigint {
  const guard = 32n;
  return (16n * arcSeries(5n, -1n, bits + guard) - 4n * arcSeries(239n, -1n, bits + guard)) >> guard;
}

export const PI: bigint = piWithBits(BITS);

/** ln 2 = 2 atanh(1/3). */
export const LN2: bigint = 2n * arcSeries(3n, 1n, BITS);

/** The simple root of f near a start that is right to a few digits, by the secant method until it stands still. */
export function rootNear(f: (x: bigint) => bigint, start: number): bigint {
  let a = fromDouble(start);
  let b = a + (ONE >> 40n);
  let fa = f(a);
  for (let step = 0; step < 20; step++) {
    const fb = f(b);
    if (fa === fb) break;
    const next = b - (fb * (b - a)) / (fb - fa);
    a = b;
    fa = fb;
    b = next;
  }
  return b;
}
