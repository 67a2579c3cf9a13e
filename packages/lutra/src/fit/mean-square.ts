// Least mean-square error: dynamic programming over breakpoints with the best real line or the best stored pair per segment.

import { LutraError, type Work } from "../base/index.ts";
import { ulpOf } from "../num/index.ts";
import { type Bound, deliver } from "./deliver.ts";
import { bestSegmentation, LeastSquares, type Programme, type RunCost, type Segmentation } from "./least-squares.ts";
import { roundingError } from "./norm.ts";
import type { Points } from "./points.ts";
import { fromStarts, linePiece, type Piece, pieceAt } from "./pwl.ts";
import { StoredLeastSquares, storedFormats } from "./stored.ts";
import type { Task } from "./task.ts";
import type { FitResult } from "./types.ts";

/** Borders of the first, coarse programme, whose cost bounds the runs that the exact one has to look at. */
const COARSE_BORDERS = 128;
/** Attainable costs are met again within rounding. */
const SLACK: number = 1 + 2 ** -30;
/** Stored pairs within this share of the whole cost, per segment, count as equally good. */
const STORED_TOLERANCE: number = 2 ** -32;

/** A run cost that can also tell the line it found. */
interface FittingCost extends RunCost {
  piece(): Piece;
}

export function* leastMeanSquare(task: Task): Work<FitResult> {
  const real = yield* segmentReal(task);
  const formats = storedFormats(task.problem);
  if (formats === null)
    return conclude(task, real, real.cost, new LeastSquares(task.points), "real lines, jumps allowed");
  const programme = programmeOf(task);
  const rough = new StoredLeastSquares(task.points, formats, 0);
  const attained = costOf(programme, real.starts, rough);
  const tolerance = (attained / task.segments) * STORED_TOLERANCE;
  const costs = new StoredLeastSquares(task.points, formats, tolerance);
  const upper = attained * SLACK;
  const stored = required(yield* bestSegmentation(costs, { ...programme, upper }), task);
  return conclude(task, stored, stored.cost - tolerance * task.segments, costs, "stored coefficient pairs");
}

function* segmentReal(task: Task): Work<Segmentation> {
  const costs = new LeastSquares(task.points);
  const programme = programmeOf(task);
  const stride = Math.ceil(programme.length / COARSE_BORDERS);
  const coarse = yield* bestSegmentation(costs, { ...programme, stride });
  const upper = coarse === null ? Infinity : coarse.cost * SLACK;
  return required(yield* bestSegmentation(costs, { ...programme, upper }), task);
}

function required(found: Segmentation | null, task: Task): Segmentation {
  if (found !== null) return found;
  throw new LutraError("infeasible", `no table of ${task.segments} segments covers the domain`);
}

function programmeOf({ points, segments, tails }: Task): Programme {
  const [below, above] = tails;
  return {
    length: points.codes.length,
    segments,
    head: typeof below === "object" ? lineCosts(points, linePiece(below), false) : null,
    tail: typeof above === "object" ? lineCosts(points, linePiece(above), true) : null,
    upper: Infinity,
    stride: 1,
  };
}

/** Cost of a given line over the first j points, or over those from j on. Length n + 1. */
function lineCosts(points: Points, piece: Piece, fromRight: boolean): Float64Array {
  const n = points.codes.length;
  const costs = new Float64Array(n + 1);
  for (let k = 0; k < n; k++) {
    const i = fromRight ? n - 1 - k : k;
    const error = (points.y[i] as number) - pieceAt(piece, points.x[i] as number);
    const square = (points.weights[i] as number) * error * error;
    if (fromRight) costs[i] = (costs[i + 1] as number) + square;
    else costs[i + 1] = (costs[i] as number) + square;
  }
  return costs;
}

/** Whole cost of given segments. */
function costOf(programme: Programme, starts: readonly number[], costs: RunCost): number {
  const { head, tail, length } = programme;
  const last = starts.length - 1;
  return starts.reduce((sum, start, s) => {
    if (s === last && tail !== null) return sum + (tail[start] as number);
    const end = s === last ? length : (starts[s + 1] as number);
    if (s === 0 && head !== null) return sum + (head[end] as number);
    return sum + runCost(costs, start, end);
  }, 0);
}

function runCost(costs: RunCost, start: number, end: number): number {
  costs.begin(start);
  for (let i = start; i < end; i++) costs.extend();
  return costs.cost();
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
  const pwl = fromStarts(points, starts, pieces, problem.spec.input);
  return deliver(task, pwl, roundedBound(task, Math.max(0, cost), lines));
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
