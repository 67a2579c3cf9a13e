// A function between two near inputs as a line with a proven bound on the distance, for comparing with very many outputs at once.
// Three lemmas; the nearest line is taken:
//   chord      |f'' | <= M: f is within M w^2 / 8 of its chord, w the width. Needs f' continuous
//   far line   far out f keeps to a line with a proven deviation (fn/types.ts, FarLine), which huge x need
//   flat       f lies in its enclosure: needs nothing, and is all there is at kinks and jumps

import { type Interval, iv } from "../num/index.ts";
import { isSmooth, type Reference } from "./reference.ts";

/**
 * |f(x) - (slope (x - origin) + offset)| <= error for every binary32 x between; `error` covers the binary64 roundings of
 * y - slope (x - origin) - offset as well, but for 2^-51 of its result. Infinite where nothing is known.
 */
export interface NearLine {
  readonly origin: number;
  readonly slope: number;
  readonly offset: number;
  readonly error: number;
}

/** The nearest line to the function on [lo, hi]. */
export function nearLine(reference: Reference, lo: number, hi: number): NearLine {
  const chord = chordOf(reference, lo, hi);
  const far = farLineOf(reference, lo, hi);
  const best = chord.error <= far.error ? chord : far;
  return best.error < Infinity ? best : flatOf(reference, lo, hi);
}

/** The least |f| on [lo, hi], from below. */
export function leastSize({ slope, origin, offset, error }: NearLine, lo: number, hi: number): number {
  if (!(error < Infinity)) return 0;
  const first = slope * (lo - origin) + offset;
  const last = slope * (hi - origin) + offset;
  const least = iv.mignitude({ lo: Math.min(first, last), hi: Math.max(first, last) });
  return Math.max(0, least * (1 - 2 ** -50) - error);
}

const UNKNOWN: NearLine = { origin: 0, slope: 0, offset: 0, error: Infinity };

function chordOf(reference: Reference, lo: number, hi: number): NearLine {
  const { fn, second } = reference;
  if (!isSmooth(reference, { lo, hi })) return UNKNOWN;
  const width = hi - lo;
  const offset = fn.evaluate(lo);
  const slope = width === 0 ? 0 : (fn.evaluate(hi) - offset) / width;
  const sag = width === 0 ? 0 : (iv.magnitude(second.enclose({ lo, hi })) * width * width) / 8;
  const doubt = Math.max(fn.errorAt(lo), fn.errorAt(hi));
  const rounding = (Math.abs(slope) * width + Math.abs(offset)) * 2 ** -50;
  const error = (sag + doubt) * (1 + 2 ** -50) + rounding;
  return Number.isNaN(error) ? UNKNOWN : { origin: lo, slope, offset, error };
}

function farLineOf({ fn: { farLines } }: Reference, lo: number, hi: number): NearLine {
  const [below, above] = farLines;
  const line = above !== null && lo >= above.from ? above : below !== null && hi <= -below.from ? below : null;
  if (line === null) return UNKNOWN;
  const { slope, intercept, slopeError, deviation } = line;
  const largest = iv.magnitude({ lo, hi });
  const product = Math.fround(slope) === slope ? 0 : Math.abs(slope) * largest * 2 ** -52;
  const doubt = iv.magnitude(deviation) + slopeError * largest;
  const error = doubt * (1 + 2 ** -50) + product + Math.abs(intercept) * 2 ** -51;
  return { origin: 0, slope, offset: intercept, error };
}

function flatOf({ fn }: Reference, lo: number, hi: number): NearLine {
  const range: Interval = fn.enclose({ lo, hi });
  const offset = range.lo / 2 + range.hi / 2;
  if (!Number.isFinite(offset)) return UNKNOWN;
  return { origin: 0, slope: 0, offset, error: (range.hi - range.lo) * (0.5 + 2 ** -50) + Math.abs(offset) * 2 ** -50 };
}
