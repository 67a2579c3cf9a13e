// Softermax (Stevens et al., DAC 2021): softmax in base 2, with an integer maximum so that every rescaling is a shift, in
// fixed point. Computed with the maximum of the whole row. The online form (running maximum, sums rescaled by a
// shift when it rises) is equal in exact arithmetic; in these formats it also drops the bits that its rescaling shifts out.

import { fill, type Kernel, KernelBuilder, laneOf } from "../kernel/index.ts";
import { type IntegerFormat, integerFormat } from "../num/index.ts";
import type { Table } from "../table/index.ts";

/**
 * Bit widths of input, powers, sum, reciprocal and output: Q(6,2), Q(1,15), Q(10,6), Q(1,7), Q(1,7), as the paper's table is cited; its own
 * text was not at hand to check them. Rounding and the reciprocal's normalisation are chosen here: everything truncates, the
 * reciprocal is that of the sum's mantissa.
 * Input codes count quarters of an octave: q is read as x = q ln(2) / 4, so that 2^(q/4) is exp(x) and base 2 costs no multiplication.
 */
const INPUT = integerFormat(true, 8, Math.LN2 / 4);
const FRACTION = integerFormat(false, 2, 1 / 4);
const UNNORMED = integerFormat(false, 16, 2 ** -15);
const SUM = integerFormat(false, 16, 2 ** -6);
const MANTISSA = integerFormat(false, 16, 2 ** -15);
const RECIPROCAL = integerFormat(false, 8, 2 ** -7);
const OUTPUT = integerFormat(false, 8, 2 ** -7);

/** Fraction bits of the input. */
const QUARTERS = 2;
/** Bits from a sum of UNNORMED to SUM. */
const SUM_SHIFT = 9;
/** Linear pieces of the power and reciprocal units. */
const PIECES = 4;

/**
 * Softermax of a row of int8 codes: u = 2^(q/4 - M) with M = ceil(max q / 4), d = sum u, p = u / d, in Q(1,7).
 * No hole is left: the tables of 2^f and 1/m belong to the method.
 */
export function softermax(maxRow: number): Kernel {
  const build = new KernelBuilder();
  const number = (value: number): number => build.integer(value);
  const q = build.cast(build.codes("x", "element", INPUT), "i32");
  const up = build.binary("add", build.reduce("max", q), number(2 ** QUARTERS - 1));
  const top = build.shiftLeft(build.shiftRight(up, number(QUARTERS), "floor"), number(QUARTERS));
  const difference = build.binary("sub", q, top);
  const octave = build.shiftRight(difference, number(QUARTERS), "floor");
  const fraction = build.binary("sub", difference, build.shiftLeft(octave, number(QUARTERS)));
  const power = build.cast(build.lookup("exp2", POWERS.spec, build.cast(fraction, laneOf(FRACTION))), "i32");
  const fall = build.binary("min", build.binary("max", build.binary("sub", number(0), octave), number(0)), number(31));
  const unnormed = build.shiftRight(power, fall, "floor");
  const whole = build.shiftRight(build.reduce("add", build.cast(unnormed, "i64")), number(SUM_SHIFT), "floor");
  // The largest share is above 1/2, so the sum is never 0: interval analysis needs the maximum to see it.
  const sum = build.binary("max", build.cast(build.cast(whole, laneOf(SUM)), "i32"), number(1));
  const length = build.bits(sum);
  const mantissa = build.shiftLeft(sum, build.binary("sub", number(16), length));
  const inverse = build.lookup("reciprocal", RECIPROCALS.spec, build.cast(mantissa, laneOf(MANTISSA)));
  const product = build.binary("mul", build.cast(unnormed, "i64"), build.cast(inverse, "i64"));
  // u r 2^-22 / 2^(length - 7) in units of 2^-7.
  const p = build.shiftRight(product, build.binary("add", length, number(8)), "floor");
  const spec = {
    fn: "softmax",
    domain: { lo: -32 * Math.LN2, hi: 31.75 * Math.LN2 },
    input: INPUT,
    output: OUTPUT,
    maxRow,
  };
  return fill(build.finish(spec, build.cast(p, laneOf(OUTPUT))), { exp2: POWERS, reciprocal: RECIPROCALS });
}

/** 2^f at the ends of the paper's four pieces: two fraction bits never ask between them, so slopes would not be used. */
const POWERS: Table = table("exp2", FRACTION, UNNORMED, {
  index: { rule: "direct", first: 0 },
  coefficients: [
    [1, Math.sqrt(Math.SQRT2), Math.SQRT2, Math.SQRT2 * Math.sqrt(Math.SQRT2)].map((y) => Math.round(y * 2 ** 15)),
  ],
  shift: 0,
});

/** Chords of 1/m on [1, 2), m in 16-bit codes from 2^15 on; slopes with 2^20 as their unit. */
const RECIPROCALS: Table = reciprocals();

function reciprocals(): Table {
  const shift = 20;
  const at = (i: number): number => (128 * PIECES) / (PIECES + i);
  const width = 2 ** 15 / PIECES;
  const pieces = Array.from({ length: PIECES }, (_, i) => {
    const slope = Math.round(((at(i + 1) - at(i)) / width) * 2 ** shift);
    return { slope, intercept: Math.round(at(i) * 2 ** shift) - slope * (2 ** 15 + i * width) };
  });
  return table("reciprocal", MANTISSA, RECIPROCAL, {
    index: { rule: "uniform", first: 2 ** 15, width },
    coefficients: [pieces.map(({ intercept }) => intercept), pieces.map(({ slope }) => slope)],
    shift,
  });
}

function table(
  fn: string,
  input: IntegerFormat,
  output: IntegerFormat,
  rest: Pick<Table, "index" | "coefficients" | "shift">,
): Table {
  const domain = fn === "exp2" ? { lo: 0, hi: 0.75 } : { lo: 1, hi: 2 - 2 ** -15 };
  return {
    spec: { fn, domain, input, output },
    reductions: [],
    clamp: [-Infinity, Infinity],
    rounding: "floor",
    ...rest,
  };
}
