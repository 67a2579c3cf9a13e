// Number formats: integers with a scale and a zero point, and three IEEE formats. A code of an integer format is its integer;
// a code of a float format is the value itself, as a JavaScript number that the format represents exactly.

import { LutraError } from "../base/index.ts";
import {
  exponentOf,
  fromBits16,
  fromBits32,
  MAX_BINARY32,
  powerOfTwo,
  roundHalfEven,
  roundToFloat,
  ulpAt,
} from "./float.ts";
import type { Interval } from "./interval.ts";

export interface IntegerFormat {
  readonly kind: "integer";
  readonly signed: boolean;
  /** 2 to 32. */
  readonly bits: number;
  /** value = scale * (code - zeroPoint). Finite, positive. */
  readonly scale: number;
  readonly zeroPoint: number;
}

export interface FloatFormat {
  readonly kind: "float";
  readonly name: "binary32" | "binary16" | "bfloat16";
}

export type Format = IntegerFormat | FloatFormat;

export const BINARY32: FloatFormat = { kind: "float", name: "binary32" };
export const BINARY16: FloatFormat = { kind: "float", name: "binary16" };
export const BFLOAT16: FloatFormat = { kind: "float", name: "bfloat16" };

interface FloatFacts {
  readonly mantissaBits: number;
  readonly minExponent: number;
  readonly max: number;
}

/** Stored mantissa bits, exponent of the least normal, largest finite value. */
const FLOAT_FACTS: Readonly<Record<FloatFormat["name"], FloatFacts>> = {
  binary32: { mantissaBits: 23, minExponent: -126, max: MAX_BINARY32 },
  binary16: { mantissaBits: 10, minExponent: -14, max: 65504 },
  bfloat16: { mantissaBits: 7, minExponent: -126, max: 3.3895313892515355e38 },
};

export function integerFormat(signed: boolean, bits: number, scale = 1, zeroPoint = 0): IntegerFormat {
  const format: IntegerFormat = { kind: "integer", signed, bits, scale, zeroPoint };
  checkFormat(format);
  return format;
}

/** @throws LutraError "bad-format" */
export function checkFormat(format: Format): void {
  if (format.kind === "float") {
    if (!(format.name in FLOAT_FACTS)) throw badFormat(String(format.name));
    return;
  }
  const { bits, scale, zeroPoint } = format;
  if (!Number.isInteger(bits) || bits < 2 || bits > 32) {
    throw new LutraError("bad-format", `an integer format has 2 to 32 bits, got ${bits}`);
  }
  if (!(scale > 0 && scale < Infinity)) {
    throw new LutraError("bad-format", `a scale must be positive and finite, got ${scale}`);
  }
  const { lo, hi } = codeRange(format);
  if (!Number.isInteger(zeroPoint) || zeroPoint < lo || zeroPoint > hi) {
    throw new LutraError("bad-format", `the zero point must be a code between ${lo} and ${hi}, got ${zeroPoint}`);
  }
}

/** First and last code of an integer format; least and greatest finite value of a float format. */
export function codeRange(format: Format): { readonly lo: number; readonly hi: number } {
  if (format.kind === "float") {
    const { max } = FLOAT_FACTS[format.name];
    return { lo: -max, hi: max };
  }
  return format.signed
    ? { lo: -(2 ** (format.bits - 1)), hi: 2 ** (format.bits - 1) - 1 }
    : { lo: 0, hi: 2 ** format.bits - 1 };
}

/** The values of a format's first and last code. */
export function valuesOf(format: Format): Interval {
  const { lo, hi } = codeRange(format);
  return { lo: decode(format, lo), hi: decode(format, hi) };
}

/** The value of a code. */
export function decode(format: Format, code: number): number {
  return format.kind === "float" ? code : format.scale * (code - format.zeroPoint);
}

/** The code nearest to a value, ties to even; integers saturate, floats overflow to infinity. */
export function encode(format: Format, value: number): number {
  if (format.kind === "float") {
    const { mantissaBits, minExponent, max } = FLOAT_FACTS[format.name];
    return format.name === "binary32" ? Math.fround(value) : roundToFloat(value, mantissaBits, minExponent, max);
  }
  const { lo, hi } = codeRange(format);
  return Math.min(hi, Math.max(lo, roundHalfEven(value / format.scale) + format.zeroPoint));
}

/** Spacing of the format's values at a value: the scale, or the ulp there. */
export function ulpOf(format: Format, value: number): number {
  if (format.kind === "integer") return format.scale;
  const { mantissaBits, minExponent } = FLOAT_FACTS[format.name];
  return ulpAt(value, mantissaBits, minExponent);
}

/** Whether every code can be visited: integers up to 16 bits, binary16, bfloat16. */
export function isEnumerable(format: Format): boolean {
  return format.kind === "integer" ? format.bits <= 16 : format.name !== "binary32";
}

/** Every finite code in ascending order; -0 is left out. @throws RangeError if the format is not enumerable. */
export function allCodes(format: Format): Float64Array {
  if (!isEnumerable(format)) throw new RangeError("too many codes to list");
  if (format.kind === "integer") {
    const { lo } = codeRange(format);
    return Float64Array.from({ length: 2 ** format.bits }, (_, i) => lo + i);
  }
  const positive = positiveFloats(format);
  const codes = new Float64Array(2 * positive.length + 1);
  positive.forEach((value, i) => {
    codes[positive.length + 1 + i] = value;
    codes[positive.length - 1 - i] = -value;
  });
  return codes;
}

function positiveFloats(format: FloatFormat): number[] {
  if (format.name === "bfloat16") return Array.from({ length: 0x7f7f }, (_, i) => fromBits32((i + 1) * 65536));
  return Array.from({ length: 0x7bff }, (_, i) => fromBits16(i + 1));
}

const ALIASES: Readonly<Record<string, FloatFormat["name"]>> = {
  binary32: "binary32",
  float32: "binary32",
  f32: "binary32",
  binary16: "binary16",
  float16: "binary16",
  f16: "binary16",
  bfloat16: "bfloat16",
  bf16: "bfloat16",
};

/**
 * Reads a format: `binary32`, `binary16`, `bfloat16` (or f32, f16, bf16); `s16.12` and `u8.8` (signed or unsigned, bits,
 * fraction bits: scale 2^-fraction); `int8`, `uint16:0.05`, `int8:0.05:3` (scale, zero point).
 * @throws LutraError "bad-format"
 */
export function parseFormat(text: string): Format {
  const name = ALIASES[text];
  if (name !== undefined) return { kind: "float", name };
  const fixed = /^([su])(\d{1,2})\.(-?\d{1,3})$/.exec(text);
  if (fixed !== null) {
    const [, sign, bits, fraction] = fixed as unknown as [string, string, string, string];
    return integerFormat(sign === "s", Number(bits), 2 ** -Number(fraction));
  }
  const affine = /^(u?)int(\d{1,2})(?::([^:]+))?(?::(-?\d+))?$/.exec(text);
  if (affine !== null) {
    const [, unsigned, bits, scale, zeroPoint] = affine as unknown as [string, string, string, string?, string?];
    return integerFormat(unsigned === "", Number(bits), Number(scale ?? 1), Number(zeroPoint ?? 0));
  }
  throw badFormat(text);
}

/** The text that parseFormat reads back. */
export function printFormat(format: Format): string {
  if (format.kind === "float") return format.name;
  const fraction = -exponentOf(format.scale);
  if (format.zeroPoint === 0 && powerOfTwo(-fraction) === format.scale && fraction !== 0) {
    return `${format.signed ? "s" : "u"}${format.bits}.${fraction}`;
  }
  const scale = format.scale === 1 && format.zeroPoint === 0 ? "" : `:${format.scale}`;
  return `${format.signed ? "" : "u"}int${format.bits}${scale}${format.zeroPoint === 0 ? "" : `:${format.zeroPoint}`}`;
}

function badFormat(text: string): LutraError {
  return new LutraError("bad-format", `unknown number format "${text}"`, {
    note: "formats look like int8:0.05:3 (scale, zero point), s16.12 (bits.fraction), binary32, binary16 or bfloat16",
  });
}
