// Chords through f at breakpoints, slope and intercept rounded apart to what is stored, and their mean square over points.

import type { Interval } from "../num/index.ts";
import type { Points } from "./points.ts";
import { linePiece, type Piece } from "./pwl.ts";
import { toStored } from "./quantise.ts";
import type { Task } from "./task.ts";

/** The chord from one breakpoint to the next, as stored; 0 between equal ones, where no point lies. Tails that are lines stay. */
export function chordsOf(task: Task, ends: Interval, breakpoints: Float64Array): Piece[] {
  const chords = new Chords(task, ends);
  chords.through(breakpoints);
  return Array.from(chords.slopes, (slope, i) => ({ slope, x: 0, y: chords.intercepts[i] as number }));
}

/** The mean square of the chords between ascending breakpoints. A point on a breakpoint belongs to the right. */
export function meanSquare(task: Task, points: Points, ends: Interval): (breakpoints: Float64Array) => number {
  const { x, y, weights } = points;
  const chords = new Chords(task, ends);
  const { slopes, intercepts } = chords;
  return (breakpoints) => {
    chords.through(breakpoints);
    let sum = 0;
    for (let k = 0, i = 0; k < slopes.length; k++) {
      const end = k < breakpoints.length ? (breakpoints[k] as number) : Infinity;
      const slope = slopes[k] as number;
      const intercept = intercepts[k] as number;
      for (; i < x.length && (x[i] as number) < end; i++) {
        const error = slope * (x[i] as number) + intercept - (y[i] as number);
        sum += (weights[i] as number) * error * error;
      }
    }
    return Number.isNaN(sum) ? Infinity : sum;
  };
}

/** Slopes and intercepts of the chords last asked for: arrays of one number per segment. */
class Chords {
  readonly slopes: Float64Array;
  readonly intercepts: Float64Array;
  private readonly task: Task;
  private readonly ends: Interval;

  constructor(task: Task, ends: Interval) {
    this.task = task;
    this.ends = ends;
    this.slopes = new Float64Array(task.segments);
    this.intercepts = new Float64Array(task.segments);
  }

  through(breakpoints: Float64Array): void {
    const { fn, problem, tails } = this.task;
    const formats = problem.coefficients;
    const last = this.slopes.length - 1;
    let a = this.ends.lo;
    let fa = fn.evaluate(a);
    for (let k = 0; k <= last; k++) {
      const b = k < last ? (breakpoints[k] as number) : this.ends.hi;
      const fb = fn.evaluate(b);
      const slope = a === b ? 0 : (fb - fa) / (b - a);
      const intercept = a === b ? 0 : fa - a * slope;
      this.slopes[k] = formats === undefined ? slope : toStored(formats.slope, slope);
      this.intercepts[k] = formats === undefined ? intercept : toStored(formats.intercept, intercept);
      a = b;
      fa = fb;
    }
    if (typeof tails[0] === "object") this.set(0, linePiece(tails[0]));
    if (typeof tails[1] === "object") this.set(last, linePiece(tails[1]));
  }

  private set(k: number, { slope, y }: Piece): void {
    this.slopes[k] = slope;
    this.intercepts[k] = y;
  }
}
