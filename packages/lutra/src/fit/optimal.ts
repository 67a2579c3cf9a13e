// The best table there is: breakpoints free, the best line per segment. Which search finds it depends on the norm.

import { LutraError, type Work } from "../base/index.ts";
import type { Problem } from "../table/index.ts";
import { deliverDirect, directTable } from "./direct.ts";
import { keeps } from "./keep.ts";
import { leastLargestError } from "./largest-error.ts";
import { alreadyMonotone, bestLinked } from "./linked-search.ts";
import { leastMeanSquare } from "./mean-square.ts";
import { directionOf } from "./monotone.ts";
import { sharedOptimal } from "./shared-optimal.ts";
import { prepare } from "./task.ts";
import type { FitResult, MethodOptions } from "./types.ts";

/**
 * The optimal table of a problem that asks for a number of segments. Largest-error norms: exact over all points, by covering them
 * greedily. Mean square: exact up to 4,096 points by dynamic programming, beyond with a bound and a gap.
 */
export function* optimal(problem: Problem, options: MethodOptions): Work<FitResult> {
  if (problem.scales !== undefined) return yield* sharedOptimal(problem, options);
  const task = prepare(problem);
  const lines = task.tails.filter((tail) => typeof tail === "object").length;
  if (task.segments < lines) {
    throw new LutraError("infeasible", `the ${lines} tails alone take more than ${task.segments} segments`);
  }
  const direct = directTable(task);
  if (direct !== null) return deliverDirect(task, direct);
  const direction = directionOf(task);
  const free = problem.norm === "mse" ? yield* leastMeanSquare(task) : yield* leastLargestError(task);
  if (keeps(problem, "continuous")) return yield* bestLinked(task, free, direction);
  if (direction === 0) return free;
  return alreadyMonotone(task, free, direction) ?? (yield* bestLinked(task, free, direction));
}
