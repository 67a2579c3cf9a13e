// Least largest error (absolute, relative or in ulps): bisection on the error, with a greedy cover of all points that decides
// exactly whether so many lines can stay within it. Real lines or stored pairs; output rounding is part of the question.

import { LutraError, type Work } from "../base/index.ts";
import type { Problem } from "../table/index.ts";
import { formOf as formWithBorders } from "./borders.ts";
import { type Covering, type Search, searcher } from "./covering.ts";
import { deliver } from "./deliver.ts";
import { closer, densely, levelAgain } from "./denser.ts";
import { roundingError, type Samples, withinOutput } from "./norm.ts";
import { roundsOutput } from "./output-tube.ts";
import type { Pwl } from "./pwl.ts";
import { type StoredFormats, storedFormats } from "./stored.ts";
import type { Task } from "./task.ts";
import type { FitResult } from "./types.ts";
import { MAX_SEGMENTS } from "./validate.ts";

/**
 * Bisection ends when the attained error is this close to one proven impossible, which is the bound that is reported: closeness costs
 * steps, no truth. On fixed points 2^-34 is well above the 2^-45 or so at which binary64 cannot tell tubes apart; where the points are a
 * sample, the error between them differs by more than 2^-20 anyway.
 */
const CLOSE: number = 1 + 2 ** -34;
const CLOSE_BETWEEN_POINTS: number = 1 + 2 ** -20;
/** Steps outward from an error known to be impossible, and from a mere guess. */
const FIRST_GROWTH: number = 1 + 2 ** -8;
const FIRST_STEP = 8;
const MAX_STEPS = 300;
/** Rounds of adding points beside the breakpoints found, and the ratio to the bound that ends them. */
const CLOSER_ROUNDS = 3;
const CLOSE_ENOUGH = 1.001;

/** Range of integer coefficients. */
const WORDS = { least: -(2 ** 31), greatest: 2 ** 31 - 1 } as const;

/** What bisection leaves: a cover, and an error close below its own that has none (0 if there is none). */
interface Bisected {
  readonly covering: Covering;
  readonly bound: number;
}

/** What a bound over real lines is about. */
export const JUMPING_LINES = "real lines, jumps allowed";

/** The fewest lines that keep an error over a task's points, whatever its segments; null if none do. */
export function fewestLines(task: Task, error: number): number | null {
  const { within } = searcher({ ...task, segments: MAX_SEGMENTS }, storedFormats(task.problem));
  return within(error)?.starts.length ?? null;
}

export function* leastLargestError(task: Task): Work<FitResult> {
  const formats = storedFormats(task.problem);
  const lines = formats === null ? JUMPING_LINES : "stored coefficient pairs";
  const rounds = roundsOutput(task.problem.spec.output);
  const rounding = rounds ? "outputs rounded, none on a rounding tie" : "before rounding";
  const holds = `${task.segments} ${lines}, over ${task.over}, ${rounding}`;
  const { at } = task;
  const first = yield* bisect(task, formats, 0);
  if (at === null) {
    const result = deliver(task, formOf(task, formats, first.covering), { value: first.bound, holds });
    const best = yield* onIntegerGrid(task, result);
    // The search is about answers that the output format has; what lies beyond them costs every table the same.
    return { ...best, bound: Math.max(best.bound, rounds ? roundingFloor(task.problem, task.samples) : 0) };
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
  const dense = densely(task, pwl.index, pwl.pieces.length, at);
  const form = formats === null ? levelAgain(task, pwl, dense.points) : pwl;
  return deliver(task, form, { value: bound, holds }, dense.samples);
}

function formOf(task: Task, formats: StoredFormats | null, covering: Covering): Pwl {
  const pieces = searcher(task, formats)
    .lines(covering)
    .map(({ piece }) => piece);
  return formWithBorders(task, covering.starts, pieces, task.problem.spec.input);
}

/** The least error that so many lines can keep, known to be above `known`. @throws LutraError if they cannot keep any */
function* bisect(task: Task, formats: StoredFormats | null, known: number): Work<Bisected> {
  const { within } = searcher(task, formats);
  const perfect = within(0);
  if (perfect !== null) return { covering: perfect, bound: 0 };
  const { problem, samples } = task;
  const { output } = problem.spec;
  const reachable = { ...samples, exact: samples.exact.map((y) => withinOutput(output, y)) };
  const impossible = Math.max(known, roundsOutput(output) ? roundingFloor(problem, reachable) : 0);
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
function roundingFloor(problem: Problem, samples: Samples): number {
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
