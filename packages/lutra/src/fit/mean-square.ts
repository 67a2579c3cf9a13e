// Least mean-square error: dynamic programming over breakpoints with the best real line or the best stored pair per segment.

import { LutraError, type Work } from "../base/index.ts";
import { codeRange, decode, ulpOf } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { formOf } from "./borders.ts";
import { type Bound, deliver, NO_BOUND } from "./deliver.ts";
import { JUMPING_LINES } from "./largest-error.ts";
import { LeastSquares } from "./least-squares.ts";
import { roundingError } from "./norm.ts";
import type { Points } from "./points.ts";
import { linePiece, type Piece, pieceAt } from "./pwl.ts";
import {
  type Borders,
  bestSegmentation,
  bordersAt,
  bordersEvery,
  costed,
  type Programme,
  type Rest,
  type RunCost,
  restBounds,
  runCost,
  type Segmentation,
} from "./segmentation.ts";
import { settle } from "./settle.ts";
import { SLOPE_REACH, StoredLeastSquares, storedFormats } from "./stored.ts";
import type { Task } from "./task.ts";
import type { FitResult } from "./types.ts";

/** Up to so many points the programme runs at once over all of them. */
const SMALL = 4096;
/** Borders of a first, coarse programme: at least so many, and so many per segment. */
const COARSE_BORDERS = 128;
const COARSE_PER_SEGMENT = 4;
/** Rounds of placing borders where the segments have been found to be, until the cost falls by less than a hundredth. */
const REFINEMENTS = 6;
const REFINED_BORDERS = 1024;
const SETTLED = 0.99;
/** Cells of the relaxed programmes: over real lines, and over stored pairs, whose costs take longer. */
const CELLS = 8192;
const STORED_CELLS = 1024;
/** Ratio of the relaxed bound to a cost attained from which the exact programme is affordable. */
const AFFORDABLE = 0.9;
/** Attainable costs are met again within rounding. */
const SLACK: number = 1 + 2 ** -30;
/** Stored pairs within this share of the whole cost, per segment, count as equally good. */
const STORED_TOLERANCE: number = 2 ** -32;

/** A run cost that can also tell the line it found. */
interface FittingCost extends RunCost {
  piece(): Piece;
}

/**
 * Up to 4,096 points: the optimum. Beyond, cells of points give a bound; where it is close, and lines are real, it makes the exact
 * programme affordable; otherwise the best breakpoints found by moving one at a time are delivered, with that bound.
 */
export function* leastMeanSquare(task: Task): Work<FitResult> {
  const programme = programmeOf(task);
  if (task.borders !== null) return yield* betweenBorders(task, programme);
  const real = yield* segmentReal(task, programme);
  const formats = storedFormats(task.problem);
  if (formats === null) {
    return conclude(task, real.found, real.bound, new LeastSquares(task.points, task.zero), JUMPING_LINES);
  }
  const first = settle(programme, real.found, new StoredLeastSquares(task.points, formats, 0, task.zero));
  if (first.cost === Infinity) throw outOfReach(task);
  const tolerance = (first.cost / task.segments) * STORED_TOLERANCE;
  const costs = new StoredLeastSquares(task.points, formats, tolerance, task.zero);
  const upper = first.cost * SLACK;
  const small = programme.length <= SMALL;
  const borders = small ? programme.borders : cellsOf(programme, first, STORED_CELLS);
  const found = required(yield* bestSegmentation(costs, { ...programme, upper, borders, relaxed: !small }), task);
  const bound = found.cost - tolerance * task.segments;
  return conclude(task, small ? found : first, bound, costs, pairsOf(costs));
}

/** The pairs a bound is about: where a search for the best slope had to be cut short, only those it looked at. */
function pairsOf({ cut }: StoredLeastSquares): string {
  return cut
    ? `stored coefficient pairs with slopes up to ${SLOPE_REACH} steps from the real optimum`
    : "stored coefficient pairs";
}

/** Where segments may begin is prescribed, and rarely: the programme is exact at once. */
function* betweenBorders(task: Task, programme: Programme): Work<FitResult> {
  const formats = storedFormats(task.problem);
  const { points, zero, borders } = task;
  const costs = formats === null ? new LeastSquares(points, zero) : new StoredLeastSquares(points, formats, 0, zero);
  const found =
    borders?.all === true
      ? costed(programme, [0, ...borders.starts], costs)
      : required(yield* bestSegmentation(costs, programme), task);
  if (found.cost === Infinity) throw outOfReach(task);
  return conclude(task, found, found.cost, costs, costs instanceof StoredLeastSquares ? pairsOf(costs) : JUMPING_LINES);
}

/** A segmentation and what no other can go below. */
interface Bounded {
  readonly found: Segmentation;
  readonly bound: number;
}

/** The optimum over real lines, or near it. */
function* segmentReal(task: Task, programme: Programme): Work<Bounded> {
  const { length, segments } = programme;
  const costs = new LeastSquares(task.points, task.zero);
  const stride = Math.ceil(length / Math.max(COARSE_BORDERS, COARSE_PER_SEGMENT * segments));
  const borders = bordersEvery(stride, length);
  const coarse = required(yield* bestSegmentation(costs, { ...programme, borders }), task);
  let settled = settle(programme, coarse, costs);
  for (let round = 0; round < REFINEMENTS && length > SMALL; round++) {
    const before = settled.cost;
    const refined = { ...programme, borders: cellsOf(programme, settled, REFINED_BORDERS), upper: before * SLACK };
    settled = settle(programme, required(yield* bestSegmentation(costs, refined), task), costs);
    if (settled.cost > before * SETTLED) break;
  }
  if (length > SMALL && isLostToRounding(task, settled.cost)) return { found: settled, bound: 0 };
  const upper = settled.cost * SLACK;
  const rest = length <= SMALL ? null : yield* restFrom(task, programme, settled);
  const bound = rest === null ? 0 : (rest.least[Math.min(segments, rest.layers - 1)] as number);
  if (rest !== null && bound < upper * AFFORDABLE) return { found: settled, bound };
  const found = required(yield* bestSegmentation(costs, { ...programme, upper, rest }), task);
  return { found, bound: found.cost };
}

/** Whether rounding the answers leaves so much that the bound is the same for any cost up to this one: nothing is gained by a lesser. */
function isLostToRounding(task: Task, cost: number): boolean {
  return roundedBound(task, cost, "").value === roundedBound(task, 0, "").value;
}

/** Each segment cut into the same number of cells. */
function cellsOf({ length }: Programme, { starts }: Segmentation, count: number): Borders {
  const each = Math.ceil(count / starts.length);
  const borders = starts.flatMap((start, s) => {
    const end = starts[s + 1] ?? length;
    return Array.from({ length: each }, (_, k) => start + Math.floor(((end - start) * k) / each));
  });
  return bordersAt(borders, length);
}

/** Bounds on what is left to cover: the relaxed programme over the points in reverse. */
function* restFrom({ points, zero }: Task, programme: Programme, settled: Segmentation): Work<Rest> {
  const { length, tail } = programme;
  const mirrored: Points = {
    codes: points.codes,
    x: points.x.map((x) => -x).reverse(),
    y: points.y.toReversed(),
    weights: points.weights.toReversed(),
  };
  const cells = cellsOf(programme, settled, CELLS);
  const borders = bordersAt(Array.from(cells.at, (at) => length - at).reverse(), length);
  const head = tail === null ? null : tail.toReversed();
  const upper = settled.cost * SLACK;
  return yield* restBounds(new LeastSquares(mirrored, zero), { ...programme, head, tail: null, borders, upper });
}

function required(found: Segmentation | null, task: Task): Segmentation {
  if (found !== null) return found;
  throw outOfReach(task);
}

function outOfReach(task: Task): LutraError {
  const kept = task.problem.keep ?? [];
  return new LutraError(
    "infeasible",
    `no table of ${task.segments} segments covers the domain`,
    kept.length === 0 ? {} : { note: "and keeps what it is asked to keep" },
  );
}

function programmeOf(task: Task): Programme {
  const { points, segments, tails, borders } = task;
  const [below, above] = tails;
  return {
    length: points.codes.length,
    segments,
    head: typeof below === "object" ? lineCosts(task, linePiece(below), false) : null,
    tail: typeof above === "object" ? lineCosts(task, linePiece(above), true) : null,
    upper: Infinity,
    borders: borders === null ? bordersEvery(1, points.codes.length) : bordersAt(borders.starts, points.codes.length),
    relaxed: false,
    rest: null,
  };
}

/** Cost of a given line over the first j points, or over those from j on; infinite where no border is. Length n + 1. */
function lineCosts({ points, zero, borders }: Task, piece: Piece, fromRight: boolean): Float64Array {
  const n = points.codes.length;
  const costs = new Float64Array(n + 1);
  for (let k = 0; k < n; k++) {
    const i = fromRight ? n - 1 - k : k;
    const x = points.x[i] as number;
    const line = pieceAt(piece, x);
    const error = (points.y[i] as number) - line;
    const kept = zero === null || x !== 0 || (zero.lo <= line && line <= zero.hi);
    const square = kept ? (points.weights[i] as number) * error * error : Infinity;
    if (fromRight) costs[i] = (costs[i + 1] as number) + square;
    else costs[i + 1] = (costs[i] as number) + square;
  }
  if (borders === null) return costs;
  const allowed = new Set(borders.starts);
  return costs.map((cost, j) => (allowed.has(j) ? cost : Infinity));
}

function conclude(task: Task, found: Segmentation, cost: number, costs: FittingCost, lines: string): FitResult {
  const { points, tails, problem } = task;
  const [below, above] = tails;
  const { starts } = found;
  const last = starts.length - 1;
  const pieces = starts.map((start, s) => {
    if (s === 0 && typeof below === "object") return linePiece(below);
    if (s === last && typeof above === "object") return linePiece(above);
    runCost(costs, start, s === last ? points.codes.length : (starts[s + 1] as number));
    return costs.piece();
  });
  const pwl = formOf(task, starts, pieces, problem.spec.input);
  const bound = roundedBound(task, Math.max(0, cost), lines);
  if (problem.spec.output.kind === "float" || staysInside(task, cost)) return deliver(task, pwl, bound);
  // Answers that saturate may come nearer than the lines that the bound is about.
  const { objective } = deliver(task, pwl, NO_BOUND);
  return deliver(task, pwl, { ...bound, value: Math.min(bound.value, objective) });
}

/** Whether every stored line's value at a code is a value of the output format, so that delivering it rounds nothing. */
function roundsNothing({ spec: { input, output }, coefficients }: Problem): boolean {
  if (input.kind === "float" || output.kind === "float") return false;
  const { slope, intercept } = coefficients ?? {};
  if (slope?.kind !== "integer" || intercept?.kind !== "integer") return false;
  return [slope.scale * input.scale, intercept.scale].every((step) => Number.isInteger(step / output.scale));
}

/** Whether lines of a cost cannot leave an integer output format at any point, however that is shared out: none of them saturates. */
function staysInside({ problem, points }: Task, cost: number): boolean {
  const { output } = problem.spec;
  const { lo, hi } = codeRange(output);
  return points.y.every((y, i) => {
    const reach = Math.sqrt(cost / (points.weights[i] as number));
    return decode(output, lo) <= y - reach && y + reach <= decode(output, hi);
  });
}

/**
 * A bound for rounded outputs: rounding changes each output by at most half a step (a whole one for floats, whose step may double
 * just above), so the root mean square falls by at most that; and no rounded output beats the correctly rounded one.
 */
function roundedBound(task: Task, cost: number, lines: string): Bound {
  const { problem, points, samples } = task;
  const { output } = problem.spec;
  const holds = `${task.segments} ${lines}, over ${task.over}`;
  if (output.kind === "float" && output.name === "binary32")
    return { value: cost, holds: `${holds}, before rounding to binary32` };
  if (roundsNothing(problem) && staysInside(task, cost)) return { value: cost, holds: `${holds}, none saturated` };
  const share = output.kind === "integer" ? 0.5 : 1;
  let moved = 0;
  for (let i = 0; i < points.codes.length; i++) {
    const step = share * ulpOf(output, points.y[i] as number);
    moved += (points.weights[i] as number) * step * step;
  }
  const rest = Math.max(0, Math.sqrt(cost) - Math.sqrt(moved));
  return {
    value: Math.max(rest * rest, roundingError(problem, samples)),
    holds: `${holds}, outputs rounded, none saturated`,
  };
}
