// CORDIC (Volder 1959; Walther 1971): exp, tanh, sqrt and 1/x by shifts and additions in fixed point, the number of iterations a
// parameter. Ranges are extended by powers of two, which are shifts: exp(x) = 2^k exp(x - k ln 2), tanh by exp, sqrt and 1/x by octaves.

import { type Kernel, KernelBuilder, laneOf } from "../kernel/index.ts";
import { codeRange, decode, exponentOf, type Format, type IntegerFormat, type Interval } from "../num/index.ts";
import { fixedPoint, refuse } from "./codes.ts";
import {
  exponential,
  gain,
  hyperbolicShifts,
  quotient,
  scaledRoot,
  stepAngle,
  UNIT,
  UNIT_BITS,
} from "./cordic-steps.ts";

export const CORDIC_FUNCTIONS = ["exp", "tanh", "sqrt", "reciprocal"] as const;
export type CordicFunction = (typeof CORDIC_FUNCTIONS)[number];

export interface CordicOptions {
  /** Steps of each rotation or division, 1 to 24; hyperbolic ones repeat the shifts 4 and 13, and a repetition counts. */
  readonly iterations: number;
  /** Fixed point: an integer format whose scale is a power of two, without zero point. */
  readonly output: Format;
}

/** Later steps are smaller than what 26 fraction bits round off. */
const MAX_ITERATIONS = 24;
/** Longer codes would pass 2^53 when they are brought to 26 fraction bits. */
const MAX_BITS = 24;
/** 1 / gain of the root, with so many fraction bits that the product stays below 2^53. */
const GAIN_BITS = 25;
const MAX_SHIFT = 62;
/** ln 2 with 26 fraction bits. */
const LN2 = Math.round(Math.LN2 * UNIT);
/** exp(-40) is below half of the finest output code. */
const LOWEST = -40;
/** Results of exp up to here stay below 2^53 on their way to the output. */
const MAX_OCTAVES = 22;

/** What a function's steps are given: codes q in i64 and both formats' fraction bits. */
interface Task {
  readonly build: KernelBuilder;
  readonly q: number;
  readonly input: IntegerFormat;
  readonly output: IntegerFormat;
  readonly inputFraction: number;
  readonly outputFraction: number;
  readonly iterations: number;
}

/**
 * One of the four functions in integers. sqrt counts codes below 0 as 0, 1/x codes below 1 as 1; results saturate, exp also where it
 * passes 2^20. Error: cordicBound, then half a code of the output.
 * @throws LutraError "unsupported" for formats that are not fixed point with 0 to 26 fraction bits, or for inputs of more than 24 bits;
 * RangeError for other numbers of iterations
 */
export function cordic(fn: CordicFunction, input: Format, { iterations, output }: CordicOptions): Kernel {
  checkIterations(iterations);
  const from = fixedPoint("cordic", input);
  const to = fixedPoint("cordic", output);
  if (from.format.bits > MAX_BITS) throw refuse("cordic", input, `its codes have at most ${MAX_BITS} bits`);
  const build = new KernelBuilder();
  const q = build.cast(build.codes("x", "element", from.format), "i64");
  const fractions = { inputFraction: from.fraction, outputFraction: to.fraction };
  const y = BODIES[fn]({ build, q, input: from.format, output: to.format, ...fractions, iterations });
  const { lo, hi } = codeRange(to.format);
  const codes = build.cast(clamped(build, y, lo, hi), laneOf(to.format));
  return build.finish({ fn, domain: domainOf(fn, from.format), input: from.format, output: to.format }, codes);
}

const BODIES: Readonly<Record<CordicFunction, (task: Task) => number>> = { exp, tanh, sqrt, reciprocal };

/** exp(x) = 2^k exp(r) with k = floor(x / ln 2 + 1/2), |r| <= ln(2) / 2. */
function exp(task: Task): number {
  const { build, q, input, inputFraction, output, outputFraction } = task;
  // Beyond the octave that fills the output everything saturates.
  const fills = bitsOf(codeRange(output).hi) - outputFraction + 1;
  const octaves = Math.max(0, Math.min(Math.ceil(decode(input, codeRange(input).hi) / Math.LN2), fills));
  if (octaves > MAX_OCTAVES) throw refuse("cordic exp", output, `its values pass 2^${MAX_OCTAVES - 2}`);
  const x = build.shiftLeft(q, build.integer(UNIT_BITS - inputFraction));
  const { power, octave } = exponentialOf(task, clamped(build, x, LOWEST * UNIT, octaves * LN2));
  return toOutput(task, power, octave, octaves, outputFraction);
}

/** tanh(|x|) = (1 - e) / (1 + e) with e = exp(-2 |x|); odd. */
function tanh(task: Task): number {
  const { build, q, inputFraction, outputFraction, iterations } = task;
  const zero = build.integer(0, "i64");
  const size = build.binary("max", q, build.binary("sub", zero, q));
  const doubled = build.shiftLeft(size, build.integer(UNIT_BITS - inputFraction + 1));
  const argument = build.binary("sub", zero, build.binary("min", doubled, build.integer(-LOWEST * UNIT, "i64")));
  const { power, octave } = exponentialOf(task, argument);
  const fall = build.binary("max", build.binary("sub", build.integer(0), octave), build.integer(0));
  const small = build.shiftRight(power, build.binary("min", fall, build.integer(MAX_SHIFT)), "floor");
  const one = build.integer(UNIT);
  const e = build.cast(clamped(build, small, 0, UNIT), "i32");
  const ratio = quotient(build, build.binary("sub", one, e), build.binary("add", one, e), iterations);
  const y = toOutput(task, build.cast(ratio, "i64"), build.integer(0), 0, outputFraction);
  return build.select(q, zero, build.binary("sub", zero, y), y);
}

/** sqrt(x) = 2^h sqrt(w) with w = x 4^-h in [1/2, 2). */
function sqrt(task: Task): number {
  const { build, q, input, inputFraction, outputFraction, iterations } = task;
  const one = build.integer(1, "i64");
  const positive = build.binary("max", q, one);
  const length = build.binary("sub", build.bits(positive), build.integer(inputFraction));
  const half = build.shiftRight(length, build.integer(1), "floor");
  const amount = build.binary("sub", build.integer(UNIT_BITS - inputFraction), build.binary("add", half, half));
  const w = build.cast(clamped(build, build.shiftLeft(positive, amount), UNIT / 2, 2 * UNIT - 1), "i32");
  const shifts = hyperbolicShifts(iterations);
  const scaled = build.cast(clamped(build, scaledRoot(build, w, shifts), 0, 2 * UNIT - 1), "i64");
  const inverse = build.integer(Math.round(2 ** GAIN_BITS / gain(shifts)), "i64");
  const root = build.shiftRight(build.binary("mul", scaled, inverse), build.integer(GAIN_BITS), "half-up");
  const most = Math.floor((bitsOf(codeRange(input).hi) - inputFraction) / 2);
  const y = toOutput(task, root, half, most, outputFraction);
  return build.select(q, one, build.integer(0, "i64"), y);
}

/** 1/x = 2^-e / m with m = x 2^-e in [1, 2). */
function reciprocal(task: Task): number {
  const { build, q, inputFraction, outputFraction, iterations } = task;
  const positive = build.binary("max", q, build.integer(1, "i64"));
  const length = build.bits(positive);
  const mantissa = build.shiftLeft(positive, build.binary("sub", build.integer(UNIT_BITS + 1), length));
  const m = build.cast(clamped(build, mantissa, UNIT, 2 * UNIT - 1), "i32");
  const inverse = build.cast(quotient(build, build.integer(UNIT), m, iterations), "i64");
  const exponent = build.binary("sub", build.integer(inputFraction + 1), length);
  return toOutput(task, inverse, exponent, inputFraction, outputFraction);
}

/** exp of a number x <= 24 ln 2 in i64: `power` times 2^`octave`. */
function exponentialOf({ build, iterations }: Task, x: number): { readonly power: number; readonly octave: number } {
  const half = build.integer(Math.floor(LN2 / 2), "i64");
  const octaveLength = build.integer(LN2, "i64");
  const shifted = build.binary("add", x, half);
  const octave = build.divide(shifted, octaveLength, "floor");
  const offset = build.binary("sub", shifted, build.binary("mul", octave, octaveLength));
  const rest = build.cast(build.binary("sub", offset, half), "i32");
  return { power: build.cast(exponential(build, rest, iterations), "i64"), octave: build.cast(octave, "i32") };
}

/** y 2^exponent in codes of the output, to the nearest, ties up; the exponent is at most `most`. */
function toOutput({ build }: Task, y: number, exponent: number, most: number, fraction: number): number {
  const left = Math.max(0, fraction + most - UNIT_BITS);
  const base = build.integer(UNIT_BITS - fraction + left);
  const amount = build.binary("min", build.binary("sub", base, exponent), build.integer(MAX_SHIFT));
  return build.shiftRight(build.shiftLeft(y, build.integer(left)), amount, "half-up");
}

/** Restricts a value: where it never leaves [lo, hi], this only shows so. */
function clamped(build: KernelBuilder, a: number, lo: number, hi: number): number {
  const lane = build.laneAt(a);
  return build.binary("min", build.binary("max", a, build.integer(lo, lane)), build.integer(hi, lane));
}

function bitsOf(code: number): number {
  return exponentOf(code) + 1;
}

function domainOf(fn: CordicFunction, format: IntegerFormat): Interval {
  const { lo, hi } = codeRange(format);
  const first = fn === "sqrt" ? Math.max(0, lo) : fn === "reciprocal" ? Math.max(1, lo) : lo;
  return { lo: decode(format, first), hi: decode(format, hi) };
}

/**
 * What CORDIC's error is at most before the output is rounded: relative for exp, sqrt and 1/x, absolute for tanh. By what an
 * iteration leaves of the angle (a step leaves max(angle, rest - angle)), and UNIT_BITS: a step truncates two numbers, later steps
 * enlarge that by at most 2.6.
 */
export function cordicBound(fn: CordicFunction, iterations: number): number {
  checkIterations(iterations);
  const unit = 1 / UNIT;
  const turned = rest(Math.LN2 / 2, hyperbolicShifts(iterations).map(stepAngle));
  const exponentialError = turned + turned * turned + (8 * iterations + 40) * unit;
  const divided = 2 ** -iterations + iterations * unit;
  switch (fn) {
    case "exp":
      return exponentialError;
    case "tanh":
      // |t(e') - t(e)| = 2 |e' - e| / ((1 + e) (1 + e')) with t(e) = (1 - e) / (1 + e), e at most 1.
      return exponentialError + 2 * unit + divided;
    case "sqrt": {
      // artanh((w - 1/4) / (w + 1/4)) = ln(4 w) / 2 is at most ln(8) / 2; cosh(t) - 1 <= 0.55 t^2 up to 0.6.
      const left = rest(1.5 * Math.LN2, hyperbolicShifts(iterations).map(stepAngle));
      return 0.55 * left * left + (10 * iterations + 10) * unit;
    }
    case "reciprocal":
      return 2 * divided;
    default:
      return fn satisfies never;
  }
}

function rest(largest: number, angles: readonly number[]): number {
  return angles.reduce((left, angle) => Math.max(angle, left - angle), largest);
}

/** @throws RangeError */
function checkIterations(iterations: number): void {
  if (Number.isInteger(iterations) && iterations >= 1 && iterations <= MAX_ITERATIONS) return;
  throw new RangeError(`iterations must be 1 to ${MAX_ITERATIONS}, got ${iterations}`);
}
