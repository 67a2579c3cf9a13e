// Uniform segments with chords: Huang et al. 2022, equation 5 and algorithm 1, its defects corrected; or with each segment's best line.
// Corrected: the index is clamped instead of wrapping, the right edge uses the last line, no shift can leave its range (the width
// is a power of two and evaluate() divides by it), and beyond the domain the tails asked for hold instead of the edge lines.

import type { Work } from "../base/index.ts";
import { decode, exponentOf, powerOfTwo } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { deliver, deliverTable, NO_BOUND } from "./deliver.ts";
import { chosenParameters } from "./parameters.ts";
import { innerSegments } from "./placed.ts";
import { codeSpan } from "./points.ts";
import { linePiece } from "./pwl.ts";
import { LINES, type Lines, lineOver } from "./segment-lines.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult, MethodOptions } from "./types.ts";
import { wholeLines } from "./whole-lines.ts";

const UNIFORM_LINES = [...LINES, "whole"] as const;

/** Its parameters. */
export const UNIFORM: { readonly lines: readonly [...typeof LINES, "whole"] } = { lines: UNIFORM_LINES };

/** How many widths below the one that covers the whole range are tried where the domain is unbounded. */
const NARROWER_WIDTHS = 8;

/**
 * Lines (chords by default) over [a, a + w], [a + w, a + 2w], ... up to the end b of the domain, the last one cut at b. The width w is the least
 * power of two (of codes, for integers) with which the segments asked for reach b. With a domain of 2^m and 2^n segments that is
 * the paper's w = 2^(m - n); otherwise it uses fewer segments, at least half. A tail that is a line is an extra first or last one.
 * With lines=whole they begin at whole output codes (whole-lines.ts). An unbounded side ends where the segments do, and of several widths the one of least error is taken.
 */
export function* uniform(problem: Problem, options: MethodOptions): Work<FitResult> {
  const { lines } = chosenParameters(options, UNIFORM);
  const task = prepare(problem);
  const inner = innerSegments(task, "uniform");
  const { input } = problem.spec;
  const integer = input.kind === "integer";
  const [a, b] = codeSpan(input, task.range);
  const widest = leastWidth(integer ? b - a + 1 : b - a, inner, integer);
  if (lines === "whole") return deliverTable(task, wholeLines(task, a, b, widest), NO_BOUND);
  let best = uniformTable(task, lines, a, b, widest);
  const [below, above] = task.openEnds;
  for (let k = 1; k <= NARROWER_WIDTHS && (below || above); k++) {
    yield { stage: "uniform", done: k, total: NARROWER_WIDTHS };
    const width = widest / 2 ** k;
    const reach = width * inner;
    const from = below ? (above ? -width * Math.floor(inner / 2) : b - reach) : a;
    const trial = uniformTable(task, lines, Math.max(a, from), Math.min(b, Math.max(a, from) + reach), width);
    if (trial.objective < best.objective) best = trial;
  }
  return best;
}

/** The table of segments of a width from code a to code b. */
function uniformTable(task: Task, lines: Lines, a: number, b: number, width: number): FitResult {
  const { input } = task.problem.spec;
  const integer = input.kind === "integer";
  const [below, above] = task.tails;
  const head = typeof below === "object" ? [linePiece(below)] : [];
  const tail = typeof above === "object" ? [linePiece(above)] : [];
  const count = Math.ceil((integer ? b - a + 1 : b - a) / width);
  const inner = Array.from({ length: count }, (_, k) =>
    lineOver(task, lines, a + k * width, Math.min(b, a + (k + 1) * width)),
  );
  const first = a - head.length * width;
  const index = { rule: "uniform", first: integer ? first : Math.fround(first), width } as const;
  const range = { lo: decode(input, a), hi: decode(input, b) };
  return deliver({ ...task, range }, { index, pieces: [...head, ...inner, ...tail] }, NO_BOUND);
}

/** The least power of two that covers the length in at most `count` steps; at least 1 for codes. */
function leastWidth(length: number, count: number, integer: boolean): number {
  let width = powerOfTwo(Math.max(exponentOf(length / count) - 1, integer ? 0 : -149));
  while (Math.ceil(length / width) > count) width *= 2;
  return width;
}
