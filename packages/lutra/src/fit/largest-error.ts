// Least largest error (absolute, relative or in ulps): bisection on the error, with a greedy cover of all points that decides
// exactly whether so many lines can stay within it. Real lines or stored pairs; output rounding is part of the question.

import { LutraError, type Work } from "../base/index.ts";
import { type Interval, nextDown32 } from "../num/index.ts";
import { deliver } from "./deliver.ts";
import { type MinimaxLine, minimaxLine, type Targets } from "./minimax.ts";
import { roundingError } from "./norm.ts";
import { roundsOutput, tubeOf } from "./output-tube.ts";
import { ascending, evenly, type Points } from "./points.ts";
import { fromStarts, linePiece, type Piece, type Pwl, pieceAt } from "./pwl.ts";
import { type StoredFormats, storedFormats } from "./stored.ts";
import { bestPair, longestStoredRun } from "./stored-tube.ts";
import type { Measured, Task } from "./task.ts";
import { cover, type LongestRun, longestRun, type Tube } from "./tube.ts";
import type { FitResult } from "./types.ts";

/** Bisection ends when the attained error is this close to one proven impossible. */
const CLOSE: number = 1 + 2 ** -34;
const CLOSE_BETWEEN_POINTS: number = 1 + 2 ** -20;
/** Steps outward from an error known to be impossible, and from a mere guess. */
const FIRST_GROWTH: number = 1 + 2 ** -8;
const FIRST_STEP = 8;
const MAX_STEPS = 300;
/** Points per segment, and in all, over which binary32 lines are levelled again once the breakpoints are known. */
const DENSE_PER_SEGMENT = 64;
const DENSE_POINTS = 16384;

/** Rounds of adding points beside the breakpoints found, the ratio to the bound that ends them, and points added each time. */
const CLOSER_ROUNDS = 3;
const CLOSE_ENOUGH = 1.001;
const CLOSER_POINTS = 16384;

/** Range of integer coefficients. */
const WORDS = { least: -(2 ** 31), greatest: 2 ** 31 - 1 } as const;

/** Segments with a line each that stay within an error. */
interface Covering {
  readonly starts: readonly number[];
  readonly error: number;
}

/** What bisection leaves: a cover, and an error close below its own that has none (0 if there is none). */
interface Bisected {
  readonly covering: Covering;
  readonly bound: number;
}

export function* leastLargestError(task: Task): Work<FitResult> {
  const formats = storedFormats(task.problem);
  const lines = formats === null ? "real lines, jumps allowed" : "stored coefficient pairs";
  const rounding = roundsOutput(task.problem.spec.output) ? "outputs rounded" : "before rounding";
  const holds = `${task.segments} ${lines}, over ${task.over}, ${rounding}`;
  const { at } = task;
  const first = yield* bisect(task, formats, 0);
  if (at === null) {
    const result = deliver(task, formOf(task, formats, first.covering), { value: first.bound, holds });
    return yield* onIntegerGrid(task, result);
  }
  let best = approach(task, formats, first, holds, at);
  let found = task;
  let bisected = first;
  for (let round = 0; round < CLOSER_ROUNDS && best.objective > best.bound * CLOSE_ENOUGH; round++) {
    found = closer(found, formOf(found, formats, bisected.covering), at);
    bisected = yield* bisect(found, formats, bisected.bound);
    const result = approach(found, formats, bisected, holds, at);
    // More points never lower the bound: the latest is the best, whichever table is delivered.
    const { objective } = best.objective < result.objective ? best : result;
    best = { ...(best.objective < result.objective ? best : result), bound: Math.min(objective, bisected.bound) };
  }
  return best;
}

/**
 * Integer tables lose something when real lines are rounded to their shift. Searching again among the pairs that the shift can
 * store gives the best table of that shift; the bound over real lines stays.
 */
function* onIntegerGrid(task: Task, rounded: FitResult): Work<FitResult> {
  const { input, output } = task.problem.spec;
  const near = rounded.objective <= rounded.bound * CLOSE_ENOUGH;
  if (near || input.kind !== "integer" || output.kind !== "integer" || task.problem.coefficients !== undefined)
    return rounded;
  const { shift } = rounded.table;
  const step = output.scale * 2 ** -shift;
  const formats = { slope: { step: step / input.scale, ...WORDS }, intercept: { step, ...WORDS } };
  const { covering } = yield* bisect(task, formats, rounded.bound);
  const result = deliver(task, formOf(task, formats, covering), { value: rounded.bound, holds: rounded.boundHolds });
  return result.objective < rounded.objective ? result : rounded;
}

/** The table of a cover of chosen points, its lines levelled over points dense in each segment and measured there. */
function approach(
  task: Task,
  formats: StoredFormats | null,
  { covering, bound }: Bisected,
  holds: string,
  at: NonNullable<Task["at"]>,
): FitResult {
  const pwl = formOf(task, formats, covering);
  const dense = densely(task, pwl, at);
  const form = formats === null ? levelAgain(task, pwl, dense.points) : pwl;
  return deliver(task, form, { value: bound, holds }, dense.samples);
}

function formOf(task: Task, formats: StoredFormats | null, covering: Covering): Pwl {
  const pieces = searcher(task, formats)
    .lines(covering)
    .map(({ piece }) => piece);
  return fromStarts(task.points, covering.starts, pieces, task.problem.spec.input);
}

interface Search {
  /** A cover within an error, or null if there is none. */
  within(error: number): Covering | null;
  /** The lines of a cover, with their largest errors before output rounding. */
  lines(covering: Covering): MinimaxLine[];
}

function searcher(task: Task, formats: StoredFormats | null): Search {
  const { points, tails, segments } = task;
  const targets: Targets = { x: points.x, y: points.y, weights: points.weights };
  const n = points.codes.length;
  const longest: LongestRun =
    formats === null
      ? (tube, from, to) => longestRun(tube, from, to).end
      : (tube, from, to) => longestStoredRun(tube, from, to, formats);
  const makeTube = tubeOf(task);
  const [below, above] = tails;
  const head = typeof below === "object" ? linePiece(below) : null;
  const tail = typeof above === "object" ? linePiece(above) : null;
  const free = segments - (head === null ? 0 : 1) - (tail === null ? 0 : 1);
  return {
    within(error) {
      const tube = makeTube(error);
      const from = head === null ? 0 : prefix(tube, head);
      const to = Math.max(from, tail === null ? n : suffix(tube, tail));
      const starts = cover(tube, longest, from, to, free);
      if (starts === null) return null;
      return { starts: [...(head === null ? [] : [0]), ...starts, ...(tail === null ? [] : [to])], error };
    },
    lines({ starts, error }) {
      const tube = makeTube(error);
      const room = roundsOutput(task.problem.spec.output) ? middle(tube) : targets;
      return starts.map((start, s) => {
        const end = starts[s + 1] ?? n;
        const imposed = s === 0 && head !== null ? head : s === starts.length - 1 ? tail : null;
        if (imposed !== null) return { piece: imposed, error: largest(targets, imposed, start, end) };
        return formats === null ? minimaxLine(room, start, end) : bestPair(tube, targets, start, end, formats);
      });
    },
  };
}

/** The least error that so many lines can keep, known to be above `known`. @throws LutraError if they cannot keep any */
function* bisect(task: Task, formats: StoredFormats | null, known: number): Work<Bisected> {
  const { within } = searcher(task, formats);
  const perfect = within(0);
  if (perfect !== null) return { covering: perfect, bound: 0 };
  const impossible = Math.max(known, roundsOutput(task.problem.spec.output) ? roundingFloor(task) : 0);
  let { low, high, covering } = bracket(task, within, impossible);
  const close = task.at === null ? CLOSE : CLOSE_BETWEEN_POINTS;
  for (let k = 0; k < MAX_STEPS && high > low * close; k++) {
    if (k % 4 === 0) yield { stage: "optimal: bisection", done: k, total: 36 };
    const error = (low + high) / 2;
    const trial = within(error);
    if (trial === null) low = error;
    else {
      covering = trial;
      high = error;
    }
  }
  return { covering, bound: low };
}

/** The error that rounding the exact values leaves, less what rounding in binary64 could have added. */
function roundingFloor({ problem, samples }: Task): number {
  return roundingError(problem, samples) * (1 - 2 ** -40);
}

/** An error without a cover and one with, close together. */
function bracket(
  { points }: Task,
  within: Search["within"],
  impossible: number,
): { low: number; high: number; covering: Covering } {
  const sizes = points.y.map((y, i) => Math.abs(y) * (points.weights[i] as number)).sort();
  let growth = impossible > 0 ? FIRST_GROWTH : FIRST_STEP;
  let low = impossible;
  let high = impossible > 0 ? impossible * growth : (sizes[sizes.length >> 1] as number) || 1;
  let covering = within(high);
  // Down from a guess, if nothing is known; then up, ever faster.
  while (covering !== null && impossible === 0) {
    const smaller = within(high / growth);
    if (smaller === null) return { low: high / growth, high, covering };
    high /= growth;
    covering = smaller;
  }
  while (covering === null) {
    if (high === Infinity) throw new LutraError("infeasible", "no table of so few segments covers the domain");
    low = high;
    growth = Math.min(FIRST_STEP, growth * growth);
    high *= growth;
    covering = within(high);
  }
  return { low, high, covering };
}

/** The task with further points beside the breakpoints of a form: where a segment ends decides its error. */
function closer(task: Task, { index }: Pwl, at: NonNullable<Task["at"]>): Task {
  const { codes } = task.points;
  const borders = index.rule === "breakpoints" ? index.codes : [];
  const count = Math.max(4, Math.floor(CLOSER_POINTS / Math.max(1, borders.length)));
  const added = borders.flatMap((border) => {
    let right = 0;
    for (let step = 2 ** 20; step >= 1; step /= 2) if ((codes[right + step] as number) <= border) right += step;
    const lo = codes[Math.max(0, right - 1)] as number;
    const hi = codes[Math.min(codes.length - 1, right + 2)] as number;
    return lo < hi ? evenly({ lo, hi }, count) : [];
  });
  return { ...task, ...at(ascending([...codes, ...added])) };
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

/** Where each segment begins and ends in the fitted range. */
function reachOf(task: Task, { index, pieces }: Pwl): Interval[] {
  const borders = index.rule === "breakpoints" ? index.codes : [];
  return pieces.map((_, s) => ({
    lo: Math.max(task.range.lo, borders[s - 1] ?? -Infinity),
    hi: Math.min(task.range.hi, nextDown32(borders[s] ?? Infinity)),
  }));
}

/** Points dense in each segment, its ends included. */
function densely(task: Task, pwl: Pwl, at: NonNullable<Task["at"]>): Measured {
  const count = Math.max(DENSE_PER_SEGMENT, Math.floor(DENSE_POINTS / pwl.pieces.length));
  return at(ascending(reachOf(task, pwl).flatMap((range) => (range.lo < range.hi ? evenly(range, count) : []))));
}

/** Lines levelled again over denser points; breakpoints and imposed tails stay. */
function levelAgain(task: Task, pwl: Pwl, points: Points): Pwl {
  const reach = reachOf(task, pwl);
  let from = 0;
  const pieces = pwl.pieces.map((piece, s) => {
    let to = from;
    while (to < points.x.length && (points.x[to] as number) <= (reach[s] as Interval).hi) to++;
    const tail = s === 0 ? task.tails[0] : s === pwl.pieces.length - 1 ? task.tails[1] : "extend";
    const levelled = typeof tail === "object" || to - from < 3 ? piece : minimaxLine(points, from, to).piece;
    from = to;
    return levelled;
  });
  return { ...pwl, pieces };
}
