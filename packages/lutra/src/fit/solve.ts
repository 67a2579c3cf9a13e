// solve: one question in, one table out. Checks the problem, finds the method, and answers "at most this error" with the fewest segments.

import { LutraError, type Work } from "../base/index.ts";
import type { Problem } from "../table/index.ts";
import { direct } from "./direct.ts";
import { EXPONENTIAL_MODE, exponentialMode } from "./exponential-mode.ts";
import { FLOAT_BITS, floatBits } from "./float-bits.ts";
import { GENETIC, genetic } from "./genetic.ts";
import { INTERPOLATED_SEGMENTS, interpolated513 } from "./interpolated-513.ts";
import { givenBreakpoints, normalised } from "./keep.ts";
import { fewestLines } from "./largest-error.ts";
import { LINEAR_MODE, linearMode } from "./linear-mode.ts";
import { NESTED, nested } from "./nested.ts";
import { roundingError } from "./norm.ts";
import { optimal } from "./optimal.ts";
import { chosenParameters, type Parameters } from "./parameters.ts";
import { RELU_NET, reluNet } from "./relu-net.ts";
import { prepare } from "./task.ts";
import { THRESHOLD_16, THRESHOLD_SEGMENTS, threshold16 } from "./threshold-16.ts";
import { TWO_TABLE, TWO_TABLE_SEGMENTS, twoTable } from "./two-table.ts";
import type { FitResult, Method, MethodOptions } from "./types.ts";
import { UNIFORM, uniform } from "./uniform.ts";
import { checkProblem, MAX_SEGMENTS } from "./validate.ts";

/** Every method by name. */
export const METHODS: Readonly<Record<string, Method>> = {
  uniform,
  optimal,
  direct,
  genetic,
  "relu-net": reluNet,
  nested,
  "linear-mode": linearMode,
  "exponential-mode": exponentialMode,
  "float-bits": floatBits,
  "two-table": twoTable,
  "interpolated-513": interpolated513,
  "threshold-16": threshold16,
};

/** The segments of the methods whose tables have one size; of `direct`, whose size is that of the input format, the most there are. */
export const OWN_SIZE: Readonly<Record<string, number>> = {
  direct: MAX_SEGMENTS,
  "two-table": TWO_TABLE_SEGMENTS,
  "interpolated-513": INTERPOLATED_SEGMENTS,
  "threshold-16": THRESHOLD_SEGMENTS,
};

/** The parameters of the methods that have any. */
export const PARAMETERS: Readonly<Record<string, Parameters>> = {
  uniform: UNIFORM,
  genetic: GENETIC,
  "relu-net": RELU_NET,
  nested: NESTED,
  "linear-mode": LINEAR_MODE,
  "exponential-mode": EXPONENTIAL_MODE,
  "float-bits": FLOAT_BITS,
  "two-table": TWO_TABLE,
  "threshold-16": THRESHOLD_16,
};

/**
 * Solves a problem by a named method: the best table the method finds. Asked for a largest error, it returns a table of the fewest
 * segments whose objective is at most that (for "optimal"; other methods: the fewest that bisection over the count finds).
 * @throws LutraError "bad-argument" for a problem that makes no sense, an unknown method or parameter; "infeasible" if no table can do it
 */
export function* solve(problem: Problem, method: string, options: MethodOptions): Work<FitResult> {
  const search = METHODS[method];
  if (search === undefined || !Object.hasOwn(METHODS, method)) {
    throw new LutraError("bad-argument", `unknown method "${method}"`, {
      note: `known methods: ${Object.keys(METHODS).join(", ")}`,
    });
  }
  chosenParameters(options, PARAMETERS[method] ?? {});
  checkProblem(problem);
  if ((problem.keep ?? []).length === 0) return yield* answer(problem, method, options);
  if (search !== optimal) {
    throw new LutraError("unsupported", `the method "${method}" keeps no constraints`, {
      note: 'use the method "optimal"',
    });
  }
  const asked = normalised(problem);
  checkProblem(asked);
  const kept = yield* answer(asked, method, options);
  const size = "segments" in problem.size ? problem.size : { segments: kept.segments };
  const { objective, bound } = yield* search({ ...problem, size, keep: [] }, options);
  return { ...kept, unconstrained: { objective, bound } };
}

function* answer(problem: Problem, method: string, options: MethodOptions): Work<FitResult> {
  const { size } = problem;
  const search = METHODS[method] as Method;
  if ("segments" in size) return yield* search(problem, options);
  const given = givenBreakpoints(problem);
  const segments = given === null ? OWN_SIZE[method] : given.length + 1;
  if (segments === undefined) return yield* fewest(problem, size.maxError, search, options);
  const found = yield* search({ ...problem, size: { segments } }, options);
  if (found.objective > size.maxError) throw outOfReach(size.maxError, found);
  return found;
}

/** Most segments a method without bounds is given while its error does not fall. */
const PATIENCE = 4096;
/** Guesses from the law of the error before bisection takes over. */
const GUESSES = 4;
/** Segments over whose points the fewest lines are counted. */
const COUNTED_OVER = 64;
/** Share of the error asked for that real lines must have left behind before rounding is to blame, and before it is hopeless. */
const ROUNDING_SHOWS = 0.8;
const ROUNDING_WINS = 0.25;
/** Where rounding decides, counts grow by this much at once and are found to this share: errors there do not fall steadily. */
const ROUNDING_GROWTH = 1.5;
const ROUNDING_CLOSE = 1 / 32;

/**
 * The fewest segments with an error small enough: those that lines need at least, guesses from the law error ~ segments^-2, then
 * bisection. Where rounding in the delivered table decides, to within a thirty-second.
 */
function* fewest(problem: Problem, maxError: number, method: Method, options: MethodOptions): Work<FitResult> {
  const least = Math.max(1, problem.tails.filter((tail) => typeof tail === "object").length);
  refuseBelowRounding({ ...problem, size: { segments: least } }, maxError);
  const attempt = (segments: number): Work<FitResult> => method({ ...problem, size: { segments } }, options);
  const needed = method === optimal && problem.norm !== "mse" ? linesNeeded(problem, maxError) : least;
  let tooFew = Math.max(least, needed) - 1;
  let tried = tooFew + 1;
  let last = yield* attempt(tried);
  let stuck = 0;
  let rounds = false;
  while (last.objective > maxError) {
    rounds = last.bound > 0 && last.bound < maxError * ROUNDING_SHOWS;
    if (tried >= MAX_SEGMENTS || stuck >= 2) throw outOfReach(maxError, last);
    if (rounds && last.bound < maxError * ROUNDING_WINS) throw lostToRounding(maxError, last);
    const before = last.objective;
    tooFew = tried;
    const wanted = Math.max(guess(problem, tried, before, maxError), rounds ? Math.ceil(tried * ROUNDING_GROWTH) : 0);
    tried = Math.min(MAX_SEGMENTS, Math.max(tooFew + 1, Math.min(8 * tooFew, wanted)));
    last = yield* attempt(tried);
    // Rounding is all that is left once the error no longer falls although real lines could do it.
    const rounding = last.bound > 0 ? last.bound < maxError : tried >= PATIENCE;
    stuck = rounding && tried >= 2 * tooFew && last.objective > before * 0.9 ? stuck + 1 : 0;
  }
  rounds ||= last.bound > 0 && last.bound < maxError * ROUNDING_SHOWS;
  let enough = tried;
  let found = last;
  for (let k = 0; enough - tooFew > (rounds ? Math.max(1, enough * ROUNDING_CLOSE) : 1); k++) {
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

/** How many lines an error needs at least. @throws LutraError "infeasible" if no number does */
function linesNeeded(problem: Problem, maxError: number): number {
  const lines = fewestLines(prepare({ ...problem, size: { segments: COUNTED_OVER } }), maxError);
  if (lines !== null) return lines;
  throw new LutraError("infeasible", `no lines keep an error of at most ${maxError}`, {
    note: "allow a larger error, or use finer output or coefficient formats",
  });
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

function lostToRounding(maxError: number, best: FitResult): LutraError {
  return new LutraError(
    "infeasible",
    `no table found with an error of at most ${maxError}: ${best.segments} lines come to ${best.bound}, rounding makes it ${best.objective}`,
    {
      note: "allow a larger error, choose a smaller domain (rounding grows with the answers), or use the relative norm",
    },
  );
}
