// solve: one question in, one table out. Checks the problem, finds the method, and answers "at most this error" with the fewest segments.

import { LutraError, type Work } from "../base/index.ts";
import type { Problem } from "../table/index.ts";
import { roundingError } from "./norm.ts";
import { optimal } from "./optimal.ts";
import { prepare } from "./task.ts";
import type { FitResult, Method, MethodOptions } from "./types.ts";
import { uniform } from "./uniform.ts";
import { checkProblem, MAX_SEGMENTS } from "./validate.ts";

/** Every method by name. */
export const METHODS: Readonly<Record<string, Method>> = { uniform, optimal };

/**
 * Solves a problem by a named method: the best table the method finds. Asked for a largest error, it returns a table of the fewest
 * segments whose objective is at most that (for "optimal"; other methods: the fewest that bisection over the count finds).
 * @throws LutraError "bad-argument" for a problem that makes no sense or an unknown method; "infeasible" if no table can do it
 */
export function* solve(problem: Problem, method: string, options: MethodOptions): Work<FitResult> {
  const search = METHODS[method];
  if (search === undefined || !Object.hasOwn(METHODS, method)) {
    throw new LutraError("bad-argument", `unknown method "${method}"`, {
      note: `known methods: ${Object.keys(METHODS).join(", ")}`,
    });
  }
  checkProblem(problem);
  if ("segments" in problem.size) return yield* search(problem, options);
  return yield* fewest(problem, problem.size.maxError, search, options);
}

/** Doubles the segments until the error is small enough, then bisects. */
function* fewest(problem: Problem, maxError: number, method: Method, options: MethodOptions): Work<FitResult> {
  const least = Math.max(1, problem.tails.filter((tail) => typeof tail === "object").length);
  const task = prepare({ ...problem, size: { segments: least } });
  const rounding = roundingError(problem, task.samples);
  if (rounding > maxError) {
    throw new LutraError(
      "infeasible",
      `no table has an error of at most ${maxError}: rounding the output alone costs ${rounding}`,
      {
        note: "allow a larger error, or use a finer output format",
      },
    );
  }
  let tooFew = least - 1;
  let enough = least;
  let found = yield* method({ ...problem, size: { segments: enough } }, options);
  let stuck = 0;
  while (found.objective > maxError) {
    // Twice the segments quarter the error, until rounding is all that is left.
    const before = found.objective;
    if (enough >= MAX_SEGMENTS || stuck >= 2) throw outOfReach(maxError, found);
    tooFew = enough;
    enough = Math.min(MAX_SEGMENTS, enough * 2);
    found = yield* method({ ...problem, size: { segments: enough } }, options);
    stuck = found.objective > before * 0.9 && found.bound < maxError ? stuck + 1 : 0;
  }
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    const trial = yield* method({ ...problem, size: { segments: middle } }, options);
    if (trial.objective <= maxError) {
      enough = middle;
      found = trial;
    } else tooFew = middle;
  }
  return found;
}

function outOfReach(maxError: number, best: FitResult): LutraError {
  return new LutraError(
    "infeasible",
    `no table found with an error of at most ${maxError}: ${best.segments} segments leave ${best.objective}`,
    {
      note: "allow a larger error, or use finer output or coefficient formats",
    },
  );
}
