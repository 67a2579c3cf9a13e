// The end of every method: store the form it found, measure what is stored, and state the bound.

import { LutraError } from "../base/index.ts";
import { segmentCount, type Table } from "../table/index.ts";
import { anchoredAtZero, withZero } from "./exact-zero.ts";
import { measure, type Samples } from "./norm.ts";
import type { Pwl } from "./pwl.ts";
import { quantise } from "./quantise.ts";
import type { Task } from "./task.ts";
import type { FitResult } from "./types.ts";

/** A lower bound on the norm, and in words what it is about. */
export interface Bound {
  readonly value: number;
  readonly holds: string;
}

/**
 * What a bound may exceed a delivered error by without being wrong: bounds reckon with the rounding of answers (output-tube.ts) and are
 * found by bisection to 2^-16 at worst, sums in binary64 to 2^-40. A hundredth is a thousand times that; more is a defect.
 */
const BOUND_SLACK = 1.01;

export const NO_BOUND: Bound = { value: 0, holds: "nothing: this method proves no bound" };

/** Stores a form and measures it. `further` samples are measured besides the task's own (largest-error norms). */
export function deliver(task: Task, pwl: Pwl, bound: Bound, further: Samples | null = null): FitResult {
  return deliverTable(task, withZero(task, quantise(task, anchoredAtZero(task, pwl))), bound, further);
}

export function deliverTable(task: Task, table: Table, bound: Bound, further: Samples | null = null): FitResult {
  const own = measure(task.problem, table, task.samples);
  const objective = further === null ? own : Math.max(own, measure(task.problem, table, further));
  return delivered(table, objective, bound, segmentCount(table));
}

/**
 * What a method returns: the table with its measured error and the bound.
 * @throws LutraError "infeasible" if an answer overflows; Error if the bound is contradicted, which is a fault of the method
 */
export function delivered(table: Table, objective: number, bound: Bound, segments: number): FitResult {
  if (!Number.isFinite(objective)) {
    throw new LutraError("infeasible", "the table found overflows its output format", {
      note: "choose a smaller domain",
    });
  }
  if (bound.value > objective * BOUND_SLACK) {
    throw new Error(
      `a lower bound is contradicted: ${bound.value} was proven (${bound.holds}), ${objective} is delivered`,
    );
  }
  return {
    table,
    objective,
    bound: Math.min(bound.value, objective),
    boundHolds: bound.holds,
    unconstrained: null,
    segments,
  };
}
