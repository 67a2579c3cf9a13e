// Continuous forms inside a tube: whether linked lines can stay in it. With free knots the fewest links are found exactly, by turning
// off each extremal line as late as it allows (Imai and Iri 1986, Suri 1986); with given knots the values they can reach.

import type { Interval } from "../num/index.ts";
import { type Piece, pieceAt } from "./pwl.ts";
import { longestRun, type Tube } from "./tube.ts";

/** Lines given for the two ends. */
export interface Ends {
  readonly head: Piece | null;
  readonly tail: Piece | null;
}

/** Stands for no gate, in multiples of the tube's whole height: beyond what any line of a cover does there. */
const OPEN = 256;

/**
 * Where continuous lines turn: real x, ascending, of a form in the tube with at most `limit` lines (given ones included), or null
 * if there is none. A line that must rise at gate f leaves the steepest one between its last ceiling p and f; below it before and
 * above it after, it meets the ceilings from p on, and the floors from f on: the next run starts at p without floors up to f.
 */
export function linkedTurns(tube: Tube, { head, tail }: Ends, limit: number): readonly number[] | null {
  const n = tube.x.length;
  const gates: Tube = { x: tube.x, lo: tube.lo.slice(), hi: tube.hi.slice() };
  const open = OPEN * heightOf(tube);
  const lines: Piece[] = [];
  let from = 0;
  if (head !== null) {
    const f = firstOutside(tube, head);
    lines.push(head);
    if (f === n && (tail === null || head === tail)) return [];
    if (f < n) turnOff(gates, head, 0, f, open);
  }
  for (;;) {
    if (tail !== null && lines.length + 2 <= limit) {
      const last = lineOnto(gates, tail, from, open);
      if (last !== null) return crossings([...lines, last, tail]);
    }
    if (lines.length >= limit || from >= n) return null;
    const run = longestRun(gates, from, n);
    const f = run.end;
    if (f === n) return tail === null ? crossings([...lines, between(run.flattest.piece, run.steepest.piece)]) : null;
    if (f === from || !((gates.lo[f] as number) <= (gates.hi[f] as number))) return null;
    const rises = pieceAt(run.steepest.piece, gates.x[f] as number) < (gates.lo[f] as number);
    const { piece, at } = rises ? run.steepest : run.flattest;
    if (!Number.isFinite(piece.slope)) return null;
    lines.push(piece);
    for (let i = at; i < f; i++)
      (rises ? gates.lo : gates.hi)[i] = pieceAt(piece, gates.x[i] as number) + (rises ? -open : open);
    from = at;
  }
}

function heightOf({ lo, hi }: Tube): number {
  return hi.reduce((most, y) => Math.max(most, y), -Infinity) - lo.reduce((least, y) => Math.min(least, y), Infinity);
}

/** The first point that a line does not serve. */
function firstOutside({ x, lo, hi }: Tube, piece: Piece): number {
  let i = 0;
  while (i < x.length && inside(pieceAt(piece, x[i] as number), lo[i] as number, hi[i] as number)) i++;
  return i;
}

function inside(y: number, lo: number, hi: number): boolean {
  return lo <= y && y <= hi;
}

/** Gates for lines that leave a given one between points `from` and f, where it fails. */
function turnOff({ x, lo, hi }: Tube, piece: Piece, from: number, f: number, open: number): void {
  const rises = pieceAt(piece, x[f] as number) < (lo[f] as number);
  const start = pieceAt(piece, x[from] as number);
  for (let i = from; i < f; i++) (rises ? lo : hi)[i] = pieceAt(piece, x[i] as number) + (rises ? -open : open);
  if (f > from) (rises ? hi : lo)[from] = start;
}

/** A line from point `from` through the gates that turns onto a given last line before the points end, or null. */
function lineOnto({ x, lo, hi }: Tube, tail: Piece, from: number, open: number): Piece | null {
  const n = x.length;
  let start = n;
  while (
    start > from &&
    inside(pieceAt(tail, x[start - 1] as number), lo[start - 1] as number, hi[start - 1] as number)
  )
    start--;
  if (start === n) return null;
  const gates: Tube = { x, lo: lo.slice(), hi: hi.slice() };
  const end = pieceAt(tail, x[n - 1] as number);
  const falls = start === from || pieceAt(tail, x[start - 1] as number) < (lo[start - 1] as number);
  for (let i = start; i < n; i++)
    (falls ? gates.lo : gates.hi)[i] = pieceAt(tail, x[i] as number) + (falls ? -open : open);
  (falls ? gates.hi : gates.lo)[n - 1] = end;
  const run = longestRun(gates, from, n);
  return run.end === n ? between(run.flattest.piece, run.steepest.piece) : null;
}

/** The line halfway between the extremal ones of a run: where they cross, the mean of their slopes. */
function between(flattest: Piece, steepest: Piece): Piece {
  if (!Number.isFinite(flattest.slope) || !Number.isFinite(steepest.slope)) return { ...steepest, slope: 0 };
  const x = crossing(flattest, steepest) ?? flattest.x;
  return { x, y: pieceAt(flattest, x), slope: (flattest.slope + steepest.slope) / 2 };
}

function crossings(lines: readonly Piece[]): readonly number[] {
  return lines.slice(1).map((line, i) => crossing(lines[i] as Piece, line) ?? line.x);
}

function crossing(left: Piece, right: Piece): number | null {
  const x = left.x + (pieceAt(right, left.x) - left.y) / (left.slope - right.slope);
  return Number.isFinite(x) ? x : null;
}

/** Slopes that linked lines may have: not negative (1), not positive (-1), any (0). */
export type Direction = -1 | 0 | 1;

/**
 * Values at given knots (points, ascending, where neighbouring lines meet) of linked lines in the tube, or null if there are none.
 * Behind each knot the values that can be reached are an interval; from the last one back, the middle of what still leads there.
 * `fixed` are values that a knot must have, NaN for any.
 */
export function linkedValues(
  tube: Tube,
  knots: readonly number[],
  fixed: readonly number[],
  direction: Direction,
): number[] | null {
  const reached: Interval[] = [];
  const slopes = { least: direction > 0 ? 0 : -Infinity, greatest: direction < 0 ? 0 : Infinity };
  for (let k = 0; k < knots.length; k++) {
    const at = knots[k] as number;
    const gate = { lo: tube.lo[at] as number, hi: tube.hi[at] as number };
    const reach = k === 0 ? gate : reachOf(tube, knots[k - 1] as number, at, reached[k - 1] as Interval, slopes);
    const value = fixed[k] as number;
    if (reach === null || !(reach.lo <= reach.hi)) return null;
    if (Number.isNaN(value)) reached.push(reach);
    else if (reach.lo <= value && value <= reach.hi) reached.push({ lo: value, hi: value });
    else return null;
  }
  return chosenValues(tube, knots, reached, direction);
}

/** The values at point `to` of lines that pass `start` at point `from` and the gates behind it. */
function reachOf(
  { x, lo, hi }: Tube,
  from: number,
  to: number,
  start: Interval,
  slopes: { readonly least: number; readonly greatest: number },
): Interval | null {
  const [before, after] = [lo[from] as number, hi[from] as number];
  lo[from] = start.lo;
  hi[from] = start.hi;
  const { end, flattest, steepest } = longestRun({ x, lo, hi }, from, to + 1, slopes);
  lo[from] = before;
  hi[from] = after;
  if (end <= to) return null;
  const at = x[to] as number;
  const [bottom, top] = [lo[to] as number, hi[to] as number];
  return {
    lo: flattest.piece.slope === -Infinity ? bottom : Math.max(bottom, pieceAt(flattest.piece, at)),
    hi: steepest.piece.slope === Infinity ? top : Math.min(top, pieceAt(steepest.piece, at)),
  };
}

function chosenValues(
  { x, lo, hi }: Tube,
  knots: readonly number[],
  reached: readonly Interval[],
  direction: Direction,
): number[] {
  const values: number[] = [];
  for (let k = knots.length - 1; k >= 0; k--) {
    let { lo: least, hi: most } = reached[k] as Interval;
    const next = values[k + 1];
    if (next !== undefined) {
      const [from, to] = [knots[k] as number, knots[k + 1] as number];
      const [start, end] = [x[from] as number, x[to] as number];
      for (let i = from + 1; i < to; i++) {
        const share = (end - start) / (end - (x[i] as number));
        least = Math.max(least, next + ((lo[i] as number) - next) * share);
        most = Math.min(most, next + ((hi[i] as number) - next) * share);
      }
      if (direction > 0) most = Math.min(most, next);
      if (direction < 0) least = Math.max(least, next);
    }
    values[k] = (least + most) / 2;
  }
  return values;
}
