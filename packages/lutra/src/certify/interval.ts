// Certificates by interval proof: a binary32 table against its function, over every binary32 input of a domain.

import { hash, type Work } from "../base/index.ts";
import type { Fn } from "../fn/index.ts";
import { type Format, fromOrdered32, type Interval, MAX_BINARY32, toOrdered32, ulpOf } from "../num/index.ts";
import { evaluate, segmentCount, type Table } from "../table/index.ts";
import { extremes } from "./bound.ts";
import { deadByReach } from "./dead.ts";
import { type Piece, piecesOf } from "./pieces.ts";
import { type Reference, referenceOf } from "./reference.ts";
import type { Certificate, Measure, SegmentError } from "./types.ts";
import { type BoundedPiece, type Weight, worstOf } from "./worst.ts";

/** What an interval proof finds out about a table. */
export type IntervalProof = Pick<
  Certificate,
  "shown" | "over" | "absolute" | "relative" | "ulp" | "mse" | "offBy" | "undecided" | "segments" | "dead"
>;

/**
 * Proves the error of a table against a function on every binary32 input of the domain. Independent of the function's identities:
 * every octave is proven by itself.
 * @throws LutraError "infeasible" if the error is not finite somewhere, "unsupported" for integer outputs
 */
export function* proveTable(
  table: Table,
  hole: string,
  fn: Fn,
  domain: Interval,
  relativeFloor: number,
): Work<IntervalProof> {
  const reference = referenceOf(fn);
  const bounded = yield* boundPieces(piecesOf(table, domain), reference);
  const weights = weightsOf(table.spec.output, relativeFloor);
  const question = { table, reference, side: "both" } as const;
  const absolute = yield* worstOf({ ...question, weight: weights.absolute, name: "absolute" }, bounded);
  const relative = yield* worstOf({ ...question, weight: weights.relative, name: "relative" }, bounded);
  const ulp = yield* worstOf({ ...question, weight: weights.ulp, name: "ulp" }, bounded);
  return {
    shown: "interval",
    over: overWords(domain),
    absolute,
    relative: { ...relative, floor: relativeFloor },
    ulp,
    mse: null,
    offBy: null,
    undecided: 0,
    segments: summarise(table, hole, bounded, reference),
    dead: deadByReach(
      table,
      hole,
      bounded.map(({ piece }) => piece),
    ),
  };
}

/** Far above every output format; keeps an infinite enclosure from asking for the ulp of infinity. */
const LARGEST_WITH_ULP = 2 ** 1000;

export const MEASURES: readonly Measure[] = ["absolute", "relative", "ulp"];

/** What an error counts under each measure of a certificate, where |f| has a given size. */
export function weightsOf(output: Format, relativeFloor: number): Readonly<Record<Measure, Weight>> {
  return {
    absolute: () => 1,
    relative: (f) => 1 / Math.max(f, relativeFloor),
    ulp: (f) => 1 / ulpOf(output, Math.min(f, LARGEST_WITH_ULP)),
  };
}

/** The pieces of a table with the extremes of each line minus the function. */
export function* boundPieces(pieces: readonly Piece[], reference: Reference): Work<BoundedPiece[]> {
  const bounded: BoundedPiece[] = [];
  for (const [i, piece] of pieces.entries()) {
    if (i % 256 === 0) yield { stage: "bounding each line", done: i, total: pieces.length };
    bounded.push({ piece, extremes: extremes(piece, reference, piece.first, piece.last) });
  }
  return bounded;
}

/** Inputs per piece for the mean errors. */
const SAMPLES_PER_PIECE = 4;

function summarise(
  table: Table,
  hole: string,
  bounded: readonly BoundedPiece[],
  reference: Reference,
): readonly SegmentError[] {
  const bySegment: BoundedPiece[][] = Array.from({ length: segmentCount(table) }, () => []);
  for (const one of bounded) bySegment[one.piece.segment]?.push(one);
  return bySegment.map((pieces, segment) => summariseSegment(table, hole, segment, pieces, reference));
}

function summariseSegment(
  table: Table,
  hole: string,
  segment: number,
  pieces: readonly BoundedPiece[],
  { fn }: Reference,
): SegmentError {
  const range = signedRange(pieces);
  let inputs = 0;
  let sum = 0;
  let squares = 0;
  for (const { piece } of pieces) {
    const first = toOrdered32(piece.first);
    const count = toOrdered32(piece.last) - first + 1;
    inputs += count;
    for (let i = 0; i < SAMPLES_PER_PIECE; i++) {
      const x = fromOrdered32(first + Math.floor(((i + 0.5) / SAMPLES_PER_PIECE) * count));
      const error = evaluate(table, x) - fn.evaluate(x);
      sum += (error * count) / SAMPLES_PER_PIECE;
      squares += (error * error * count) / SAMPLES_PER_PIECE;
    }
  }
  const reached = pieces.flatMap(({ piece }) => [piece.from, piece.to]);
  return {
    hole,
    segment,
    from: pieces.length === 0 ? null : Math.min(...reached),
    to: pieces.length === 0 ? null : Math.max(...reached),
    count: null,
    minError: range.lo,
    maxError: range.hi,
    meanError: sum / Math.max(1, inputs),
    meanSquare: squares / Math.max(1, inputs),
    digest: hash(pieces.map(({ piece: p }) => [p.first, p.last, p.slope, p.intercept])),
  };
}

/** Everything that delivered - f can be, rounding included. */
function signedRange(bounded: readonly BoundedPiece[]): Interval {
  let lo = Infinity;
  let hi = -Infinity;
  for (const { piece, extremes: e } of bounded) {
    lo = Math.min(lo, e.min - piece.rounding);
    hi = Math.max(hi, e.max + piece.rounding);
  }
  return bounded.length === 0 ? { lo: 0, hi: 0 } : { lo, hi };
}

/** "every finite binary32 from -8 to 0". */
function overWords({ lo, hi }: Interval): string {
  if (lo <= -MAX_BINARY32 && hi >= MAX_BINARY32) return "every finite binary32";
  const low = lo <= -MAX_BINARY32 ? "" : ` from ${lo}`;
  const high = hi >= MAX_BINARY32 ? "" : ` to ${hi}`;
  return `every finite binary32${low}${high}`;
}
