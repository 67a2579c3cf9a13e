// Plain operations on codes that no other layer has: the mean of a row, a choice between two tensors, a quotient.

import { LutraError } from "../base/index.ts";
import { type Kernel, KernelBuilder, type Over } from "../kernel/index.ts";
import { codeRange, type IntegerFormat, integerFormat, printFormat, toMultipliers, valuesOf } from "../num/index.ts";
import type { Spec } from "../table/index.ts";
import { toCodes } from "./codes.ts";

const MULTIPLIER_BITS = 15;
const LONGEST_SHIFT = 31;
/** A sum of so many 16-bit codes stays below 2^31. */
const LONGEST_ROW = 2 ** 15;

export interface MeanCodesOptions {
  /** At most 16 bits, without a zero point. */
  readonly input: IntegerFormat;
  readonly output: IntegerFormat;
  /** At most 32768. */
  readonly maxRow: number;
}

/**
 * y = saturate(round(r m / 2^s) + zero point), r the mean of a row of codes "x", each rounded half up; one number per row. Where nothing
 * saturates it is within 1/2 + (scale of the input / scale of the output) / 2 + |r| 2^-(s + 1) output codes of the mean.
 * @throws LutraError "unsupported" for other inputs or rows, or an input's scale of 2^14 times the output's or more
 */
export function meanCodes({ input, output, maxRow }: MeanCodesOptions): Kernel {
  if (input.bits > 16 || input.zeroPoint !== 0 || maxRow > LONGEST_ROW) {
    throw new LutraError("unsupported", `no mean of ${maxRow} codes of ${printFormat(input)}`, {
      note: `of 16 bits without a zero point, and of ${LONGEST_ROW} at most`,
    });
  }
  const { multipliers, shift } = toMultipliers([input.scale / output.scale], MULTIPLIER_BITS, LONGEST_SHIFT);
  if (shift < 0) throw new LutraError("unsupported", "the mean's inputs saturate its output always");
  const build = new KernelBuilder();
  const mean = build.reduce("mean", build.cast(build.codes("x", "element", input), "i32"), "half-up");
  const product = build.binary("mul", mean, build.integer(multipliers[0] as number));
  const y = build.shiftRight(product, build.integer(shift), "half-up");
  const spec: Spec = { fn: "x", domain: valuesOf(input), input, output, maxRow };
  return build.finish(spec, toCodes(build, y, output));
}

/** y = a where "flag" (u8) is not 0, else b: codes of one format. Params: "flag", "a", "b". */
export function selectCodes(
  format: IntegerFormat,
  over: { readonly flag: Over; readonly a: Over; readonly b: Over },
): Kernel {
  const build = new KernelBuilder();
  const flag = build.cast(build.param("flag", over.flag, "u8"), "i32");
  const [a, b] = [build.codes("a", over.a, format), build.codes("b", over.b, format)].map((x) => build.cast(x, "i32"));
  const chosen = build.select(build.integer(0), flag, a as number, b as number);
  const spec: Spec = { fn: "x", domain: valuesOf(format), input: format, output: format };
  return build.finish(spec, toCodes(build, chosen, { ...format, zeroPoint: 0 }));
}

/** Whether either of the flags "a" and "b" is not 0: u8, 0 or 1, as they are. */
export function eitherFlag(over: { readonly a: Over; readonly b: Over }): Kernel {
  const build = new KernelBuilder();
  const [a, b] = [build.param("a", over.a, "u8", [0, 1]), build.param("b", over.b, "u8", [0, 1])];
  const format = integerFormat(false, 8, 1);
  const spec: Spec = { fn: "x", domain: { lo: 0, hi: 1 }, input: format, output: format };
  return build.finish(spec, build.binary("max", a, b));
}

export interface QuotientOptions {
  readonly a: IntegerFormat;
  readonly b: IntegerFormat;
  readonly output: IntegerFormat;
  readonly over: { readonly a: Over; readonly b: Over };
}

/**
 * y = saturate(round(a / b)), half to even, computed in binary32: a quotient of two tensors has no integer form here. A quotient beyond the
 * output, and by 0, is its largest or least; 0 / 0 is 0. Params: "a", "b".
 */
export function floatQuotient({ a, b, output, over }: QuotientOptions): Kernel {
  const build = new KernelBuilder();
  const number = (name: "a" | "b", format: IntegerFormat): number => {
    const code = build.cast(build.codes(name, over[name], format), "f32");
    return build.binary("sub", code, build.constant(format.zeroPoint));
  };
  const quotient = build.binary("div", number("a", a), number("b", b));
  const scaled = build.binary("mul", quotient, build.constant(Math.fround(a.scale / b.scale / output.scale)));
  const { lo, hi } = codeRange(output);
  const [least, most] = [lo - output.zeroPoint, hi - output.zeroPoint];
  const limited = build.binary("max", build.binary("min", scaled, build.constant(most)), build.constant(least));
  const spec: Spec = { fn: "a / b", domain: valuesOf(a), input: a, output };
  return build.finish(spec, toCodes(build, build.cast(limited, "i32", "half-even"), output));
}
