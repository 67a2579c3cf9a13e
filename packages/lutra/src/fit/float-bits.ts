// Exponent-mantissa segments: the upper bits of a binary32 argument are the index, so an octave has as many segments as the next one
// and addressing costs a shift. As in exponent-direct addressing (XDA), and in Huang et al. 2022, algorithm 1, per octave.

import { LutraError, type Work } from "../base/index.ts";
import { fromOrdered32, MAX_BINARY32, toOrdered32 } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { deliver, NO_BOUND } from "./deliver.ts";
import { chosenParameters } from "./parameters.ts";
import { innerSegments } from "./placed.ts";
import { linePiece } from "./pwl.ts";
import { LINES, lineOver } from "./segment-lines.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult, MethodOptions } from "./types.ts";

/** Its parameters. */
export const FLOAT_BITS: { readonly lines: typeof LINES } = { lines: LINES };

/** At most: one segment for each sign. */
const WIDEST_SHIFT = 31;

/**
 * The finest such segments that are no more than asked for. The rule has no origin: a range across 0 holds all octaves down to the
 * smallest binary32, so it suits ranges beyond 0, as those behind the reductions of 1/x, 1/sqrt(x), exp and log are.
 * @throws LutraError "unsupported" for integer inputs
 */
export function* floatBits(problem: Problem, options: MethodOptions): Work<FitResult> {
  const { lines } = chosenParameters(options, FLOAT_BITS);
  if (problem.spec.input.kind === "integer") {
    throw new LutraError("unsupported", "float-bits takes its index from the bits of a floating-point input", {
      note: 'use a floating-point input format, or the method "uniform", which takes it from those of an integer',
    });
  }
  const task = prepare(problem);
  const segments = innerSegments(task, "float-bits");
  const { lo, hi } = task.range;
  const place = (x: number, shift: number): number => Math.floor(toOrdered32(x) / 2 ** shift);
  let shift = 0;
  while (shift < WIDEST_SHIFT && place(hi, shift) - place(lo, shift) >= segments) shift++;
  const first = place(lo, shift);
  // A single segment across 0 is less than the rule can say, but not less than a table of one line.
  const count = Math.min(segments, place(hi, shift) - first + 1);
  const border = (k: number): number => (k === count ? hi : borderOf(task, (first + k) * 2 ** shift));
  const inner = Array.from({ length: count }, (_, k) => lineOver(task, lines, border(k), border(k + 1)));
  const [below, above] = task.tails;
  const head = typeof below === "object" ? [linePiece(below)] : [];
  const tail = typeof above === "object" ? [linePiece(above)] : [];
  const index = { rule: "float-bits", first: first - head.length, shift } as const;
  return deliver(task, { index, pieces: [...head, ...inner, ...tail] }, NO_BOUND);
}

/** Where a segment begins or ends, inside the range: what its line is found over. */
function borderOf({ range }: Task, key: number): number {
  const x = key >= toOrdered32(MAX_BINARY32) ? MAX_BINARY32 : fromOrdered32(key);
  return Math.min(range.hi, Math.max(range.lo, x));
}
