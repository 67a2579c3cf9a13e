// log and log1p in binary64. x = 2^k m with m in [sqrt(1/2), sqrt 2); log m = 2 atanh(s) for s = (m - 1) / (m + 1) by its Taylor
// series, arranged so that the leading term is m - 1 itself, which is exact.

import { LN2, split, toDouble } from "./fixed.ts";

/** k ln 2 in two parts: |k| < 2^11, so k times the first part's 40 bits is exact. */
const [LN2_HIGH, LN2_LOW] = split(LN2, [40, 53]) as [number, number];
export const LN2_DOUBLE: number = toDouble(LN2);

const SQRT2 = Math.sqrt(2);
const view = new DataView(new ArrayBuffer(8));

/**
 * log(1 + f) + k ln 2 + tail for 1 + f in [sqrt(1/2), sqrt 2). With h = f^2 / 2 and R = 2 s^2/3 + 2 s^4/5 + ..., 2 atanh(s) is
 * f - (h - s (h + R)); s^2 <= 0.0295, and the series stops at s^22 / 23, below 2^-57 s^2.
 */
function logParts(f: number, k: number, tail: number): number {
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (2 / 5 + w * (2 / 9 + w * (2 / 13 + w * (2 / 17 + w * (2 / 21)))));
  const odd = z * (2 / 3 + w * (2 / 7 + w * (2 / 11 + w * (2 / 15 + w * (2 / 19 + w * (2 / 23))))));
  const h = 0.5 * f * f;
  const rest = h - (s * (h + odd + even) + (k * LN2_LOW + tail));
  return k === 0 ? f - rest : k * LN2_HIGH - (rest - f);
}

/** The natural logarithm; -Infinity at 0, NaN below. Error below 1 ulp. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : Number.NaN;
  if (x === Infinity) return x;
  return logOf(x, 0);
}

/** log(u + lost) for a finite u > 0 and |lost| below an ulp of u. */
function logOf(u: number, lost: number): number {
  const subnormal = u < 2 ** -1022;
  view.setFloat64(0, subnormal ? u * 2 ** 54 : u);
  let k = (view.getUint32(0) >>> 20) - 1023 - (subnormal ? 54 : 0);
  view.setUint32(0, (view.getUint32(0) & 0xfffff) | 0x3ff00000);
  let m = view.getFloat64(0);
  if (m >= SQRT2) {
    m *= 0.5;
    k += 1;
  }
  return logParts(m - 1, k, lost === 0 ? 0 : lost / u);
}

/** log(1 + x); -Infinity at -1, NaN below. Error below 1 ulp. */
export function log1p(x: number): number {
  if (!(x > -1)) return x === -1 ? -Infinity : Number.NaN;
  if (x === Infinity) return x;
  if (x > -0.29 && x < 0.41) return logParts(x, 0, 0);
  const u = 1 + x;
  return logOf(u, x > 1 ? 1 - (u - x) : x - (u - 1));
}

/** log2 e, the factor of exp as a power of two. */
export const LOG2_E: number = 1 / LN2_DOUBLE;
