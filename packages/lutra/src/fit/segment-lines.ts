// Lines for segments that are placed beforehand: the chord that most papers take, or the segment's best line in either sense.
// Where segments lie is the methods' affair; a segment is given by its first code and the one after its last.

import { LutraError } from "../base/index.ts";
import { decode } from "../num/index.ts";
import { firstFrom } from "./borders.ts";
import { LeastSquares } from "./least-squares.ts";
import { minimaxLine } from "./minimax.ts";
import { ascending, evenly, type Points } from "./points.ts";
import type { Piece } from "./pwl.ts";
import type { Task } from "./task.ts";

/**
 * How a segment's line is found: through f at both ends (as published), or of least weighted mean square, or of least largest
 * weighted error over the inputs that count.
 */
export const LINES = ["chords", "least-squares", "minimax"] as const;
export type Lines = (typeof LINES)[number];

/** Values of a binary32 segment over which a best line is sought. */
const VALUES_PER_SEGMENT = 65;

/** The line of the segment from one code up to another, the latter included where it ends the range. Chords pass through f at both. */
export function lineOver(task: Task, lines: Lines, from: number, to: number): Piece {
  if (lines === "chords") return chord(task, from, to);
  const points = pointsOf(task, from, to);
  const count = points.codes.length;
  if (count < 2) return chord(task, from, to);
  if (lines === "minimax") return minimaxLine(points, 0, count).piece;
  const sums = new LeastSquares(points);
  sums.begin(0);
  for (let i = 0; i < count; i++) sums.extend();
  return sums.piece();
}

/** The line through f at two codes, anchored in the middle. */
function chord({ fn, problem }: Task, from: number, to: number): Piece {
  const { input } = problem.spec;
  const [x0, x1] = [decode(input, from), decode(input, to)];
  const [y0, y1] = [fn.evaluate(x0), fn.evaluate(x1)];
  if (!Number.isFinite(y0) || !Number.isFinite(y1)) {
    throw new LutraError("infeasible", `${fn.text} is not finite at x = ${Number.isFinite(y0) ? x1 : x0}`, {
      note: "a chord needs values at both ends of its segment; choose a smaller domain",
    });
  }
  if (x0 === x1) return { slope: 0, x: x0, y: y0 };
  return { slope: (y1 - y0) / (x1 - x0), x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
}

/** The points that count in a segment; where those of the task are a choice of binary32 values, values of the segment's own. */
function pointsOf({ points, at, range, problem }: Task, from: number, to: number): Points {
  if (at !== null) return at(ascending(evenly({ lo: from, hi: to }, VALUES_PER_SEGMENT))).points;
  const first = firstFrom(points.codes, from);
  const end = decode(problem.spec.input, to) >= range.hi ? points.codes.length : firstFrom(points.codes, to);
  return {
    codes: points.codes.subarray(first, end),
    x: points.x.subarray(first, end),
    y: points.y.subarray(first, end),
    weights: points.weights.subarray(first, end),
  };
}
