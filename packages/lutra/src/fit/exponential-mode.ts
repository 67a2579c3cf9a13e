// Exponential mode: breakpoints whose distance from 0 grows geometrically, the second of the two fixed schemes that NN-LUT (Yu et al.
// 2022, section 2) sets itself against: short segments for small arguments, long ones for large. Lines are the caller's choice.

import type { Work } from "../base/index.ts";
import { parseFn } from "../fn/index.ts";
import { decode, type Interval, powerOfTwo } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { chosenParameters } from "./parameters.ts";
import { betweenBorders, bordersAt, innerSegments, spanOf } from "./placed.ts";
import { LINES } from "./segment-lines.ts";
import { prepare } from "./task.ts";
import type { FitResult, MethodOptions } from "./types.ts";

/** Its parameters. */
export const EXPONENTIAL_MODE: { readonly lines: typeof LINES } = { lines: LINES };

/**
 * On a range [a, b] beyond 0 the breakpoints are a (b/a)^(k/n). A range that reaches 0 has no such progression: there they halve,
 * b/2, b/4, ... down to b/2^(n - 1), on either side with half of the segments where 0 lies inside, and at 0. Breakpoints that are
 * one code of the input format count once, so an integer table may have fewer segments than asked for.
 */
export function* exponentialMode(problem: Problem, options: MethodOptions): Work<FitResult> {
  const { lines } = chosenParameters(options, EXPONENTIAL_MODE);
  yield { stage: "exponential-mode", done: 0, total: 1 };
  const task = prepare(problem);
  const segments = innerSegments(task, "exponential-mode");
  const { first } = spanOf(task);
  const range = { lo: Math.max(task.range.lo, decode(problem.spec.input, first)), hi: task.range.hi };
  return betweenBorders(task, bordersAt(task, spaced(range, segments)), lines);
}

/** The breakpoints inside a range. */
function spaced({ lo, hi }: Interval, segments: number): number[] {
  if (lo > 0) return progression(lo, hi, segments);
  if (hi < 0) return progression(-hi, -lo, segments).map((x) => -x);
  const above = lo === 0 ? segments : hi === 0 ? 0 : Math.ceil(segments / 2);
  const below = segments - above;
  const zero = above > 0 && below > 0 ? [0] : [];
  return [...halves(hi, above), ...halves(-lo, below).map((x) => -x), ...zero];
}

/** lo (hi/lo)^(k/n) for k = 1 .. n - 1, in binary32: exact where it is a power of two. */
function progression(lo: number, hi: number, n: number): number[] {
  const exp = parseFn("exp");
  const log = parseFn("log");
  const from = log.evaluate(lo);
  const step = (log.evaluate(hi) - from) / n;
  return Array.from({ length: n - 1 }, (_, k) => Math.fround(exp.evaluate(from + step * (k + 1))));
}

/** The n - 1 halvings of an end that n segments reach 0 by. */
function halves(end: number, n: number): number[] {
  return Array.from({ length: Math.max(0, n - 1) }, (_, k) => end * powerOfTwo(-1 - k));
}
