// The least-squares line of a run of points that grows point by point, in either direction.

import type { Interval } from "../num/index.ts";
import type { Points } from "./points.ts";
import type { Piece } from "./pwl.ts";
import type { RunCost } from "./segmentation.ts";

/** Points whose moments are kept together, so that runs take them in at once. */
const BLOCK = 16;
/** Numbers kept per block: mass, meanX, meanY, spreadX, slope, residual. */
const BLOCK_NUMBERS = 6;

/** Moments of a run, updated point by point without sums that cancel. */
export class LeastSquares implements RunCost {
  private next = 0;
  private step = 1;
  mass = 0;
  meanX = 0;
  meanY = 0;
  /** Sum of w (x - meanX)^2, slope of the best line, and its sum of w e^2. */
  spreadX = 0;
  slope = 0;
  residual = 0;
  /** Whether the run has the point x = 0 and so must keep the answer there. */
  pinned = false;
  private readonly points: Points;
  /** Made when first needed. */
  private blocks: Float64Array | null = null;
  /** The values that the line of a run with x = 0 may have there; null for any. */
  readonly zero: Interval | null;

  constructor(points: Points, zero: Interval | null = null) {
    this.points = points;
    this.zero = zero;
  }

  begin(first: number, step: 1 | -1 = 1): void {
    this.next = first;
    this.step = step;
    this.mass = this.meanX = this.meanY = this.spreadX = this.slope = this.residual = 0;
    this.pinned = false;
  }

  /**
   * Takes in one point. With r its distance from the best line so far and q = m w / (m + w), the residual grows by
   * q r^2 spreadX / (spreadX + q dx^2): a sum of positive terms, exact to a few ulps however long the run.
   */
  extend(): number {
    const i = this.next;
    this.next += this.step;
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
    this.pinned ||= this.zero !== null && this.points.x[i] === 0;
    return this.residual;
  }

  /** Takes in all points up to an end, whole blocks of them at once. */
  extendTo(end: number): number {
    while (this.next < end) {
      if (this.zero !== null || this.next % BLOCK !== 0 || this.next + BLOCK > end) this.extend();
      else this.extendByBlock();
    }
    return this.residual;
  }

  /**
   * Takes in the moments of the next block. Three slopes are averaged: of the run, of the block, and from mean to mean; each leaves
   * weight (slope - average)^2 behind, so that the residual is a sum of positive terms here too.
   */
  private extendByBlock(): void {
    this.blocks ??= blockMoments(this.points);
    const at = (this.next / BLOCK) * BLOCK_NUMBERS;
    const w = this.blocks[at] as number;
    const spreadX = this.blocks[at + 3] as number;
    const slope = this.blocks[at + 4] as number;
    const mass = this.mass + w;
    const dx = (this.blocks[at + 1] as number) - this.meanX;
    const dy = (this.blocks[at + 2] as number) - this.meanY;
    const q = (this.mass * w) / mass;
    const spread = this.spreadX + spreadX + q * dx * dx;
    const average = spread > 0 ? (this.spreadX * this.slope + spreadX * slope + q * dx * dy) / spread : 0;
    const [offRun, offBlock, offMeans] = [this.slope - average, slope - average, dy - average * dx];
    this.residual +=
      (this.blocks[at + 5] as number) +
      this.spreadX * offRun * offRun +
      spreadX * offBlock * offBlock +
      q * offMeans * offMeans;
    this.slope = average;
    this.spreadX = spread;
    this.meanX += (dx * w) / mass;
    this.meanY += (dy * w) / mass;
    this.mass = mass;
    this.next += BLOCK;
  }

  /**
   * The sum of squares. Lines of slope k and intercept b have residual + (k - slope)^2 spreadX + mass (b + k meanX - meanY)^2:
   * for an intercept d off the free one the best slope is d mass meanX / (spreadX + mass meanX^2) below the free one.
   */
  cost(): number {
    const off = this.offZero();
    if (off === 0) return this.residual;
    const { mass, meanX, spreadX, residual } = this;
    return (
      residual + off * off * mass * (spreadX === 0 ? (meanX === 0 ? 1 : 0) : spreadX / (spreadX + mass * meanX * meanX))
    );
  }

  piece(): Piece {
    const { mass, meanX, meanY, spreadX, slope } = this;
    const off = this.offZero();
    if (off === 0) return { slope, x: meanX, y: meanY };
    const stiffness = spreadX + mass * meanX * meanX;
    const best = stiffness === 0 ? slope : slope - (off * mass * meanX) / stiffness;
    return { slope: best, x: 0, y: meanY - slope * meanX + off };
  }

  /** By how much the free line's intercept must move so that the answer at 0 is kept. */
  private offZero(): number {
    if (!this.pinned || this.zero === null) return 0;
    const intercept = this.meanY - this.slope * this.meanX;
    return Math.min(this.zero.hi, Math.max(this.zero.lo, intercept)) - intercept;
  }
}

/** The moments of every whole block of points. */
function blockMoments(points: Points): Float64Array {
  const count = Math.floor(points.x.length / BLOCK);
  const moments = new Float64Array(count * BLOCK_NUMBERS);
  const sums = new LeastSquares(points);
  for (let k = 0; k < count; k++) {
    sums.begin(k * BLOCK);
    for (let i = 0; i < BLOCK; i++) sums.extend();
    const { mass, meanX, meanY, spreadX, slope, residual } = sums;
    moments.set([mass, meanX, meanY, spreadX, slope, residual], k * BLOCK_NUMBERS);
  }
  return moments;
}
