// sin and cos in binary64: x = n pi/2 + r with r a double-double in [-pi/4, pi/4], then Taylor. Up to 2^17 the multiple of pi/2 is
// subtracted in four parts (Cody and Waite); beyond, x is reduced exactly in integers.

import { toDyadic } from "../../num/index.ts";
import { sumError } from "./double-double.ts";
import { ONE, PI, piWithBits, quotient, split, toDouble } from "./fixed.ts";

/** pi/2 in parts of 33, 33, 33 and 53 bits: n < 2^20, so n times each of the first three is exact. */
const [PART1, PART2, PART3, PART4] = split(PI / 2n, [33, 33, 33, 53]) as [number, number, number, number];
const TWO_OVER_PI = toDouble(quotient(2n * ONE, PI));
const ROUNDER = 1.5 * 2 ** 52;
const CODY_WAITE_END = 2 ** 17;

/** Low part of the reduced argument of the last call of reduce: no allocation, read at once. */
let low = 0;
/** n mod 4 of the last call of reduce. */
let quadrant = 0;

function reduce(x: number): number {
  if (!(Math.abs(x) < CODY_WAITE_END)) return reduceExactly(x);
  const n = x * TWO_OVER_PI + ROUNDER - ROUNDER;
  quadrant = n & 3;
  const first = x - n * PART1;
  const second = -n * PART2;
  const third = -n * PART3;
  const a = first + second;
  const b = a + third;
  const rest = sumError(first, second, a) + sumError(a, third, b) - n * PART4;
  const high = b + rest;
  low = sumError(b, rest, high);
  return high;
}

/** Fraction bits of pi/2 kept: x < 2^1024 makes n < 2^1024, so 1024 are lost and 200 remain. */
const PI_BITS = 1224n;
let halfPi: bigint | null = null;

function reduceExactly(x: number): number {
  const { mantissa, exponent } = toDyadic(x);
  halfPi ??= piWithBits(PI_BITS) / 2n;
  const shift = PI_BITS + BigInt(exponent);
  const scaled = mantissa << shift;
  const n = (2n * scaled + halfPi) / (2n * halfPi) - (2n * scaled + halfPi < 0n ? 1n : 0n);
  const rest = scaled - n * halfPi;
  quadrant = Number(n & 3n);
  const high = fromPiBits(rest);
  low = fromPiBits(rest - (BigInt(high * 2 ** 150) << (PI_BITS - 150n)));
  return high;
}

/** Drops to 300 fraction bits first: a Number holds no 1,224-bit integer. */
function fromPiBits(a: bigint): number {
  return Number(a >> (PI_BITS - 300n)) * 2 ** -300;
}

/** sin(r + tail) for |r| <= pi/4: Taylor to r^17; the rest is below 2^-60. */
function sinKernel(r: number, tail: number): number {
  const z = r * r;
  const p =
    -1 / 6 +
    z *
      (1 / 120 +
        z *
          (-1 / 5040 +
            z *
              (1 / 362880 +
                z * (-1 / 39916800 + z * (1 / 6227020800 + z * (-1 / 1307674368000 + z * (1 / 355687428096000)))))));
  return r + (r * z * p + tail * (1 - 0.5 * z));
}

/** cos(r + tail): 1 - r^2/2 keeps the error of its own rounding. Taylor to r^18. */
function cosKernel(r: number, tail: number): number {
  const z = r * r;
  const p =
    1 / 24 +
    z *
      (-1 / 720 +
        z *
          (1 / 40320 +
            z *
              (-1 / 3628800 +
                z *
                  (1 / 479001600 + z * (-1 / 87178291200 + z * (1 / 20922789888000 + z * (-1 / 6402373705728000)))))));
  const half = 0.5 * z;
  const w = 1 - half;
  return w + (1 - w - half + (z * z * p - r * tail));
}

/** The sine; NaN at infinities. Error below 1 ulp. */
export function sin(x: number): number {
  return Number.isFinite(x) ? quarter(reduce(x), 0) : Number.NaN;
}

/** The cosine; NaN at infinities. Error below 1 ulp. */
export function cos(x: number): number {
  return Number.isFinite(x) ? quarter(reduce(x), 1) : Number.NaN;
}

/** sin(r + low + (quadrant + shift) pi/2). */
function quarter(r: number, shift: 0 | 1): number {
  const turned = quadrant + shift;
  const value = (turned & 1) === 0 ? sinKernel(r, low) : cosKernel(r, low);
  return (turned & 2) === 0 ? value : -value;
}
