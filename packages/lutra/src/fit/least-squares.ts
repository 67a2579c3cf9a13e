// The least-squares line of a run of points that grows point by point, in either direction.

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
  private readonly points: Points;

  constructor(points: Points) {
    this.points = points;
  }

  begin(first: number, step: 1 | -1 = 1): void {
    this.next = first;
    this.step = step;
    this.mass = this.meanX = this.meanY = this.spreadX = this.slope = this.residual = 0;
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
    return this.residual;
  }

  cost(): number {
    return this.residual;
  }

  piece(): Piece {
    return { slope: this.slope, x: this.meanX, y: this.meanY };
  }
}
