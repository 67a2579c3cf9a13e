// Least mean square of linked lines: for given knots the values from a tridiagonal system, exactly; the knots by moving one at a
// time. Monotone forms share one value between knots that would fall.

import type { Direction } from "./linked-tube.ts";
import type { Points } from "./points.ts";
import type { Task } from "./task.ts";

/** Where f(0) is kept its point weighs this many times all others together: it is then met within the last binary32 place. */
const PINNED: number = 2 ** 30;

/** Sums over the points of one line from knot a to knot b, with t the share of the way and r = f - chord of f. */
interface Block {
  readonly aa: number;
  readonly ab: number;
  readonly bb: number;
  readonly ra: number;
  readonly rb: number;
  readonly rr: number;
}

export interface Solution {
  readonly values: readonly number[];
  /** Sum of squares, without the points of lines given for the ends. */
  readonly cost: number;
}

/** Target at the point 0 that the values are pulled to; null for none. */
export type Pull = { readonly target: number } | null;

/** Sums of the points from knot a on, before knot b, or up to it for the last line. */
export function blockOf(points: Points, a: number, b: number, last: boolean, pull: Pull): Block {
  const { x, y, weights } = points;
  const [start, width] = [x[a] as number, (x[b] as number) - (x[a] as number)];
  const [from, to] = [y[a] as number, y[b] as number];
  let [aa, ab, bb, ra, rb, rr] = [0, 0, 0, 0, 0, 0];
  for (let i = a; i < (last ? b + 1 : b); i++) {
    const t = width === 0 ? 0 : ((x[i] as number) - start) / width;
    const pulled = pull !== null && x[i] === 0;
    const w = pulled ? PINNED : (weights[i] as number);
    const r = (pulled ? pull.target : (y[i] as number)) - from - t * (to - from);
    aa += w * (1 - t) * (1 - t);
    ab += w * t * (1 - t);
    bb += w * t * t;
    ra += w * (1 - t) * r;
    rb += w * t * r;
    rr += w * r * r;
  }
  return { aa, ab, bb, ra, rb, rr };
}

/**
 * The values at knots of least sum of squares. `fixed` as in linkedValues. With a direction, knots whose values run against it are
 * joined until none does; joined knots stay so, which is a good answer but not always the best.
 */
export function bestValues(
  { points }: Task,
  knots: readonly number[],
  blocks: readonly Block[],
  fixed: readonly number[],
  direction: Direction,
): Solution {
  const group = knots.map((_, k) => k);
  for (;;) {
    const solution = solveGroups(points, knots, blocks, fixed, group);
    const against = solution.values.findIndex((v, k) => {
      const next = solution.values[k + 1];
      return next !== undefined && group[k] !== group[k + 1] && direction * (next - v) < 0;
    });
    if (against < 0) return solution;
    const joined = group[against] as number;
    const merged = group[against + 1] as number;
    for (let k = against + 1; k < group.length; k++) if (group[k] === merged) group[k] = joined;
  }
}

/** Solves the tridiagonal system of the groups' values; equal numbers in `group` (ascending) are one unknown. */
function solveGroups(
  { y }: Points,
  knots: readonly number[],
  blocks: readonly Block[],
  fixed: readonly number[],
  group: readonly number[],
): Solution {
  const n = knots.length;
  const base = (k: number): number => y[knots[group[k] as number] as number] as number;
  // Deviations u of group values from f at the group's first knot; d of that value from f at the knot itself.
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const right = new Float64Array(n);
  const d = knots.map((knot, k) => base(k) - (y[knot] as number));
  blocks.forEach(({ aa, ab, bb, ra, rb }, k) => {
    const [g, h] = [group[k] as number, group[k + 1] as number];
    const [da, db] = [d[k] as number, d[k + 1] as number];
    diagonal[g] = (diagonal[g] as number) + aa + (g === h ? 2 * ab : 0);
    diagonal[h] = (diagonal[h] as number) + bb;
    if (g !== h) beside[h] = ab;
    right[g] = (right[g] as number) + ra - aa * da - ab * db;
    right[h] = (right[h] as number) + rb - ab * da - bb * db;
  });
  // Only the ends can be imposed.
  const imposed = (g: number): number => {
    const end = group[0] === g && !Number.isNaN(fixed[0]) ? 0 : n - 1;
    return group[end] === g ? (fixed[end] as number) - base(end) : Number.NaN;
  };
  const heads = [...new Set(group)];
  const u = thomas(heads, diagonal, beside, right, imposed);
  const values = knots.map((_, k) => base(k) + (u[group[k] as number] as number));
  const cost = blocks.reduce((sum, block, k) => {
    const [ua, ub] = [
      (values[k] as number) - (y[knots[k] as number] as number),
      (values[k + 1] as number) - (y[knots[k + 1] as number] as number),
    ];
    return (
      sum +
      block.rr -
      2 * (ua * block.ra + ub * block.rb) +
      ua * ua * block.aa +
      2 * ua * ub * block.ab +
      ub * ub * block.bb
    );
  }, 0);
  return { values, cost };
}

/** Elimination down and substitution back; imposed values are rows of their own. */
function thomas(
  heads: readonly number[],
  diagonal: Float64Array,
  beside: Float64Array,
  right: Float64Array,
  imposed: (g: number) => number,
): Float64Array {
  const u = new Float64Array(diagonal.length);
  const ratio = new Float64Array(heads.length);
  const value = new Float64Array(heads.length);
  heads.forEach((g, i) => {
    const off = i === 0 ? 0 : (beside[g] as number);
    const given = imposed(g);
    if (!Number.isNaN(given)) {
      value[i] = given;
      return;
    }
    const below = i === heads.length - 1 ? 0 : (beside[heads[i + 1] as number] as number);
    const pivot = (diagonal[g] as number) - off * (i === 0 ? 0 : (ratio[i - 1] as number));
    ratio[i] = pivot === 0 ? 0 : below / pivot;
    value[i] = pivot === 0 ? 0 : ((right[g] as number) - off * (i === 0 ? 0 : (value[i - 1] as number))) / pivot;
  });
  for (let i = heads.length - 1; i >= 0; i--) {
    const after = i === heads.length - 1 ? 0 : (u[heads[i + 1] as number] as number);
    u[heads[i] as number] = (value[i] as number) - (ratio[i] as number) * after;
  }
  return u;
}
