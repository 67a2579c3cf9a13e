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
  // Invariant: [from, low) is served, [from, high + 1) is not.
  while (low < high) {
    const middle = low === from && high - from > 2 ? high : Math.ceil((low + high) / 2);
    if (serves(tube, from, middle, formats)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function serves(tube: Tube, from: number, to: number, formats: StoredFormats): boolean {
  for (const slope of slopesOutward(longestRun(tube, from, to), formats)) {
    if (interceptFor(tube, from, to, slope, formats) !== null) return true;
  }
  return false;
}

/** Slope values of the format that real lines through a run can have, from the middle outward. */
function* slopesOutward(run: Run, { slope }: StoredFormats): Generator<number, void, void> {
  // One step more on each side: the ends of the real range are known up to rounding only.
  const first = Math.max(slope.least, Math.ceil(run.leastSlope / slope.step) - 1);
  const last = Math.min(slope.greatest, Math.floor(run.greatestSlope / slope.step) + 1);
  const centre = Math.round((first + last) / 2);
  for (let d = 0; centre - d >= first || centre + d <= last; d++) {
    if (centre + d <= last) yield (centre + d) * slope.step;
    if (d > 0 && centre - d >= first) yield (centre - d) * slope.step;
  }
}

/** A stored intercept, as central as possible, with which a slope serves the run; null if there is none. */
function interceptFor(
  { x, lo, hi }: Tube,
  from: number,
  to: number,
  slope: number,
  { intercept }: StoredFormats,
): number | null {
  let least = -Infinity;
  let greatest = Infinity;
  for (let i = from; i < to; i++) {
    const rise = slope * (x[i] as number);
    least = Math.max(least, (lo[i] as number) - rise);
    greatest = Math.min(greatest, (hi[i] as number) - rise);
  }
  const first = Math.max(intercept.least, Math.ceil(least / intercept.step));
  const last = Math.min(intercept.greatest, Math.floor(greatest / intercept.step));
  if (first > last) return null;
  const centre = Math.round((least + greatest) / 2 / intercept.step);
  return Math.min(last, Math.max(first, centre)) * intercept.step;
}

/** Of the stored pairs that serve a run the one of least largest error (among up to 512 slopes around the middle). */
export function bestPair(tube: Tube, targets: Targets, from: number, to: number, formats: StoredFormats): MinimaxLine {
  let best: MinimaxLine = { piece: { slope: 0, x: 0, y: 0 }, error: Infinity };
  let tried = 0;
  for (const slope of slopesOutward(longestRun(tube, from, to), formats)) {
    if (++tried > BEST_OF && best.error < Infinity) break;
    const intercept = interceptFor(tube, from, to, slope, formats);
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
