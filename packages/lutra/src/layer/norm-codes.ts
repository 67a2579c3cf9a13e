// LayerNorm and RMSNorm of a row of integer codes in integers alone, around one table of 1/sqrt on [1, 4). Shifts follow each row's largest
// number: elements stay within 16 bits, their products within 32, and quiet rows keep their precision.

import { LutraError } from "../base/index.ts";
import { type Kernel, KernelBuilder } from "../kernel/index.ts";
import { exponentOf, type Format, type IntegerFormat, integerFormat, toMultipliers, valuesOf } from "../num/index.ts";
import type { Spec } from "../table/index.ts";
import { refuse, symmetric, toCodes } from "./codes.ts";

/** Fraction bits of 1/sqrt. */
const ROOT_BITS = 15;
/** Bits of the largest gamma. */
const GAMMA_BITS = 15;
const LONGEST_ROW = 2 ** 15;
const LARGEST_BETA = 2 ** 29;
const LARGEST_EPSILON = 2 ** 52;
/** Shifts of a product with gamma: below 2^30, so that half a unit can be added to it; the longest leaves 2 of it. */
const SHORTEST_SHIFT = 1;
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
  /** Bits of the hole's input, 16 if absent; 8 is few enough for a table of all answers (192 entries). */
  readonly mantissaBits?: 8 | 16;
}

export interface NormParameters {
  /** Param "gamma" per column: gamma columns / (the output's scale) in units of 2^-gammaShift. */
  readonly gamma: Int16Array;
  /** Param "beta" per column: beta / (the output's scale) + zero point, in 2^-6 (outputs of 8 bits) or 2^-2 (of more). */
  readonly beta: Int32Array;
  readonly gammaShift: number;
}

/**
 * Gamma and beta as codes. The largest gamma has 15 bits.
 * @throws LutraError "unsupported" if a beta is 2^23 output codes or more, "bad-argument" if they differ in length
 */
export function normParameters(
  gamma: ArrayLike<number>,
  beta: ArrayLike<number>,
  output: IntegerFormat,
): NormParameters {
  if (gamma.length !== beta.length) {
    throw new LutraError("bad-argument", `${gamma.length} columns of gamma, but ${beta.length} of beta`);
  }
  const factors = Array.from(gamma, (each) => (each * gamma.length) / output.scale);
  const largest = factors.reduce((most, factor) => Math.max(most, Math.abs(factor)), 0);
  const { shift } = toMultipliers([largest === 0 ? 1 : largest], GAMMA_BITS);
  const offsets = Array.from(beta, (each) => (each / output.scale + output.zeroPoint) * 2 ** fractionBits(output));
  const wrong = offsets.findIndex((offset) => !(Math.abs(offset) < LARGEST_BETA));
  if (wrong >= 0) throw new LutraError("unsupported", `beta ${beta[wrong]} is too far beyond the output's codes`);
  return {
    gamma: Int16Array.from(factors, (factor) => Math.floor(factor * 2 ** shift + 0.5)),
    beta: Int32Array.from(offsets, (offset) => Math.floor(offset + 0.5)),
    gammaShift: shift,
  };
}

/** Fraction bits of a product with gamma when beta is added. */
function fractionBits(output: IntegerFormat): number {
  return output.bits <= 8 ? 6 : 2;
}

/**
 * LayerNorm to codes: (x - mean) / sqrt(variance + epsilon) gamma + beta, of n columns whose differences to the mean have up to b bits:
 *   r = floor(x / 2^w) - round(mean / 2^w), w the least shift that leaves r within k bits, for which the sum of n squares stays below 2^31
 *   v = n sum r^2 - (sum r)^2 + epsilon in that unit = m 4^h, m in [1, 4); R = T_rsqrt(m) of 15 bits
 *   u = (x R - sum x R / n) / 2^b, of 16 bits; y = (u gamma / 2^(h + w + 15 - b + gammaShift - f) + beta) / 2^f
 * for 1 / deviation = n R 2^-(15 + h + w). Quotients are rounded half up; the mean is exact, and the variance is that of r. Hole "rsqrt".
 * Measured against binary64 over seeded rows of 1 to 4096 columns, with and without outliers, in output codes: within 0.57 for 8 bits, of
 * which 1/2 is the last rounding (16 optimal segments; 0.8 with a mantissa of 8 bits and all its answers), within 12 for s16.11.
 * @throws LutraError "unsupported" for inputs of more than 16 bits, unsigned ones of 16, for zero points, for an epsilon that is the
 * square of the input's range or more, or if gamma is 2^13 output codes or more (8 bits) or 2^17
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
  return finish(row, { scaled, bits, half, shift }, options);
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
  return finish(row, { scaled: build.binary("mul", x, root), bits, half, shift }, options);
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
  readonly bits: number;
  readonly half: number;
  readonly shift: number;
}

/** u, y and the output's codes. */
function finish({ build, spec }: Row, { scaled, bits, half, shift }: Scaled, options: NormCodesOptions): Kernel {
  const { output, gammaShift, beta } = options;
  const u = build.cast(build.cast(build.shiftRight(scaled, bits, "half-up"), "i16"), "i32");
  const gamma = build.cast(build.param("gamma", "column", "i16"), "i32");
  const fraction = fractionBits(output);
  const octaves = build.binary("sub", build.binary("add", half, shift), bits);
  const places = build.binary("add", octaves, build.integer(ROOT_BITS + gammaShift - fraction));
  checkGamma(options);
  // Below only in rows of one number, which give u = 0; beyond only where epsilon is far above the variance.
  const amount = build.binary(
    "min",
    build.binary("max", places, build.integer(SHORTEST_SHIFT)),
    build.integer(LONGEST_SHIFT),
  );
  const y = build.shiftRight(build.binary("mul", u, gamma), amount, "half-up");
  const offset = beta
    ? build.param("beta", "column", "i32", [-LARGEST_BETA, LARGEST_BETA - 1])
    : build.integer(output.zeroPoint * 2 ** fraction);
  const code = build.shiftRight(build.binary("add", y, offset), build.integer(fraction), "half-up");
  return build.finish(spec, toCodes(build, code, { ...output, zeroPoint: 0 }));
}

/** h + w - b is at least log2(columns) / 2 - 3 in a row that is not constant. @throws LutraError "unsupported" */
function checkGamma({ output, columns, gammaShift }: NormCodesOptions): void {
  const least = Math.floor(exponentOf(columns) / 2) - 3 + ROOT_BITS + gammaShift - fractionBits(output);
  if (least >= SHORTEST_SHIFT) return;
  throw new LutraError(
    "unsupported",
    `a gamma of up to 2^${GAMMA_BITS - gammaShift} output codes leaves no room for products`,
    {
      note: "give an output of a larger scale",
    },
  );
}

/** 1/sqrt(v) = root 2^-half, root with 15 fraction bits; of v = 0 as of 1. */
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
  return { half, root: build.binary("max", build.cast(root, "i32"), zero) };
}
