// Linear mode: equally spaced breakpoints, the first of the two fixed schemes that NN-LUT (Yu et al. 2022, section 2) sets itself
// against. The paper fixes where breakpoints lie and not the lines between them: chords here, unless asked otherwise.

import type { Work } from "../base/index.ts";
import type { Problem } from "../table/index.ts";
import { chosenParameters } from "./parameters.ts";
import { innerSegments, spanOf, subIntervalTable } from "./placed.ts";
import { LINES } from "./segment-lines.ts";
import { prepare } from "./task.ts";
import type { FitResult, MethodOptions } from "./types.ts";

/** Its parameters. */
export const LINEAR_MODE: { readonly lines: typeof LINES } = { lines: LINES };

/**
 * The segments asked for, all of one width, which need be no power of two: unlike `uniform` the scheme uses every segment, and
 * finds one by a multiplication instead of a shift.
 */
export function* linearMode(problem: Problem, options: MethodOptions): Work<FitResult> {
  const { lines } = chosenParameters(options, LINEAR_MODE);
  yield { stage: "linear-mode", done: 0, total: 1 };
  const task = prepare(problem);
  const { first, end } = spanOf(task);
  const isInteger = problem.spec.input.kind === "integer";
  const asked = innerSegments(task, "linear-mode");
  const count = isInteger ? Math.min(asked, end - first) : asked;
  const scale = Math.fround(count / (end - first));
  return subIntervalTable(task, [{ from: first, to: end, count, scale }], lines);
}
