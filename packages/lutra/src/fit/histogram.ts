// Histograms that a user gives: what makes one, checked once.

import { LutraError } from "../base/index.ts";
import { type Histogram, type Interval, massBetween } from "../num/index.ts";

/**
 * A histogram from JSON: {"edges": [n + 1 numbers], "counts": [n numbers]}, n at least 1. `where` names its source in messages.
 * @throws LutraError "bad-data" with the place of the first fault; also if it counts nothing within the domain of the table
 */
export function parseHistogram(content: unknown, within: Interval, where: string): Histogram {
  const { edges, counts } = content !== null && typeof content === "object" ? (content as Record<string, unknown>) : {};
  if (!isNumbers(edges) || !isNumbers(counts)) throw noHistogram(where);
  checkHistogram({ edges, counts }, where);
  const { lo, hi } = within;
  if (massBetween({ edges, counts }, lo, hi) > 0) return { edges, counts };
  throw new LutraError("bad-data", `the histogram counts nothing between ${lo} and ${hi}, where the table is fitted`, {
    where,
  });
}

/** @throws LutraError "bad-data" with the place of the first fault */
export function checkHistogram({ edges, counts }: Histogram, where = "histogram"): void {
  if (edges.length !== counts.length + 1 || counts.length === 0) throw noHistogram(where);
  const edge = edges.findIndex((x, i) => !Number.isFinite(x) || (i > 0 && !((edges[i - 1] as number) < x)));
  if (edge >= 0) {
    throw new LutraError("bad-data", `edges must be finite and strictly increasing, got ${edges[edge]}`, {
      where: `${where}: edges[${edge}]`,
    });
  }
  const count = counts.findIndex((x) => !(x >= 0 && x < Infinity));
  if (count >= 0) {
    throw new LutraError("bad-data", `counts must be finite and not negative, got ${counts[count]}`, {
      where: `${where}: counts[${count}]`,
    });
  }
}

function noHistogram(where: string): LutraError {
  const message = 'a histogram is {"edges": [n + 1 numbers], "counts": [n numbers]}, n at least 1';
  return new LutraError("bad-data", message, { where });
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}
