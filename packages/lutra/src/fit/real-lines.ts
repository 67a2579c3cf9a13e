// Lines between real breakpoints, as published methods find them, to the tables that deploy them: each breakpoint becomes a code of the
// input format, or one of every scale. Segments that are left without codes are left out.

import { LutraError } from "../base/index.ts";
import { BINARY32, ceil32, ceilQuotient, codeRange, type Format, type Interval, roundHalfEven } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { deliver, NO_BOUND } from "./deliver.ts";
import { ascending, evenly, type Points } from "./points.ts";
import type { Piece } from "./pwl.ts";
import { deliverShared, tasksOfScales } from "./shared-table.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult } from "./types.ts";

/**
 * How a real breakpoint p becomes a code of an integer input: the code nearest to p / scale, as published; or the first at or above it,
 * which compares exactly as p does: scale * q >= p if and only if q >= ceil(p / scale).
 */
export const BREAKPOINT_ROUNDING = ["nearest", "exact"] as const;
export type BreakpointRounding = (typeof BREAKPOINT_ROUNDING)[number];

/** One line per interval between real breakpoints. */
export interface RealLines {
  /** Ascending, one fewer than the pieces. */
  readonly breakpoints: ArrayLike<number>;
  readonly pieces: readonly Piece[];
}

/** Spacing of the points that a table for several scales is searched over: GQA-LUT's, whatever the scales. */
const STEP = 0.01;
/** About as many as that step makes of GQA-LUT's ranges. */
const EVEN_POINTS = 801;

/**
 * The problem that a method searches in real numbers: itself; for several scales, in binary32 over the whole domain.
 * @throws LutraError "bad-argument" if several scales have no finite domain
 */
export function searchedProblem(problem: Problem): Problem {
  if (problem.scales === undefined) return problem;
  const { scales: _, spec, ...rest } = problem;
  const { lo, hi } = spec.domain;
  if (!Number.isFinite(hi - lo)) {
    throw new LutraError("bad-argument", `several scales need a finite domain, got [${lo}, ${hi}]`);
  }
  return { ...rest, spec: { ...spec, input: BINARY32, output: BINARY32 }, grid: { lo, hi, step: STEP } };
}

/**
 * The points whose mean square a method searches by: those of the problem if that is its norm. If it is another, a published search
 * stays what it is: all codes count alike, or values evenly spaced where there are too many.
 */
export function searchedPoints(task: Task): Points {
  const { points, at, fn, problem } = task;
  if (problem.norm === "mse") return points;
  const x = at === null ? points.x : ascending(evenly(searchedRange(task), EVEN_POINTS));
  return { codes: x, x, y: x.map((t) => fn.evaluate(t)), weights: new Float64Array(x.length).fill(1 / x.length) };
}

/** The reduced arguments that a method places its breakpoints in: up to the grid's end, which is no point itself. */
export function searchedRange({ problem, range }: Task): Interval {
  return problem.grid === undefined || problem.reductions.length > 0 ? range : problem.grid;
}

/** Stores lines found in real numbers as the problem asks and measures the table. The method proves no bound. */
export function deliverReal(problem: Problem, lines: RealLines, rounding: BreakpointRounding): FitResult {
  if (problem.scales !== undefined) {
    const tasks = tasksOfScales(problem, problem.scales);
    const codes = problem.scales.map((input) => breakpointCodes(lines, problem, input, rounding));
    return deliverShared({ tasks, pieces: lines.pieces, codes }, NO_BOUND);
  }
  const codes = breakpointCodes(lines, problem, problem.spec.input, rounding);
  const last = lines.pieces.length - 1;
  const kept = lines.pieces.flatMap((_, k) =>
    k === 0 || k === last || (codes[k - 1] as number) < (codes[k] as number) ? [k] : [],
  );
  const index = { rule: "breakpoints", codes: kept.slice(1).map((k) => codes[k - 1] as number) } as const;
  return deliver(prepare(problem), { index, pieces: kept.map((k) => lines.pieces[k] as Piece) }, NO_BOUND);
}

/** At most one code beyond the last that an argument can be: a segment that no input reaches. Behind a symmetry -128 is 128. */
function breakpointCodes(
  lines: RealLines,
  { reductions }: Problem,
  input: Format,
  rounding: BreakpointRounding,
): number[] {
  if (input.kind === "float") return Array.from(lines.breakpoints, ceil32);
  const { lo, hi } = codeRange(input);
  const last = reductions.length === 0 ? hi : Math.max(hi, -lo);
  return Array.from(lines.breakpoints, (p) => {
    const code = rounding === "exact" ? Number(ceilQuotient(p, input.scale)) : roundHalfEven(p / input.scale);
    return Math.min(last + 1, Math.max(lo, code + input.zeroPoint));
  });
}
