// Piecewise-linear forms in real numbers: what a method finds, before anything is stored. Never emitted.

import { ceil32, type Format, firstCodeFrom, nextUp32 } from "../num/index.ts";
import type { Index, Line } from "../table/index.ts";
import type { Points } from "./points.ts";

/** The line through (x, y) with a slope. Coefficients are rounded so that the line stays where it is at x. */
export interface Piece {
  readonly slope: number;
  readonly x: number;
  readonly y: number;
}

/** A table's index rule with one real line per segment. */
export interface Pwl {
  readonly index: Index;
  readonly pieces: readonly Piece[];
}

export function pieceAt(piece: Piece, x: number): number {
  return piece.y + piece.slope * (x - piece.x);
}

/** A line that must be met as it stands: anchored at 0. */
export function linePiece({ slope, intercept }: Line): Piece {
  return { slope, x: 0, y: intercept };
}

/** The first code at or above the real p: the breakpoint that compares exactly as p does. Null if beyond the last code. */
export function toBreakpoint(p: number, input: Format): number | null {
  return input.kind === "integer" ? firstCodeFrom(p, input) : ceil32(p);
}

/**
 * The pieces of segments that begin at given points, under the index rule "breakpoints". For integers a segment begins at its
 * first point; for floats where neighbouring lines cross, if that is between the last point of one and the first of the other.
 * `starts[s]` is the first point of segment s, not decreasing, `starts[0]` = 0; a segment without points lies beyond the points.
 */
export function fromStarts(points: Points, starts: ArrayLike<number>, pieces: readonly Piece[], input: Format): Pwl {
  const codes: number[] = [];
  for (let s = 1; s < pieces.length; s++) codes.push(breakpoint(points, starts[s] as number, pieces, s, input));
  return { index: { rule: "breakpoints", codes }, pieces };
}

function breakpoint(points: Points, start: number, pieces: readonly Piece[], s: number, input: Format): number {
  const n = points.codes.length;
  if (start >= n) {
    const last = points.codes[n - 1] as number;
    return input.kind === "integer" ? last + 1 : nextUp32(last);
  }
  const first = points.codes[start] as number;
  if (input.kind === "integer" || start === 0) return first;
  const crossing = crossingOf(pieces[s - 1] as Piece, pieces[s] as Piece);
  const previous = points.codes[start - 1] as number;
  return crossing > previous && crossing < first
    ? Math.max(nextUp32(previous), ceil32(crossing))
    : nearerEnd(crossing, previous, first);
}

/** The end of (previous, first] nearer to where the lines meet; `first` if they never do. */
function nearerEnd(crossing: number, previous: number, first: number): number {
  return crossing <= previous ? nextUp32(previous) : first;
}

function crossingOf(left: Piece, right: Piece): number {
  return left.x + (pieceAt(right, left.x) - left.y) / (left.slope - right.slope);
}
