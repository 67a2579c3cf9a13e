// Linked lines of small mean square: the best values at the knots, and knots moved one at a time. No optimum is proven.

import { areLinkable, fixedValues, knotsOf, type Linked, neighbours } from "./linked.ts";
import { bestValues, blockOf, type Pull, type Solution } from "./linked-squares.ts";
import type { Direction } from "./linked-tube.ts";
import { roundsOutput } from "./output-tube.ts";
import type { Task } from "./task.ts";

/** Visits of points and knots that moving knots may take. */
const MOST_VISITS = 2e8;
/** Rounds over all knots for each distance. */
const SWEEPS = 4;

/** Knots moved one at a time, by ever smaller distances, as long as the sum of squares falls. */
export function linkedSquares(
  task: Task,
  first: readonly number[],
  direction: Direction,
): { readonly linked: Linked; readonly cost: number } {
  const { points, borders } = task;
  const n = points.codes.length;
  let starts = first;
  let best = squaresAt(task, starts, direction);
  let visits = 0;
  const movable = borders?.all !== true;
  const distance = Math.max(1, 2 ** Math.floor(31 - Math.clz32(n / (2 * starts.length))));
  for (let step = distance; movable && step >= 1 && visits < MOST_VISITS; step = Math.floor(step / 2)) {
    for (let sweep = 0, moved = true; sweep < SWEEPS && moved && visits < MOST_VISITS; sweep++) {
      moved = false;
      for (let s = 1; s < starts.length; s++) {
        for (const to of neighbours(task, starts, s, step)) {
          const trial = starts.with(s, to);
          if (!areLinkable(task, trial)) continue;
          visits += n + starts.length;
          const solution = squaresAt(task, trial, direction);
          if (solution.cost >= best.cost) continue;
          [starts, best, moved] = [trial, solution, true];
        }
      }
    }
  }
  return { linked: { starts, values: best.values }, cost: best.cost };
}

/** The best values for given starts, and their cost with the lines given for the ends; a kept answer at 0 included. */
function squaresAt(task: Task, starts: readonly number[], direction: Direction): Solution {
  const { zero, points, problem } = task;
  const free = valuesPulled(task, starts, direction, null);
  if (zero === null) return free;
  const y = points.y[points.x.indexOf(0)] as number;
  const atZero = valueAtZero(task, starts, free.values);
  if (roundsOutput(problem.spec.output) && zero.lo <= atZero && atZero <= zero.hi) return free;
  const target = roundsOutput(problem.spec.output) ? (y + (atZero < zero.lo ? zero.lo : zero.hi)) / 2 : y;
  return valuesPulled(task, starts, direction, { target });
}

function valueAtZero(task: Task, starts: readonly number[], values: readonly number[]): number {
  const { x } = task.points;
  const knots = knotsOf(task, starts);
  const k = Math.min(
    Math.max(
      1,
      knots.findIndex((knot) => (x[knot] as number) >= 0),
    ),
    knots.length - 1,
  );
  const [from, to] = [x[knots[k - 1] as number] as number, x[knots[k] as number] as number];
  const [start, end] = [values[k - 1] as number, values[k] as number];
  return start + ((end - start) * (0 - from)) / (to - from);
}

function valuesPulled(task: Task, starts: readonly number[], direction: Direction, pull: Pull): Solution {
  const { points, tails } = task;
  const knots = knotsOf(task, starts);
  const open = typeof tails[1] !== "object";
  const blocks = knots
    .slice(1)
    .map((knot, k) => blockOf(points, knots[k] as number, knot, open && k === knots.length - 2, pull));
  const { values, cost } = bestValues(task, knots, blocks, fixedValues(task, knots), direction);
  return { values, cost: cost + endsCost(task, knots) };
}

/** Sum of squares of the lines given for the ends. */
function endsCost({ points, tails }: Task, knots: readonly number[]): number {
  let sum = 0;
  for (const [side, tail] of tails.entries()) {
    if (typeof tail !== "object") continue;
    const from = side === 0 ? 0 : (knots[knots.length - 1] as number);
    const to = side === 0 ? (knots[0] as number) : points.codes.length;
    for (let i = from; i < to; i++) {
      const error = (points.y[i] as number) - tail.intercept - tail.slope * (points.x[i] as number);
      sum += (points.weights[i] as number) * error * error;
    }
  }
  return sum;
}
