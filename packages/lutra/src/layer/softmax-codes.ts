// Softmax of a row of 8-bit codes in integers alone: exp(-S d) of the distance d to the row's maximum is the product of two tables of 16
// entries, of the upper and of the lower half of d. Both stay in a vector register, where a table of 256 entries would not.

import { LutraError } from "../base/index.ts";
import { type Kernel, KernelBuilder } from "../kernel/index.ts";
import { type Format, type IntegerFormat, integerFormat, printFormat, valuesOf } from "../num/index.ts";
import type { Spec } from "../table/index.ts";

/** Bits of an exponential: unsigned, so that a signed 16-bit product can hold it. */
const EXP_BITS = 15;
const EXPONENTIAL: IntegerFormat = integerFormat(false, EXP_BITS, 2 ** -EXP_BITS);
/** Codes of one table, and what one of the upper half's stands for. */
const HALF = 16;
/** A sum of so many exponentials stays below 2^31. */
const LONGEST_ROW = 2 ** 16;
/** Of unnormalised weights: what products of bytes of relaxed SIMD take. */
const WEIGHT_BITS = 7;
/** Of the probabilities. */
const OUTPUT: IntegerFormat = integerFormat(false, 8, 2 ** -8);

export interface SoftmaxCodesOptions {
  /** Of the inputs: at most 8 bits. Its zero point does not matter. */
  readonly input: Format;
  /** Longest row, at most 65536. */
  readonly maxRow: number;
}

/**
 * Softmax to uint8 codes of scale 1/256. With S the input's scale and d = max x - x:
 *   e = T_high(d div 16) T_low(d mod 16) / 2^15, rounded half up: holes "exp-high" and "exp-low", tables of exp(-x) to u15.15
 *   r = floor(2^(n + 14) / sum e), n the bits of the sum: at most 2^15 - 1, the largest 15-bit number
 *   p = e r / 2^15 / 2^(n - 9), each quotient rounded half up, at most 255; n is 15 or more
 * With tables of the correctly rounded answers (method "direct") an exponential is within 2.5 units of 2^-15, so that of n columns
 * |p / 256 - softmax(x)| < 1/512 + (n + 2) 2^-13, and up to 1/256 where the probability is above 255/256. Measured over seeded rows of
 * 1 to 60000 columns: 0.0022, half a unit of the output being 0.00195. No position passes that of the maximum.
 * @throws LutraError "unsupported" for inputs that are no integers of at most 8 bits, RangeError for longer rows
 */
export function softmaxCodes({ input, maxRow }: SoftmaxCodesOptions): Kernel {
  const format = checked(input, maxRow);
  const build = new KernelBuilder();
  const e = exponentials(build, format);
  // The maximum's own exponential is near 2^15, which interval analysis does not see.
  const sum = build.binary("max", build.reduce("add", e), build.integer(1));
  const bits = build.bits(sum);
  const places = build.binary("add", bits, build.integer(EXP_BITS - 1));
  const quotient = build.divide(build.shiftLeft(build.integer(1, "i64"), places), build.cast(sum, "i64"), "floor");
  const reciprocal = build.cast(build.binary("min", quotient, build.integer(2 ** EXP_BITS - 1, "i64")), "i32");
  // 2^-(n - 9) as a 15-bit fraction, for which a target has one instruction: 0 from 2^-16 on, which rounds every product to 0.
  const above = build.binary("max", build.binary("sub", bits, build.integer(9)), build.integer(1));
  const scale = build.shiftRight(build.integer(2 ** EXP_BITS), above, "floor");
  const p = fraction(build, fraction(build, e, reciprocal), scale);
  const spec: Spec = { fn: "softmax", domain: valuesOf(format), input: format, output: OUTPUT, maxRow };
  return build.finish(spec, build.cast(p, "u8"));
}

/**
 * Softmax before its division: per element the weight w = e / 2^8, rounded half up and at most 127, per row the sum of the weights. So many
 * units of 2^-7 are within 0.51 units of exp(-S d), at the maximum itself within 1. A product with the weights, divided by their sum, is one
 * with Softmax. Two results; holes and errors thrown are those of softmaxCodes.
 */
export function softmaxWeights({ input, maxRow }: SoftmaxCodesOptions): Kernel {
  const format = checked(input, maxRow);
  const build = new KernelBuilder();
  const rounded = build.shiftRight(exponentials(build, format), build.integer(EXP_BITS - WEIGHT_BITS), "half-up");
  const weight = build.binary("min", rounded, build.integer(2 ** WEIGHT_BITS - 1));
  const output = integerFormat(false, WEIGHT_BITS, 2 ** -WEIGHT_BITS);
  const spec: Spec = { fn: "softmax", domain: valuesOf(format), input: format, output, maxRow };
  return build.finish(spec, build.cast(weight, "u8"), build.reduce("add", weight));
}

/** a b / 2^15, rounded half up. */
function fraction(build: KernelBuilder, a: number, b: number): number {
  return build.shiftRight(build.binary("mul", a, b), build.integer(EXP_BITS), "half-up");
}

/** @throws LutraError "unsupported", RangeError */
function checked(format: Format, maxRow: number): IntegerFormat {
  if (!(Number.isInteger(maxRow) && maxRow >= 1 && maxRow <= LONGEST_ROW)) {
    throw new RangeError(`rows of 1 to ${LONGEST_ROW} codes, got ${maxRow}`);
  }
  if (format.kind === "integer" && format.bits <= 8) return format;
  throw new LutraError("unsupported", `Softmax of codes cannot take ${printFormat(format)}`, {
    note: "its inputs are integers of at most 8 bits; softmax takes binary32",
  });
}

/** e in u15.15, 2^15 - 2 at the row's maximum if both tables are correctly rounded. */
function exponentials(build: KernelBuilder, format: IntegerFormat): number {
  const x = build.codes("x", "element", format);
  const difference = build.binary("sub", build.cast(build.reduce("max", x), "i16"), build.cast(x, "i16"));
  const distance = build.cast(difference, "u8");
  const half = build.integer(HALF, "u8");
  const high = build.divide(distance, half, "floor");
  const low = build.binary("sub", distance, build.binary("mul", high, half));
  const factors = [
    build.lookup("exp-high", exponential(HALF * format.scale), high),
    build.lookup("exp-low", exponential(format.scale), low),
  ].map((factor) => build.cast(factor, "i32")) as [number, number];
  return fraction(build, ...factors);
}

/** exp(-x) of 4-bit codes. */
function exponential(scale: number): Spec {
  const input = integerFormat(false, 4, scale);
  return { fn: "exp(-x)", domain: valuesOf(input), input, output: EXPONENTIAL };
}
