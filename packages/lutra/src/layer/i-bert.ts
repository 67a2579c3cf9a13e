// I-BERT's functions of one number (Kim et al., ICML 2021): i-erf, i-GELU, i-exp, integer-exact as in the public code
// (quant_modules.py). What depends on the scale alone is folded into constants here, in binary64; the public code folds in
// binary32, which can move a floor where a quotient is nearly an integer.

import { type Kernel, KernelBuilder } from "../kernel/index.ts";
import { codeRange, decode, type Format, type IntegerFormat, type Interval, integerFormat } from "../num/index.ts";
import { type Codes, refuse, requantizer, symmetric } from "./codes.ts";

/** erf(x) ~ sgn(x) [a (min(|x|, -b) + b)^2 + 1], equation 8: least squares, found by its authors. */
export const ERF = { a: -0.2888, b: -1.769 } as const;
// biome-ignore lint/suspicious/noApproximativeNumericConstant: the public code's square root of 2
const ROOT_OF_2 = 1.4142;
/** i-erf's codes lose this many bits before they are used: the public code assumes codes of 32 bits, not of 8. */
const PUBLISHED_SHIFT = 14;
/** exp(r) ~ a r^2 + b r + 1 on (-ln 2, 0]: equation 13, 0.3585 (r + 1.353)^2 + 0.344, with the public code's digits. */
// biome-ignore lint/suspicious/noApproximativeNumericConstant: the published constant
export const EXP = { a: 0.35815147, b: 0.96963238, ln2: 0.6931 } as const;
/** exp is 0 from 30 ln 2 below 0 on. */
export const OCTAVES = 30;
/** i-exp's own codes have up to 2^30 times the polynomial's; Softmax's first step is to requantize them to int16 (symmetric). */
const EXP_MAX = 2 ** 15 - 1;

export interface ErfOptions {
  /**
   * Bits that i-erf drops. "published" is 14: right for codes of 32 bits, and with int8 codes it leaves nothing (scale 2^-5: i-GELU is
   * off by 5.2). "corrected" drops only what the 32 bits of the result need.
   */
  readonly erfShift: "published" | "corrected";
}

/**
 * i-erf (algorithm 2): q -> sgn(q) ((min(|q|, -b) + b)^2 + c) >> 14, of scale |a| S^2 2^14; b = floor(-1.769 / S), c = floor((1/a) / S^2).
 * The published scale is negative: here codes and scale are negated.
 * @throws LutraError "unsupported" for zero points, or for scales so fine that a code passes 2^53
 */
export function iErf(input: Format, { erfShift }: ErfOptions = { erfShift: "published" }): Kernel {
  const format = symmetric("i-erf", input);
  const build = new KernelBuilder();
  const full = erfScale(format.scale, 0);
  const shift = erfShift === "published" ? PUBLISHED_SHIFT : shiftTo32(1 / full);
  const q = build.cast(build.codes("x", "element", format), "i64");
  const { codes, scale } = erfCodes(build, q, format, format.scale, shift);
  return finish(build, "erf", format, { codes: build.binary("sub", build.integer(0, "i64"), codes), scale: -scale });
}

/**
 * i-GELU (algorithm 2): q -> q (e + floor(1/S_e)) with e = i-erf of q at the scale S / 1.4142, S_e its scale; result's scale S |S_e| / 2.
 * The published scale is negative: here codes and scale are negated.
 * @throws LutraError "unsupported" as for i-erf
 */
export function iGelu(input: Format, { erfShift }: ErfOptions = { erfShift: "published" }): Kernel {
  const format = symmetric("i-GELU", input);
  const build = new KernelBuilder();
  const scale = format.scale / ROOT_OF_2;
  const { lo, hi } = codeRange(format);
  const largest = Math.max(-lo, hi);
  const shift = erfShift === "published" ? PUBLISHED_SHIFT : shiftTo32((2 * largest) / -erfScale(scale, 0));
  const q = build.cast(build.codes("x", "element", format), "i64");
  const erf = erfCodes(build, q, format, scale, shift);
  const one = build.integer(Math.floor(1 / erf.scale), "i64");
  const codes = build.binary("mul", q, build.binary("add", erf.codes, one));
  const negated = build.binary("sub", build.integer(0, "i64"), codes);
  return finish(build, "gelu", format, { codes: negated, scale: (-format.scale * erf.scale) / 2 });
}

/** Scale of i-erf's codes, negative as published. */
function erfScale(scale: number, shift: number): number {
  return ERF.a * scale * scale * 2 ** shift;
}

/** Least shift after which codes of a size have 31 bits. */
function shiftTo32(size: number): number {
  let shift = 0;
  while (Math.abs(size) / 2 ** shift >= 2 ** 30) shift++;
  return shift;
}

/** q at a scale -> codes of erf, in i64, negative as published. */
function erfCodes(build: KernelBuilder, q: number, format: IntegerFormat, scale: number, shift: number): Codes {
  const b = Math.floor(ERF.b / scale);
  const c = Math.floor(1 / ERF.a / (scale * scale));
  const { lo, hi } = codeRange(format);
  if (!(b * b - c < 2 ** 52 / Math.max(-lo, hi)))
    throw refuse("i-erf", format, "the scale is too fine for exact codes");
  const zero = build.integer(0, "i64");
  const size = build.binary("max", q, build.binary("sub", zero, q));
  const short = build.binary("add", build.binary("min", size, build.integer(-b, "i64")), build.integer(b, "i64"));
  const y = build.binary("add", build.binary("mul", short, short), build.integer(c, "i64"));
  const positive = build.select(zero, q, y, zero);
  const signed = build.select(q, zero, build.binary("sub", zero, y), positive);
  const codes = shift === 0 ? signed : build.shiftRight(signed, build.integer(shift), "floor");
  return { codes, scale: erfScale(scale, shift) };
}

export interface ExpOptions {
  /**
   * "published" computes at the input's own scale, which rounds ln 2 to a code: at 2^-4 it is 0.75 and exp is off by 2.7e-2.
   * "corrected" shifts the codes to a scale of at most 2^-9 first: 1.9e-3, the polynomial's own error.
   */
  readonly expScale: "published" | "corrected";
}

/** Scale that the correction computes at: any from 2^-9 to 2^-10 keeps the polynomial's codes below 2^22. */
const FINE_SCALE = 2 ** -9;

/**
 * i-exp (algorithm 3) and the requantization to int16 that follows it: exp(x) for x <= 0, scale so that exp(0) is 32767.
 * Inputs above 0 count as 0: i-Softmax subtracts the maximum first.
 * @throws LutraError "unsupported" for zero points, or for scales so fine that a code passes 2^53
 */
export function iExp(input: Format, { expScale }: ExpOptions = { expScale: "published" }): Kernel {
  const format = symmetric("i-exp", input);
  const build = new KernelBuilder();
  const q = build.cast(build.codes("x", "element", format), "i64");
  const below = build.binary("sub", build.integer(0, "i64"), build.binary("min", q, build.integer(0, "i64")));
  const { codes, scale } = expCodes(build, below, format, expScale);
  const output = integerFormat(true, 16, scale);
  const domain = { lo: codesDomain(format).lo, hi: 0 };
  return build.finish({ fn: "exp", domain, input: format, output }, build.cast(codes, "i16"));
}

/**
 * Codes 0 to 32767, in i64, of exp(-S p) for codes p >= 0 in i64.
 *   z = floor(p / d), t = p - z d, y = t (t - b) + c, exp = y 2^(30-z); d = -floor(-0.6931 / S), b = floor((b/a) / S), c = floor((1/a) / S^2)
 * then round(exp m / 2^e) with the dyadic m / 2^e nearest to the ratio of the scales (HAWQ-V3's requantization, ties to even). The two
 * shifts are one: exp m / 2^e = y m / 2^(e - 30 + z), exactly.
 */
export function expCodes(
  build: KernelBuilder,
  p: number,
  format: IntegerFormat,
  expScale: ExpOptions["expScale"],
): Codes {
  let finer = 0;
  if (expScale === "corrected") while (format.scale / 2 ** finer > FINE_SCALE) finer++;
  const shifted = finer === 0 ? p : build.shiftLeft(p, build.integer(finer));
  return expAt(build, shifted, format.scale / 2 ** finer, format);
}

function expAt(build: KernelBuilder, p: number, scale: number, format: IntegerFormat): Codes {
  const d = -Math.floor(-EXP.ln2 / scale);
  const b = Math.floor(EXP.b / EXP.a / scale);
  const c = Math.floor(1 / EXP.a / (scale * scale));
  if (!(c >= 1 && c < 2 ** 22)) throw refuse("i-exp", format, "its polynomial needs a scale between 2^-10 and 1");
  const { multiplier, shift } = requantizer(EXP_MAX / (c * 2 ** OCTAVES));
  const integer = (value: number): number => build.integer(value, "i64");
  const clipped = build.binary("min", p, integer(OCTAVES * d));
  const divisor = integer(d);
  const octave = build.divide(clipped, divisor, "floor");
  const t = build.binary("sub", clipped, build.binary("mul", octave, divisor));
  const y = build.binary("add", build.binary("mul", t, build.binary("sub", t, integer(b))), integer(c));
  // Amounts above 53 leave 0 of any code: 62 is the longest shift there is.
  const amount = build.binary("min", build.binary("add", octave, integer(shift - OCTAVES)), integer(62));
  const codes = build.shiftRight(build.binary("mul", y, integer(multiplier)), amount, "half-even");
  const positive = build.binary("min", build.binary("max", codes, integer(0)), integer(EXP_MAX));
  return { codes: positive, scale: (c * EXP.a * scale * scale) / EXP_MAX };
}

function codesDomain(format: IntegerFormat): Interval {
  const { lo, hi } = codeRange(format);
  return { lo: decode(format, lo), hi: decode(format, hi) };
}

function finish(build: KernelBuilder, fn: string, input: IntegerFormat, { codes, scale }: Codes): Kernel {
  const output = integerFormat(true, 32, scale);
  return build.finish({ fn, domain: codesDomain(input), input, output }, build.cast(codes, "i32"));
}
