// The dynamic programme over breakpoints: which runs of points become segments. It knows costs of runs, not lines.

import type { Work } from "../base/index.ts";

/**
 * The costs of runs: begin at a point, then extend() once per point, to the right (or left, with step -1), or extendTo() for all points
 * of a run to the right up to an end. Costs never fall as a run grows. Both return a lower bound on the run's cost, `cost` the cost itself.
 */
export interface RunCost {
  begin(first: number, step?: 1 | -1): void;
  extend(): number;
  extendTo(end: number): number;
  cost(): number;
}

/** Runs chosen by the programme. */
export interface Segmentation {
  /** First point of each segment, not decreasing, the first 0. Tails that are lines may have no points. */
  readonly starts: readonly number[];
  readonly cost: number;
}

/** What the programme has to place. */
export interface Programme {
  readonly length: number;
  /** All of them, lines given for the two ends included. */
  readonly segments: number;
  /** Cost of giving the first j points to the line below, j = 0..length; null if there is no such line. */
  readonly head: Float64Array | null;
  /** Cost of giving the points from j on to the line above. */
  readonly tail: Float64Array | null;
  /** A cost that is known to be attainable (Infinity if none is): what exceeds it is not looked at. */
  readonly upper: number;
  /** Where segments may begin. */
  readonly borders: Borders;
  /** Between two segments the points up to the next border may be left out for nothing: no segmentation whatever costs less. */
  readonly relaxed: boolean;
  /** Lower bounds on the cost of what is left to cover; null if none are known. */
  readonly rest: Rest | null;
}

/** Points at which segments may begin, 0 and the length among them. The points between two borders are a cell. */
export interface Borders {
  /** Ascending, from 0 to length. */
  readonly at: Int32Array;
  /** next[j]: which border is the first at or after point j. Length length + 1. */
  readonly next: Int32Array;
}

/** Borders at given ascending points; 0 and the length are added. */
export function bordersAt(points: readonly number[], length: number): Borders {
  const at = Int32Array.from(new Set([0, ...points, length])).sort();
  const next = new Int32Array(length + 1);
  for (let j = 0, k = 0; j <= length; j++) {
    if (j > (at[k] as number)) k++;
    next[j] = k;
  }
  return { at, next };
}

/** Borders at every `stride`-th point. */
export function bordersEvery(stride: number, length: number): Borders {
  return bordersAt(
    Array.from({ length: Math.ceil(length / stride) }, (_, i) => i * stride),
    length,
  );
}

/** least[k * layers + s]: no s segments cover the points from border k on for less (a line above is one of them). */
export interface Rest {
  readonly least: Float64Array;
  readonly layers: number;
  readonly borders: Borders;
}

/** least[j * layers + s]: the least cost of the first j points in s segments; from: where the last of these begins. */
interface States {
  readonly least: Float64Array;
  readonly from: Int32Array;
  readonly layers: number;
  /** Relaxed only, by border instead of point: the same before the cell that ends there may be left out for nothing. */
  readonly ends: Float64Array;
}

const ROWS_PER_TURN = 64;

/**
 * The segmentation of least cost with at most the given segments, exactly, over all sets of breakpoints. Every run is visited once:
 * O(length^2) costs and O(length^2 segments) comparisons, less what `upper` and `rest` spare. Null if there is none.
 */
export function* bestSegmentation(runs: RunCost, programme: Programme): Work<Segmentation | null> {
  return traceBack(programme, yield* fill(runs, programme));
}

/**
 * Lower bounds on covering what is left from each border on, by the relaxed programme from the right: of any segmentation, keep
 * of each segment the whole cells inside it; that leaves out at most one cell per breakpoint and costs no more. `mirrored` is the
 * programme over the points in reverse order, with the lines' costs and the borders reversed too.
 */
export function* restBounds(runs: RunCost, mirrored: Programme): Work<Rest> {
  const { borders, length } = mirrored;
  const { ends, layers } = yield* fill(runs, { ...mirrored, tail: null, relaxed: true, rest: null });
  const count = borders.at.length;
  const rest = new Float64Array(count * layers);
  for (let k = 0; k < count; k++) {
    let best = Infinity;
    for (let s = 0; s < layers; s++) {
      best = Math.min(best, ends[(count - 1 - k) * layers + s] as number);
      rest[k * layers + s] = best;
    }
  }
  return { least: rest, layers, borders: bordersAt(Array.from(borders.at, (at) => length - at).reverse(), length) };
}

function* fill(runs: RunCost, programme: Programme): Work<States> {
  const { length, head, tail, borders } = programme;
  const inner = Math.min(programme.segments, length + (head === null ? 0 : 1)) - (tail === null ? 0 : 1);
  const layers = inner + 1;
  const size = (length + 1) * layers;
  const ends = new Float64Array(programme.relaxed ? borders.at.length * layers : 0);
  const states = { least: new Float64Array(size).fill(Infinity), from: new Int32Array(size), layers, ends };
  if (head === null) states.least[0] = 0;
  else for (let j = 0; j <= length && layers > 1; j++) states.least[j * layers + 1] = head[j] as number;
  for (let k = 0; k < borders.at.length; k++) {
    const i = borders.at[k] as number;
    if (k % ROWS_PER_TURN === 0) yield { stage: "optimal: dynamic programme", done: i, total: length };
    if (programme.relaxed) leaveOut(states, borders, k, i === length && tail === null);
    if (i < length) extendRow(runs, programme, states, i);
  }
  return states;
}

/**
 * A breakpoint may lie inside the cell before border k, which is then left out. Either a segment ended where that cell begins, or
 * the breakpoint ends a segment that began inside the cell before (left out too) and so has no whole cell: it counts, for nothing.
 */
function leaveOut({ least, layers, ends }: States, { at }: Borders, k: number, last: boolean): void {
  const row = (at[k] as number) * layers;
  const before = k === 0 ? -1 : (at[k - 1] as number) * layers;
  for (let s = 0; s < layers; s++) {
    const empty = before >= 0 && s > 0 ? (least[before + s - 1] as number) : Infinity;
    const end = Math.min(least[row + s] as number, empty);
    ends[k * layers + s] = end;
    least[row + s] = last || before < 0 || s === 0 ? end : Math.min(end, ends[(k - 1) * layers + s] as number);
  }
}

/** Points that are passed in one step where no run of theirs can end in an optimum. */
const CHUNK = 64;

/** Offers every run that starts at i to the states behind it. */
function extendRow(runs: RunCost, programme: Programme, states: States, i: number): void {
  const { length, upper, borders, rest } = programme;
  const open = openStates(programme, states, i);
  if (open.cheapest === Infinity) return;
  runs.begin(i);
  let bound = 0;
  for (let j = i; j < length; ) {
    if (rest !== null && (j === i || j % CHUNK === 0)) {
      const end = Math.min(length, (Math.floor(j / CHUNK) + 1) * CHUNK);
      if (isHopeless(programme, states, open, i, end, bound)) {
        bound = runs.extendTo(end);
        j = end;
        if (open.cheapest + bound > upper) return;
        continue;
      }
    }
    j = borders.at[borders.next[j + 1] as number] as number;
    bound = runs.extendTo(j);
    if (open.cheapest + bound > upper) return;
    offer(runs, programme, states, open, i, j, bound);
  }
}

/** The states of a point that can be part of an optimum: segments so far, from `first` up to `end`; the least cost among them. */
interface Open {
  readonly first: number;
  readonly end: number;
  readonly cheapest: number;
}

function openStates({ upper, segments, rest }: Programme, { least, layers }: States, i: number): Open {
  let first = layers;
  let end = 0;
  let cheapest = Infinity;
  for (let s = layers - 2; s >= 0; s--) {
    const before = least[i * layers + s] as number;
    if (!(before + restOf(rest, i, segments - s) <= upper)) continue;
    first = s;
    end = Math.max(end, s + 1);
    cheapest = Math.min(cheapest, before);
  }
  return { first, end, cheapest };
}

/** Whether no run from i may end at any point up to `end`: it costs at least `bound`, and what is left at least what is left there. */
function isHopeless(
  { segments, rest, upper }: Programme,
  { least, layers }: States,
  open: Open,
  i: number,
  end: number,
  bound: number,
): boolean {
  for (let s = open.first; s < open.end; s++) {
    if ((least[i * layers + s] as number) + bound + restOf(rest, end, segments - s - 1) <= upper) return false;
  }
  return true;
}

/** Offers the run from i up to j to the states behind it. */
function offer(
  runs: RunCost,
  { segments, rest, upper }: Programme,
  { least, from, layers }: States,
  open: Open,
  i: number,
  j: number,
  bound: number,
): void {
  let cost = -1;
  const target = j * layers + 1;
  for (let s = open.first; s < open.end; s++) {
    const before = least[i * layers + s] as number;
    if (before + bound >= (least[target + s] as number)) continue;
    if (rest !== null && before + bound + restOf(rest, j, segments - s - 1) > upper) continue;
    if (cost < 0) cost = runs.cost();
    if (before + cost < (least[target + s] as number)) {
      least[target + s] = before + cost;
      from[target + s] = i;
    }
  }
}

function restOf(rest: Rest | null, j: number, segments: number): number {
  if (rest === null) return 0;
  return rest.least[(rest.borders.next[j] as number) * rest.layers + Math.min(segments, rest.layers - 1)] as number;
}

function traceBack({ length, head, tail }: Programme, { least, from, layers }: States): Segmentation | null {
  let cost = Infinity;
  let at = -1;
  let layer = 0;
  for (let j = tail === null ? length : 0; j <= length; j++) {
    for (let s = 0; s < layers; s++) {
      const total = (least[j * layers + s] as number) + (tail === null ? 0 : (tail[j] as number));
      if (total < cost) {
        cost = total;
        at = j;
        layer = s;
      }
    }
  }
  if (at < 0) return null;
  const starts: number[] = tail === null ? [] : [at];
  for (let s = layer; s > (head === null ? 0 : 1); s--) {
    at = from[at * layers + s] as number;
    starts.push(at);
  }
  if (head !== null) starts.push(0);
  return { starts: starts.reverse(), cost };
}

/** Given segments, with their whole cost. */
export function costed(programme: Programme, starts: readonly number[], runs: RunCost): Segmentation {
  return { starts, cost: costOf(programme, starts, runs) };
}

export function costOf({ head, tail, length }: Programme, starts: readonly number[], runs: RunCost): number {
  const last = starts.length - 1;
  return starts.reduce((sum, start, s) => {
    if (s === last && tail !== null) return sum + (tail[start] as number);
    const end = starts[s + 1] ?? length;
    if (s === 0 && head !== null) return sum + (head[end] as number);
    return sum + runCost(runs, start, end);
  }, 0);
}

/** Cost of one run; the run stays in `runs`. */
export function runCost(runs: RunCost, start: number, end: number): number {
  runs.begin(start);
  for (let i = start; i < end; i++) runs.extend();
  return runs.cost();
}
