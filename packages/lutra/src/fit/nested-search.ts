// The search behind nested segments: how few segments keep chords within an error, over all ways to cut a range into sub-intervals.
// It looks at points of the task only, and measures widths in codes.

import { exponentOf, powerOfTwo } from "../num/index.ts";
import type { Task } from "./task.ts";
import { thinned } from "./thinned.ts";

/** Points that the search looks at, ascending, and those of them at which sub-intervals may begin. */
export interface Sketch {
  readonly codes: Float64Array;
  readonly y: Float64Array;
  readonly weights: Float64Array;
  /** The first point and the last among them. */
  readonly borders: readonly number[];
  /** Error of a single chord over everything. */
  readonly whole: number;
  /** Least width of a segment. */
  readonly least: number;
}

/** Sub-intervals in order: each begins at a point and has so many segments of a width. */
export type Parts = readonly { readonly start: number; readonly width: number; readonly count: number }[];

export interface Limits {
  readonly segments: number;
  readonly intervals: number;
  readonly widths: "any" | "powers-of-two";
}

/** Points looked at: so many per segment, within limits. Most borders. */
const PER_SEGMENT = 32;
const POINTS = { least: 1024, most: 4096 } as const;
const BORDERS = 256;

export function sketchOf({ points, problem, fn, segments }: Task): Sketch {
  const { input } = problem.spec;
  const wanted = Math.min(POINTS.most, Math.max(POINTS.least, PER_SEGMENT * segments));
  const chosen = thinned(points, wanted);
  const codes = Float64Array.from(chosen, (i) => points.codes[i] as number);
  const y = Float64Array.from(chosen, (i) => points.y[i] as number);
  const weights = Float64Array.from(chosen, (i) => (problem.norm === "mse" ? 1 : (points.weights[i] as number)));
  const kinks = fn.kinks.map((kink) => chosen.findIndex((i) => (points.x[i] as number) >= kink)).filter((i) => i > 0);
  const borders = [...new Set([...evenlyAmong(codes.length, BORDERS), ...kinks])].sort((a, b) => a - b);
  const sketch = { codes, y, weights, borders, whole: 0, least: input.kind === "integer" ? 1 : 0 };
  return { ...sketch, whole: chordError(sketch, 0, codes.length - 1) };
}

/** Up to `most` of n indices, the first and the last among them. */
function evenlyAmong(n: number, most: number): number[] {
  const count = Math.min(n, most);
  return Array.from({ length: count }, (_, k) => (count === 1 ? 0 : Math.round((k * (n - 1)) / (count - 1))));
}

/** Largest weighted error of the chord from one point to another. */
function chordError({ codes, y, weights }: Omit<Sketch, "whole">, from: number, to: number): number {
  const slope = ((y[to] as number) - (y[from] as number)) / ((codes[to] as number) - (codes[from] as number));
  let worst = 0;
  for (let i = from + 1; i < to; i++) {
    const line = (y[from] as number) + slope * ((codes[i] as number) - (codes[from] as number));
    worst = Math.max(worst, Math.abs((y[i] as number) - line) * (weights[i] as number));
  }
  return worst;
}

/** From each point: the width that a chord within the error may have, and the last point that it may end at. */
interface Reaches {
  readonly width: Float64Array;
  readonly last: Int32Array;
}

function reachesOf(sketch: Sketch, error: number): Reaches {
  const { codes } = sketch;
  const n = codes.length;
  const width = new Float64Array(n).fill(Infinity);
  const last = new Int32Array(n).fill(n - 1);
  for (let i = 0, j = 1; i < n - 1; i++) {
    j = Math.max(j, i + 1);
    while (j < n - 1 && chordError(sketch, i, j + 1) <= error) j++;
    while (j > i + 1 && chordError(sketch, i, j) > error) j--;
    last[i] = j;
    if (j === n - 1) continue;
    // Errors grow with the square of the width, so the width between the last point within and the first beyond is known well.
    const beyond = (codes[j + 1] as number) - (codes[i] as number);
    const reached = j === i + 1 ? 0 : (codes[j] as number) - (codes[i] as number);
    width[i] = Math.max(reached, beyond * Math.sqrt(error / chordError(sketch, i, j + 1)));
  }
  return { width, last };
}

/**
 * The sub-intervals of the fewest segments whose chords are within an error; null if they take more than the limits allow. Exact over
 * the borders by dynamic programming, as far as widths at points speak for those between.
 */
export function leastParts(sketch: Sketch, error: number, limits: Limits): Parts | null {
  const { borders } = sketch;
  const reaches = reachesOf(sketch, error);
  const m = borders.length - 1;
  const rows: Run[][] = borders.slice(0, m).map((_, p) => runsFrom(sketch, reaches, p, limits));
  // fewest[j][q]: segments up to border q in at most j sub-intervals; from: where the last of these begins, -1 where j - 1 do as well.
  let before: number[] = [0, ...new Array<number>(m).fill(Infinity)];
  const from: number[][] = [];
  for (let j = 0; j < limits.intervals; j++) {
    const after = [...before];
    const origin = new Array<number>(m + 1).fill(-1);
    for (let p = 0; p < m; p++) {
      const base = before[p] as number;
      if (!(base < limits.segments)) continue;
      for (let q = p + 1; q <= m; q++) {
        const total = base + ((rows[p] as Run[])[q - p - 1] as Run).count;
        if (total < (after[q] as number)) {
          after[q] = total;
          origin[q] = p;
        }
      }
    }
    from.push(origin);
    before = after;
  }
  return (before[m] as number) <= limits.segments ? traced(sketch, rows, from) : null;
}

interface Run {
  readonly width: number;
  readonly count: number;
}

/** From border p to each further one: the widest even segments that stay within the error. */
function runsFrom({ codes, borders, least }: Sketch, reaches: Reaches, p: number, { widths }: Limits): Run[] {
  const start = borders[p] as number;
  let narrowest = Infinity;
  let i = start;
  return borders.slice(p + 1).map((end) => {
    // A chord that may run on to the end does not limit the width.
    for (; i < end && (reaches.last[i] as number) < end; i++) {
      narrowest = Math.min(narrowest, reaches.width[i] as number);
    }
    const length = (codes[end] as number) - (codes[start] as number);
    const free = Math.max(least, Math.min(length, narrowest));
    const width = widths === "any" ? free : powerOfTwo(exponentOf(free));
    return { width, count: width > 0 ? Math.ceil((length / width) * (1 - 2 ** -40)) : Infinity };
  });
}

function traced({ borders }: Sketch, rows: readonly Run[][], from: readonly number[][]): Parts {
  const parts: { start: number; width: number; count: number }[] = [];
  let q = borders.length - 1;
  for (let j = from.length - 1; j >= 0 && q > 0; j--) {
    const p = (from[j] as number[])[q] as number;
    if (p < 0) continue;
    parts.unshift({ start: borders[p] as number, ...((rows[p] as Run[])[q - p - 1] as Run) });
    q = p;
  }
  return parts;
}
