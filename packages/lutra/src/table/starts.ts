// Where the segments of any index rule begin, found by asking the rule: it is monotone, so bisection needs to know nothing else.

import { codeRange, type Format, fromOrdered32, toOrdered32 } from "../num/index.ts";
import { segmentOf } from "./evaluate.ts";
import type { Index } from "./types.ts";

/**
 * The least code of each segment but the first, ascending, so that the segment of t is how many of them are <= t. Of a segment without
 * codes that of the next; beyond the last code (Infinity for floats) where there is none. Length count - 1.
 */
export function segmentStarts(index: Index, count: number, input: Format): number[] {
  const { lo, hi } = codeRange(input);
  const isInteger = input.kind === "integer";
  const toCode = (position: number): number => (isInteger ? position : fromOrdered32(position));
  // Behind a symmetry the argument is as large as -lo.
  const end = isInteger ? Math.max(hi, -lo) + 1 : toOrdered32(Infinity);
  let from = isInteger ? lo : toOrdered32(-Infinity);
  return Array.from({ length: count - 1 }, (_, i) => {
    from = least(from, end, (position) => segmentOf(index, count, toCode(position)) > i);
    return toCode(from);
  });
}

/** The least integer from low on that holds, high if none below does: what holds once holds beyond. */
function least(low: number, high: number, holds: (position: number) => boolean): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
