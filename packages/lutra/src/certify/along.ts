// Rounding analysis along a piece: every intermediate quantity of the table as a real line in the input plus an error bound.
// Each rule mirrors one rounded operation of the definition in table/types.ts. Bounds hold for every binary32 input of the piece.

import { LutraError } from "../base/index.ts";
import { exponentOf, type Format, MAX_BINARY32, powerOfTwo, ulp32, ulpOf } from "../num/index.ts";
import type { Reduction, Table } from "../table/index.ts";
import { octaveOf, type Place } from "./locate.ts";

/** |quantity - (slope x + intercept)| <= error. */
export interface Along {
  readonly slope: number;
  readonly intercept: number;
  readonly error: number;
}

/** First and last input of a piece. */
export interface Ends {
  readonly first: number;
  readonly last: number;
}

export function constantAlong(value: number): Along {
  return { slope: 0, intercept: value, error: 0 };
}

const INPUT: Along = { slope: 1, intercept: 0, error: 0 };

/** Follows one way through the table, before the output format: arguments inward, answers outward. */
export function answerAlong(table: Table, at: Place, ends: Ends): Along {
  const inputs: Along[] = [INPUT];
  at.steps.forEach((step, depth) => {
    const reduction = table.reductions[depth] as Reduction;
    const input = inputs[depth] as Along;
    inputs.push(step.constant ? constantAlong(step.argument) : argumentAlong(reduction, step.branch, input, ends));
  });
  const argument = at.clamped ? constantAlong(at.argument) : (inputs.at(-1) as Along);
  let answer = at.segment < 0 ? constantAlong(Number.NaN) : lineAlong(table, at.segment, argument, ends);
  for (let depth = at.steps.length - 1; depth >= 0; depth--) {
    const reduction = table.reductions[depth] as Reduction;
    const input = inputs[depth] as Along;
    answer = carryBack(reduction, at.steps[depth]?.branch as number, input, answer, ends);
  }
  return answer;
}

/** The argument behind one reduction, on one branch of it. */
function argumentAlong(reduction: Reduction, branch: number, x: Along, ends: Ends): Along {
  switch (reduction.by) {
    case "odd":
    case "even":
      return branch === 0 ? scaled(x, -1) : x;
    case "reflect":
    case "complement":
      return branch === 1 ? scaled(x, -1) : x;
    case "octave":
      return scaled(x, powerOfTwo(-reduction.step * branch));
    case "logarithm":
      return scaled(x, powerOfTwo(-branch));
    case "exponential": {
      // z = fround(factor x). z - j is a multiple of ulp(z) below 1, so exact, unless z is in (-1, 0) and finer than 2^-24: z + 1 is
      // then rounded below 1, by half of 2^-24 at most, and by 2^-53 on the way through binary64.
      const product = scaled(x, reduction.factor);
      const z = withError(product, halfUlp(magnitudeOf(product, ends)));
      const argument = branch === -1 ? withError(z, 2 ** -25 + 2 ** -53) : z;
      return { ...argument, intercept: argument.intercept - branch };
    }
    default:
      return reduction satisfies never;
  }
}

/** fround(fround(slope t) + intercept) along a piece. */
function lineAlong(table: Table, segment: number, t: Along, ends: Ends): Along {
  const slope = table.coefficients[1]?.[segment] ?? 0;
  const product = scaled(t, slope);
  const rounded = withError(product, productError(slope, magnitudeOf(product, ends)));
  return sumAlong(rounded, constantAlong(table.coefficients[0]?.[segment] as number), ends);
}

/** The answer of one reduction from that of the table behind it. `x` is the reduction's own argument. */
function carryBack(reduction: Reduction, branch: number, x: Along, answer: Along, ends: Ends): Along {
  switch (reduction.by) {
    case "odd":
      return branch === 0 ? scaled(answer, -1) : answer;
    case "even":
      return answer;
    case "reflect":
      return branch === 1 ? sumAlong(answer, x, ends) : answer;
    case "complement":
      return branch === 1 ? sumAlong(constantAlong(1), scaled(answer, -1), ends) : answer;
    case "octave":
      return timesPowerOfTwo(answer, reduction.power * octaveOf(branch, reduction.step));
    case "logarithm": {
      const octaves = Math.fround(reduction.perOctave * octaveOf(branch, 1));
      return sumAlong(answer, constantAlong(octaves), ends);
    }
    case "exponential":
      if (Number.isNaN(answer.intercept)) return constantAlong(branch < 0 ? 0 : Infinity);
      return timesPowerOfTwo(answer, branch);
    default:
      return reduction satisfies never;
  }
}

function scaled(x: Along, factor: number): Along {
  return {
    slope: x.slope * factor,
    intercept: x.intercept * factor,
    error: x.error * Math.abs(factor),
  };
}

/** Exact but for subnormal results. */
function timesPowerOfTwo(x: Along, n: number): Along {
  return withError(scaled(x, powerOfTwo(n)), n < 0 && (x.slope !== 0 || x.intercept !== 0) ? 2 ** -150 : 0);
}

/**
 * The rounded sum of two binary32 quantities. Its error is at most half an ulp of the sum; it is also at most either operand, for the
 * other operand is a binary32 value that near. Rounding through binary64 first can only choose wrongly next to a tie, where that operand
 * is half an ulp, 2^-25 of the sum or more: the 2^-52 of the sum that is then lost is 2^-27 of the operand. 0 adds no error.
 */
function sumAlong(a: Along, b: Along, ends: Ends): Along {
  const slope = a.slope + b.slope;
  const intercept = a.intercept + b.intercept;
  // The sums of slopes and intercepts themselves, in binary64.
  const slopeError = a.slope !== 0 && b.slope !== 0 ? Math.abs(slope) * 2 ** -53 : 0;
  const interceptError = a.intercept !== 0 && b.intercept !== 0 ? Math.abs(intercept) * 2 ** -53 : 0;
  const sum: Along = {
    slope,
    intercept,
    error: a.error + b.error + slopeError * Math.max(Math.abs(ends.first), Math.abs(ends.last)) + interceptError,
  };
  const half = halfUlp(magnitudeOf(sum, ends));
  if (half === Infinity) return withError(sum, half);
  const operand = Math.min(magnitudeOf(a, ends), magnitudeOf(b, ends));
  return withError(sum, Math.min(half, operand * (1 + 2 ** -27)));
}

function withError(x: Along, more: number): Along {
  return { ...x, error: x.error + more };
}

/** Largest magnitude of the quantity along the piece: a line is largest at an end. */
export function magnitudeOf({ slope, intercept, error }: Along, { first, last }: Ends): number {
  const largest = Math.max(Math.abs(slope * first + intercept), Math.abs(slope * last + intercept));
  // This line's own evaluation in binary64 is exact if there is nothing to add and the product has 48 bits. Otherwise two roundings,
  // of 2^-53 each, twice over.
  const exact = slope === 0 || (intercept === 0 && Math.fround(slope) === slope);
  const farthest = Math.max(Math.abs(first), Math.abs(last));
  return largest + error + (exact ? 0 : (Math.abs(slope) * farthest + Math.abs(intercept)) * 2 ** -51);
}

/**
 * What surely does not overflow: less than half an ulp (2^-25 of it) beyond the largest binary32 rounds down to it. Bounds on magnitudes
 * exceed them by some binary64 ulps, which must not make an answer of 3.4e38 one that overflows.
 */
const NO_OVERFLOW = MAX_BINARY32 * (1 + 2 ** -26);

/**
 * Error of rounding a real of at most this magnitude to binary32. By way of binary64, which puts a tie off by 2^-53 of the magnitude,
 * 2^-29 of half an ulp: whence the last factor. Infinite on overflow.
 */
function halfUlp(magnitude: number): number {
  if (magnitude === 0) return 0;
  return magnitude <= NO_OVERFLOW ? (ulp32(Math.min(magnitude, MAX_BINARY32)) / 2) * (1 + 2 ** -28) : Infinity;
}

/** Error of one rounded product: powers of two only lose bits to underflow. */
function productError(factor: number, magnitude: number): number {
  const size = Math.abs(factor);
  if (size === 0 || size !== powerOfTwo(exponentOf(size))) return size === 0 ? 0 : halfUlp(magnitude);
  return magnitude > MAX_BINARY32 ? Infinity : size >= 1 ? 0 : 2 ** -150;
}

/** The last rounding, to an output format narrower than binary32. @throws LutraError "unsupported" for integer outputs */
export function roundOutput(output: Format, value: Along, ends: Ends): Along {
  if (output.kind === "integer") {
    throw new LutraError("unsupported", "an interval proof needs a floating-point output format");
  }
  const magnitude = magnitudeOf(value, ends);
  if (output.name === "binary32" || magnitude === 0) return value;
  return withError(value, ulpOf(output, magnitude) / 2);
}
