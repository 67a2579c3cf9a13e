// Attention in integers: unnormalised exponentials of a row of scores, and the products of these with values, divided by their sum.

import { type Kernel, KernelBuilder, type Over } from "../kernel/index.ts";
import { type IntegerFormat, integerFormat, toMultipliers, valuesOf } from "../num/index.ts";
import type { Spec } from "../table/index.ts";
import { toCodes } from "./codes.ts";

/** Distances to a row's maximum in steps of 1/16: from 255/16 on an exponential is 0. */
const STEPS = 16;
const DISTANCE: IntegerFormat = integerFormat(false, 8, 1 / STEPS);
/** Exponentials have 7 bits, so that relaxed dot products take them. */
const LARGEST = 127;
const EXPONENTIAL: IntegerFormat = integerFormat(false, 7, 1 / LARGEST);
/** Of sums of products, sign apart. */
const LARGEST_SUM = 2 ** 24;
const SUM_RANGE = [-LARGEST_SUM, LARGEST_SUM] as const;
const MULTIPLIER_BITS = 15;
const LONGEST_SHIFT = 40;
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
 * e = T_exp(min(255, round(16 scale (max sums - sums)))) as u7, T_exp the hole "exp", a table of exp(-x) from u8.4 to 127 steps; and the i32 sum
 * of each row. A score left out counts as the least there is. Params: "sums" (i32), "mask".
 */
export function attentionWeights({ scale, mask, maxRow }: AttentionWeightsOptions): {
  readonly kernel: Kernel;
  /** Of the hole. */
  readonly exp: Spec;
} {
  const build = new KernelBuilder();
  const sums = build.param("sums", "element", "i32", SUM_RANGE);
  const isLeftOut = mask === null ? null : build.cast(build.param("mask", mask, "u8"), "i32");
  const kept = isLeftOut === null ? sums : build.select(isLeftOut, build.integer(1), sums, build.integer(-LARGEST_SUM));
  const distance = build.cast(build.binary("sub", build.reduce("max", kept), kept), WIDE);
  const { multipliers, shift } = toMultipliers([STEPS * scale], MULTIPLIER_BITS, LONGEST_SHIFT);
  const steps = build.binary("mul", distance, build.integer(multipliers[0] as number, WIDE));
  const code = build.cast(build.shiftRight(steps, build.integer(shift), "half-up"), "u8");
  const exp: Spec = { fn: "exp(-x)", domain: valuesOf(DISTANCE), input: DISTANCE, output: EXPONENTIAL };
  const e = build.lookup("exp", exp, code);
  const total = build.reduce("add", build.cast(e, "i32"));
  const input = integerFormat(true, 32, scale);
  const spec: Spec = { fn: "softmax", domain: valuesOf(input), input, output: EXPONENTIAL, maxRow };
  return { kernel: build.finish(spec, e, total), exp };
}

export interface AttentionContextOptions {
  /** Of the values: 8 bits without a zero point. */
  readonly values: IntegerFormat;
  readonly output: IntegerFormat;
  /** Longest row of weights. */
  readonly maxRow: number;
}

/**
 * y = sums / total in codes of the output. With n the bits of the total, |sums| <= 127 total, so that a = sums / 2^(n - 8) has 16 bits; then
 * y = a M / 2^s, M = (2^(n - 1) / total) K of 15 bits, K / 2^s = values.scale / (128 output.scale). Params: "sums" (i32), "total" (i32, per row).
 */
export function attentionContext({ values, output, maxRow }: AttentionContextOptions): Kernel {
  const build = new KernelBuilder();
  const sums = build.cast(build.param("sums", "element", "i32", SUM_RANGE), WIDE);
  const total = build.cast(build.param("total", "row", "i32", [0, LARGEST * maxRow]), WIDE);
  const positive = build.binary("max", total, build.integer(1, WIDE));
  const bits = build.bits(positive);
  const [zero, one, eight] = [0, 1, 8].map((x) => build.integer(x)) as [number, number, number];
  const down = build.binary("max", build.binary("sub", bits, eight), zero);
  const up = build.binary("min", build.binary("max", build.binary("sub", eight, bits), zero), eight);
  const a = build.cast(build.shiftRight(build.shiftLeft(sums, up), down, "half-up"), "i16");
  const { multipliers, shift } = toMultipliers(
    [values.scale / output.scale / (LARGEST + 1)],
    MULTIPLIER_BITS,
    LONGEST_SHIFT,
  );
  const factor = build.integer(multipliers[0] as number, WIDE);
  const quotient = build.divide(build.shiftLeft(factor, build.binary("sub", bits, one)), positive, "half-up");
  const m = build.binary("min", quotient, build.integer(2 ** MULTIPLIER_BITS - 1, WIDE));
  const y = build.shiftRight(build.binary("mul", build.cast(a, WIDE), m), build.integer(shift), "half-up");
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
