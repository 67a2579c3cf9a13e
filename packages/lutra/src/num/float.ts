// IEEE 754 facts: bits, neighbours, ordered keys and ulps of binary32, binary16, bfloat16 and binary64. No format objects here.

const view = new DataView(new ArrayBuffer(8));

/** The largest finite binary32: (2 - 2^-23) * 2^127. */
export const MAX_BINARY32: number = 3.4028234663852886e38;
/** The smallest positive normal binary32: 2^-126. */
export const MIN_NORMAL_BINARY32: number = 1.1754943508222875e-38;
/** Half an ulp of 1 in binary32: the relative rounding error of one operation. */
export const UNIT_BINARY32: number = 2 ** -24;

/** The 32 bits of a binary32 value, unsigned. */
export function toBits32(x: number): number {
  view.setFloat32(0, x);
  return view.getUint32(0);
}

export function fromBits32(bits: number): number {
  view.setUint32(0, bits);
  return view.getFloat32(0);
}

/**
 * The value of 16 bits of binary16, exactly. Exponent and mantissa moved to their binary32 places give value * 2^-112, subnormals
 * included; exponent 31 (infinity, NaN) arrives at 65536 or more.
 */
export function fromBits16(bits: number): number {
  const magnitude = fromBits32((bits & 0x7fff) << 13) * 2 ** 112;
  const sign = bits & 0x8000 ? -1 : 1;
  if (magnitude < 65536) return sign * magnitude;
  return bits & 0x3ff ? Number.NaN : sign * Infinity;
}

/** Position of a binary32 value on the number line, as an integer: monotone in x, -0 and +0 both 0, neighbours differ by 1. */
export function toOrdered32(x: number): number {
  const bits = toBits32(x);
  return bits >= 0x80000000 ? 0x80000000 - bits : bits;
}

/** Inverse of toOrdered32; 0 gives +0. */
export function fromOrdered32(key: number): number {
  return fromBits32(key < 0 ? 0x80000000 - key : key);
}

/** The least binary32 above x; Infinity above the largest. */
export function nextUp32(x: number): number {
  return fromOrdered32(toOrdered32(x) + 1);
}

/** The greatest binary32 below x. */
export function nextDown32(x: number): number {
  return fromOrdered32(toOrdered32(x) - 1);
}

/** The least binary32 at or above the real x. */
export function ceil32(x: number): number {
  const y = Math.fround(x);
  return y < x ? nextUp32(y) : y;
}

/** The greatest binary32 at or below the real x. */
export function floor32(x: number): number {
  const y = Math.fround(x);
  return y > x ? nextDown32(y) : y;
}

/** The least binary64 above x. */
export function nextUp(x: number): number {
  if (!(x < Infinity)) return x;
  if (x === 0) return Number.MIN_VALUE;
  view.setFloat64(0, x);
  const bits = view.getBigInt64(0);
  view.setBigInt64(0, x > 0 ? bits + 1n : bits - 1n);
  return view.getFloat64(0);
}

/** The greatest binary64 below x. */
export function nextDown(x: number): number {
  return -nextUp(-x);
}

/** floor(log2(|x|)) of a finite non-zero binary64, exactly. */
export function exponentOf(x: number): number {
  view.setFloat64(0, x);
  const biased = (view.getUint32(0) >>> 20) & 0x7ff;
  if (biased !== 0) return biased - 1023;
  view.setFloat64(0, x * 2 ** 54);
  return ((view.getUint32(0) >>> 20) & 0x7ff) - 1023 - 54;
}

/** 2^n exactly for -1074 <= n <= 1023. Math.pow is not used: engines differ. */
export function powerOfTwo(n: number): number {
  if (n >= -1022) {
    view.setUint32(0, (n + 1023) << 20);
    view.setUint32(4, 0);
    return view.getFloat64(0);
  }
  return powerOfTwo(n + 60) * 2 ** -60;
}

/** Spacing of a binary format at the real value x, for `mantissaBits` stored bits and least exponent `minExponent`. */
export function ulpAt(x: number, mantissaBits: number, minExponent: number): number {
  const exponent = x === 0 ? minExponent : Math.max(exponentOf(x), minExponent);
  return powerOfTwo(exponent - mantissaBits);
}

/** Spacing of binary32 at the real value x. */
export function ulp32(x: number): number {
  return ulpAt(x, 23, -126);
}

/** Rounds a real to `mantissaBits` stored bits, half to even; overflow above `max` gives infinity. */
export function roundToFloat(x: number, mantissaBits: number, minExponent: number, max: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const quantum = ulpAt(x, mantissaBits, minExponent);
  const y = roundHalfEven(x / quantum) * quantum;
  return Math.abs(y) > max ? Math.sign(x) * Infinity : y;
}

/** The nearest integer, ties to even. Exact for every double. */
export function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest < 0.5) return down;
  if (rest > 0.5) return down + 1;
  return down % 2 === 0 ? down : down + 1;
}
