// Denser points for a table over binary32, whose search sees only some of the values: beside the breakpoints found, where a
// segment's end decides its error, and within each segment, where lines are levelled and tables measured.

import { type Interval, nextDown32 } from "../num/index.ts";
import type { Index } from "../table/index.ts";
import { minimaxLine } from "./minimax.ts";
import { ascending, evenly, type Points } from "./points.ts";
import type { Pwl } from "./pwl.ts";
import { type Measured, type Task, withPoints } from "./task.ts";

/** Points per segment, and in all, over which binary32 lines are levelled again once the breakpoints are known. */
const DENSE_PER_SEGMENT = 64;
const DENSE_POINTS = 16384;
/** Points added beside breakpoints in one round. */
const CLOSER_POINTS = 16384;

/** The task with further points beside the breakpoints of a form: where a segment ends decides its error. */
export function closer(task: Task, { index }: Pwl, at: NonNullable<Task["at"]>): Task {
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
  return withPoints(task, at(ascending([...codes, ...added])));
}

/** Where each segment begins and ends in the fitted range. */
function reachOf(task: Task, index: Index, segments: number): Interval[] {
  const borders = index.rule === "breakpoints" ? index.codes : [];
  return Array.from({ length: segments }, (_, s) => ({
    lo: Math.max(task.range.lo, borders[s - 1] ?? -Infinity),
    hi: Math.min(task.range.hi, nextDown32(borders[s] ?? Infinity)),
  }));
}

/** Points dense in each of a table's segments, its ends included. */
export function densely(task: Task, index: Index, segments: number, at: NonNullable<Task["at"]>): Measured {
  const count = Math.max(DENSE_PER_SEGMENT, Math.floor(DENSE_POINTS / segments));
  const ranges = reachOf(task, index, segments).filter((range) => range.lo < range.hi);
  return at(ascending(ranges.flatMap((range) => evenly(range, count))));
}

/** Lines levelled again over denser points; breakpoints and imposed tails stay. */
export function levelAgain(task: Task, pwl: Pwl, points: Points): Pwl {
  const reach = reachOf(task, pwl.index, pwl.pieces.length);
  let from = 0;
  const pieces = pwl.pieces.map((piece, s) => {
    let to = from;
    while (to < points.x.length && (points.x[to] as number) <= (reach[s] as Interval).hi) to++;
    const isGiven =
      (s === 0 && typeof task.tails[0] === "object") ||
      (s === pwl.pieces.length - 1 && typeof task.tails[1] === "object");
    const levelled = isGiven || to - from < 3 ? piece : minimaxLine(points, from, to, task.zero).piece;
    from = to;
    return levelled;
  });
  return { ...pwl, pieces };
}
