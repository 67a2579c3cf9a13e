// Uniform segments with chords: Huang et al. 2022, equation 5 and algorithm 1, its defects corrected.
// Corrected: the index is clamped instead of wrapping, the right edge uses the last line, no shift can leave its range (the width
// is a power of two and evaluate() divides by it), and beyond the domain the tails asked for hold instead of the edge lines.

import type { Work } from "../base/index.ts";
import { LutraError } from "../base/index.ts";
import { decode, exponentOf, type Format, powerOfTwo } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { deliver, NO_BOUND } from "./deliver.ts";
import { codeSpan } from "./points.ts";
import { linePiece, type Piece } from "./pwl.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult } from "./types.ts";

/**
 * Chords of f over [a, a + w], [a + w, a + 2w], ... up to the end b of the domain, the last one cut at b. The width w is the least
 * power of two (of codes, for integers) with which the segments asked for reach b. With a domain of 2^m and 2^n segments that is
 * the paper's w = 2^(m - n); otherwise it uses fewer segments, at least half. A tail that is a line is an extra first or last one.
 */
export function* uniform(problem: Problem): Work<FitResult> {
  const task = prepare(problem);
  yield { stage: "uniform", done: 0, total: 1 };
  const [below, above] = task.tails;
  const head = typeof below === "object" ? [linePiece(below)] : [];
  const tail = typeof above === "object" ? [linePiece(above)] : [];
  const inner = task.segments - head.length - tail.length;
  if (inner < 1) {
    throw new LutraError("infeasible", `uniform needs a segment besides its tails, got ${task.segments} with ${head.length + tail.length} tails`);
  }
  const { input } = problem.spec;
  const [a, b] = codeSpan(input, task.range);
  const integer = input.kind === "integer";
  const length = integer ? b - a + 1 : b - a;
  const width = leastWidth(length, inner, integer);
  const count = Math.ceil(length / width);
  const chords = Array.from({ length: count }, (_, k) => chord(task, input, a + k * width, Math.min(b, a + (k + 1) * width)));
  const first = a - head.length * width;
  const index = { rule: "uniform", first: integer ? first : Math.fround(first), width } as const;
  return deliver(task, { index, pieces: [...head, ...chords, ...tail] }, NO_BOUND);
}

/** The least power of two that covers the length in at most `count` steps; at least 1 for codes. */
function leastWidth(length: number, count: number, integer: boolean): number {
  let width = powerOfTwo(Math.max(exponentOf(length / count) - 1, integer ? 0 : -149));
  while (Math.ceil(length / width) > count) width *= 2;
  return width;
}

/** The line through f at two codes, equation 5, anchored in the middle. */
function chord({ fn }: Task, input: Format, from: number, to: number): Piece {
  const [x0, x1] = [decode(input, from), decode(input, to)];
  const [y0, y1] = [fn.evaluate(x0), fn.evaluate(x1)];
  if (!Number.isFinite(y0) || !Number.isFinite(y1)) {
    throw new LutraError("infeasible", `${fn.text} is not finite at x = ${Number.isFinite(y0) ? x1 : x0}`, {
      note: "a chord needs values at both ends of its segment; choose a smaller domain",
    });
  }
  if (x0 === x1) return { slope: 0, x: x0, y: y0 };
  return { slope: (y1 - y0) / (x1 - x0), x: (x0 + x1) / 2, y: (y0 + y1) / 2 };
}
