// The two halves of a search for lines that several scales share: which inputs of each scale go to which of given lines, and the best
// stored lines for given inputs. Each half finds its optimum, so going back and forth never costs more.

import { codeRange } from "../num/index.ts";
import type { Line } from "../table/index.ts";
import type { Points } from "./points.ts";
import { runCost } from "./segmentation.ts";
import { type StoredFormats, StoredLeastSquares } from "./stored.ts";
import type { Task } from "./task.ts";

/** Lines in order, and the segment of every point by scale: not falling. */
export interface Assigned {
  readonly lines: readonly Line[];
  readonly segments: readonly Int32Array[];
  /** Mean over the scales of the mean square. */
  readonly cost: number;
  /** Mean input of each segment, all scales together; 0 where it has none. */
  readonly centres: Float64Array;
}

export class SharedAssignment {
  private readonly tasks: readonly Task[];
  private readonly formats: StoredFormats;
  /** Lines that are tails stay as they are. */
  private readonly fixed: readonly [below: boolean, above: boolean];
  /** Points of all scales, grouped by segment while lines are sought. */
  private readonly grouped: Points;

  constructor(tasks: readonly Task[], formats: StoredFormats) {
    const total = tasks.reduce((sum, { points }) => sum + points.codes.length, 0);
    const [below, above] = (tasks[0] as Task).tails;
    this.tasks = tasks;
    this.formats = formats;
    this.fixed = [typeof below === "object", typeof above === "object"];
    const column = (): Float64Array => new Float64Array(total);
    this.grouped = { codes: column(), x: column(), y: column(), weights: column() };
  }

  /** Points of all scales. */
  get size(): number {
    return this.grouped.x.length;
  }

  isFixed(line: number, count: number): boolean {
    return (line === 0 && this.fixed[0]) || (line === count - 1 && this.fixed[1]);
  }

  /** The best segments of given lines, by dynamic programming over the points of each scale: O(points lines). */
  assign(lines: readonly Line[]): Assigned {
    const counts = new Float64Array(lines.length);
    const centres = new Float64Array(lines.length);
    let cost = 0;
    const segments = this.tasks.map(({ points }) => {
      const found = assignScale(points, lines);
      cost += found.cost / this.tasks.length;
      found.segments.forEach((s, i) => {
        counts[s] = (counts[s] as number) + 1;
        centres[s] = (centres[s] as number) + (points.x[i] as number);
      });
      return found.segments;
    });
    return { lines, segments, cost, centres: centres.map((sum, s) => sum / Math.max(1, counts[s] as number)) };
  }

  /** The best stored line for the points of each segment; lines without points, and tails, stay. */
  refit({ lines, segments }: Assigned): Line[] {
    const starts = this.group(segments, lines.length);
    const costs = new StoredLeastSquares(this.grouped, this.formats, 0, null);
    return lines.map((line, s) => {
      const [start, end] = [starts[s] as number, starts[s + 1] as number];
      if (start === end || this.isFixed(s, lines.length)) return line;
      runCost(costs, start, end);
      const { slope, y } = costs.piece();
      return { slope, intercept: y };
    });
  }

  /** Where each segment's points begin among the grouped ones; the last entry is their number. */
  private group(segments: readonly Int32Array[], lines: number): Int32Array {
    const starts = new Int32Array(lines + 2);
    for (const scale of segments) for (const s of scale) starts[s + 2] = (starts[s + 2] as number) + 1;
    for (let s = 2; s < starts.length; s++) starts[s] = (starts[s] as number) + (starts[s - 1] as number);
    const { x, y, weights } = this.grouped;
    this.tasks.forEach(({ points }, k) => {
      (segments[k] as Int32Array).forEach((s, i) => {
        const at = starts[s + 1] as number;
        starts[s + 1] = at + 1;
        x[at] = points.x[i] as number;
        y[at] = points.y[i] as number;
        weights[at] = (points.weights[i] as number) / this.tasks.length;
      });
    });
    return starts;
  }
}

/** least[s]: the least cost of the points so far with the last of them in segment s or one before it. */
function assignScale(
  { x, y, weights }: Points,
  lines: readonly Line[],
): { readonly segments: Int32Array; readonly cost: number } {
  const count = lines.length;
  const slopes = Float64Array.from(lines, ({ slope }) => slope);
  const intercepts = Float64Array.from(lines, ({ intercept }) => intercept);
  const least = new Float64Array(count);
  /** chosen[i * count + s]: the segment of point i behind least[s]. */
  const chosen = new Int32Array(x.length * count);
  for (let i = 0; i < x.length; i++) {
    let before = -1;
    for (let s = 0; s < count; s++) {
      const error = (slopes[s] as number) * (x[i] as number) + (intercepts[s] as number) - (y[i] as number);
      const cost = (least[s] as number) + (weights[i] as number) * error * error;
      const better = s === 0 || cost < (least[s - 1] as number);
      before = better ? s : before;
      least[s] = better ? cost : (least[s - 1] as number);
      chosen[i * count + s] = before;
    }
  }
  const segments = new Int32Array(x.length);
  for (let i = x.length - 1, s = count - 1; i >= 0; i--) {
    s = chosen[i * count + s] as number;
    segments[i] = s;
  }
  return { segments, cost: least[count - 1] as number };
}

/**
 * The code at which each segment but the first begins, at one scale. Segments before the first that has points begin below all codes,
 * those behind the last beyond all, so that the outermost lines in use extend; unless the outermost one is a tail, which then takes over.
 */
export function codesOf({ points, tails, problem }: Task, segments: Int32Array, count: number): number[] {
  const { lo, hi } = codeRange(problem.spec.input);
  const { codes } = points;
  const last = codes.length - 1;
  const beyond = Math.max(hi, codes[last] as number) + 1;
  const first = typeof tails[0] === "object" ? (codes[0] as number) : lo;
  const end = typeof tails[1] === "object" ? (codes[last] as number) + 1 : beyond;
  return Array.from({ length: count - 1 }, (_, k) => {
    const start = segments.findIndex((s) => s > k);
    if (start < 0) return end;
    return start === 0 ? first : (codes[start] as number);
  });
}
