// The line of least largest weighted error over a run of points: Chebyshev's, by exchange on three points (Remez).

import type { Interval } from "../num/index.ts";
import type { Piece } from "./pwl.ts";

/** Targets and weights of a discrete minimax problem; x ascending, all of one length, weights positive. */
export interface Targets {
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly weights: Float64Array;
}

export interface MinimaxLine {
  readonly piece: Piece;
  /** Largest weighted error over the run. */
  readonly error: number;
}

const MAX_EXCHANGES = 200;
/** The exchange ends when no error exceeds the levelled one by more than this share. */
const LEVEL: number = 2 ** -44;

/**
 * The best line over the points from ... to - 1 whose value at x = 0 lies in `zero`, if 0 is one of them (anything for null). The
 * least error with a given value there is convex in it: the free line's if that is allowed, else the nearest end.
 */
export function minimaxLine(targets: Targets, from: number, to: number, zero: Interval | null = null): MinimaxLine {
  const free = freeLine(targets, from, to);
  if (zero === null || !((targets.x[from] as number) <= 0 && 0 <= (targets.x[to - 1] as number))) return free;
  const { slope, x, y } = free.piece;
  const value = y - slope * x;
  if (zero.lo < zero.hi && zero.lo <= value && value <= zero.hi) return free;
  return anchoredLine(targets, from, to, value < zero.lo ? zero.lo : zero.hi);
}

const SLOPE_STEPS = 200;

/** The best line through (0, value): the largest error is convex in the slope, and the worst point tells which way is down. */
function anchoredLine(targets: Targets, from: number, to: number, value: number): MinimaxLine {
  const { x, y, weights } = targets;
  const through = (slope: number): Piece => ({ slope, x: 0, y: value });
  let low = Infinity;
  let high = -Infinity;
  for (let i = from; i < to; i++) {
    if (x[i] === 0) continue;
    const slope = ((y[i] as number) - value) / (x[i] as number);
    low = Math.min(low, slope);
    high = Math.max(high, slope);
  }
  if (low > high)
    return { piece: through(0), error: (weights[from] as number) * Math.abs((y[from] as number) - value) };
  for (let k = 0; k < SLOPE_STEPS && low < high; k++) {
    const slope = low + (high - low) / 2;
    const { at, above } = worstPoint(targets, from, to, through(slope));
    if (above === (x[at] as number) > 0) low = slope;
    else high = slope;
    if (slope === low + (high - low) / 2) break;
  }
  const piece = through(low + (high - low) / 2);
  return { piece, error: worstPoint(targets, from, to, piece).error };
}

/**
 * The best line over the points from, from + 1, ..., to - 1. The levelled error of three points is a lower bound for any line
 * over them, and every exchange raises it, so at the end it is the optimum up to rounding.
 */
function freeLine(targets: Targets, from: number, to: number): MinimaxLine {
  const { x, y } = targets;
  const origin = x[from] as number;
  if (to - from === 1) return { piece: { slope: 0, x: origin, y: y[from] as number }, error: 0 };
  const slope = ((y[to - 1] as number) - (y[from] as number)) / ((x[to - 1] as number) - origin);
  const chord: Piece = { slope, x: origin, y: y[from] as number };
  if (to - from === 2) return { piece: chord, error: 0 };
  const first = worstPoint(targets, from, to, chord);
  let best: MinimaxLine = { piece: chord, error: first.error };
  let reference: readonly [number, number, number] = [from, Math.min(to - 2, Math.max(from + 1, first.at)), to - 1];
  for (let k = 0; k < MAX_EXCHANGES; k++) {
    const { piece, level } = levelled(targets, reference);
    const worst = worstPoint(targets, from, to, piece);
    if (worst.error < best.error) best = { piece, error: worst.error };
    if (worst.error <= Math.abs(level) * (1 + LEVEL)) break;
    const next = exchange(reference, level >= 0, worst.at, worst.above);
    if (next.every((point, i) => point === reference[i])) break;
    reference = next;
  }
  return best;
}

/** The point of largest weighted error, and whether the target lies above the line there. */
function worstPoint(
  { x, y, weights }: Targets,
  from: number,
  to: number,
  piece: Piece,
): { at: number; error: number; above: boolean } {
  let at = from;
  let error = -1;
  let above = true;
  for (let i = from; i < to; i++) {
    const difference = (y[i] as number) - piece.y - piece.slope * ((x[i] as number) - piece.x);
    const weighted = Math.abs(difference) * (weights[i] as number);
    if (weighted > error) {
      error = weighted;
      at = i;
      above = difference > 0;
    }
  }
  return { at, error, above };
}

/** The line whose weighted errors at three points are level, -level, level. Solved relative to the first point. */
function levelled(
  { x, y, weights }: Targets,
  [i, j, k]: readonly [number, number, number],
): { piece: Piece; level: number } {
  const span = (x[k] as number) - (x[i] as number);
  const share = ((x[j] as number) - (x[i] as number)) / span;
  const rise = (y[k] as number) - (y[i] as number);
  const sag = share * rise - ((y[j] as number) - (y[i] as number));
  const stiffness = 1 / (weights[j] as number) + (1 - share) / (weights[i] as number) + share / (weights[k] as number);
  const level = sag / stiffness;
  const left = level / (weights[i] as number);
  const slope = (rise - level / (weights[k] as number) + left) / span;
  return { piece: { slope, x: x[i] as number, y: (y[i] as number) - left }, level };
}

/** Brings point m into the reference so that the signs of the errors still alternate. `outer`: ends lie above the line. */
function exchange(
  [i, j, k]: readonly [number, number, number],
  outer: boolean,
  m: number,
  above: boolean,
): readonly [number, number, number] {
  const likeEnds = above === outer;
  if (m < i) return likeEnds ? [m, j, k] : [m, i, j];
  if (m > k) return likeEnds ? [i, j, m] : [j, k, m];
  if (m < j) return likeEnds ? [m, j, k] : [i, m, k];
  return likeEnds ? [i, j, m] : [i, m, k];
}
