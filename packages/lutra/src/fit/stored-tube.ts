// Stored pairs inside a tube: whether one serves a run, decided by trying every slope that a real line could have.

import type { MinimaxLine, Targets } from "./minimax.ts";
import type { StoredFormats } from "./stored.ts";
import { longestRun, type Run, type Tube } from "./tube.ts";

/** Slopes tried when the best of several pairs is wanted; one that serves is always found. */
const BEST_OF = 512;

/** The first point from which on no stored pair serves the run that starts at `from`. Parts of a served run are served. */
export function longestStoredRun(tube: Tube, from: number, to: number, formats: StoredFormats): number {
  let low = from;
  let high = longestRun(tube, from, to).end;
  // [from, low) is served, [from, high + 1) is not. Most runs end where real lines end, or just before.
  for (let back = 0; low < high; back = 2 * back + 1) {
    const middle = Math.max(high - back, Math.ceil((low + high) / 2));
    if (serves(tube, from, middle, formats)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function serves(tube: Tube, from: number, to: number, formats: StoredFormats): boolean {
  const slopes = slopeCodes(longestRun(tube, from, to), formats);
  const strip = stripOf(tube, from, to);
  for (let d = 0; d <= slopes.count; d++) {
    const k = outward(slopes, d);
    if (k !== null && interceptFor(strip, k * formats.slope.step, formats) !== null) return true;
  }
  return false;
}

/** Slope codes that real lines through a run can have. */
interface SlopeCodes {
  readonly first: number;
  readonly last: number;
  /** Steps outward that visit all of them. */
  readonly count: number;
}

function slopeCodes(run: Run, { slope }: StoredFormats): SlopeCodes {
  // One step more on each side: the ends of the real range are known up to rounding only.
  const first = Math.max(slope.least, Math.ceil(run.leastSlope / slope.step) - 1);
  const last = Math.min(slope.greatest, Math.floor(run.greatestSlope / slope.step) + 1);
  return { first, last, count: Math.max(-1, last - first + 1) };
}

/** The d-th slope code from the middle outward, both sides in turn; null beyond an end. */
function outward({ first, last }: SlopeCodes, d: number): number | null {
  const half = Math.ceil(d / 2);
  const k = Math.floor((first + last) / 2) + (d % 2 === 1 ? half : -half);
  return k >= first && k <= last ? k : null;
}

/** What limits the intercepts of a run: the lower hull of its ceilings and the upper hull of its floors. */
interface Strip {
  readonly ceiling: Hull;
  readonly floor: Hull;
}

interface Hull {
  readonly x: number[];
  readonly y: number[];
}

function stripOf({ x, lo, hi }: Tube, from: number, to: number): Strip {
  return { ceiling: hullOf(x, hi, from, to, 1), floor: hullOf(x, lo, from, to, -1) };
}

/** The lower (side 1) or upper (side -1) hull of points, left to right. */
function hullOf(x: Float64Array, y: Float64Array, from: number, to: number, side: 1 | -1): Hull {
  const hull: Hull = { x: [], y: [] };
  for (let i = from; i < to; i++) {
    const px = x[i] as number;
    const py = y[i] as number;
    while (hull.x.length >= 2 && side * turn(hull, px, py) <= 0) {
      hull.x.pop();
      hull.y.pop();
    }
    hull.x.push(px);
    hull.y.push(py);
  }
  return hull;
}

/** Positive if the hull's last two points and (px, py) turn left. */
function turn({ x, y }: Hull, px: number, py: number): number {
  const last = x.length - 1;
  const ax = x[last - 1] as number;
  const ay = y[last - 1] as number;
  return ((x[last] as number) - ax) * (py - ay) - ((y[last] as number) - ay) * (px - ax);
}

/** The least of y - slope x over a lower hull (side 1), the greatest over an upper one (side -1): where edges pass the slope. */
function support({ x, y }: Hull, slope: number, side: 1 | -1): number {
  let low = 0;
  let high = x.length - 1;
  const valueAt = (i: number): number => (y[i] as number) - slope * (x[i] as number);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (side * (valueAt(middle + 1) - valueAt(middle)) < 0) low = middle + 1;
    else high = middle;
  }
  return valueAt(low);
}

/** A stored intercept, as central as possible, with which a slope serves a run; null if there is none. */
function interceptFor({ ceiling, floor }: Strip, slope: number, { intercept }: StoredFormats): number | null {
  const least = support(floor, slope, -1);
  const greatest = support(ceiling, slope, 1);
  const first = Math.max(intercept.least, Math.ceil(least / intercept.step));
  const last = Math.min(intercept.greatest, Math.floor(greatest / intercept.step));
  if (first > last) return null;
  const centre = Math.round((least + greatest) / 2 / intercept.step);
  return Math.min(last, Math.max(first, centre)) * intercept.step;
}

/** Of the stored pairs that serve a run the one of least largest error (among up to 512 slopes around the middle). */
export function bestPair(tube: Tube, targets: Targets, from: number, to: number, formats: StoredFormats): MinimaxLine {
  let best: MinimaxLine = { piece: { slope: 0, x: 0, y: 0 }, error: Infinity };
  const slopes = slopeCodes(longestRun(tube, from, to), formats);
  const strip = stripOf(tube, from, to);
  for (let d = 0; d <= slopes.count && (d < BEST_OF || best.error === Infinity); d++) {
    const k = outward(slopes, d);
    const slope = (k ?? 0) * formats.slope.step;
    const intercept = k === null ? null : interceptFor(strip, slope, formats);
    if (intercept === null) continue;
    let error = 0;
    for (let i = from; i < to; i++) {
      const line = slope * (targets.x[i] as number) + intercept;
      error = Math.max(error, (targets.weights[i] as number) * Math.abs((targets.y[i] as number) - line));
    }
    if (error < best.error) best = { piece: { slope, x: 0, y: intercept }, error };
  }
  return best;
}
