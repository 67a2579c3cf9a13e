// One set of stored lines for several input scales, each with its own breakpoints: the best that is found, beside a bound.
// The optimum over the inputs of all scales together is the start, for an input costs the same at every scale. From there, and from each
// scale's own lines, the search alternates between the best breakpoints for lines and the best lines for breakpoints.

import { LutraError, type Work } from "../base/index.ts";
import { BINARY32, decode, type Random, random } from "../num/index.ts";
import type { Line, Problem, Table } from "../table/index.ts";
import { leastMeanSquare } from "./mean-square.ts";
import { linePiece } from "./pwl.ts";
import { toStored } from "./quantise.ts";
import { type Assigned, codesOf, SharedAssignment } from "./shared-assignment.ts";
import { deliverShared, tasksOfScales } from "./shared-table.ts";
import { storedFormats } from "./stored.ts";
import type { Task } from "./task.ts";
import type { FitResult, MethodOptions } from "./types.ts";

/** Trials with lines moved at random, fewer where points times lines are many. */
const MOST_TRIALS = 600;
const EFFORT: number = 2 ** 24;
const TRIALS_PER_TURN = 8;
const MOST_ROUNDS = 100;

/**
 * The shared table of least mean square that the search finds. The bound is the mean of the scales' own: no table does better at any of
 * them. @throws LutraError "unsupported" unless the norm is the mean square and coefficients are fixed point
 */
export function* sharedOptimal(problem: Problem, { seed }: MethodOptions): Work<FitResult> {
  const { norm, coefficients, scales = [] } = problem;
  const formats = storedFormats(problem);
  if (norm !== "mse" || formats === null || coefficients === undefined) {
    throw new LutraError("unsupported", `a table for several scales is found for the norm "mse", got "${norm}"`);
  }
  const tasks = tasksOfScales(problem, scales);
  const own: FitResult[] = [];
  for (const task of tasks) own.push(yield* leastMeanSquare(task));
  const pooled = yield* leastMeanSquare(pool(tasks));
  const search = new SharedAssignment(tasks, formats);
  const stored = ({ slope, intercept }: Line): Line => {
    return { slope: toStored(coefficients.slope, slope), intercept: toStored(coefficients.intercept, intercept) };
  };
  let best = [pooled, ...own]
    .map(({ table }) => settled(search, padded(linesOf(table).map(stored), pooled.segments, search)))
    .reduce((a, b) => (b.cost < a.cost ? b : a));
  const source = random(seed);
  const trials = Math.min(MOST_TRIALS, Math.floor(EFFORT / (search.size * best.lines.length)));
  for (let trial = 0; trial < trials; trial++) {
    if (trial % TRIALS_PER_TURN === 0) yield { stage: "optimal: lines for all scales", done: trial, total: trials };
    const found = settled(search, moved(search, best, formats.slope.step, source).map(stored));
    if (found.cost < best.cost) best = found;
  }
  const value = own.reduce((sum, { bound }) => sum + bound, 0) / own.length;
  const holds = `tables for one scale each, of ${best.lines.length} stored coefficient pairs, over all codes in the domain`;
  const codes = tasks.map((task, k) => codesOf(task, best.segments[k] as Int32Array, best.lines.length));
  return deliverShared({ tasks, pieces: best.lines.map(linePiece), codes }, { value, holds });
}

/** The inputs of all scales as one task in real numbers. Inputs that several scales have count as often. */
function pool(tasks: readonly Task[]): Task {
  const masses = new Map<number, { y: number; weight: number }>();
  for (const { points } of tasks) {
    points.x.forEach((x, i) => {
      const weight = (points.weights[i] as number) / tasks.length + (masses.get(x)?.weight ?? 0);
      masses.set(x, { y: points.y[i] as number, weight });
    });
  }
  const ascending = [...masses].sort(([a], [b]) => a - b);
  const x = Float64Array.from(ascending, ([input]) => input);
  const y = Float64Array.from(ascending, ([, point]) => point.y);
  const weights = Float64Array.from(ascending, ([, point]) => point.weight);
  const [first] = tasks as readonly [Task];
  const spec = { ...first.problem.spec, input: BINARY32, output: BINARY32 };
  return {
    ...first,
    problem: { ...first.problem, spec, reductions: [] },
    range: { lo: x[0] as number, hi: x[x.length - 1] as number },
    points: { codes: x, x, y, weights },
    samples: { codes: x, exact: y, weights },
    over: `the ${x.length} inputs of all scales`,
  };
}

/** The lines of a plain table in real numbers. */
function linesOf({ spec: { input, output }, coefficients, shift }: Table): Line[] {
  const [intercepts = [], slopes = []] = coefficients;
  if (input.kind === "float" || output.kind === "float") {
    return intercepts.map((intercept, i) => ({ slope: slopes[i] as number, intercept }));
  }
  return intercepts.map((b, i) => ({
    slope: ((slopes[i] as number) * output.scale) / (2 ** shift * input.scale),
    intercept: decode(output, b / 2 ** shift),
  }));
}

/** As many lines as asked for: a scale of few inputs has fewer. The last but a tail is repeated. */
function padded(lines: readonly Line[], count: number, search: SharedAssignment): Line[] {
  const at = lines.length - (search.isFixed(lines.length - 1, lines.length) ? 2 : 1);
  const filling = Array.from({ length: count - lines.length }, () => lines[Math.max(0, at)] as Line);
  return [...lines.slice(0, at + 1), ...filling, ...lines.slice(at + 1)];
}

/** Lines and breakpoints that neither half of the search betters. */
function settled(search: SharedAssignment, lines: readonly Line[]): Assigned {
  let found = search.assign(lines);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = search.assign(search.refit(found));
    if (!(next.cost < found.cost)) break;
    found = next;
  }
  return found;
}

/** Half the time a line turns about its centre by a few steps of slope; half the time it leaves its place to halve another's. */
function moved(search: SharedAssignment, { lines, centres }: Assigned, step: number, source: Random): Line[] {
  const free = lines.map((_, s) => s).filter((s) => !search.isFixed(s, lines.length));
  const drawn = (): number => free[source.below(free.length)] as number;
  const turned = (s: number, steps: number): Line => {
    const { slope, intercept } = lines[s] as Line;
    return { slope: slope + steps * step, intercept: intercept - steps * step * (centres[s] as number) };
  };
  if (free.length === 0) return [...lines];
  const place = drawn();
  const steps = 1 + source.below(4);
  if (source.below(2) === 0) {
    const sign = source.below(2) === 0 ? 1 : -1;
    return lines.map((line, s) => (s === place ? turned(s, sign * steps) : line));
  }
  const leaving = drawn();
  return lines.flatMap((line, s) => {
    if (s === place) return s === leaving ? [line] : [turned(s, -steps), turned(s, steps)];
    return s === leaving ? [] : [line];
  });
}
