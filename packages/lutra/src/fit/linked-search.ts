// Tables whose lines meet, or whose answers never run against the function: from the optimum with jumps to one of linked lines. Not
// proven optimal: the bound is that of tables with jumps, or of linked lines that may turn anywhere, and the gap to it is reported.

import { LutraError, type Work } from "../base/index.ts";
import { segmentCount, type Table } from "../table/index.ts";
import { type Bound, deliverTable } from "./deliver.ts";
import { densely } from "./denser.ts";
import { withZero } from "./exact-zero.ts";
import { JUMPING_LINES } from "./largest-error.ts";
import { areLinkable, fixedValues, knotsOf, type Linked, linkedTable, neighbours } from "./linked.ts";
import { linkedSquares } from "./linked-mean-square.ts";
import { type Direction, linkedTurns, linkedValues } from "./linked-tube.ts";
import { isMonotone, withoutFalls } from "./monotone.ts";
import { tubeOf } from "./output-tube.ts";
import { linePiece } from "./pwl.ts";
import type { Task } from "./task.ts";
import type { FitResult } from "./types.ts";

/** Bisection ends when the attained error is this close to one not attained; each step is a whole search, and 2^-16 is past what is shown. */
const CLOSE: number = 1 + 2 ** -16;
const MAX_STEPS = 80;
const FIRST_GROWTH: number = 1 + 2 ** -8;
/** Grids on which starts are nudged for the largest error, by how many points, and what a move must gain. */
const NUDGED_POINTS = 1024;
const NUDGES = [1, 2, 4];
const WORTHWHILE: number = 1 - 2 ** -10;
/** Errors tried between that of real lines and that of the stored ones, where they are not this close. */
const ROOMS = 8;
const CLOSE_ENOUGH = 1.001;

/** A form, and an error below which no linked form exists. */
interface Found {
  readonly linked: Linked;
  readonly error: number;
  readonly bound: number;
  /** A form of the same segments within a larger error, if the norm is a largest error. */
  within(error: number): Linked | null;
}

/** The best table of linked lines found from the optimum with jumps. @throws LutraError "infeasible" if none is found */
export function* bestLinked(task: Task, free: FitResult, direction: Direction): Work<FitResult> {
  if (task.problem.coefficients?.slope.kind === "integer") {
    throw new LutraError("unsupported", "the best table of these coefficient formats is not monotone", {
      note: "leave the coefficient formats out, or leave out monotone",
    });
  }
  yield { stage: "optimal: linked lines", done: 0, total: 1 };
  const starts = startsOf(task, free.table);
  const squares = task.problem.norm === "mse";
  const found = squares ? leastSquares(task, starts, direction) : leastError(task, starts, free.bound, direction);
  const turning = !squares && task.borders === null && found.bound > free.bound;
  const holds = turning
    ? `${free.boundHolds.replace(JUMPING_LINES, "linked real lines that turn anywhere")}; a lower bound`
    : `${free.boundHolds}; a lower bound, as linked lines are some of them`;
  const bound = { value: Math.max(found.bound, free.bound), holds };
  const store = (linked: Linked): FitResult | null => stored(task, linked, direction, bound);
  let best = store(found.linked);
  // Stored lines leave a tube that is tight by a step of the output: one with a little more room may serve better.
  const attained = best?.objective ?? found.error * (1 + 1 / ROOMS);
  for (let k = 1; k < ROOMS && attained > found.error * CLOSE_ENOUGH; k++) {
    const roomier = found.within(found.error + ((attained - found.error) * k) / ROOMS);
    const result = roomier === null ? null : store(roomier);
    if (result !== null && (best === null || result.objective < best.objective)) best = result;
  }
  if (best !== null) return best;
  throw new LutraError("infeasible", "no monotone table found: stored coefficients are too coarse", {
    note: "use fewer segments, or finer formats",
  });
}

/** The measured table of linked lines; null if rounding its coefficients made it run against the direction. */
function stored(task: Task, linked: Linked, direction: Direction, bound: Bound): FitResult | null {
  const table = withZero(task, withoutFalls(linkedTable(task, linked, direction), direction));
  if (direction !== 0 && !isMonotone(task, table, direction)) return null;
  return deliverDense(task, table, bound);
}

/**
 * The optimum with jumps, if its answers never run against the direction (once its rounding does not): then nothing is better.
 * Null if they do.
 */
export function alreadyMonotone(task: Task, free: FitResult, direction: Direction): FitResult | null {
  if (isMonotone(task, free.table, direction)) return free;
  // Coefficients on a coarser grid cannot be moved by a unit in the last place.
  if (task.problem.coefficients?.slope.kind === "integer") return null;
  const table = withoutFalls(free.table, direction);
  if (!isMonotone(task, table, direction)) return null;
  return deliverDense(task, table, { value: free.bound, holds: free.boundHolds });
}

/** Measured between the points too, where they are only some of the inputs. */
function deliverDense(task: Task, table: Table, bound: Bound): FitResult {
  const { at } = task;
  return deliverTable(
    task,
    table,
    bound,
    at === null ? null : densely(task, table.index, segmentCount(table), at).samples,
  );
}

/** First points of a table's segments that have points of their own. */
function startsOf({ points, borders }: Task, { index }: Table): readonly number[] {
  if (borders?.all === true) return [0, ...borders.starts];
  const codes = index.rule === "breakpoints" ? index.codes : [];
  const starts = [0];
  for (const code of codes) {
    const start = points.codes.findIndex((point) => point >= code);
    if (start > (starts[starts.length - 1] as number)) starts.push(start);
  }
  return starts;
}

function leastSquares(task: Task, starts: readonly number[], direction: Direction): Found {
  if (!areLinkable(task, starts)) throw notFound(task);
  const { linked, cost } = linkedSquares(task, starts, direction);
  return { linked, error: cost, bound: 0, within: () => null };
}

// largest error -------------------------------------------------------------------------------------------------------

function leastError(task: Task, starts: readonly number[], known: number, direction: Direction): Found {
  const tubeAt = tubeOf(task);
  const valuesFor =
    (at: readonly number[]) =>
    (error: number): Linked | null => {
      if (!areLinkable(task, at)) return null;
      const knots = knotsOf(task, at);
      const values = linkedValues(tubeAt(error), knots, fixedValues(task, knots), direction);
      return values === null ? null : { starts: at, values };
    };
  const candidates = [bisect(known, valuesFor(starts))];
  let bound = known;
  if (task.borders === null) {
    const turns = bisect(known, (error) => linkedTurns(tubeAt(error), endsOf(task), task.segments));
    bound = turns.below;
    if (turns.found !== null) candidates.push(bisect(known, valuesFor(turned(task, turns.found))));
  }
  const [best] = candidates.sort((a, b) => a.error - b.error);
  if (best === undefined || best.found === null) throw notFound(task);
  const { linked, error } = nudged(task, best.found, best.error, bound, valuesFor);
  return { linked, error, bound, within: valuesFor(linked.starts) };
}

/** Starts moved by a few points each as long as the error falls: on small grids snapping to points is what costs most. */
function nudged(
  task: Task,
  found: Linked,
  error: number,
  bound: number,
  valuesFor: (starts: readonly number[]) => (error: number) => Linked | null,
): Pick<Found, "linked" | "error"> {
  if (task.points.codes.length > NUDGED_POINTS || task.borders?.all === true) return { linked: found, error };
  let [best, least] = [found, error];
  for (let moved = true; moved && least > bound * CLOSE; ) {
    moved = false;
    for (const [s, step] of best.starts.flatMap((_, s) => NUDGES.map((step) => [s, step] as const))) {
      for (const to of s === 0 ? [] : neighbours(task, best.starts, s, step)) {
        const valuesAt = valuesFor(best.starts.with(s, to));
        if (valuesAt(least * WORTHWHILE) === null) continue;
        const { found: better, error: lower } = bisect(bound, valuesAt);
        if (better !== null && lower < least) [best, least, moved] = [better, lower, true];
      }
    }
  }
  return { linked: best, error: least };
}

function endsOf({ tails: [below, above] }: Task): Parameters<typeof linkedTurns>[1] {
  return {
    head: typeof below === "object" ? linePiece(below) : null,
    tail: typeof above === "object" ? linePiece(above) : null,
  };
}

/** The points nearest to where lines turn, as starts of segments. */
function turned({ points: { x } }: Task, turns: readonly number[]): readonly number[] {
  const starts = [0];
  for (const turn of turns) {
    const after = x.findIndex((value) => value >= turn);
    const to = after < 0 ? x.length - 1 : after;
    const nearest = to > 0 && turn - (x[to - 1] as number) < (x[to] as number) - turn ? to - 1 : to;
    if (nearest > (starts[starts.length - 1] as number) && nearest < x.length) starts.push(nearest);
  }
  return starts;
}

interface Bisected<T> {
  readonly found: T | null;
  readonly error: number;
  readonly below: number;
}

/** The least error for which there is an answer, known to be at least `known`. */
function bisect<T>(known: number, answer: (error: number) => T | null): Bisected<T> {
  const exact = answer(known);
  if (exact !== null) return { found: exact, error: known, below: known };
  let below = known;
  let error = known > 0 ? known * FIRST_GROWTH : Number.MIN_VALUE;
  let found = answer(error);
  for (let growth = FIRST_GROWTH; found === null && error < Infinity; growth = Math.min(8, growth * growth)) {
    below = error;
    error = error < 2 ** -60 ? 2 ** -60 : error * growth;
    found = answer(error);
  }
  for (let k = 0; k < MAX_STEPS && found !== null && error > below * CLOSE; k++) {
    const middle = (below + error) / 2;
    const trial = answer(middle);
    if (trial === null) below = middle;
    else {
      found = trial;
      error = middle;
    }
  }
  return { found, error, below };
}

function notFound(task: Task): LutraError {
  return new LutraError("infeasible", `no table of ${task.segments} linked lines found`, {
    note: "use more segments, or leave out continuous or monotone",
  });
}
