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

/** Most segments a method without bounds is given while its error does not fall. */
const PATIENCE = 4096;
/** Guesses from the law of the error before bisection takes over. */
const GUESSES = 4;

/** The fewest segments with an error small enough: guesses from the law error ~ segments^-2, then bisection. */
function* fewest(problem: Problem, maxError: number, method: Method, options: MethodOptions): Work<FitResult> {
  const least = Math.max(1, problem.tails.filter((tail) => typeof tail === "object").length);
  refuseBelowRounding({ ...problem, size: { segments: least } }, maxError);
  const attempt = (segments: number): Work<FitResult> => method({ ...problem, size: { segments } }, options);
  let tooFew = 0;
  let tried = least;
  let last = yield* attempt(tried);
  let stuck = 0;
  while (last.objective > maxError) {
    if (tried >= MAX_SEGMENTS || stuck >= 2) throw outOfReach(maxError, last);
    const before = last.objective;
    tooFew = tried;
    tried = Math.min(MAX_SEGMENTS, Math.max(tooFew + 1, Math.min(8 * tooFew, guess(problem, tried, before, maxError))));
    last = yield* attempt(tried);
    // Rounding is all that is left once the error no longer falls although real lines could do it.
    const rounding = last.bound > 0 ? last.bound < maxError : tried >= PATIENCE;
    stuck = rounding && tried >= 2 * tooFew && last.objective > before * 0.9 ? stuck + 1 : 0;
  }
  let enough = tried;
  let found = last;
  for (let k = 0; enough - tooFew > 1; k++) {
    const middle = k < GUESSES ? guess(problem, tried, last.objective, maxError) : Math.floor((tooFew + enough) / 2);
    tried = Math.min(enough - 1, Math.max(tooFew + 1, middle));
    last = yield* attempt(tried);
    if (last.objective <= maxError) {
      enough = tried;
      found = last;
    } else tooFew = tried;
  }
  return found;
}

/** How many segments the asymptotic law asks for: the largest error falls with their square, the mean square with the fourth power. */
function guess({ norm }: Problem, segments: number, error: number, maxError: number): number {
  const ratio = Math.sqrt(error / maxError);
  return Math.ceil(segments * (norm === "mse" ? Math.sqrt(ratio) : ratio));
}

function refuseBelowRounding(problem: Problem, maxError: number): void {
  const rounding = roundingError(problem, prepare(problem).samples);
  if (rounding <= maxError) return;
  throw new LutraError(
    "infeasible",
    `no table has an error of at most ${maxError}: rounding the output alone costs ${rounding}`,
    {
      note: "allow a larger error, or use a finer output format",
    },
  );
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
