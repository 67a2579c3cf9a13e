// What a composed proof asks about one table: signed relative error on a range, absolute error on another, values that cannot occur.

import type { Work } from "../base/index.ts";
import { parseFn } from "../fn/index.ts";
import { type Interval, iv } from "../num/index.ts";
import { evaluate, type Table } from "../table/index.ts";
import { boundPieces } from "./interval.ts";
import { type Piece, piecesOf } from "./pieces.ts";
import { type Reference, referenceOf } from "./reference.ts";
import { type BoundedPiece, type Weight, worstOf } from "./worst.ts";

/** A filled hole with its function. */
export interface Subject {
  readonly table: Table;
  readonly reference: Reference;
}

export function subjectOf(table: Table, fn: string): Subject {
  return { table, reference: referenceOf(parseFn(fn)) };
}

/** The range of table(x) / f(x) over the domain, proven. f must be positive there. @throws LutraError "infeasible" */
export function* proveRatio(subject: Subject, domain: Interval): Work<Interval> {
  const { below, above } = yield* proveSigned(subject, domain, (f) => 1 / f);
  return iv.add(iv.interval(1), { lo: -below, hi: above });
}

/** The range of table(x) - f(x) over the domain, proven. @throws LutraError "infeasible" */
export function* proveDifference(subject: Subject, domain: Interval): Work<Interval> {
  const { below, above } = yield* proveSigned(subject, domain, () => 1);
  return { lo: -below, hi: above };
}

function* proveSigned(
  { table, reference }: Subject,
  domain: Interval,
  weight: Weight,
): Work<{ readonly below: number; readonly above: number }> {
  const bounded = yield* boundPieces(piecesOf(table, domain), reference);
  const question = { table, reference, weight };
  const below = yield* worstOf({ ...question, side: "below", name: "negative" }, bounded);
  const above = yield* worstOf({ ...question, side: "above", name: "positive" }, bounded);
  return { below: below.upper, above: above.upper };
}

/** Bounds on what a piece delivers. */
export function answersOf({ first, last, slope, intercept, rounding }: Piece): Interval {
  const atFirst = slope * first + intercept;
  const atLast = slope * last + intercept;
  const slack =
    rounding + (slope === 0 ? 0 : (Math.abs(atFirst) + Math.abs(atLast) + 2 * Math.abs(intercept)) * 2 ** -51);
  return { lo: Math.min(atFirst, atLast) - slack, hi: Math.max(atFirst, atLast) + slack };
}

/** The greatest input at and below which (down to -Infinity itself) the table answers exactly 0; null if there is none. */
export function zeroUpTo({ table }: Subject, pieces: readonly Piece[]): number | null {
  if (evaluate(table, -Infinity) !== 0) return null;
  let last: number | null = null;
  for (const piece of pieces) {
    const { lo, hi } = answersOf(piece);
    if (lo !== 0 || hi !== 0) break;
    last = piece.last;
  }
  return last;
}

/** A way to split the inputs x <= 0 of an exponential: relative error from `cut` up, absolute error below. */
export interface Cut {
  readonly cut: number;
  /** table / exp on [cut, 0] and |table - exp| below the cut, roughly: from whole pieces. */
  readonly ratio: Interval;
  readonly below: number;
}

/** Every cut between two pieces, from the top down, with the errors on either side: cheap bounds, to choose by. */
export function cutsOf(bounded: readonly BoundedPiece[], { fn }: Reference): readonly Cut[] {
  const cuts: Cut[] = [];
  const below: number[] = [0];
  for (const { piece, extremes: e } of bounded) {
    const size = Math.max(Math.abs(e.min), Math.abs(e.max)) + piece.rounding;
    below.push(Math.max(below.at(-1) as number, size));
  }
  let ratio: Interval = { lo: 1, hi: 1 };
  for (let i = bounded.length - 1; i >= 0; i--) {
    const { piece, extremes: e } = bounded[i] as BoundedPiece;
    const least = fn.enclose({ lo: piece.first, hi: piece.first }).lo;
    if (!(least > 0)) break;
    ratio = {
      lo: Math.min(ratio.lo, 1 + (e.min - piece.rounding) / least),
      hi: Math.max(ratio.hi, 1 + (e.max + piece.rounding) / least),
    };
    cuts.push({ cut: piece.first, ratio, below: below[i] as number });
  }
  return cuts;
}
