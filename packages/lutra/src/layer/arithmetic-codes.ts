// Sum, difference and product of two integer tensors of different scales, and one tensor in another format: residual connections, gates,
// rotations. Fixed-point multipliers of 15 bits over one shift, in 32 bits where the formats leave room, else in 64.

import { LutraError } from "../base/index.ts";
import { type Kernel, KernelBuilder, type Lane, type Over } from "../kernel/index.ts";
import { codeRange, type IntegerFormat, printFormat, toMultipliers, valuesOf } from "../num/index.ts";
import type { Spec } from "../table/index.ts";
import { toCodes } from "./codes.ts";

const MULTIPLIER_BITS = 15;
const LONGEST_SHIFT = 31;
const ELEMENTS = { a: "element", b: "element" } as const;
/** Bits that a product of two 16-bit numbers drops to be one. */
const Q15 = 15;

export interface ArithmeticCodesOptions {
  /** Of the params "a" and "b", at most 16 bits each. */
  readonly a: IntegerFormat;
  readonly b: IntegerFormat;
  readonly output: IntegerFormat;
  /** What the params vary over; elements if absent. */
  readonly over?: { readonly a: Over; readonly b: Over };
}

/**
 * y = saturate(round(((a - za) ma + (b - zb) mb) / 2^s) + zero point), half up; ma / 2^s and mb / 2^s are the scales over the output's.
 * |y - sum| <= 1/2 + (|a - za| + |b - zb|) 2^-(s + 1) output codes where nothing saturates.
 * @throws LutraError "unsupported" for more than 16 bits, or if a scale is 2^14 times the output's or more
 */
export function addCodes(options: ArithmeticCodesOptions): Kernel {
  return sumOf(options, "add");
}

/** The same of a - b. @throws as addCodes */
export function subCodes(options: ArithmeticCodesOptions): Kernel {
  return sumOf(options, "sub");
}

function sumOf({ a, b, output, over = ELEMENTS }: ArithmeticCodesOptions, how: "add" | "sub"): Kernel {
  checkBits(a, b, output);
  const ratios = [a.scale / output.scale, b.scale / output.scale];
  const { multipliers, shift } = toMultipliers(ratios, MULTIPLIER_BITS, LONGEST_SHIFT);
  checkShift(shift, Math.max(...ratios));
  const [ma, mb] = multipliers as [number, number];
  const lane = laneFor(largest(a) * ma + largest(b) * mb);
  const build = new KernelBuilder();
  const part = (name: "a" | "b", format: IntegerFormat, multiplier: number): number =>
    build.binary("mul", centred(build, name, over[name], format, lane), build.integer(multiplier, lane));
  const sum = build.binary(how, part("a", a, ma), part("b", b, mb));
  const y = build.shiftRight(sum, build.integer(shift), "half-up");
  return build.finish(specOf(how === "add" ? "a + b" : "a - b", a, output), toCodes(build, y, output));
}

/**
 * y = saturate(round((x - zx) m / 2^s) + zero point), half up: the numbers of the param "x" in another format.
 * |y - x| <= 1/2 + |x - zx| 2^-(s + 1) output codes where nothing saturates.
 * @throws LutraError "unsupported" for more than 16 bits, or if the scale is 2^14 times the output's or more
 */
export function rescaleCodes({
  input,
  output,
}: {
  readonly input: IntegerFormat;
  readonly output: IntegerFormat;
}): Kernel {
  checkBits(input, output);
  const ratio = input.scale / output.scale;
  const { multipliers, shift } = toMultipliers([ratio], MULTIPLIER_BITS, LONGEST_SHIFT);
  checkShift(shift, ratio);
  const [multiplier] = multipliers as [number];
  const lane = laneFor(largest(input) * multiplier);
  const build = new KernelBuilder();
  const product = build.binary("mul", centred(build, "x", "element", input, lane), build.integer(multiplier, lane));
  const y = build.shiftRight(product, build.integer(shift), "half-up");
  return build.finish(specOf("x", input, output), toCodes(build, y, output));
}

/**
 * y = saturate(round(p m / 2^s) + zero point), half up, p = (a - za)(b - zb); of 16-bit inputs p is first rounded to 16 bits, half up, where a
 * unit of these is no more than four of the output, and an a of -2^15 counts as one more. |y - product| <= 1/2 + |p| 2^-(s + 1) output codes, up
 * to 2 more for that first rounding.
 * @throws LutraError "unsupported" for more than 16 bits, or if the scales' product is 2^14 times the output's or more
 */
export function mulCodes({ a, b, output, over = ELEMENTS }: ArithmeticCodesOptions): Kernel {
  checkBits(a, b, output);
  const exact = (a.scale * b.scale) / output.scale;
  const product = largest(a) * largest(b);
  const isShort = product * 2 ** MULTIPLIER_BITS < 2 ** 31;
  const isRounded = !isShort && product <= 2 ** 30 && exact * 2 ** Q15 <= 4;
  const ratio = isRounded ? exact * 2 ** Q15 : exact;
  const { multipliers, shift } = toMultipliers([ratio], MULTIPLIER_BITS, LONGEST_SHIFT);
  checkShift(shift, ratio);
  const [multiplier] = multipliers as [number];
  const lane = isRounded ? "i32" : laneFor(product * multiplier);
  const build = new KernelBuilder();
  const x = centred(build, "a", over.a, a, lane);
  // So that 16 bits hold every product, rounded: one instruction then.
  const inside = isRounded ? build.binary("max", x, build.integer(1 - 2 ** Q15, lane)) : x;
  const whole = build.binary("mul", inside, centred(build, "b", over.b, b, lane));
  const p = isRounded ? build.shiftRight(whole, build.integer(Q15), "half-up") : whole;
  const scaled = build.binary("mul", p, build.integer(multiplier, lane));
  const y = build.shiftRight(scaled, build.integer(shift), "half-up");
  return build.finish(specOf("a * b", a, output), toCodes(build, y, output));
}

function checkBits(...formats: readonly IntegerFormat[]): void {
  const wide = formats.find(({ bits }) => bits > 16);
  if (wide === undefined) return;
  throw new LutraError("unsupported", `sums and products of codes have at most 16 bits, got ${printFormat(wide)}`);
}

function checkShift(shift: number, ratio: number): void {
  if (shift >= 0) return;
  throw new LutraError("unsupported", `inputs of ${ratio} times the output's scale saturate it always`, {
    note: "give an output of a larger scale",
  });
}

/** Largest |code - zero point|. */
function largest(format: IntegerFormat): number {
  const { lo, hi } = codeRange(format);
  return Math.max(format.zeroPoint - lo, hi - format.zeroPoint);
}

/** The narrower lane that holds numbers of a size. */
function laneFor(size: number): Lane {
  return size < 2 ** 31 ? "i32" : "i64";
}

function centred(build: KernelBuilder, name: string, over: Over, format: IntegerFormat, lane: Lane): number {
  const code = build.cast(build.codes(name, over, format), lane);
  return format.zeroPoint === 0 ? code : build.binary("sub", code, build.integer(format.zeroPoint, lane));
}

function specOf(fn: string, input: IntegerFormat, output: IntegerFormat): Spec {
  return { fn, domain: valuesOf(input), input, output };
}
