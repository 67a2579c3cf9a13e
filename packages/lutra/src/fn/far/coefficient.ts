// A real number as expressions give one: an exact fraction where only rational arithmetic has made it, an enclosure in binary64 always.
// Exact, because a line's slope that is off by one binary64 ulp is off by 1e22 at the largest binary32 input.

import { exponentOf, type Interval, iv, nextDown, nextUp, powerOfTwo, toDyadic } from "../../num/index.ts";

/** numerator / denominator, the denominator positive. Not reduced: an expression has few operations. */
interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export interface Coefficient {
  readonly exact: Fraction | null;
  /** Contains the number; one point if it is a binary64 number known exactly. */
  readonly range: Interval;
}

/** A finite binary64 number. */
export function coefficient(value: number): Coefficient {
  const { mantissa, exponent } = toDyadic(value);
  const shift = BigInt(Math.abs(exponent));
  const exact =
    exponent < 0
      ? { numerator: mantissa, denominator: 1n << shift }
      : { numerator: mantissa << shift, denominator: 1n };
  return { exact, range: { lo: value, hi: value } };
}

/** A number of which only an enclosure is known. */
export function within(range: Interval): Coefficient {
  return { exact: null, range };
}

export function isZero({ exact }: Coefficient): boolean {
  return exact !== null && exact.numerator === 0n;
}

export function opposite({ exact, range }: Coefficient): Coefficient {
  return {
    exact: exact === null ? null : { ...exact, numerator: -exact.numerator },
    range: { lo: 0 - range.hi, hi: 0 - range.lo },
  };
}

export function plus(a: Coefficient, b: Coefficient): Coefficient {
  if (isZero(a)) return b;
  if (isZero(b)) return a;
  if (a.exact === null || b.exact === null) return within(iv.add(a.range, b.range));
  const { numerator: p, denominator: q } = a.exact;
  const { numerator: r, denominator: s } = b.exact;
  return fraction(p * s + r * q, q * s);
}

export function times(a: Coefficient, b: Coefficient): Coefficient {
  if (isZero(a)) return a;
  if (isZero(b)) return b;
  if (a.exact === null || b.exact === null) return within(iv.multiply(a.range, b.range));
  return fraction(a.exact.numerator * b.exact.numerator, a.exact.denominator * b.exact.denominator);
}

/** 1 / a, for an a whose range leaves 0 out. */
export function inverse({ exact, range }: Coefficient): Coefficient {
  if (exact === null) return within(iv.inverse(range));
  const { numerator, denominator } = exact;
  return numerator < 0n ? fraction(-denominator, -numerator) : fraction(denominator, numerator);
}

function fraction(numerator: bigint, denominator: bigint): Coefficient {
  return { exact: { numerator, denominator }, range: rangeOf(numerator, denominator) };
}

/** Bits of a quotient: a few more than binary64 keeps, so that rounding it is all that is lost. */
const QUOTIENT_BITS = 64;
/** Beyond this, far outside binary64, nothing is said. */
const MAX_SHIFT = 2000;

/** The fraction itself if binary64 has it, else its two neighbours' hull. */
function rangeOf(numerator: bigint, denominator: bigint): Interval {
  if (numerator === 0n) return { lo: 0, hi: 0 };
  const size = numerator < 0n ? -numerator : numerator;
  const shift = QUOTIENT_BITS - (bitsOf(size) - bitsOf(denominator));
  const quotient = shift >= 0 ? (size << BigInt(shift)) / denominator : size / (denominator << BigInt(-shift));
  if (Math.abs(shift) > MAX_SHIFT) return iv.EVERYTHING;
  const half = Math.trunc(-shift / 2);
  const near = Number(quotient) * powerOfTwo(half) * powerOfTwo(-shift - half);
  const value = numerator < 0n ? -near : near;
  if (near > 0 && near < Infinity && exponentOf(near) > -1000) {
    const { exact } = coefficient(value);
    if (exact !== null && exact.numerator * denominator === numerator * exact.denominator) {
      return { lo: value, hi: value };
    }
  }
  return { lo: nextDown(value), hi: nextUp(value) };
}

function bitsOf(positive: bigint): number {
  return positive.toString(16).length * 4;
}
