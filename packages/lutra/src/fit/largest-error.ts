// Least largest error (absolute, relative or in ulps): bisection on the error, with a greedy cover of all points that decides
// exactly whether so many lines can stay within it. Real lines or stored pairs; output rounding is part of the question.

import { LutraError, type Work } from "../base/index.ts";
import { nextDown32 } from "../num/index.ts";
import { deliver } from "./deliver.ts";
import { type MinimaxLine, minimaxLine, type Targets } from "./minimax.ts";
import { roundingError } from "./norm.ts";
import { evenly } from "./points.ts";
import { fromStarts, linePiece, type Piece, pieceAt, type Pwl } from "./pwl.ts";
import { bestPair, longestStoredRun } from "./stored-tube.ts";
import { type StoredFormats, storedFormats } from "./stored.ts";
import type { Measured, Task } from "./task.ts";
import { cover, longestRun, type LongestRun, type Tube } from "./tube.ts";
import { roundsOutput, tubeOf } from "./output-tube.ts";
import type { FitResult } from "./types.ts";

/** Bisection ends when the attained error is this close to one proven impossible. */
const CLOSE: number = 1 + 2 ** -34;
const MAX_STEPS = 300;
/** Errors below this share of the largest value are 0: binary64 cannot tell. */
const NOTHING: number = 2 ** -50;
/** Points per segment, and in all, over which binary32 lines are levelled again once the breakpoints are known. */
const DENSE_PER_SEGMENT = 64;
const DENSE_POINTS = 16384;

/** A cover of all points by lines within an error. */
interface Covering {
  readonly starts: readonly number[];
  readonly tube: Tube;
}

export function* leastLargestError(task: Task): Work<FitResult> {
  const formats = storedFormats(task.problem);
  const search = searcher(task, formats);
  const { error, bound } = yield* bisect(task, search);
  const covering = search.within(error);
  if (covering === null) throw new LutraError("infeasible", `no table of ${task.segments} segments covers the domain`);
  const pieces = search.pieces(covering);
  const pwl = fromStarts(task.points, covering.starts, pieces, task.problem.spec.input);
  const lines = formats === null ? "real lines, jumps allowed" : "stored coefficient pairs";
  const rounding = roundsOutput(task.problem.spec.output) ? "outputs rounded" : "before rounding";
  const holds = `${task.segments} ${lines}, over ${task.over}, ${rounding}`;
  if (task.at === null || formats !== null) return deliver(task, pwl, { value: bound, holds });
  const { form, measured } = levelAgain(task, pwl, task.at);
  return deliver(task, form, { value: bound, holds }, measured.samples);
}

interface Search {
  /** A cover within an error, or null if there is none. */
  within(error: number): Covering | null;
  /** The lines of a cover, and their largest error before output rounding. */
  pieces(covering: Covering): Piece[];
  attained(covering: Covering): number;
}

function searcher(task: Task, formats: StoredFormats | null): Search {
  const { points, tails, segments } = task;
  const targets: Targets = { x: points.x, y: points.y, weights: points.weights };
  const n = points.codes.length;
  const longest: LongestRun =
    formats === null ? (tube, from, to) => longestRun(tube, from, to).end : (tube, from, to) => longestStoredRun(tube, from, to, formats);
  const makeTube = tubeOf(task);
  const [head, tail] = tails.map((tail_) => (typeof tail_ === "object" ? linePiece(tail_) : null)) as [Piece | null, Piece | null];
  const free = segments - (head === null ? 0 : 1) - (tail === null ? 0 : 1);
  const rounds = roundsOutput(task.problem.spec.output);
  const fit = (tube: Tube, from: number, to: number): MinimaxLine => {
    if (formats !== null) return bestPair(tube, targets, from, to, formats);
    return rounds ? minimaxLine(middle(tube), from, to) : minimaxLine(targets, from, to);
  };
  const lines = ({ starts, tube }: Covering): MinimaxLine[] =>
    starts.map((start, s) => {
      const end = s === starts.length - 1 ? n : (starts[s + 1] as number);
      if (s === 0 && head !== null) return { piece: head, error: largest(targets, head, start, end) };
      if (s === starts.length - 1 && tail !== null) return { piece: tail, error: largest(targets, tail, start, end) };
      return fit(tube, start, end);
    });
  return {
    within(error) {
      const tube = makeTube(error);
      const from = head === null ? 0 : prefix(tube, head);
      const to = tail === null ? n : suffix(tube, tail);
      const starts = cover(tube, longest, from, Math.max(from, to), free);
      if (starts === null) return null;
      const all = [...(head === null ? [] : [0]), ...starts, ...(tail === null ? [] : [Math.max(from, to)])];
      return { starts: all, tube };
    },
    pieces: (covering) => lines(covering).map(({ piece }) => piece),
    attained: (covering) => lines(covering).reduce((worst, { error }) => Math.max(worst, error), 0),
  };
}

/** The least error with a cover, and an error close below it that has none (0 if there is none). */
function* bisect(task: Task, search: Search): Work<{ error: number; bound: number }> {
  const { points, problem, samples } = task;
  const rounds = roundsOutput(problem.spec.output);
  const scale = points.y.reduce((max, y, i) => Math.max(max, Math.abs(y) * (points.weights[i] as number)), 0);
  const nothing = NOTHING * Math.max(scale, Number.MIN_VALUE);
  let low = rounds ? roundingError(problem, samples) * (1 - 2 ** -40) : 0;
  let high = Math.max(nothing, low * 2);
  for (let k = 0; k < MAX_STEPS * 4; k++) {
    const covering = search.within(high);
    if (covering !== null) {
      if (!rounds) high = Math.min(high, Math.max(nothing, search.attained(covering)));
      break;
    }
    low = high;
    high *= 2;
  }
  for (let k = 0; k < MAX_STEPS && high > low * CLOSE && high > nothing; k++) {
    if (k % 8 === 0) yield { stage: "optimal: bisection", done: k, total: 48 };
    const middle_ = low > 0 && high > 4 * low ? Math.sqrt(low) * Math.sqrt(high) : (low + high) / 2;
    const covering = search.within(middle_);
    if (covering === null) low = middle_;
    else high = rounds ? middle_ : Math.max(nothing, Math.min(middle_, search.attained(covering)));
  }
  return { error: high * (1 + 2 ** -46), bound: low };
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

/** Lines levelled over points dense in each segment, its ends included; the breakpoints stay. */
function levelAgain(task: Task, pwl: Pwl, at: NonNullable<Task["at"]>): { form: Pwl; measured: Measured } {
  const borders = pwl.index.rule === "breakpoints" ? pwl.index.codes : [];
  const count = Math.max(DENSE_PER_SEGMENT, Math.floor(DENSE_POINTS / pwl.pieces.length));
  const reach = pwl.pieces.map((_, s) => ({
    lo: s === 0 ? task.range.lo : Math.max(task.range.lo, borders[s - 1] as number),
    hi: s === borders.length ? task.range.hi : Math.min(task.range.hi, nextDown32(borders[s] as number)),
  }));
  const measured = at(Float64Array.from(reach.flatMap((range) => (range.lo < range.hi ? evenly(range, count) : []))));
  const { x } = measured.points;
  let from = 0;
  const pieces = pwl.pieces.map((piece, s) => {
    let to = from;
    while (to < x.length && (x[to] as number) <= (reach[s]?.hi as number)) to++;
    const imposed = (s === 0 && typeof task.tails[0] === "object") || (s === borders.length && typeof task.tails[1] === "object");
    const levelled = imposed || to - from < 3 ? piece : minimaxLine(measured.points, from, to).piece;
    from = to;
    return levelled;
  });
  return { form: { ...pwl, pieces }, measured };
}
