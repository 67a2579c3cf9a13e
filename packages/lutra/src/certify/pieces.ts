// A binary32 table as real lines: the runs of inputs on which it is one line, that line in real arithmetic, and a bound on what
// rounding adds to it, from the exact sequence of operations. Nothing here knows the function being approximated.

import { LutraError } from "../base/index.ts";
import {
  ceil32,
  codeRange,
  type Format,
  floor32,
  fromOrdered32,
  type Interval,
  MAX_BINARY32,
  toOrdered32,
  ulpOf,
} from "../num/index.ts";
import { evaluate, type Table } from "../table/index.ts";
import { type Along, answerAlong, constantAlong, magnitudeOf, roundOutput } from "./along.ts";
import { locate, pathOf } from "./locate.ts";

/**
 * A run of inputs on which a table is one line:
 * |evaluate(table, x) - (slope x + intercept)| <= rounding for every binary32 x in [first, last].
 */
export interface Piece {
  readonly first: number;
  readonly last: number;
  readonly slope: number;
  readonly intercept: number;
  readonly rounding: number;
  /** -1 where a reduction answers without asking the table (underflow of the exponential). */
  readonly segment: number;
  /** Arguments of the segment's line at the first and last input. */
  readonly from: number;
  readonly to: number;
}

/** With more pieces than this a proof would take minutes. */
const MAX_PIECES = 1 << 20;

/** The finite binary32 inputs in an interval as ordered keys; null if there are none. */
function inputKeys(domain: Interval): { readonly first: number; readonly last: number } | null {
  const first = toOrdered32(Math.max(-MAX_BINARY32, ceil32(domain.lo)));
  const last = toOrdered32(Math.min(MAX_BINARY32, floor32(domain.hi)));
  return first <= last ? { first, last } : null;
}

/**
 * The pieces that cover every finite binary32 input in the domain, in order.
 * @throws LutraError "infeasible" if the table overflows on one of them or has more than a million pieces, "bad-table" if a number
 * in it is not a binary32, "unsupported" if its output is not a floating-point format
 */
export function piecesOf(table: Table, domain: Interval): readonly Piece[] {
  checkNumbers(table);
  const keys = inputKeys(domain);
  if (keys === null) return [];
  return runsOf(table, keys.first, keys.last).map(([first, last]) =>
    pieceOf(table, fromOrdered32(first), fromOrdered32(last)),
  );
}

/**
 * The runs of inputs that take the same way through the table, in order, from one ordered key to another: first and last key of each.
 * @throws LutraError "infeasible" if there are more than a million
 */
export function runsOf(table: Table, first: number, last: number): readonly (readonly [first: number, last: number])[] {
  const starts = [first];
  const pathAt = (key: number): number => pathOf(table, fromOrdered32(key));
  splitRuns(first, pathAt(first), last, pathAt(last), pathAt, starts);
  return starts.map((start, i) => [start, (starts[i + 1] ?? last + 1) - 1]);
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

/**
 * The piece from `first` to `last`, two inputs that take the same way through the table.
 * @throws LutraError "infeasible" if the table's answer may not be finite in between
 */
export function pieceOf(table: Table, first: number, last: number): Piece {
  const at = locate(table, first);
  const ends = { first, last };
  const delivered: Along =
    first === last
      ? constantAlong(evaluate(table, first))
      : roundOutput(table.spec.output, answerAlong(table, at, ends), ends);
  if (!(magnitudeOf(delivered, ends) < overflowFrom(table.spec.output))) {
    throw new LutraError("infeasible", `the table's answer is not finite everywhere between ${first} and ${last}`, {
      where: `segment ${at.segment}`,
      note: "narrow the domain to where the function fits the output format",
    });
  }
  const { slope, intercept, error } = delivered;
  const to = locate(table, last).argument;
  return { first, last, slope, intercept, rounding: error, segment: at.segment, from: at.argument, to };
}

/**
 * An answer that overflows has a bound of at least this: 2^128 for binary32. Half an ulp of it is what real numbers may exceed the largest
 * answer by and still round to it, the other half what the bound adds for that rounding.
 */
function overflowFrom(output: Format): number {
  const { hi } = codeRange(output);
  return hi + ulpOf(output, hi);
}

/** The rounding analysis takes products of two of the table's numbers as exact in binary64: 24 bits each. */
function checkNumbers(table: Table): void {
  table.coefficients.forEach((column, degree) => {
    const i = column.findIndex((c) => Math.fround(c) !== c || !Number.isFinite(c));
    if (i >= 0) {
      throw new LutraError("bad-table", `a coefficient is not a finite binary32 number: ${column[i]}`, {
        where: `coefficients[${degree}][${i}]`,
      });
    }
  });
  for (const reduction of table.reductions) {
    const number =
      reduction.by === "exponential" ? reduction.factor : reduction.by === "logarithm" ? reduction.perOctave : 0;
    if (Math.fround(number) !== number) {
      throw new LutraError("bad-table", `the ${reduction.by} reduction's constant is not a binary32 number: ${number}`);
    }
  }
}
