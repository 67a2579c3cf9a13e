// The least-squares line of a run of points that grows point by point, in either direction.

import type { Interval } from "../num/index.ts";
import type { Points } from "./points.ts";
import type { Piece } from "./pwl.ts";
import type { RunCost } from "./segmentation.ts";

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
