// Nested segments: Huang et al. 2022, section 4.5. The range is cut into sub-intervals of unequal length, each cut evenly, so that the
// errors of all are alike; a binary search finds the sub-interval, the index rule of section 2.3 the segment in it. The paper leaves
// open how the sub-intervals are chosen: here by dynamic programming for the least largest error of chords.

import type { Work } from "../base/index.ts";
import { exponentOf, powerOfTwo } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { leastParts, type Parts, type Sketch, sketchOf } from "./nested-search.ts";
import { chosenParameters, type WholeNumber } from "./parameters.ts";
import { innerSegments, type SubInterval, spanOf, subIntervalTable } from "./placed.ts";
import { LINES } from "./segment-lines.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult, MethodOptions } from "./types.ts";

/** Widths of segments: any (a product with a stored scale finds the segment), or as published powers of two (a shift does). */
const WIDTHS = ["any", "powers-of-two"] as const;

/** Its parameters. `intervals` is the most sub-intervals there may be. */
export const NESTED: {
  readonly lines: typeof LINES;
  readonly widths: typeof WIDTHS;
  readonly intervals: WholeNumber;
} = { lines: LINES, widths: WIDTHS, intervals: { least: 1, greatest: 64, default: 16 } };

/** Bisections of the error's logarithm, from that of one chord down by a factor of 2^RANGE. */
const BISECTIONS = 22;
const RANGE = 60;

/**
 * The sub-intervals whose chords have the least largest error (weighted as the norm says; unweighted for the mean square), with at
 * most the segments asked for, and lines over them. Table 13 of the paper cannot be right: no 96 lines come below 5.03e-5 on
 * GELU [-5, 3], where it has 1.9e-6.
 */
export function* nested(problem: Problem, options: MethodOptions): Work<FitResult> {
  const { lines, widths, intervals } = chosenParameters(options, NESTED);
  const task = prepare(problem);
  const segments = innerSegments(task, "nested");
  const sketch = sketchOf(task);
  const within = (error: number): Parts | null => leastParts(sketch, error, { segments, intervals, widths });
  let high = sketch.whole;
  let best = within(high) as Parts;
  let low = high / powerOfTwo(RANGE);
  for (let k = 0; k < BISECTIONS && high > 0; k++) {
    yield { stage: "nested: sub-intervals", done: k, total: BISECTIONS };
    const middle = Math.sqrt(low) * Math.sqrt(high);
    const found = within(middle);
    if (found === null) low = middle;
    else {
      best = found;
      high = middle;
    }
  }
  return subIntervalTable(task, subIntervals(task, sketch, best, widths), lines);
}

function subIntervals(task: Task, sketch: Sketch, parts: Parts, widths: (typeof WIDTHS)[number]): SubInterval[] {
  const { first, end } = spanOf(task);
  if (parts.length === 0) return [{ from: first, to: end, count: 1, scale: 1 }];
  return parts.map(({ start, width, count }, k) => {
    const from = k === 0 ? first : (sketch.codes[start] as number);
    const next = parts[k + 1];
    const to = next === undefined ? end : (sketch.codes[next.start] as number);
    const scale = widths === "any" ? Math.fround(count / (to - from)) : powerOfTwo(-exponentOf(width));
    return { from, to, count, scale };
  });
}
