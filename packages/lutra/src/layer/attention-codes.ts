// Attention in integers: unnormalised exponentials of a row of scores, and the products of these with values, divided by their sum.

import { LutraError } from "../base/index.ts";
import { type Kernel, KernelBuilder, type Over } from "../kernel/index.ts";
import { type IntegerFormat, integerFormat, toMultipliers, valuesOf } from "../num/index.ts";
import type { Spec } from "../table/index.ts";
import { toCodes } from "./codes.ts";

/** Distances to a row's maximum in steps of 1/16: from 255/16 on an exponential is 0. */
const STEPS = 16;
const DISTANCES = 256;
const DISTANCE: IntegerFormat = integerFormat(false, 8, 1 / STEPS);
/** Exponentials have 7 bits, so that relaxed dot products take them. */
const LARGEST = 127;
const EXPONENTIAL: IntegerFormat = integerFormat(false, 7, 1 / LARGEST);
/** Of sums of products, sign apart. */
const LARGEST_SUM = 2 ** 24;
const SUM_RANGE = [-LARGEST_SUM, LARGEST_SUM] as const;
/** How far a score that is left out is put below the others: twice as far as any can be. */
const LEFT_OUT_BITS = 25;
const MULTIPLIER_BITS = 15;
const LONGEST_SHIFT = 40;
/** A product of Q15 numbers drops so many bits. */
const Q15 = 15;
/** Of a distance in units of which a step has as many as 16 bits allow. */
const LARGEST_DISTANCE = 2 ** 15;
/** Fraction bits of one over a total, in codes of the output. */
const SHARE_BITS = 20;
const WIDE = "i64";

export interface AttentionWeightsOptions {
  /** Of the scores: what one unit of the param "sums" stands for. */
  readonly scale: number;
  /** What the param "mask" varies over, u8, not 0 where a score is left out; null without one. */
  readonly mask: Over | null;
  readonly maxRow: number;
}

/**
 * e = T_exp(min(255, steps)) as u7, T_exp the hole "exp", a table of exp(-x) from u8.4 to 127 steps; and the i32 sum of each row. With
 * d = max sums - sums:
 *   n = min(2^15 - 1, round(d / 2^b)), b the least shift for which 256 steps are below 2^15; steps = round(round(n M / 2^15) / 2^t)
 * M / 2^(15 + t) = 16 scale 2^b, M of 15 bits, rounded half up; where a unit of the sums is half a step or more, by one shift of less than 15.
 * |steps - 16 scale d| is at most 1/2 for the last rounding and 0.016 + 2^-(t + 1) for those before it; t is 6 unless a unit of the sums is a 64th of
 * a step or more. A score left out has no part in the maximum and the
 * weight 0; in a row of nothing else all weights are equal. Params: "sums" (i32), "mask".
 * @throws LutraError "unsupported" if a unit of the sums is 2^11 or more
 */
export function attentionWeights({ scale, mask, maxRow }: AttentionWeightsOptions): {
  readonly kernel: Kernel;
  /** Of the hole. */
  readonly exp: Spec;
} {
  const build = new KernelBuilder();
  const sums = build.param("sums", "element", "i32", SUM_RANGE);
  const isLeftOut = mask === null ? null : build.binary("min", build.param("mask", mask, "u8"), build.integer(1, "u8"));
  const kept =
    isLeftOut === null
      ? sums
      : build.binary("sub", sums, build.shiftLeft(build.cast(isLeftOut, "i32"), build.integer(LEFT_OUT_BITS)));
  const most = build.reduce("max", kept);
  const steps = stepsOf(build, most, sums, STEPS * scale);
  const code = isLeftOut === null ? steps : build.select(isLeftOut, build.integer(1, "u8"), steps, beyond(build, most));
  const exp: Spec = { fn: "exp(-x)", domain: valuesOf(DISTANCE), input: DISTANCE, output: EXPONENTIAL };
  const e = build.lookup("exp", exp, code);
  const total = build.reduce("add", build.cast(e, "i32"));
  const input = integerFormat(true, 32, scale);
  const spec: Spec = { fn: "softmax", domain: valuesOf(input), input, output: EXPONENTIAL, maxRow };
  return { kernel: build.finish(spec, e, total), exp };
}

/** A number that `ratio` brings to steps, from what a row's scores are below its maximum. */
function stepsOf(build: KernelBuilder, most: number, sums: number, ratio: number): number {
  let before = 0;
  while ((DISTANCES / ratio) * 2 ** -before >= LARGEST_DISTANCE) before++;
  const { multipliers, shift } = toMultipliers([ratio * 2 ** before], MULTIPLIER_BITS, LONGEST_SHIFT);
  if (shift < 0)
    throw new LutraError("unsupported", `scores of which a unit is ${ratio / STEPS} say nothing but their maximum`);
  // Half a unit is added to the row's one number, not to every distance.
  const half = before === 0 ? 0 : 2 ** (before - 1);
  const distance = build.binary("sub", build.binary("add", most, build.integer(half)), sums);
  const short = build.cast(build.shiftRight(distance, build.integer(before), "floor"), "i16");
  const product = build.binary("mul", build.cast(short, "i32"), build.integer(multipliers[0] as number));
  return build.cast(shifted(build, product, shift), "u8");
}

/** The distance of what is left out: 255, but 0 in a row of nothing else, whose maximum is below all scores. */
function beyond(build: KernelBuilder, most: number): number {
  return build.select(most, build.integer(-LARGEST_SUM), build.integer(0, "u8"), build.integer(DISTANCES - 1, "u8"));
}

/** i / 2^shift, rounded half up: by 15 bits first, which is one instruction behind a product. */
function shifted(build: KernelBuilder, i: number, shift: number): number {
  const once = build.shiftRight(i, build.integer(Math.min(Q15, shift)), "half-up");
  return shift <= Q15 ? once : build.shiftRight(once, build.integer(shift - Q15), "half-up");
}

export interface AttentionContextOptions {
  /** Of the values: 8 bits without a zero point. */
  readonly values: IntegerFormat;
  readonly output: IntegerFormat;
  /** Longest row of weights. */
  readonly maxRow: number;
}

/**
 * y = sums / total in codes of the output: with w = max(0, bits of the total - 8), of which |sums| <= 127 total leaves a = round(sums / 2^w)
 * 16 bits, y = round(round(a M / 2^15) / 2^t), M = K 127 2^w / total of 15 bits, K / 2^(15 + t) = values.scale / (127 output.scale); half up,
 * and by one shift where it is less than 15. |y - exact| is at most 1/2 + 2^-t / 2 (t > 0) + |exact| 2^-13 + r / 256, r the scales' quotient:
 * the last for a. A total is 0 or at least 127, which the row's maximum alone is. Params: "sums" (i32), "total" (i32, per row).
 */
export function attentionContext({ values, output, maxRow }: AttentionContextOptions): Kernel {
  const build = new KernelBuilder();
  const sums = build.param("sums", "element", "i32", SUM_RANGE);
  const most = LARGEST * maxRow;
  const total = build.binary("max", build.param("total", "row", "i32", [0, most]), build.integer(LARGEST));
  const down = build.binary("max", build.binary("sub", build.bits(total), build.integer(8)), build.integer(0));
  const a = build.cast(build.shiftRight(sums, down, "half-up"), "i16");
  const ratio = values.scale / output.scale / LARGEST;
  const { multipliers, shift } = toMultipliers([ratio], MULTIPLIER_BITS, LONGEST_SHIFT);
  if (shift < 0)
    throw new LutraError("unsupported", `values of ${ratio * LARGEST} times the output's scale saturate it`);
  const factor = (multipliers[0] as number) * LARGEST;
  const isShort = factor * 2 ** Math.max(0, most.toString(2).length - 8) < 2 ** 31;
  const lane = isShort ? "i32" : WIDE;
  const dividend = build.shiftLeft(build.integer(factor, lane), down);
  const quotient = build.divide(dividend, build.cast(total, lane), "half-up");
  const m = build.cast(build.binary("min", quotient, build.integer(2 ** MULTIPLIER_BITS - 1, lane)), "i32");
  const y = shifted(build, build.binary("mul", build.cast(a, "i32"), m), shift);
  const spec: Spec = { fn: "x", domain: valuesOf(values), input: values, output };
  return build.finish(spec, toCodes(build, y, output));
}

/** Probabilities y = weights / total in codes of the output. Params: "weights" (u8, at most 127), "total" (i32, per row). */
export function attentionShares({ output, maxRow }: Omit<AttentionContextOptions, "values">): Kernel {
  const build = new KernelBuilder();
  const weights = build.cast(build.param("weights", "element", "u8", [0, LARGEST]), WIDE);
  const total = build.cast(build.param("total", "row", "i32", [0, LARGEST * maxRow]), WIDE);
  const positive = build.binary("max", total, build.integer(1, WIDE));
  const unit = Math.floor(2 ** SHARE_BITS / output.scale + 0.5);
  const share = build.divide(build.integer(unit, WIDE), positive, "half-up");
  const y = build.shiftRight(build.binary("mul", weights, share), build.integer(SHARE_BITS), "half-up");
  const spec: Spec = { fn: "softmax", domain: valuesOf(EXPONENTIAL), input: EXPONENTIAL, output, maxRow };
  return build.finish(spec, toCodes(build, y, output));
}
