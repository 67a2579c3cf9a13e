// The best table there is: breakpoints free, the best line per segment. Which search finds it depends on the norm.

import { LutraError, type Work } from "../base/index.ts";
import { encode } from "../num/index.ts";
import type { Problem, Table } from "../table/index.ts";
import { deliverTable } from "./deliver.ts";
import { keeps } from "./keep.ts";
import { leastLargestError } from "./largest-error.ts";
import { alreadyMonotone, bestLinked } from "./linked-search.ts";
import { leastMeanSquare } from "./mean-square.ts";
import { directionOf } from "./monotone.ts";
import { roundingError } from "./norm.ts";
import { codeSpan } from "./points.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult } from "./types.ts";

/**
 * The optimal table of a problem that asks for a number of segments. Largest-error norms: exact over all points, by covering them
 * greedily. Mean square: exact up to 4,096 points by dynamic programming, beyond with a bound and a gap.
 */
export function* optimal(problem: Problem): Work<FitResult> {
  const task = prepare(problem);
  const lines = task.tails.filter((tail) => typeof tail === "object").length;
  if (task.segments < lines) {
    throw new LutraError("infeasible", `the ${lines} tails alone take more than ${task.segments} segments`);
  }
  const direct = directTable(task);
  if (direct !== null) {
    return deliverTable(task, direct, {
      value: roundingError(problem, task.samples),
      holds: `any table, over ${task.over}`,
    });
  }
  const direction = directionOf(task);
  const free = problem.norm === "mse" ? yield* leastMeanSquare(task) : yield* leastLargestError(task);
  if (keeps(problem, "continuous")) return yield* bestLinked(task, free, direction);
  if (direction === 0) return free;
  return alreadyMonotone(task, free, direction) ?? (yield* bestLinked(task, free, direction));
}

/** One entry per code, if there are enough segments for that: every output is the correctly rounded one. */
function directTable({ problem, segments, range, tails, fn, points }: Task): Table | null {
  const { spec, coefficients, reductions } = problem;
  if (spec.input.kind !== "integer" || coefficients !== undefined || problem.grid !== undefined) return null;
  const [low, high] = codeSpan(spec.input, range);
  if (points.codes.length !== high - low + 1 || segments < points.codes.length) return null;
  if (tails.some((tail) => typeof tail === "object")) return null;
  const entries = Array.from(points.x, (x) => encode(spec.output, fn.evaluate(x)));
  const index = { rule: "direct", first: low } as const;
  return { spec, reductions, clamp: [low, high], index, coefficients: [entries], shift: 0, rounding: "half-up" };
}
