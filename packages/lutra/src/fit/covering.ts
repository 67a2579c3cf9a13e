// Whether so many lines can stay within an error at every point, and which: a greedy cover from the left, longest runs first.
// Lines given as tails, prescribed borders and a prescribed answer at 0 are part of the question.

import { borderAfter, borderBefore } from "./borders.ts";
import { type MinimaxLine, minimaxLine, type Targets } from "./minimax.ts";
import { roundsOutput, tubeOf } from "./output-tube.ts";
import { linePiece, type Piece, pieceAt } from "./pwl.ts";
import type { StoredFormats } from "./stored.ts";
import { bestPair, longestStoredRun } from "./stored-tube.ts";
import type { Task } from "./task.ts";
import { cover, type LongestRun, longestRun, type Tube } from "./tube.ts";

/** Segments with a line each that stay within an error. */
export interface Covering {
  readonly starts: readonly number[];
  readonly error: number;
}

export interface Search {
  /** A cover within an error, or null if there is none. */
  within(error: number): Covering | null;
  /** The lines of a cover, with their largest errors before output rounding. */
  lines(covering: Covering): MinimaxLine[];
}

export function searcher(task: Task, formats: StoredFormats | null): Search {
  const { points, tails } = task;
  const targets: Targets = { x: points.x, y: points.y, weights: points.weights };
  const n = points.codes.length;
  const longest = longestOf(task, formats);
  const makeTube = tubeOf(task);
  const [below, above] = tails;
  const head = typeof below === "object" ? linePiece(below) : null;
  const tail = typeof above === "object" ? linePiece(above) : null;
  const rounds = roundsOutput(task.problem.spec.output);
  return {
    within(error) {
      const tube = makeTube(error);
      const starts = coverAll(task, tube, longest, head, tail);
      return starts === null ? null : { starts, error };
    },
    lines({ starts, error }) {
      const tube = makeTube(error);
      const room = rounds ? middle(tube) : targets;
      return starts.map((start, s) => {
        const end = starts[s + 1] ?? n;
        const imposed = s === 0 && head !== null ? head : s === starts.length - 1 ? tail : null;
        if (imposed !== null) return { piece: imposed, error: largest(targets, imposed, start, end) };
        if (formats !== null) return bestPair(tube, targets, start, end, formats);
        return minimaxLine(room, start, end, rounds ? null : task.zero);
      });
    },
  };
}

function longestOf({ borders }: Task, formats: StoredFormats | null): LongestRun {
  const longest: LongestRun =
    formats === null
      ? (tube, from, to) => longestRun(tube, from, to).end
      : (tube, from, to) => longestStoredRun(tube, from, to, formats);
  if (borders === null) return longest;
  // A part of a served run is served: it ends at the last border, or nowhere.
  return (tube, from, to) => {
    const end = longest(tube, from, to);
    return end === to ? to : Math.max(from, borderBefore(borders, end) ?? from);
  };
}

/** First points of the segments, as in fromStarts; null if the task's segments do not suffice. */
function coverAll(
  task: Task,
  tube: Tube,
  longest: LongestRun,
  head: Piece | null,
  tail: Piece | null,
): readonly number[] | null {
  const { borders, segments } = task;
  const n = tube.x.length;
  const from = head === null ? 0 : headEnd(task, prefix(tube, head));
  const to = tail === null ? n : tailStart(task, suffix(tube, tail), from ?? 0);
  if (from === null || to === null) return null;
  const free = segments - (head === null ? 0 : 1) - (tail === null ? 0 : 1);
  const starts = cover(tube, longest, from, to, free);
  if (starts === null) return null;
  if (borders?.all === true) return [0, ...borders.starts];
  return [...(head === null ? [] : [0]), ...starts, ...(tail === null ? [] : [to])];
}

/** Where the line below hands over: as late as it serves and a border allows; null if there is no such border. */
function headEnd({ borders }: Task, served: number): number | null {
  if (borders === null) return served;
  const [first] = borders.starts;
  if (borders.all) return first !== undefined && first <= served ? first : null;
  return borderBefore(borders, served);
}

/** Where the line above takes over, not before `from`. */
function tailStart({ borders }: Task, served: number, from: number): number | null {
  const earliest = Math.max(from, served);
  if (borders === null) return earliest;
  const last = borders.starts[borders.starts.length - 1];
  if (borders.all) return last !== undefined && last >= earliest ? last : null;
  return borderAfter(borders, earliest);
}

/** Middle and reciprocal half-width of a tube, as targets: the line with the most room on both sides. */
function middle({ x, lo, hi }: Tube): Targets {
  const y = lo.map((low, i) => (low + (hi[i] as number)) / 2);
  return { x, y, weights: lo.map((low, i) => 2 / ((hi[i] as number) - low)) };
}

function inside({ x, lo, hi }: Tube, piece: Piece, i: number): boolean {
  const y = pieceAt(piece, x[i] as number);
  return (lo[i] as number) <= y && y <= (hi[i] as number);
}

/** How many points from the left a line serves. */
function prefix(tube: Tube, piece: Piece): number {
  let i = 0;
  while (i < tube.x.length && inside(tube, piece, i)) i++;
  return i;
}

/** The first point from which a line serves all that follow. */
function suffix(tube: Tube, piece: Piece): number {
  let i = tube.x.length;
  while (i > 0 && inside(tube, piece, i - 1)) i--;
  return i;
}

function largest({ x, y, weights }: Targets, piece: Piece, from: number, to: number): number {
  let worst = 0;
  for (let i = from; i < to; i++) {
    worst = Math.max(worst, (weights[i] as number) * Math.abs((y[i] as number) - pieceAt(piece, x[i] as number)));
  }
  return worst;
}
