// allocate: the smallest tables that keep the model within a budget, by trials. How much each table's error moves the outputs is
// measured once; that orders all sizes into one path from the smallest tables to the largest, on which trials find the cheapest plan
// inside. Sites that ask the same question share a table and its size: a second, smaller table for some of them would only add bytes.

import { type Control, checkCancelled } from "../base/index.ts";
import type { Metric } from "../data/index.ts";
import { type Budget, type FrontPoint, keepsModel, limitsModel, type Trial } from "./budget.ts";
import { outOfReach, refuseBeyondBytes, whyNotSmaller } from "./budget-text.ts";
import type { Plan, PlannedTable } from "./plan.ts";
import { bytesOf, type Group, groupTables, type Sizes, type SolvedSize, upgrades, withSizes } from "./sizes.ts";

/** Model asks, it never fits or runs: what `allocate` is given. */
export interface Asked {
  solve(table: PlannedTable): Promise<SolvedSize>;
  /** Runs the model with the plan's tables on "some" of the selection samples, or all of them. */
  trial(plan: Plan, samples: "some" | "all"): Promise<Trial>;
  /** Whether "some" are fewer than all. */
  readonly isSampled: boolean;
  /** The metric a drop is about. */
  readonly metric: Metric;
}

/** How the sizes were chosen, for the report. */
export interface Allocation {
  readonly budget: Budget;
  readonly metric: Metric;
  /** Every plan tried, fewest bytes first; all on the same samples. */
  readonly front: readonly FrontPoint[];
  /** On all samples of the selection. */
  readonly chosen: FrontPoint;
  /** The uniform plan the search is compared with; on the samples of the front. */
  readonly uniform: FrontPoint;
  /** Why the tables are not smaller, in words. */
  readonly why: string;
}

/** A trial of a large model takes seconds: so many at most, the verification not counted. */
const MAX_TRIALS = 40;
/** Once the search is done, plans along the path are tried until the front has so many points. */
const FRONT_POINTS = 16;

/**
 * The smallest plan found within the budget. Same plan, budget and answers to what is asked: same result.
 * @param uniform a plan whose tables all have `segments` segments, but for those that have an entry per code
 * @param budget checked (`checkBudget`)
 * @throws LutraError "infeasible" if the largest tables leave the budget, or the smallest exceed its bytes; "cancelled"
 */
export async function allocate(
  uniform: Plan,
  segments: number,
  budget: Budget,
  asked: Asked,
  control: Control = {},
): Promise<{ readonly plan: Plan; readonly allocation: Allocation }> {
  const { groups, book } = await openBook(uniform, segments, budget, asked, control);
  const uniformPoint = await book.try(groups.map(({ uniformSegments }) => uniformSegments));
  const weights = await sensitivities(groups, book);
  const path = upgrades(groups, weights);
  const found = await search(path, groups, weights, budget, book);
  const { sizes, point: chosen, outside } = await verified(found, groups, weights, budget, book, asked.metric);
  refuseBeyondBytes(budget, chosen.bytes);
  await fillFront(path, book);
  const front = book.points();
  const why = whyNotSmaller(front, chosen, outside, budget, asked.metric);
  book.finish();
  return {
    plan: withSizes(uniform, groups, sizes),
    allocation: { budget, metric: asked.metric, front, chosen, uniform: uniformPoint, why },
  };
}

/**
 * The sizes on offer and a book for their trials. If the uniform plan keeps the model, larger tables than its are not looked at: what is
 * wanted is smaller.
 * @throws LutraError "infeasible" if even the largest tables of all do not keep it
 */
async function openBook(
  uniform: Plan,
  segments: number,
  budget: Budget,
  asked: Asked,
  control: Control,
): Promise<{ readonly groups: readonly Group[]; readonly book: TrialBook }> {
  const known = new Map<string, FrontPoint>();
  const upTo = async (largest: number): Promise<{ groups: readonly Group[]; book: TrialBook }> => {
    const groups = await groupTables(uniform, largest, asked.solve, control);
    return { groups, book: trialBook(uniform, groups, budget, asked, known, control) };
  };
  if (!limitsModel(budget)) return await upTo(Infinity);
  const small = await upTo(segments);
  if ((await small.book.tryAll(largestOf(small.groups))).isInside) return small;
  const all = await upTo(Infinity);
  const point = await all.book.tryAll(largestOf(all.groups));
  if (!point.isInside) throw outOfReach(point, budget, asked.metric);
  return all;
}

function largestOf(groups: readonly Group[]): Sizes {
  return groups.map(({ options }) => options[options.length - 1].segments);
}

// trials --------------------------------------------------------------------------------------------------------------

/** Runs trials once each and remembers them in `known`, by segments of the groups. */
interface TrialBook {
  try(sizes: Sizes): Promise<FrontPoint>;
  tryAll(sizes: Sizes): Promise<FrontPoint>;
  /** Trials that may still be made for the search. */
  left(): number;
  points(): readonly FrontPoint[];
  finish(): void;
}

function trialBook(
  uniform: Plan,
  groups: readonly Group[],
  budget: Budget,
  asked: Asked,
  known: Map<string, FrontPoint>,
  control: Control,
): TrialBook {
  const run = async (sizes: Sizes, samples: "some" | "all"): Promise<FrontPoint> => {
    checkCancelled(control);
    control.onProgress?.({ stage: "choosing table sizes", done: known.size, total: MAX_TRIALS });
    const plan = withSizes(uniform, groups, sizes);
    const trial = await asked.trial(plan, samples);
    const names = groups.flatMap((group, i) => group.names.map((name) => [name, sizes[i]] as const));
    const isInside = keepsModel(budget, trial);
    return { segments: Object.fromEntries(names), bytes: bytesOf(groups, sizes), trial, isInside };
  };
  const tryOnce = async (sizes: Sizes): Promise<FrontPoint> => {
    const key = sizes.join();
    const point = known.get(key) ?? (await run(sizes, "some"));
    known.set(key, point);
    return point;
  };
  return {
    try: tryOnce,
    tryAll: (sizes) => (asked.isSampled ? run(sizes, "all") : tryOnce(sizes)),
    left: () => MAX_TRIALS - known.size,
    points: () => [...known.values()].sort((a, b) => a.bytes - b.bytes || a.trial.drop - b.trial.drop),
    finish: () => control.onProgress?.({ stage: "choosing table sizes", done: MAX_TRIALS, total: MAX_TRIALS }),
  };
}

/** Segments of a probe: few enough to move the outputs, not so few that the model is another one. */
const PROBE_SEGMENTS = 8;

/**
 * How much the squared error of each group's tables adds to the squared logit error: measured with the others at their largest. Small
 * independent errors add in the square.
 */
async function sensitivities(groups: readonly Group[], book: TrialBook): Promise<readonly number[]> {
  const top = largestOf(groups);
  const reference = await book.try(top);
  const weights: number[] = [];
  for (const [i, { options }] of groups.entries()) {
    const probe = options.findLast(({ segments }) => segments <= PROBE_SEGMENTS) ?? options[0];
    const added = probe.squaredError - options[options.length - 1].squaredError;
    if (added <= 0) {
      weights.push(0);
      continue;
    }
    const { trial } = await book.try(top.with(i, probe.segments));
    weights.push(Math.max(0, squaredLogitError(trial) - squaredLogitError(reference.trial)) / added);
  }
  return weights;
}

function squaredLogitError({ logitError: { mean } }: Trial): number {
  return mean * mean;
}

// search --------------------------------------------------------------------------------------------------------------

/** The cheapest sizes whose trial is inside; with a limit on bytes only, the best predicted within it. */
async function search(
  path: readonly Sizes[],
  groups: readonly Group[],
  weights: readonly number[],
  budget: Budget,
  book: TrialBook,
): Promise<Sizes> {
  if (!limitsModel(budget)) {
    const { maxBytes = Infinity } = budget;
    refuseBeyondBytes(budget, bytesOf(groups, path[0]));
    return upgrades(groups, weights, maxBytes).at(-1) ?? path[0];
  }
  const start = await cheapestInside(path, book);
  return await shrink(start, groups, book);
}

/** Bisection along the path, whose last sizes are inside. */
async function cheapestInside(path: readonly Sizes[], book: TrialBook): Promise<Sizes> {
  let [outside, inside] = [-1, path.length - 1];
  while (inside - outside > 1) {
    const middle = Math.floor((outside + inside) / 2);
    const { isInside } = await book.try(path[middle]);
    if (isInside) inside = middle;
    else outside = middle;
  }
  return path[inside];
}

/** One group after the other takes its next smaller size, the one that saves most bytes first, as long as the trial is inside. */
async function shrink(start: Sizes, groups: readonly Group[], book: TrialBook): Promise<Sizes> {
  let sizes = start;
  for (;;) {
    const smaller = groups.flatMap(({ options }, i) => {
      const next = options.findLast(({ segments }) => segments < sizes[i]);
      return next === undefined ? [] : [sizes.with(i, next.segments)];
    });
    smaller.sort((a, b) => bytesOf(groups, a) - bytesOf(groups, b));
    let found: Sizes | undefined;
    for (const candidate of smaller) {
      if (book.left() <= 0) return sizes;
      if (!(await book.try(candidate)).isInside) continue;
      found = candidate;
      break;
    }
    if (found === undefined) return sizes;
    sizes = found;
  }
}

/** What holds on all samples, and the next smaller plan that does not, if one was tried there. */
interface Verified {
  readonly sizes: Sizes;
  readonly point: FrontPoint;
  readonly outside: FrontPoint | null;
}

/**
 * The search may have believed a sample too much: steps up from what it found, 1, 2, 4, ... upgrades, each the most useful per byte, until
 * the plan holds on all samples; then bisects what it skipped.
 */
async function verified(
  found: Sizes,
  groups: readonly Group[],
  weights: readonly number[],
  budget: Budget,
  book: TrialBook,
  metric: Metric,
): Promise<Verified> {
  const path = upgrades(groups, weights, Infinity, found);
  let [lo, hi] = [-1, 0];
  let outside: FrontPoint | null = null;
  let point = await book.tryAll(path[hi]);
  for (let step = 1; !point.isInside; step *= 2) {
    if (hi === path.length - 1) throw outOfReach(point, budget, metric);
    [lo, hi, outside] = [hi, Math.min(path.length - 1, hi + step), point];
    point = await book.tryAll(path[hi]);
  }
  while (hi - lo > 1) {
    const middle = Math.floor((lo + hi) / 2);
    const between = await book.tryAll(path[middle]);
    if (between.isInside) [hi, point] = [middle, between];
    else [lo, outside] = [middle, between];
  }
  return { sizes: path[hi], point, outside };
}

/** Tries plans along the path, evenly spread, for a front that can be seen. */
async function fillFront(path: readonly Sizes[], book: TrialBook): Promise<void> {
  for (let i = 0; i < FRONT_POINTS && MAX_TRIALS - book.left() < FRONT_POINTS; i++) {
    await book.try(path[Math.round((i * (path.length - 1)) / (FRONT_POINTS - 1))]);
  }
}
