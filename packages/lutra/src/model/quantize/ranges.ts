// From the numbers that were seen in a tensor to the range that its codes shall cover. Clipping a few far numbers makes the step finer for all
// others: worth it where nothing hangs on the far ones. Sums in 16 bits have steps to spare, so that they always keep all.

import type { Histogram, Interval } from "../../num/index.ts";
import { BITS, largestCode, type Role } from "./formats.ts";

/** All numbers seen; those between the percentiles 0.01 and 99.99; or those whose codes have the least squared error over all. */
export type RangeMethod = "min-max" | "percentile" | "mse";

/** What was seen in a tensor. */
export interface Seen extends Interval {
  /** Null where only sums of 16 bits and more are made of it. */
  readonly histogram: Histogram | null;
}

const TAIL = 0.0001;
/** Of the range, what "mse" tries to keep: 1, 0.95, ... 0.2. */
const FRACTIONS: readonly number[] = Array.from({ length: 17 }, (_, i) => 1 - 0.05 * i);
/** Numbers that near to 0 have a code of their own. */
const NOTHING = 1e-30;

/** The range for a role by a method. 0 is in it. */
export function rangeFor({ lo, hi, histogram }: Seen, role: Role, method: RangeMethod): Interval {
  const all = { lo: Math.min(lo, 0), hi: Math.max(hi, 0) };
  if (histogram === null || BITS[role] > 8 || method === "min-max") return all;
  const trimmed = within(histogram, lo, hi);
  return method === "percentile" ? between(trimmed, all) : leastSquares(trimmed, all, role);
}

/** A histogram's outermost edges lie beyond what was seen, by up to a bin. */
function within({ edges, counts }: Histogram, lo: number, hi: number): Histogram {
  return { edges: edges.map((edge) => Math.min(Math.max(edge, lo), hi)), counts };
}

function between(histogram: Histogram, { lo, hi }: Interval): Interval {
  return {
    lo: Math.max(lo, Math.min(0, quantile(histogram, TAIL))),
    hi: Math.min(hi, Math.max(0, quantile(histogram, 1 - TAIL))),
  };
}

/** The number below which a share of the counts lies, bins filled evenly. */
export function quantile({ edges, counts }: Histogram, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [i, count] of counts.entries()) {
    const [start, end] = [edges[i] as number, edges[i + 1] as number];
    if (count > 0 && below + count >= share * total) return start + ((end - start) * (share * total - below)) / count;
    below += count;
  }
  return edges.at(-1) as number;
}

/**
 * The range with the least sum of squares of what clipping cuts off and of what rounding to its step leaves: step^2 / 12 for each number inside.
 * With a zero point both ends are chosen, without one they are one number.
 */
function leastSquares(histogram: Histogram, { lo, hi }: Interval, role: Role): Interval {
  const rounded = insideCount(histogram);
  const above = FRACTIONS.map((fraction) => cutAbove(histogram, fraction * hi));
  const mirrored = mirror(histogram);
  const below = FRACTIONS.map((fraction) => cutAbove(mirrored, -fraction * lo));
  let best = { loss: Infinity, range: { lo, hi } };
  const consider = (range: Interval, cut: number, step: number): void => {
    const loss = cut + (rounded * step * step) / 12;
    if (loss < best.loss) best = { loss, range };
  };
  if (role === "byte") {
    for (const [i, left] of FRACTIONS.entries())
      for (const [j, right] of FRACTIONS.entries()) {
        const range = { lo: left * lo, hi: right * hi };
        consider(range, (below[i] as number) + (above[j] as number), (range.hi - range.lo) / 255);
      }
    return best.range;
  }
  const largest = Math.max(-lo, hi);
  for (const fraction of FRACTIONS) {
    const end = fraction * largest;
    const range = { lo: Math.max(lo, -end), hi: Math.min(hi, end) };
    consider(range, cutAbove(histogram, end) + cutAbove(mirrored, end), end / largestCode(role));
  }
  return best.range;
}

/** Numbers that are rounded: all but 0, which is a code of every format. */
function insideCount({ edges, counts }: Histogram): number {
  return counts.reduce((sum, count, i) => {
    const isNothing = Math.max(Math.abs(edges[i] as number), Math.abs(edges[i + 1] as number)) < NOTHING;
    return isNothing ? sum : sum + count;
  }, 0);
}

/** Sum of squares of what numbers are above an end, bins filled evenly: of one from a to b, count ((b - end)^3 - (a - end)^3) / (3 (b - a)). */
function cutAbove({ edges, counts }: Histogram, end: number): number {
  return counts.reduce((sum, count, i) => {
    const [start, stop] = [edges[i] as number, edges[i + 1] as number];
    if (count === 0 || stop <= end) return sum;
    if (stop === start) return sum + count * (start - end) * (start - end);
    const [a, b] = [Math.max(start, end) - end, stop - end];
    return sum + (count * (b * b * b - a * a * a)) / (3 * (stop - start));
  }, 0);
}

function mirror({ edges, counts }: Histogram): Histogram {
  return { edges: edges.map((edge) => -edge).reverse(), counts: [...counts].reverse() };
}
