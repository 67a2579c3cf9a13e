// Exact rational facts about binary64 numbers: a double is an integer times a power of two, so quotients can be compared exactly.

import { exponentOf } from "./float.ts";
import { codeRange, type IntegerFormat } from "./format.ts";

/** x = mantissa * 2^exponent, exactly. @throws RangeError if x is not finite */
export function toDyadic(x: number): { readonly mantissa: bigint; readonly exponent: number } {
  if (!Number.isFinite(x)) throw new RangeError(`not a finite number: ${x}`);
  if (x === 0) return { mantissa: 0n, exponent: 0 };
  const exponent = Math.max(exponentOf(x), -1022) - 52;
  // Two exact steps: 2^-exponent alone overflows for subnormals.
  const scaled = exponent < -1000 ? x * 2 ** 600 * 2 ** (-exponent - 600) : x * 2 ** -exponent;
  return { mantissa: BigInt(scaled), exponent };
}

/** ceil(p / s) in exact arithmetic. @throws RangeError unless s > 0 and both are finite */
export function ceilQuotient(p: number, s: number): bigint {
  if (!(s > 0)) throw new RangeError(`divisor must be positive, got ${s}`);
  const a = toDyadic(p);
  const b = toDyadic(s);
  const shift = a.exponent - b.exponent;
  const numerator = shift > 0 ? a.mantissa << BigInt(shift) : a.mantissa;
  const denominator = shift < 0 ? b.mantissa << BigInt(-shift) : b.mantissa;
  const quotient = numerator / denominator;
  return quotient * denominator < numerator ? quotient + 1n : quotient;
}

/**
 * The first code of an integer format whose value is at or above the breakpoint p: S*(q - z) >= p exactly when
 * q >= z + ceil(p / S). Null if even the last code's value is below p: the breakpoint's segment is empty, it is never clipped.
 */
export function firstCodeFrom(p: number, format: IntegerFormat): number | null {
  const { lo, hi } = codeRange(format);
  if (p === -Infinity) return lo;
  if (p === Infinity) return null;
  const code = ceilQuotient(p, format.scale) + BigInt(format.zeroPoint);
  if (code > BigInt(hi)) return null;
  return code < BigInt(lo) ? lo : Number(code);
}
