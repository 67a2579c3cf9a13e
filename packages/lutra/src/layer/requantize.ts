// What ends an integer matrix product: bias, requantization in fixed point, and an activation from a table or a residual sum. One shift for
// the whole tensor on each side of a 16-bit multiplier per column, for SIMD has no shift per lane.

import { LutraError } from "../base/index.ts";
import { type Kernel, KernelBuilder } from "../kernel/index.ts";
import { exponentOf, type IntegerFormat, toMultipliers, valuesOf } from "../num/index.ts";
import { toCodes } from "./codes.ts";

/** How codes are multiplied by m / 2^(before + between + after), m an integer of `bits` bits. */
export interface Rescaling {
  /** Of the multipliers: 15 keeps every number on the way in 32 bits, 31 needs 64. */
  readonly bits: 15 | 31;
  /** Bits that a sum loses before it is multiplied, so that 16 (23 with multipliers of 31 bits) hold it. */
  readonly before: number;
  readonly between: number;
  readonly after: number;
}

export interface PlannedRescaling extends Rescaling {
  /** Codes of the param "multiplier". */
  readonly multipliers: readonly number[];
  /** Of m / 2^shift against the ratio asked for: largest of all. */
  readonly relativeError: number;
}

/** Bits, sign included, that a sum has when it is multiplied. */
const SUM_BITS = { 15: 16, 31: 23 } as const;
/** A product of Q15 numbers drops so many bits. */
const Q15 = 15;
const LONGEST_SHIFT = { 15: 31, 31: 62 } as const;

export interface RescalingOptions {
  /** Largest |sum| that need not saturate: calibrated, or what no product exceeds. */
  readonly largest: number;
  /** 15 if absent. */
  readonly bits?: 15 | 31;
  /** Most bits that a product is to lose, `between` and `after` together; as many as multipliers have use for if absent. */
  readonly longest?: number;
}

/**
 * Multipliers and shifts for the ratios of a tensor's columns: (scale of a sum of that column) / (scale of the output).
 * @throws LutraError "unsupported" if a sum of `largest` would pass the multipliers' range; RangeError for ratios that are not positive
 */
export function planRescaling(
  ratios: readonly number[],
  { largest, bits = 15, longest }: RescalingOptions,
): PlannedRescaling {
  const before = Math.max(0, bitsOf(largest) + 1 - SUM_BITS[bits]);
  const most = longest === undefined ? LONGEST_SHIFT[bits] : Math.min(LONGEST_SHIFT[bits], before + longest);
  const { multipliers, shift, relativeError } = toMultipliers(ratios, bits, most);
  const rest = shift - before;
  if (rest < 0) {
    throw new LutraError(
      "unsupported",
      `sums of ${largest} times ${ratios.reduce((most, ratio) => Math.max(most, ratio), 0)} pass a multiplier of ${bits} bits`,
      {
        note: "sums so large saturate any output: give the largest that does not, or an output of a larger scale",
      },
    );
  }
  const between = bits === 15 ? Math.min(Q15, rest) : rest;
  return { bits, before, between, after: rest - between, multipliers, relativeError };
}

function bitsOf(x: number): number {
  let bits = 0;
  while (2 ** bits <= x) bits++;
  return bits;
}

export interface RequantizeOptions {
  /** Of the sums, 32 bits. Its scale only tells what they mean: the multipliers carry the columns' scales. */
  readonly input: IntegerFormat;
  readonly output: IntegerFormat;
  readonly rescaling: Rescaling;
  /** Whether there is a param "bias" per column, in codes of the sums; each within 2^30, and so are the sums. */
  readonly bias: boolean;
  /** Whether the param "multiplier" varies per column. */
  readonly multiplier: "column" | "one";
  /** A function of the requantized code, the hole "activation": rescaled to `input` first, 8 bits for a table of 256 entries. */
  readonly activation?: { readonly fn: string; readonly input: IntegerFormat };
}

/**
 * y = saturate(round(round(n m / 2^between) / 2^after) + zero point), n = saturate(round((sum + bias) / 2^before)); each rounded half up, an
 * `activation` behind it. Params: "sums", "bias", "multiplier". With r = m / 2^(before + between + after), before zero point and activation
 * and where nothing saturates, |y - r (sum + bias)| is at most 1/2 for the last rounding, 2^-after / 2 for that before it if after > 0, and
 * r 2^before / 2 for the first if before > 0.
 */
export function requantize(options: RequantizeOptions): Kernel {
  const { input, output, activation } = options;
  const build = new KernelBuilder();
  const target = activation?.input ?? output;
  const code = toCodes(build, rescaled(build, options), target);
  const answer = activation === undefined ? code : build.lookup("activation", activationSpec(activation, output), code);
  return build.finish({ fn: activation?.fn ?? "x", domain: valuesOf(input), input, output }, answer);
}

function activationSpec(
  { fn, input }: NonNullable<RequantizeOptions["activation"]>,
  output: IntegerFormat,
): Kernel["spec"] {
  return { fn, domain: valuesOf(input), input, output };
}

export interface RequantizeResidualOptions extends Omit<RequantizeOptions, "activation"> {
  /** Of the param "residual", without a zero point: at most 16 bits. Its scale may differ from the output's. */
  readonly residual: IntegerFormat;
}

/** Of a rescaling's `between` and `after` together, the most with which a residual of so many times the output's scale has a multiplier of 15 bits. */
export function longestWith(ratio: number): number {
  return Math.min(LONGEST_SUM_SHIFT, Math.max(0, Q15 - 1 - exponentOf(ratio)));
}

/** Half a unit of it fits beside two products of 31 bits. */
const LONGEST_SUM_SHIFT = 16;

/**
 * The same with a residual sum: y = saturate(round((n m + residual m') / 2^s) + zero point), s = between + after, m' / 2^s its scale over the
 * output's, of up to 15 bits: one rounding where `requantize` has several, |residual| 2^-(s + 1) more. Where m' would have more bits or s is
 * more than 16 (`longestWith`), the parts are rounded by themselves and then summed.
 * @throws LutraError "unsupported" for a residual of more than 16 bits, with a zero point or of a scale 2^15 times the output's
 */
export function requantizeResidual(options: RequantizeResidualOptions): Kernel {
  const { input, output, residual } = options;
  if (residual.bits > 16 || residual.zeroPoint !== 0) {
    throw new LutraError("unsupported", "a residual has at most 16 bits and the zero point 0");
  }
  const build = new KernelBuilder();
  const ratio = residual.scale / output.scale;
  const sum = summedOnce(build, options, ratio) ?? summedApart(build, options, ratio);
  return build.finish({ fn: "x", domain: valuesOf(input), input, output }, toCodes(build, sum, output));
}

function residualCodes(build: KernelBuilder, { residual }: RequantizeResidualOptions, lane: "i32" | "i64"): number {
  return build.cast(build.codes("residual", "element", residual), lane);
}

/** Both products summed, then shifted once; null where a multiplier or the shift is too long. */
function summedOnce(build: KernelBuilder, options: RequantizeResidualOptions, ratio: number): number | null {
  const { bits, between, after } = options.rescaling;
  const shift = between + after;
  const multiplier = Math.floor(ratio * 2 ** shift + 0.5);
  if (bits !== 15 || shift > LONGEST_SUM_SHIFT || multiplier >= 2 ** Q15) return null;
  const branch = product(build, options);
  const skip = residualCodes(build, options, "i32");
  const sum = build.binary("add", branch, build.binary("mul", skip, build.integer(multiplier)));
  return build.shiftRight(sum, build.integer(shift), "half-up");
}

function summedApart(build: KernelBuilder, options: RequantizeResidualOptions, ratio: number): number {
  const branch = rescaled(build, options);
  const skip = residualCodes(build, options, options.rescaling.bits === 15 ? "i32" : "i64");
  return build.binary("add", branch, scaled(build, skip, ratio));
}

/** Codes of 16 bits times a ratio, rounded half up. */
function scaled(build: KernelBuilder, codes: number, ratio: number): number {
  if (ratio === 1) return codes;
  const { multipliers, shift } = toMultipliers([ratio], 15, LONGEST_SHIFT[15]);
  if (shift < 1)
    throw new LutraError("unsupported", `a residual of ${ratio} times the output's scale always saturates`);
  const product = build.binary("mul", codes, build.integer(multipliers[0] as number, build.laneAt(codes)));
  return build.shiftRight(product, build.integer(shift), "half-up");
}

/** Sums and biases stay below, so that adding them overflows nothing. */
const LARGEST_SUM = 2 ** 30;

/** Before zero point and saturation: i32, with multipliers of 31 bits i64. */
function rescaled(build: KernelBuilder, options: Rescaled): number {
  const { between, after } = options.rescaling;
  const once = build.shiftRight(product(build, options), build.integer(between), "half-up");
  return after === 0 ? once : build.shiftRight(once, build.integer(after), "half-up");
}

type Rescaled = Pick<RequantizeOptions, "rescaling" | "bias" | "multiplier">;

/** n m. */
function product(build: KernelBuilder, { rescaling, bias, multiplier }: Rescaled): number {
  const { bits, before } = rescaling;
  const range = [-LARGEST_SUM, LARGEST_SUM - 1] as const;
  const sums = build.param("sums", "element", "i32", range);
  const sum = bias ? build.binary("add", sums, build.param("bias", "column", "i32", range)) : sums;
  const wide = bits === 15 ? "i32" : "i64";
  const m = build.param("multiplier", multiplier, bits === 15 ? "i16" : "i32", [0, 2 ** bits - 1]);
  const short = build.shiftRight(sum, build.integer(before), "half-up");
  return build.binary("mul", build.cast(narrow(build, short, SUM_BITS[bits]), wide), build.cast(m, wide));
}

/** Saturated to signed integers of so many bits. */
function narrow(build: KernelBuilder, i: number, bits: 16 | 23): number {
  if (bits === 16) return build.cast(i, "i16");
  const raised = build.binary("max", i, build.integer(-(2 ** (bits - 1))));
  return build.binary("min", raised, build.integer(2 ** (bits - 1) - 1));
}
