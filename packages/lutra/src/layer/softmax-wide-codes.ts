// Softmax of a row of 16-bit codes in integers alone, for answers rather than for attention: exp(-S d) of the distance d to the row's maximum is
// the product of two tables of 256 entries, of the upper and of the lower byte of d.

import { LutraError } from "../base/index.ts";
import { type Kernel, KernelBuilder } from "../kernel/index.ts";
import { type IntegerFormat, integerFormat, printFormat, valuesOf } from "../num/index.ts";
import type { Spec } from "../table/index.ts";
import type { SoftmaxCodesOptions } from "./softmax-codes.ts";

/** Bits of an exponential, of the reciprocal and of a probability: their products stay below 2^31. */
const BITS = 15;
const EXPONENTIAL: IntegerFormat = integerFormat(false, BITS, 2 ** -BITS);
const OUTPUT: IntegerFormat = integerFormat(true, 16, 2 ** -BITS);
const BYTE = 256;
/** A sum of so many exponentials stays below 2^31. */
const LONGEST_ROW = 2 ** 16;

/**
 * Softmax to int16 codes of scale 2^-15. With S the input's scale and d = max x - x:
 *   e = T_high(d div 256) T_low(d mod 256) / 2^15, rounded half up: holes "exp-high" and "exp-low", tables of exp(-x) to u15.15
 *   r = floor(2^(n + 14) / sum e), n the bits of the sum, 15 or more
 *   p = e r / 2^(n - 1), rounded half up, at most 2^15 - 1
 * With tables of the correctly rounded answers an exponential is within 2.5 units of 2^-15, so that of n columns
 * |p 2^-15 - softmax(x)| < (n + 5) 2^-13. No position passes that of the maximum.
 * @throws LutraError "unsupported" for inputs that are no signed integers of 16 bits, RangeError for longer rows
 */
export function softmaxWideCodes({ input, maxRow }: SoftmaxCodesOptions): Kernel {
  if (input.kind !== "integer" || input.bits !== 16 || !input.signed) {
    throw new LutraError("unsupported", `this Softmax of codes takes int16, got ${printFormat(input)}`);
  }
  if (!(Number.isInteger(maxRow) && maxRow >= 1 && maxRow <= LONGEST_ROW)) {
    throw new RangeError(`rows of 1 to ${LONGEST_ROW} codes, got ${maxRow}`);
  }
  const build = new KernelBuilder();
  const x = build.cast(build.codes("x", "element", input), "i32");
  const distance = build.cast(build.binary("sub", build.reduce("max", x), x), "u16");
  const byte = build.integer(BYTE, "u16");
  const high = build.divide(distance, byte, "floor");
  const low = build.binary("sub", distance, build.binary("mul", high, byte));
  const [upper, lower] = [
    build.lookup("exp-high", exponential(BYTE * input.scale), build.cast(high, "u8")),
    build.lookup("exp-low", exponential(input.scale), build.cast(low, "u8")),
  ].map((factor) => build.cast(factor, "i32")) as [number, number];
  const e = build.shiftRight(build.binary("mul", upper, lower), build.integer(BITS), "half-up");
  const sum = build.binary("max", build.reduce("add", e), build.integer(1));
  const bits = build.bits(sum);
  const places = build.binary("add", bits, build.integer(BITS - 1));
  const quotient = build.divide(build.shiftLeft(build.integer(1, "i64"), places), build.cast(sum, "i64"), "floor");
  const reciprocal = build.cast(build.binary("min", quotient, build.integer(2 ** BITS - 1, "i64")), "i32");
  const above = build.binary("max", build.binary("sub", bits, build.integer(1)), build.integer(0));
  const p = build.shiftRight(build.binary("mul", e, reciprocal), above, "half-up");
  const spec: Spec = { fn: "softmax", domain: valuesOf(input), input, output: OUTPUT, maxRow };
  return build.finish(spec, build.cast(p, "i16"));
}

/** exp(-x) of bytes. */
function exponential(scale: number): Spec {
  const input = integerFormat(false, 8, scale);
  return { fn: "exp(-x)", domain: valuesOf(input), input, output: EXPONENTIAL };
}
