// Least-squares lines over runs of points that grow to the right, and the dynamic programme over breakpoints that stands on them.

import type { Work } from "../base/index.ts";
import type { Points } from "./points.ts";
import type { Piece } from "./pwl.ts";

/**
 * The costs of runs [from, end): begin(from), then extend() once per further point. Costs never fall as a run grows.
 * `extend` returns a lower bound on the run's cost, `cost` the cost itself.
 */
export interface RunCost {
  begin(from: number): void;
  extend(): number;
  cost(): number;
}

/** Moments of a run, updated point by point without sums that cancel. */
export class LeastSquares implements RunCost {
  private next = 0;
  mass = 0;
  meanX = 0;
  meanY = 0;
  /** Sum of w (x - meanX)^2, slope of the best line, and its sum of w e^2. */
  spreadX = 0;
  slope = 0;
  residual = 0;
  private readonly points: Points;

  constructor(points: Points) {
    this.points = points;
  }

  begin(from: number): void {
    this.next = from;
    this.mass = this.meanX = this.meanY = this.spreadX = this.slope = this.residual = 0;
  }

  /**
   * Takes in one point. With r its distance from the best line so far and q = m w / (m + w), the residual grows by
   * q r^2 spreadX / (spreadX + q dx^2): a sum of positive terms, exact to a few ulps however long the run.
   */
  extend(): number {
    const i = this.next++;
    const w = this.points.weights[i] as number;
    const mass = this.mass + w;
    const dx = (this.points.x[i] as number) - this.meanX;
    const dy = (this.points.y[i] as number) - this.meanY;
    const q = (this.mass * w) / mass;
    const spread = this.spreadX + q * dx * dx;
    const r = dy - this.slope * dx;
    if (spread > 0) {
      this.residual += (q * r * r * this.spreadX) / spread;
      this.slope += (q * dx * r) / spread;
    }
    this.spreadX = spread;
    this.meanX += (dx * w) / mass;
    this.meanY += (dy * w) / mass;
    this.mass = mass;
    return this.residual;
  }

  cost(): number {
    return this.residual;
  }

  piece(): Piece {
    return { slope: this.slope, x: this.meanX, y: this.meanY };
  }
}

/** Runs chosen by the dynamic programme. */
export interface Segmentation {
  /** First point of each segment, not decreasing, the first 0. Tails that are lines may have no points. */
  readonly starts: readonly number[];
  readonly cost: number;
}

/** What the programme has to place. */
export interface Programme {
  readonly length: number;
  readonly segments: number;
  /** Cost of giving the first j points to the tail's line, j = 0..length; null if there is no such line. */
  readonly head: Float64Array | null;
  /** Cost of giving the points from j on to the tail's line. */
  readonly tail: Float64Array | null;
  /** A cost that is known to be attainable (Infinity if none is): longer runs are not looked at. */
  readonly upper: number;
  /** Segments begin only at multiples of this. */
  readonly stride: number;
}

const ROWS_PER_TURN = 64;

/**
 * The segmentation of least cost with at most the given segments, exactly, over all sets of breakpoints: least[s][j] is the least
 * cost of the first j points in s segments. Every run is visited once: O(length^2) costs, O(length^2 segments) comparisons.
 */
export function* bestSegmentation(runs: RunCost, programme: Programme): Work<Segmentation | null> {
  const { length, head, tail, upper, stride } = programme;
  const inner = Math.min(programme.segments, length + (head === null ? 0 : 1)) - (tail === null ? 0 : 1);
  const layers = inner + 1;
  const least = new Float64Array((length + 1) * layers).fill(Infinity);
  const from = new Int32Array((length + 1) * layers);
  if (head === null) least[0] = 0;
  else for (let j = 0; j <= length && layers > 1; j++) least[j * layers + 1] = head[j] as number;
  for (let i = 0; i < length; i += stride) {
    if ((i / stride) % ROWS_PER_TURN === 0) yield { stage: "optimal: dynamic programme", done: i, total: length };
    extendRow(runs, { least, from, layers, i, length, upper, stride });
  }
  return traceBack(programme, least, from, layers);
}

interface Row {
  readonly least: Float64Array;
  readonly from: Int32Array;
  readonly layers: number;
  readonly i: number;
  readonly length: number;
  readonly upper: number;
  readonly stride: number;
}

/** Offers every run that starts at i to the states behind it. */
function extendRow(runs: RunCost, { least, from, layers, i, length, upper, stride }: Row): void {
  const row = i * layers;
  let first = layers;
  let cheapest = Infinity;
  for (let s = layers - 2; s >= 0; s--) {
    const before = least[row + s] as number;
    if (before <= upper) {
      first = s;
      cheapest = Math.min(cheapest, before);
    }
  }
  if (cheapest === Infinity) return;
  runs.begin(i);
  for (let j = i + 1; j <= length; j++) {
    if (cheapest + runs.extend() > upper) return;
    if (j % stride !== 0 && j !== length) continue;
    const cost = runs.cost();
    const target = j * layers + 1;
    for (let s = first; s < layers - 1; s++) {
      const total = (least[row + s] as number) + cost;
      if (total < (least[target + s] as number)) {
        least[target + s] = total;
        from[target + s] = i;
      }
    }
  }
}

function traceBack(programme: Programme, least: Float64Array, from: Int32Array, layers: number): Segmentation | null {
  const { length, head, tail } = programme;
  let cost = Infinity;
  let at = -1;
  let layer = 0;
  const firstEnd = tail === null ? length : 0;
  for (let j = firstEnd; j <= length; j++) {
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
