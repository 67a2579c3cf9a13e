// A binary32 table as real lines: the runs of inputs on which it is one line, that line in real arithmetic, and a bound on what
// rounding adds to it. Nothing here knows the function being approximated.

import { LutraError } from "../base/index.ts";
import {
  ceil32,
  floor32,
  fromOrdered32,
  type Interval,
  MAX_BINARY32,
  MIN_NORMAL_BINARY32,
  powerOfTwo,
  toOrdered32,
  ulpOf,
} from "../num/index.ts";
import { evaluate, type Reduction, type Table } from "../table/index.ts";
import { locate, octaveOf, type Place, pathOf, reduceArgument } from "./locate.ts";

/**
 * On every binary32 input x in [first, last]: |evaluate(table, x) - ((lead + slope) x + intercept)| <= rounding.
 * `lead` is 0 or 1 and kept apart from the slope, so that x + T(-x) - f(x) can cancel exactly at huge x.
 */
export interface Piece {
  readonly first: number;
  readonly last: number;
  readonly lead: 0 | 1;
  readonly slope: number;
  readonly intercept: number;
  readonly rounding: number;
  /** -1 where a reduction answers without asking the table (underflow of the exponential). */
  readonly segment: number;
  /** Arguments of the segment's line at the first and last input. */
  readonly from: number;
  readonly to: number;
}

/** More pieces than this and a proof would take minutes. */
const MAX_PIECES = 1 << 20;

/** The binary32 inputs in an interval as ordered keys; null if there are none. Infinite ends stand for the largest finite value. */
export function inputKeys(domain: Interval): { readonly first: number; readonly last: number } | null {
  const first = toOrdered32(Math.max(-MAX_BINARY32, ceil32(domain.lo)));
  const last = toOrdered32(Math.min(MAX_BINARY32, floor32(domain.hi)));
  return first <= last ? { first, last } : null;
}

/**
 * The pieces that cover every binary32 input in the domain, in order.
 * @throws LutraError "infeasible" if the table overflows on one of them, or has more than a million pieces
 */
export function piecesOf(table: Table, domain: Interval): readonly Piece[] {
  const keys = inputKeys(domain);
  if (keys === null) return [];
  const starts = [keys.first];
  const pathAt = (key: number): number => pathOf(table, fromOrdered32(key));
  splitRuns(keys.first, pathAt(keys.first), keys.last, pathAt(keys.last), pathAt, starts);
  return starts.map((start, i) => pieceOf(table, fromOrdered32(start), fromOrdered32((starts[i + 1] ?? keys.last + 1) - 1)));
}

/** Appends the first key of every run between lo and hi but the one that lo is in. Equal ends have equal insides (see pathOf). */
function splitRuns(
  lo: number,
  pathLo: number,
  hi: number,
  pathHi: number,
  pathAt: (key: number) => number,
  starts: number[],
): void {
  if (pathLo === pathHi) return;
  if (hi - lo === 1) {
    if (starts.length >= MAX_PIECES) throw new LutraError("infeasible", `the table has more than ${MAX_PIECES} pieces`);
    starts.push(hi);
    return;
  }
  const middle = Math.floor((lo + hi) / 2);
  const pathMiddle = pathAt(middle);
  splitRuns(lo, pathLo, middle, pathMiddle, pathAt, starts);
  splitRuns(middle, pathMiddle, hi, pathHi, pathAt, starts);
}

/** A quantity along a piece: lead * x + slope * x + intercept, off by at most `error`. */
interface Along {
  readonly lead: 0 | 1;
  readonly slope: number;
  readonly intercept: number;
  readonly error: number;
}

interface Ends {
  readonly first: number;
  readonly last: number;
}

function pieceOf(table: Table, first: number, last: number): Piece {
  const at = locate(table, first);
  const end = locate(table, last);
  const span: Piece & Ends = {
    first,
    last,
    lead: 0,
    slope: 0,
    intercept: 0,
    rounding: 0,
    segment: at.segment,
    from: at.argument,
    to: end.argument,
  };
  const value = first === last ? constant(evaluate(table, first)) : answerAlong(table, at, span);
  const delivered = roundOutput(table, value, span);
  const { lead, slope, intercept, error } = delivered;
  if (!(magnitudeOf(delivered, span) < Infinity)) {
    throw new LutraError("infeasible", `the table's answer is not finite at ${first}`, {
      note: "narrow the domain to where the function fits the output format",
    });
  }
  return { ...span, lead, slope, intercept, rounding: error };
}

function constant(value: number): Along {
  return { lead: 0, slope: 0, intercept: value, error: 0 };
}

/** Follows one way through the table: arguments inward, answers outward. */
function answerAlong(table: Table, at: Place, ends: Ends): Along {
  const inputs: Along[] = [{ lead: 0, slope: 1, intercept: 0, error: 0 }];
  for (const [depth, step] of at.steps.entries()) {
    const reduction = table.reductions[depth] as Reduction;
    const input = inputs[depth] as Along;
    inputs.push(step.constant ? constant(step.argument) : argumentAlong(reduction, step.branch, input, ends));
  }
  const argument = at.clamped ? constant(at.argument) : (inputs.at(-1) as Along);
  let answer = at.segment < 0 ? constant(Number.NaN) : lineAlong(table, at.segment, argument, ends);
  for (let depth = at.steps.length - 1; depth >= 0; depth--) {
    const branch = at.steps[depth]?.branch as number;
    answer = carryBack(table.reductions[depth] as Reduction, branch, inputs[depth] as Along, answer, ends);
  }
  return answer;
}

/** The argument behind one reduction, on one branch of it. */
function argumentAlong(reduction: Reduction, branch: number, x: Along, ends: Ends): Along {
  switch (reduction.by) {
    case "odd":
    case "even":
      return branch === 0 ? negated(x) : x;
    case "reflect":
    case "complement":
      return branch === 1 ? negated(x) : x;
    case "octave":
      return scaled(x, powerOfTwo(-reduction.step * branch));
    case "logarithm":
      return scaled(x, powerOfTwo(-branch));
    case "exponential": {
      // z = fround(factor x); z - j is a multiple of ulp(z) below 1, so exact, unless z is in (-1, 0) and finer than 2^-24.
      const product = scaled(x, reduction.factor);
      const z = withError(product, halfUlp(magnitudeOf(product, ends)));
      const difference = withError(z, branch === -1 ? 2 ** -25 + 2 ** -53 : 0);
      return { ...difference, intercept: difference.intercept - branch };
    }
    default:
      return reduction satisfies never;
  }
}

/** fround(fround(slope t) + intercept) along a piece. */
function lineAlong(table: Table, segment: number, t: Along, ends: Ends): Along {
  const slope = table.coefficients[1]?.[segment] ?? 0;
  const intercept = table.coefficients[0]?.[segment] as number;
  const product = scaled(t, slope);
  const rounded = withError(product, isExactFactor(slope) ? 0 : halfUlp(magnitudeOf(product, ends)));
  return sumAlong(rounded, constant(intercept), ends);
}

/** The answer of one reduction from that of the table behind it. `x` is the reduction's own argument. */
function carryBack(reduction: Reduction, branch: number, x: Along, answer: Along, ends: Ends): Along {
  switch (reduction.by) {
    case "odd":
      return branch === 0 ? negated(answer) : answer;
    case "even":
      return answer;
    case "reflect":
      return branch === 1 ? sumAlong(answer, asLead(x), ends) : answer;
    case "complement":
      return branch === 1 ? sumAlong(constant(1), negated(answer), ends) : answer;
    case "octave":
      return shiftedBy(answer, reduction.power * octaveOf(branch, reduction.step));
    case "logarithm":
      return sumAlong(answer, constant(Math.fround(reduction.perOctave * octaveOf(branch, 1))), ends);
    case "exponential":
      if (Number.isNaN(answer.intercept)) return constant(branch < 0 ? 0 : Infinity);
      return shiftedBy(answer, branch);
    default:
      return reduction satisfies never;
  }
}

/** x itself, kept as the lead rather than as a slope of 1. */
function asLead(x: Along): Along {
  return x.slope === 1 && x.lead === 0 ? { ...x, lead: 1, slope: 0 } : x;
}

function negated({ lead, slope, intercept, error }: Along): Along {
  return lead === 0
    ? { lead, slope: -slope, intercept: -intercept, error }
    : { lead: 0, slope: -1 - slope, intercept: -intercept, error: error + Math.abs(slope) * 2 ** -53 * MAX_BINARY32 };
}

function scaled(x: Along, factor: number): Along {
  const slope = (x.lead + x.slope) * factor;
  return { lead: 0, slope, intercept: x.intercept * factor, error: x.error * Math.abs(factor) };
}

/** Times 2^n, rounded to binary32: exact but for subnormal results. */
function shiftedBy(x: Along, n: number): Along {
  const factor = powerOfTwo(n);
  return withError(scaled(x, factor), n < 0 ? 2 ** -150 : 0);
}

/**
 * The rounded sum of two binary32 quantities. Its rounding error is at most half an ulp of the sum, and at most either operand: the
 * other operand is itself a binary32 value that near.
 */
function sumAlong(a: Along, b: Along, ends: Ends): Along {
  const sum: Along = {
    lead: a.lead === 1 || b.lead === 1 ? 1 : 0,
    slope: a.slope + b.slope,
    intercept: a.intercept + b.intercept,
    error: a.error + b.error,
  };
  const half = halfUlp(magnitudeOf(sum, ends));
  return withError(sum, Math.min(half, magnitudeOf(a, ends), magnitudeOf(b, ends)));
}

function withError(x: Along, more: number): Along {
  return { ...x, error: x.error + more };
}

/** Largest magnitude along the piece, error included: a line is largest at an end. */
function magnitudeOf({ lead, slope, intercept, error }: Along, { first, last }: Ends): number {
  const atFirst = Math.abs((lead + slope) * first + intercept);
  const atLast = Math.abs((lead + slope) * last + intercept);
  return (Math.max(atFirst, atLast) + error) * (1 + 2 ** -50);
}

/** Bound on the error of rounding a real of at most this magnitude to binary32, by way of binary64 (whence the last factor). */
function halfUlp(magnitude: number): number {
  return magnitude <= MAX_BINARY32 ? Math.max(ulpBelow(magnitude), 2 ** -149) * 0.5 * (1 + 2 ** -28) : Infinity;
}

function ulpBelow(magnitude: number): number {
  return ulpOf({ kind: "float", name: "binary32" }, magnitude);
}

/** Multiplying by it never rounds: 0 and powers of two of at least 1. */
function isExactFactor(factor: number): boolean {
  const size = Math.abs(factor);
  return size === 0 || (size >= 1 && size < Infinity && size === powerOfTwo(Math.round(exponent(size))));
}

function exponent(size: number): number {
  let e = 0;
  for (let p = 1; p < size; p *= 2) e++;
  return e;
}

function roundOutput(table: Table, value: Along, ends: Ends): Along {
  const { output } = table.spec;
  if (output.kind === "integer") {
    throw new LutraError("unsupported", "an interval proof needs a floating-point output format");
  }
  if (output.name === "binary32") return value;
  const magnitude = magnitudeOf(value, ends);
  return withError(value, Math.max(ulpOf(output, magnitude), MIN_NORMAL_BINARY32 * 2 ** -23) / 2);
}

export { reduceArgument };
