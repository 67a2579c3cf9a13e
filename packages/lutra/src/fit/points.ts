// Points: where a table is fitted, and how much an error there counts. Ascending, finite, without duplicates.
// Also the ways to choose them: the grid, every code of a format, a spread over binary32, a histogram's representatives.

import { LutraError } from "../base/index.ts";
import {
  allCodes,
  codeRange,
  decode,
  encode,
  type Format,
  fromOrdered32,
  type Histogram,
  type Interval,
  toOrdered32,
} from "../num/index.ts";
import type { Problem } from "../table/index.ts";

/** The reduced arguments t that count, ascending. All arrays have the same length. */
export interface Points {
  /** Codes of the argument: integers, or the binary32 values themselves. */
  readonly codes: Float64Array;
  /** Their real values. */
  readonly x: Float64Array;
  /** What the reduced function says there. */
  readonly y: Float64Array;
  /** Positive. Multiplies |error| in the largest-error norms; multiplies error^2 for mse, then summing to 1. */
  readonly weights: Float64Array;
}

/** Most points a grid may have. */
const MAX_GRID: number = 2 ** 20;
/** Share of the mass given to inputs that the histogram has never seen, so that lines there are not left to chance. */
const UNSEEN_SHARE: number = 2 ** -20;

/** Codes of the grid lo, lo + step, ... below hi. @throws LutraError if it is empty, too long, or finer than the format */
export function gridCodes(grid: NonNullable<Problem["grid"]>, input: Format): Float64Array {
  const { lo, hi, step } = grid;
  if (!(step > 0 && step < Infinity)) throw new LutraError("bad-argument", `a grid step must be positive, got ${step}`);
  // A last point closer to hi than 1e-9 steps is hi itself, met again through rounding.
  const count = Math.ceil((hi - lo) / step - 1e-9);
  if (!(count >= 1)) throw new LutraError("bad-argument", `the grid ${lo}:${hi}:${step} has no points`);
  if (count > MAX_GRID) {
    throw new LutraError("bad-argument", `a grid has at most ${MAX_GRID} points, got ${count}`, {
      note: "use a larger step",
    });
  }
  const codes = Float64Array.from({ length: count }, (_, i) => encode(input, lo + step * i));
  for (let i = 1; i < count; i++) {
    if (codes[i] === codes[i - 1]) {
      throw new LutraError("bad-argument", `the grid step ${step} is finer than the input format at ${lo + step * i}`, {
        note: "two grid points round to the same input code; use a larger step or a finer format",
      });
    }
  }
  return codes;
}

/** Every code of an enumerable format whose value lies in the domain. */
export function codesInside(input: Format, domain: Interval): Float64Array {
  return allCodes(input).filter((code) => {
    const x = decode(input, code);
    return domain.lo <= x && x <= domain.hi;
  });
}

/**
 * Binary32 values in a finite range: three eighths evenly by value, one eighth evenly among the binary32 values, half where
 * `curvature` (the square root of |f''| times the weight) is large, and the ends. About `count` of them.
 */
export function spread(range: Interval, curvature: (x: number, step: number) => number, count: number): Float64Array {
  const even = evenly(range, Math.ceil((3 * count) / 8));
  const keyed = evenlyByKey(range, Math.ceil(count / 8));
  const scan = ascending([...evenly(range, count), ...evenlyByKey(range, Math.ceil(count / 2))]);
  const mass = new Float64Array(scan.length);
  for (let i = 1; i < scan.length; i++) {
    const step = (scan[i] as number) - (scan[i - 1] as number);
    const density = curvature(((scan[i] as number) + (scan[i - 1] as number)) / 2, step);
    mass[i] = (mass[i - 1] as number) + (Number.isFinite(density) ? density * step : 0);
  }
  return ascending([...even, ...keyed, ...quantiles(scan, mass, Math.floor(count / 2))]);
}

/** `count` binary32 values evenly spaced, ends included. */
export function evenly({ lo, hi }: Interval, count: number): number[] {
  const last = Math.max(1, count - 1);
  return Array.from({ length: last + 1 }, (_, i) => clampTo({ lo, hi }, Math.fround(lo + (hi - lo) * (i / last))));
}

function evenlyByKey({ lo, hi }: Interval, count: number): number[] {
  const first = toOrdered32(lo);
  const width = toOrdered32(hi) - first;
  return Array.from({ length: count }, (_, i) => fromOrdered32(first + Math.round((width * i) / count)));
}

function clampTo({ lo, hi }: Interval, x: number): number {
  return Math.min(hi, Math.max(lo, x));
}

/** Values at equal steps of a cumulated mass, by linear interpolation. */
function quantiles(x: Float64Array, mass: Float64Array, count: number): number[] {
  const total = mass[mass.length - 1] ?? 0;
  if (!(total > 0)) return [];
  const result: number[] = [];
  let i = 1;
  for (let k = 0; k < count; k++) {
    const target = (total * (k + 0.5)) / count;
    while (i < mass.length - 1 && (mass[i] as number) < target) i++;
    const below = mass[i - 1] as number;
    const share = (target - below) / Math.max((mass[i] as number) - below, Number.MIN_VALUE);
    const [left, right] = [x[i - 1] as number, x[i] as number];
    result.push(clampTo({ lo: left, hi: right }, Math.fround(left + (right - left) * Math.min(1, share))));
  }
  return result;
}

/** Sorted, without duplicates. */
export function ascending(values: readonly number[]): Float64Array {
  const sorted = Float64Array.from(values).sort();
  return sorted.filter((value, i) => i === 0 || value !== sorted[i - 1]);
}

/**
 * Mass of each ascending value: the histogram's mass nearer to it than to its neighbours, summing to 1; the ends take all beyond
 * them, as a saturating input does. Values the histogram never saw share 2^-20. Uniform without a histogram.
 * @throws LutraError "bad-data" if the histogram is empty
 */
export function masses(values: Float64Array, histogram: Histogram | undefined): Float64Array {
  const n = values.length;
  if (histogram === undefined) return new Float64Array(n).fill(1 / n);
  const total = histogram.counts.reduce((sum, count) => sum + count, 0);
  if (!(total > 0)) throw new LutraError("bad-data", "the histogram is empty: its counts sum to 0");
  const result = new Float64Array(n);
  let before = 0;
  const cumulated = cumulate(histogram);
  for (let i = 0; i < n; i++) {
    const upTo = i === n - 1 ? total : cumulated(((values[i] as number) + (values[i + 1] as number)) / 2);
    result[i] = Math.max(0, upTo - before) / total;
    before = upTo;
  }
  return result.map((mass) => mass * (1 - UNSEEN_SHARE) + UNSEEN_SHARE / n);
}

/** Mass below x, for ascending calls. */
function cumulate({ edges, counts }: Histogram): (x: number) => number {
  let bin = 0;
  let below = 0;
  return (x) => {
    while (bin < counts.length && (edges[bin + 1] as number) <= x) below += counts[bin++] as number;
    if (bin >= counts.length || x <= (edges[bin] as number)) return below;
    const [start, end] = [edges[bin] as number, edges[bin + 1] as number];
    return below + ((counts[bin] as number) * (x - start)) / (end - start);
  };
}

/** About `count` binary32 values in a finite range that stand for a histogram: each occupied bin has one, heavy bins more. */
export function representatives(histogram: Histogram, range: Interval, count: number): Float64Array {
  const total = histogram.counts.reduce((sum, mass) => sum + mass, 0);
  const occupied = histogram.counts.filter((mass) => mass > 0).length;
  const thin = Math.max(1, Math.ceil((2 * occupied) / count));
  const values: number[] = [range.lo, range.hi, ...evenly(range, Math.ceil(count / 8))];
  histogram.counts.forEach((mass, i) => {
    const lo = Math.max(range.lo, histogram.edges[i] as number);
    const hi = Math.min(range.hi, histogram.edges[i + 1] as number);
    if (!(mass > 0 && lo < hi)) return;
    const parts = Math.floor((count / 2) * (mass / total)) + (i % thin === 0 ? 1 : 0);
    for (let k = 0; k < parts; k++) values.push(clampTo(range, Math.fround(lo + (hi - lo) * ((k + 0.5) / parts))));
  });
  return ascending(values);
}

/** First and last code whose value lies in a range: where a table clamps. */
export function codeSpan(input: Format, range: Interval): readonly [low: number, high: number] {
  if (input.kind === "float") return [range.lo, range.hi];
  const { lo, hi } = codeRange(input);
  const first = Math.ceil(range.lo / input.scale - 1e-9) + input.zeroPoint;
  const last = Math.floor(range.hi / input.scale + 1e-9) + input.zeroPoint;
  return [Math.max(lo, first), Math.min(hi, last)];
}
