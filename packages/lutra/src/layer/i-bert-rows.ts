// I-BERT's functions of a row (Kim et al., ICML 2021): i-Softmax, i-LayerNorm, and i-sqrt that the latter needs, integer-exact as in
// the public code (quant_modules.py), with the paper's Newton iteration where the code takes a floating-point root.

import { type Kernel, KernelBuilder, laneOf } from "../kernel/index.ts";
import { codeRange, decode, type Format, type IntegerFormat, integerFormat } from "../num/index.ts";
import type { Spec } from "../table/index.ts";
import { refuse, symmetric } from "./codes.ts";
import { type ExpOptions, expCodes } from "./i-bert.ts";

/**
 * Newton steps of i-sqrt for codes below 2^32. It starts at 1 to 2 times the root; a relative error e becomes e^2 / 2 (1 + e), so four
 * steps leave 4.6e-8 and five less than 2^-32 of a root below 2^16.
 */
const SQRT_STEPS = 5;

/**
 * i-sqrt (algorithm 4): q -> floor(sqrt(q)), of scale sqrt(S). Newton's iteration from 2^ceil(bits / 2), unrolled: the paper's stop, at
 * the first step that does not fall, is a minimum here. Codes below 0 count as 0.
 * @throws LutraError "unsupported" for zero points
 */
export function iSqrt(input: Format): Kernel {
  const format = symmetric("i-sqrt", input);
  const build = new KernelBuilder();
  const q = build.cast(build.codes("x", "element", format), "i64");
  const isPositive = [build.integer(0, "i64"), q] as const;
  const root = build.select(...isPositive, integerSqrt(build, q), build.integer(0, "i64"));
  const { hi } = codeRange(format);
  const output = integerFormat(false, 32, Math.sqrt(format.scale));
  const domain = { lo: 0, hi: hi * format.scale };
  return build.finish({ fn: "sqrt", domain, input: format, output }, build.cast(root, "u32"));
}

/** floor(sqrt(max(n, 1))) of a value below 2^32 in i64, at least 1. */
function integerSqrt(build: KernelBuilder, n: number): number {
  const one = build.integer(1, "i64");
  const single = build.integer(1);
  const positive = build.binary("max", n, one);
  const half = build.shiftRight(build.binary("add", build.bits(positive), single), single, "floor");
  let root = build.shiftLeft(one, half);
  for (let step = 0; step < SQRT_STEPS; step++) {
    const sum = build.binary("add", root, build.divide(positive, root, "floor"));
    const next = build.shiftRight(sum, single, "floor");
    // The maximum changes nothing, for next is never below floor(sqrt(n)): it shows that no divisor is 0.
    root = build.binary("max", build.binary("min", root, next), one);
  }
  return root;
}

export interface IntegerSoftmaxOptions extends Partial<ExpOptions> {
  /** Longest row. */
  readonly maxRow: number;
  /** Bits of the unsigned probabilities; the public code's are 8. */
  readonly outputBits?: number;
}

/**
 * i-Softmax: e = i-exp(q - max q) as 16-bit codes, p = floor(e floor(2^32 / sum e) / 2^(32 - bits)), of scale 2^-bits.
 * @throws LutraError "unsupported" as for i-exp
 */
export function iSoftmax(
  input: Format,
  { maxRow, outputBits = 8, expScale = "published" }: IntegerSoftmaxOptions,
): Kernel {
  const format = symmetric("i-Softmax", input);
  const build = new KernelBuilder();
  const q = build.cast(build.codes("x", "element", format), "i64");
  const below = build.binary("max", build.binary("sub", build.reduce("max", q), q), build.integer(0, "i64"));
  const { codes } = expCodes(build, below, format, expScale);
  // The maximum's own code is 32767, which interval analysis does not see.
  const sum = build.binary("max", build.reduce("add", codes), build.integer(1, "i64"));
  const factor = build.divide(build.integer(2 ** 32, "i64"), sum, "floor");
  const share = build.shiftRight(build.binary("mul", codes, factor), build.integer(32 - outputBits), "floor");
  const output = integerFormat(false, outputBits, 2 ** -outputBits);
  const largest = build.binary("min", share, build.integer(codeRange(output).hi, "i64"));
  return build.finish(rowSpec("softmax", format, output, maxRow), build.cast(largest, laneOf(output)));
}

export interface IntegerLayerNormOptions {
  /** Length of every row: it is part of the output's scale. */
  readonly columns: number;
  /** Whether there is a param "bias" per column, int32 codes of the output: floor((beta / gamma) / scale) as published. */
  readonly bias: boolean;
}

/**
 * i-LayerNorm before its scale per column: y = q - round(mean), std = i-sqrt(sum floor(y / 2^k)^2) 2^k, result
 * floor(y floor(2^31 / std) / 2) [+ bias], of scale sqrt(columns) / 2^30; gamma multiplies that scale per column.
 * k is the least for which no row overflows 32 bits; the public code raises it in training until none of the data does. A row of
 * equal numbers has a std of 2^k here, where the public code divides by 0.
 * @throws LutraError "unsupported" for zero points or more than 22 bits, beyond which a product passes 2^53
 */
export function iLayerNorm(input: Format, { columns, bias }: IntegerLayerNormOptions): Kernel {
  const format = symmetric("i-LayerNorm", input);
  if (format.bits > 22) throw refuse("i-LayerNorm", format, "it has at most 22 bits");
  const build = new KernelBuilder();
  const q = build.cast(build.codes("x", "element", format), "i64");
  const y = build.binary("sub", q, build.reduce("mean", q, "half-even"));
  const k = build.integer(varianceShift(format, columns));
  const short = build.shiftRight(y, k, "floor");
  const variance = build.reduce("add", build.binary("mul", short, short));
  const std = build.shiftLeft(integerSqrt(build, variance), k);
  const factor = build.divide(build.integer(2 ** 31, "i64"), std, "floor");
  let normal = build.shiftRight(build.binary("mul", y, factor), build.integer(1), "floor");
  if (bias) normal = build.binary("add", normal, build.cast(build.param("bias", "column", "i32"), "i64"));
  const output = integerFormat(true, 32, Math.sqrt(columns) * 2 ** -30);
  return build.finish(rowSpec("layer-norm", format, output, columns), build.cast(normal, "i32"));
}

/** Least shift after which the squares of any row of differences sum to less than 2^32. */
function varianceShift(format: IntegerFormat, columns: number): number {
  const { lo, hi } = codeRange(format);
  const largest = (shift: number): number => Math.ceil((hi - lo) / 2 ** shift);
  let shift = 0;
  while (columns * largest(shift) * largest(shift) >= 2 ** 32) shift++;
  return shift;
}

function rowSpec(fn: string, input: IntegerFormat, output: IntegerFormat, maxRow: number): Spec {
  const { lo, hi } = codeRange(input);
  return { fn, domain: { lo: decode(input, lo), hi: decode(input, hi) }, input, output, maxRow };
}
