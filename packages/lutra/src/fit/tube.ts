// Tubes: at every point an interval that a line must pass through. Finds the longest run of points that one line can serve,
// in amortised constant time per point (O'Rourke 1981), and covers all points with the fewest runs.

import type { Piece } from "./pwl.ts";

/** At point i a line must lie in [lo[i], hi[i]]. x ascending. */
export interface Tube {
  readonly x: Float64Array;
  readonly lo: Float64Array;
  readonly hi: Float64Array;
}

/** End of the longest run from a point that one line can serve: the first point it cannot. */
export type LongestRun = (tube: Tube, from: number, to: number) => number;

/** The slopes of lines through a run, as far as it goes. */
export interface Run {
  readonly end: number;
  readonly leastSlope: number;
  readonly greatestSlope: number;
  /** The flattest and the steepest line, anchored at the point where they leave no more room; that point's index. */
  readonly flattest: Extreme;
  readonly steepest: Extreme;
}

export interface Extreme {
  readonly piece: Piece;
  readonly at: number;
}

/** Slopes that lines may have. */
interface Slopes {
  readonly least: number;
  readonly greatest: number;
}

const ANY_SLOPE: Slopes = { least: -Infinity, greatest: Infinity };

/** Works in fixed buffers, grown when needed; not reentrant, as no work yields inside. */
let capacity = 0;
let ceilingX = new Float64Array(0);
let ceilingY = new Float64Array(0);
let floorX = new Float64Array(0);
let floorY = new Float64Array(0);

function reserve(n: number): void {
  if (n <= capacity) return;
  capacity = 2 * n;
  ceilingX = new Float64Array(capacity);
  ceilingY = new Float64Array(capacity);
  floorX = new Float64Array(capacity);
  floorY = new Float64Array(capacity);
}

function noRun(end: number): Run {
  const nowhere: Extreme = { piece: { slope: 0, x: 0, y: 0 }, at: end };
  return { end, leastSlope: 0, greatestSlope: 0, flattest: nowhere, steepest: nowhere };
}

/**
 * The longest run of points from `from`, before `to`, that one real line serves. The steepest line so far leans on the floor
 * (points lo) on its left and on the ceiling (points hi) on its right; the flattest the other way round. `floor` keeps the upper
 * hull of the points lo that the steepest line may lean on next, `ceiling` the lower hull of the points hi for the flattest.
 */
export function longestRun({ x, lo, hi }: Tube, from: number, to: number, slopes: Slopes = ANY_SLOPE): Run {
  if (to - from === 0 || !((lo[from] as number) <= (hi[from] as number))) return noRun(from);
  reserve(to - from + 1);
  // Local origin: tubes are thin against their distance from 0.
  const x0 = x[from] as number;
  const y0 = ((lo[from] as number) + (hi[from] as number)) / 2;
  let ceilingStart = 0;
  let ceilingEnd = 1;
  let floorStart = 0;
  let floorEnd = 1;
  ceilingX[0] = floorX[0] = 0;
  ceilingY[0] = (hi[from] as number) - y0;
  floorY[0] = (lo[from] as number) - y0;
  let { greatest, least } = slopes;
  // The steepest line passes through (steepX, steepY), the flattest through (flatX, flatY).
  let steepX = 0;
  let steepY = ceilingY[0] as number;
  let steepAt = from;
  let flatX = 0;
  let flatY = floorY[0] as number;
  let flatAt = from;
  let i = from + 1;
  for (; i < to; i++) {
    const px = (x[i] as number) - x0;
    const top = (hi[i] as number) - y0;
    const bottom = (lo[i] as number) - y0;
    if (!(bottom <= top)) break;
    const steepHere = greatest === Infinity ? Infinity : steepY + greatest * (px - steepX);
    const flatHere = least === -Infinity ? -Infinity : flatY + least * (px - flatX);
    if (steepHere < bottom || flatHere > top) break;
    if (top < steepHere) {
      let slope = (top - (floorY[floorStart] as number)) / (px - (floorX[floorStart] as number));
      while (floorStart + 1 < floorEnd) {
        const next = (top - (floorY[floorStart + 1] as number)) / (px - (floorX[floorStart + 1] as number));
        if (next > slope) break;
        slope = next;
        floorStart++;
      }
      greatest = Math.min(slope, slopes.greatest);
      steepX = px;
      steepY = top;
      steepAt = i;
    }
    if (bottom > flatHere) {
      let slope = (bottom - (ceilingY[ceilingStart] as number)) / (px - (ceilingX[ceilingStart] as number));
      while (ceilingStart + 1 < ceilingEnd) {
        const next = (bottom - (ceilingY[ceilingStart + 1] as number)) / (px - (ceilingX[ceilingStart + 1] as number));
        if (next < slope) break;
        slope = next;
        ceilingStart++;
      }
      least = Math.max(slope, slopes.least);
      flatX = px;
      flatY = bottom;
      flatAt = i;
    }
    // Lower hull of the ceiling: drop points above the chord from their predecessor to the new one. Likewise the floor.
    while (ceilingEnd - ceilingStart >= 2 && turn(ceilingX, ceilingY, ceilingEnd, px, top) <= 0) ceilingEnd--;
    ceilingX[ceilingEnd] = px;
    ceilingY[ceilingEnd++] = top;
    while (floorEnd - floorStart >= 2 && turn(floorX, floorY, floorEnd, px, bottom) >= 0) floorEnd--;
    floorX[floorEnd] = px;
    floorY[floorEnd++] = bottom;
  }
  return {
    end: i,
    leastSlope: least,
    greatestSlope: greatest,
    flattest: { piece: { slope: least, x: x0 + flatX, y: y0 + flatY }, at: flatAt },
    steepest: { piece: { slope: greatest, x: x0 + steepX, y: y0 + steepY }, at: steepAt },
  };
}

/** Positive if the hull's last two points and (px, py) turn left. */
function turn(hullX: Float64Array, hullY: Float64Array, end: number, px: number, py: number): number {
  const ax = hullX[end - 2] as number;
  const ay = hullY[end - 2] as number;
  return ((hullX[end - 1] as number) - ax) * (py - ay) - ((hullY[end - 1] as number) - ay) * (px - ax);
}

/**
 * Covers the points from ... to - 1 with the fewest runs, longest first from the left: the starts of the runs, or null if more
 * than `limit` are needed. A run is the longest there is, and a part of a run is a run: so no cover has fewer.
 */
export function cover(tube: Tube, longest: LongestRun, from: number, to: number, limit: number): number[] | null {
  const starts: number[] = [];
  for (let i = from; i < to; ) {
    if (starts.length === limit) return null;
    starts.push(i);
    const end = longest(tube, i, to);
    if (end === i) return null;
    i = end;
  }
  return starts;
}
