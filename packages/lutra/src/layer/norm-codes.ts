// LayerNorm and RMSNorm of a row of integer codes in integers alone, around one table of 1/sqrt on [1, 4). Shifts follow each row's largest
// number: elements stay within 16 bits, their products within 32, and quiet rows keep their precision.

import { LutraError } from "../base/index.ts";
import { type Kernel, KernelBuilder } from "../kernel/index.ts";
import {
  exponentOf,
  type Format,
  type IntegerFormat,
  integerFormat,
  powerOfTwo,
  toMultipliers,
  valuesOf,
} from "../num/index.ts";
import type { Spec } from "../table/index.ts";
import { refuse, symmetric, toCodes } from "./codes.ts";

/** Fraction bits of 1/sqrt in its table, and as a factor: a bit less, so that a product with 16 bits less another one has 31. */
const ROOT_BITS = 15;
const FACTOR_BITS = 14;
/** Bits of the largest gamma. */
const GAMMA_BITS = 15;
const LONGEST_ROW = 2 ** 15;
const LARGEST_EPSILON = 2 ** 52;
/** Fraction bits of beta, and the most that its unit is beside that of a product with gamma: both are summed as 16-bit numbers' products. */
const BETA_BITS = { byte: 6, word: 0 } as const;
const LARGEST_BETA = 2 ** 15;
const MOST_BETA_SHIFT = 14;
/** Below a product's 30 bits. */
const LONGEST_SHIFT = 29;

export interface NormCodesOptions {
  /** At most 16 bits, signed, with the zero point 0. */
  readonly input: Format;
  readonly output: IntegerFormat;
  /** Length of every row, at most 2^15. */
  readonly columns: number;
  /** Added to the variance, in real units. */
  readonly epsilon: number;
  /** What `normParameters` says: the unit of the param "gamma" is 2^-gammaShift. */
  readonly gammaShift: number;
  /** Whether there is a param "beta". */
  readonly beta: boolean;
  /** What `normParameters` says: the unit of the param "beta" is 2^-betaShift output codes. 6 for outputs of up to 8 bits, else 0, if absent. */
  readonly betaShift?: number;
  /** Of a second result, the first one rounded again: its scale is a power of two times the output's, more than 1. */
  readonly coarse?: IntegerFormat;
  /** Bits of the hole's input, 16 if absent; 8 is few enough for a table of all answers (192 entries). */
  readonly mantissaBits?: 8 | 16;
}

export interface NormParameters {
  /** Param "gamma" per column: gamma columns / (the output's scale) in units of 2^-gammaShift. */
  readonly gamma: Int16Array;
  /** Param "beta" per column: beta / (the output's scale) + zero point, in units of 2^-betaShift. */
  readonly beta: Int16Array;
  readonly gammaShift: number;
  readonly betaShift: number;
}

/**
 * Gamma and beta as codes. The largest gamma has 15 bits, or fewer where its unit would be too far from beta's.
 * @throws LutraError "unsupported" if a beta is 2^29 output codes or more, "bad-argument" if they differ in length
 */
export function normParameters(
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  output: IntegerFormat,
): NormParameters {
  if (gamma.length !== beta.length) {
    throw new LutraError("bad-argument", `${gamma.length} columns of gamma, but ${beta.length} of beta`);
  }
  const offsets = Array.from(beta, (each) => each / output.scale + output.zeroPoint);
  const furthest = largestOf(offsets);
  let betaShift: number = betaBits(output);
  while (furthest * 2 ** betaShift >= LARGEST_BETA - 1 && betaShift > -MOST_BETA_SHIFT) betaShift--;
  const wrong = offsets.findIndex((offset) => !(Math.abs(offset) * 2 ** betaShift < LARGEST_BETA - 1));
  if (wrong >= 0) throw new LutraError("unsupported", `beta ${beta[wrong]} is too far beyond the output's codes`);
  const factors = Array.from(gamma, (each) => (each * gamma.length) / output.scale);
  const { shift } = toMultipliers([largestOf(factors) || 1], GAMMA_BITS);
  const gammaShift = Math.min(shift, MOST_BETA_SHIFT + betaShift - unitBits(gamma.length));
  return {
    gamma: Int16Array.from(factors, (factor) => Math.floor(factor * 2 ** gammaShift + 0.5)),
    beta: Int16Array.from(offsets, (offset) => Math.floor(offset * 2 ** betaShift + 0.5)),
    gammaShift,
    betaShift,
  };
}

function largestOf(numbers: readonly number[]): number {
  return numbers.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
}

function betaBits(output: IntegerFormat): number {
  return output.bits <= 8 ? BETA_BITS.byte : BETA_BITS.word;
}

/** U: a normalized number is within sqrt(columns), so that 2^U / columns times it has 16 bits. */
function unitBits(columns: number): number {
  return 15 + Math.floor(exponentOf(columns) / 2);
}

/**
 * LayerNorm to codes: (x - mean) / sqrt(variance + epsilon) gamma + beta, of n columns whose differences to the mean have up to b bits:
 *   r = floor(x / 2^w) - round(mean / 2^w), w the least shift that leaves r within k bits, for which the sum of n squares stays below 2^31
 *   v = n sum r^2 - (sum r)^2 + epsilon in that unit = m 4^h, m in [1, 4); R = T_rsqrt(m), rounded to 14 bits
 *   u = (x R - sum x R / n) / 2^(h + w + 14 - U), of 16 bits, U = 15 + floor(log4 n)
 *   y = (u gamma + beta 2^(U + gammaShift - betaShift)) / 2^(U + gammaShift)
 * for 1 / deviation = n R 2^-(14 + h + w), and no difference is more than sqrt(n) deviations. Quotients are rounded half up; the mean is exact,
 * and the variance is that of r. Hole "rsqrt". Measured against binary64 over seeded rows of 1 to 4096 columns, with and without outliers, in
 * output codes: within 0.57 for 8 bits, of which 1/2 is the last rounding (16 optimal segments; 0.8 with a mantissa of 8 bits and all its
 * answers), within 13 for s16.11.
 * @throws LutraError "unsupported" for inputs of more than 16 bits, unsigned ones of 16, for zero points, for an epsilon that is the
 * square of the input's range or more, if gamma is 2^30 / sqrt(n) output codes or more, or if `coarse` is no power of two times the output's scale
 */
export function layerNormCodes(options: NormCodesOptions): Kernel {
  const row = begun("layer-norm", options);
  const { build, x, top, bottom } = row;
  const n = build.integer(options.columns);
  const sum = build.reduce("add", x);
  const above = build.binary("sub", build.binary("mul", top, n), sum);
  const below = build.binary("sub", sum, build.binary("mul", bottom, n));
  // n times a difference, rounded up beyond the difference itself.
  const times = build.divide(build.binary("max", build.binary("max", above, below), build.integer(0)), n, "floor");
  const bits = build.bits(build.binary("add", times, build.integer(1)));
  const shift = shiftOf(build, bits, options);
  const centre = build.shiftRight(build.divide(sum, n, "half-even"), shift, "half-up");
  const short = build.binary("sub", build.shiftRight(x, shift, "floor"), centre);
  const r = limited(build, build.cast(build.cast(short, "i16"), "i32"), options);
  const wide = build.cast(build.reduce("add", r), "i64");
  const squares = build.binary("mul", squaresOf(build, r), build.cast(n, "i64"));
  const v = build.binary("sub", squares, build.binary("mul", wide, wide));
  const { half, root } = rootOf(build, withEpsilon(row, v, shift, options), options);
  const mean = build.divide(
    build.binary("mul", build.cast(sum, "i64"), build.cast(root, "i64")),
    build.cast(n, "i64"),
    "half-up",
  );
  const scaled = build.binary("sub", build.binary("mul", x, root), build.cast(mean, "i32"));
  return finish(row, { scaled, half, shift }, options);
}

/**
 * RMSNorm to codes: x / sqrt(mean of squares + epsilon) gamma + beta. As layerNormCodes with a mean of 0: r = x / 2^w, rounded half up.
 * @throws as layerNormCodes
 */
export function rmsNormCodes(options: NormCodesOptions): Kernel {
  const row = begun("rms-norm", options);
  const { build, x, top, bottom } = row;
  const zero = build.integer(0);
  const size = build.binary("max", top, build.binary("sub", zero, bottom));
  const bits = build.bits(build.binary("max", size, zero));
  const shift = shiftOf(build, bits, options);
  const r = limited(build, build.shiftRight(x, shift, "half-up"), options);
  const v = build.binary("mul", squaresOf(build, r), build.integer(options.columns, "i64"));
  const { half, root } = rootOf(build, withEpsilon(row, v, shift, options), options);
  return finish(row, { scaled: build.binary("mul", x, root), half, shift }, options);
}

/** A kernel under construction, and of its input the codes and each row's ends. */
interface Row {
  readonly build: KernelBuilder;
  readonly spec: Spec;
  readonly scale: number;
  readonly x: number;
  readonly top: number;
  /** By -1 - x, which the input's own bits hold. */
  readonly bottom: number;
}

function begun(fn: string, { input, output, columns }: NormCodesOptions): Row {
  const format = symmetric(fn, input);
  if (format.bits > 16 || (format.bits === 16 && !format.signed)) {
    throw refuse(fn, format, "its codes are within 16 bits, signed");
  }
  if (!(Number.isInteger(columns) && columns >= 1 && columns <= LONGEST_ROW)) {
    throw new RangeError(`rows of 1 to ${LONGEST_ROW} codes, got ${columns}`);
  }
  const build = new KernelBuilder();
  const x = build.cast(build.codes("x", "element", format), "i32");
  const minusOne = build.integer(-1);
  const flipped = build.reduce("max", build.binary("sub", minusOne, x));
  const spec: Spec = { fn, domain: valuesOf(format), input: format, output, maxRow: columns };
  const top = build.reduce("max", x);
  return { build, spec, scale: format.scale, x, top, bottom: build.binary("sub", minusOne, flipped) };
}

/** Bits of r: the most for which a row of squares sums to less than 2^31, r being up to 2 beyond them by its roundings. */
function squareBits(columns: number): number {
  let bits = 0;
  const sum = (largest: number): number => columns * largest * largest;
  while (sum(2 ** (bits + 1) + 2) < 2 ** 31) bits++;
  return bits;
}

/** w: by how much numbers of so many bits are shifted to become r. */
function shiftOf(build: KernelBuilder, bits: number, { columns }: NormCodesOptions): number {
  return build.binary("max", build.binary("sub", bits, build.integer(squareBits(columns))), build.integer(0));
}

/** r as it is: a limit that changes nothing, for the ranges. */
function limited(build: KernelBuilder, r: number, { columns }: NormCodesOptions): number {
  const largest = 2 ** squareBits(columns) + 2;
  return build.binary("min", build.binary("max", r, build.integer(-largest)), build.integer(largest));
}

function squaresOf(build: KernelBuilder, r: number): number {
  return build.cast(build.reduce("add", build.binary("mul", r, r)), "i64");
}

/** v and columns^2 epsilon / 4^w. */
function withEpsilon({ build, scale }: Row, v: number, shift: number, { epsilon, columns }: NormCodesOptions): number {
  const unit = columns / scale;
  const code = Math.floor(epsilon * unit * unit + 0.5);
  if (!(code >= 0 && code <= LARGEST_EPSILON)) {
    throw new LutraError("unsupported", `an epsilon of ${epsilon} is beyond the input's codes`, {
      note: "it is from 0 to about the square of the largest input",
    });
  }
  const twice = build.shiftLeft(shift, build.integer(1));
  return build.binary("add", v, build.shiftRight(build.integer(code, "i64"), twice, "half-up"));
}

interface Scaled {
  /** The row's numbers times R. */
  readonly scaled: number;
  readonly half: number;
  readonly shift: number;
}

/** u, y and the output's codes. */
function finish({ build, spec }: Row, { scaled, half, shift }: Scaled, options: NormCodesOptions): Kernel {
  const { output, gammaShift, beta, coarse, betaShift = betaBits(output) } = options;
  const unit = unitBits(options.columns);
  const places = build.binary("add", build.binary("add", half, shift), build.integer(FACTOR_BITS - unit));
  // Below only in rows of one number, which give u = 0; beyond only where epsilon is far above the variance.
  const amount = build.binary("min", build.binary("max", places, build.integer(0)), build.integer(LONGEST_SHIFT));
  const u = build.cast(build.cast(build.shiftRight(scaled, amount, "half-up"), "i16"), "i32");
  const product = build.binary("mul", u, build.cast(build.param("gamma", "column", "i16"), "i32"));
  const last = unit + gammaShift;
  checkShifts(last, last - betaShift, options);
  const sum = beta ? build.binary("add", product, offsetOf(build, last - betaShift)) : product;
  const y = build.shiftRight(sum, build.integer(last), "half-up");
  const codes = toCodes(build, y, beta ? { ...output, zeroPoint: 0 } : output);
  return coarse === undefined
    ? build.finish(spec, codes)
    : build.finish(spec, codes, rounded(build, codes, output, coarse));
}

function offsetOf(build: KernelBuilder, shift: number): number {
  const beta = build.param("beta", "column", "i16", [1 - LARGEST_BETA, LARGEST_BETA - 1]);
  return build.binary("mul", build.cast(beta, "i32"), build.integer(2 ** shift));
}

/** @throws LutraError "unsupported" */
function checkShifts(last: number, ofBeta: number, { beta, gammaShift }: NormCodesOptions): void {
  const isWithin = last >= 1 && last <= LONGEST_SHIFT && !(beta && (ofBeta < 0 || ofBeta > MOST_BETA_SHIFT));
  if (isWithin) return;
  throw new LutraError(
    "unsupported",
    `a gamma of up to 2^${GAMMA_BITS - gammaShift} output codes, times the columns, leaves no room for products`,
    { note: "normParameters says which shifts fit; give an output of a larger scale" },
  );
}

/** Codes in a coarser format. @throws LutraError "unsupported" */
function rounded(build: KernelBuilder, codes: number, output: IntegerFormat, coarse: IntegerFormat): number {
  const shift = exponentOf(coarse.scale / output.scale);
  const isPower = coarse.scale === powerOfTwo(shift) * output.scale;
  if (!isPower || shift < 1 || shift > 15 || output.zeroPoint !== 0) {
    throw new LutraError("unsupported", `a second result of ${coarse.scale / output.scale} times the output's scale`, {
      note: "it is 2^1 to 2^15 times the scale of an output without a zero point",
    });
  }
  return toCodes(build, build.shiftRight(build.cast(codes, "i32"), build.integer(shift), "half-up"), coarse);
}

/** 1/sqrt(v) = root 2^-half, root with 14 fraction bits; of v = 0 as of 1. */
function rootOf(
  build: KernelBuilder,
  v: number,
  { mantissaBits = 16 }: NormCodesOptions,
): { readonly half: number; readonly root: number } {
  const positive = build.binary("max", v, build.integer(1, "i64"));
  const half = build.shiftRight(build.binary("sub", build.bits(positive), build.integer(1)), build.integer(1), "floor");
  const zero = build.integer(0);
  const excess = build.binary("sub", build.shiftLeft(half, build.integer(1)), build.integer(mantissaBits - 2));
  const shifted = build.shiftRight(positive, build.binary("max", excess, zero), "half-up");
  // At most 2^mantissaBits, and that only by rounding up.
  const within = build.cast(build.binary("min", shifted, build.integer(2 ** mantissaBits - 1, "i64")), "i32");
  const mantissa = build.shiftLeft(within, build.binary("max", build.binary("sub", zero, excess), zero));
  const spec: Spec = {
    fn: "rsqrt",
    domain: { lo: 1, hi: 4 - 2 ** (2 - mantissaBits) },
    input: integerFormat(false, mantissaBits, 2 ** (2 - mantissaBits)),
    output: integerFormat(true, 16, 2 ** -ROOT_BITS),
  };
  const root = build.lookup("rsqrt", spec, build.cast(mantissa, mantissaBits === 8 ? "u8" : "u16"));
  // No root is below 0, which the format does not say.
  const positiveRoot = build.binary("max", build.cast(root, "i32"), zero);
  return { half, root: build.shiftRight(positiveRoot, build.integer(ROOT_BITS - FACTOR_BITS), "half-up") };
}
