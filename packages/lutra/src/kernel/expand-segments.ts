// A table's columns as trees of selections: which segments an argument can reach, where they begin, and the choice among numbers.

import type { Format, Interval } from "../num/index.ts";
import { segmentCount, segmentOf, segmentStarts, type Table } from "../table/index.ts";
import type { KernelBuilder } from "./build.ts";

/** Segments that hold a value of the argument, ascending; all but the first with the least argument they answer. */
export interface Reached {
  readonly segments: readonly number[];
  /** One fewer than segments, strictly increasing. */
  readonly starts: readonly number[];
}

/** Of a reduced and clamped argument within t; `input` has all its values among its codes. */
export function reachedSegments(table: Table, t: Interval, input: Format): Reached {
  const count = segmentCount(table);
  const [first, last] = [t.lo, t.hi].map((end) => segmentOf(table.index, count, end)) as [number, number];
  const all = segmentStarts(table.index, count, input).slice(first, last);
  // A segment that begins where the next one does is empty.
  const isHeld = (i: number): boolean => i === 0 || i === all.length || (all[i - 1] as number) < (all[i] as number);
  const held = Array.from({ length: all.length + 1 }, (_, i) => i).filter(isHeld);
  return { segments: held.map((i) => first + i), starts: held.slice(1).map((i) => all[i - 1] as number) };
}

/** The number of the segment of t: a balanced tree, in which neighbours that are equal are one leaf. */
export function chosen(build: KernelBuilder, t: number, numbers: readonly number[], starts: readonly number[]): number {
  const constant = (value: number): number => constantLike(build, t, value);
  const isNew = numbers.map((number, i) => i === 0 || !Object.is(number, numbers[i - 1]));
  const leaves = numbers.filter((_, i) => isNew[i]);
  const borders = starts.filter((_, i) => isNew[i + 1]);
  const among = (from: number, to: number): number => {
    if (to - from === 1) return constant(leaves[from] as number);
    const middle = (from + to) >> 1;
    return build.select(t, constant(borders[middle - 1] as number), among(from, middle), among(middle, to));
  };
  return among(0, leaves.length);
}

/** A constant in the lane of another value. */
export function constantLike(build: KernelBuilder, like: number, value: number): number {
  const lane = build.laneAt(like);
  return lane === "f32" ? build.constant(value) : build.integer(value, lane);
}
