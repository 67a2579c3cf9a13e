// What the rules of simplify are written in: a candidate for rewriting, and the questions that conditions ask about it.

import type { Interval } from "../num/index.ts";
import type { Lane, Op, Value } from "./types.ts";

/** A value that is about to be appended to the kernel under construction, and what is known about those before it. */
export interface Candidate {
  readonly value: Value;
  /** Empty for params and constants. */
  readonly args: readonly number[];
  at(i: number): Value;
  /** Of an earlier value; null for binary32. */
  rangeAt(i: number): Interval | null;
  /** Of the candidate. */
  readonly range: Interval | null;
  /** Whether nothing but the candidate needs an argument. */
  isUsedOnce(i: number): boolean;
  /** The index of such an operation in the lane, an equal one that exists or a new one. */
  make(op: Op, lane: Lane): number;
}

/** The index of a value that is the candidate in every bit, or null. */
export type Rewrite = (c: Candidate) => number | null;

export interface Rule {
  readonly on: readonly Value["op"][];
  /** Which lanes the candidate is in. */
  readonly lanes: "integers" | "binary32" | "all";
  readonly says: string;
  readonly to: Rewrite;
}

export const EITHER_ORDER = [
  [0, 1],
  [1, 0],
] as const;

export function argAt(c: Candidate, place: number): number {
  return c.args[place] as number;
}

export function constantAt(c: Candidate, i: number): number | null {
  const value = c.at(i);
  return value.op === "const" ? value.value : null;
}

/** The first argument if the second is this constant, 0 and -0 told apart. */
export function firstIfSecondIs(constant: number): Rewrite {
  return (c) => (Object.is(constantAt(c, argAt(c, 1)), constant) ? argAt(c, 0) : null);
}

export function integer(c: Candidate, value: number, lane: Lane = c.value.lane): number {
  return c.make({ op: "const", value }, lane);
}

export function when(condition: (c: Candidate) => boolean, to: Rewrite): Rewrite {
  return (c) => (condition(c) ? to(c) : null);
}

export const areSame = (c: Candidate): boolean => argAt(c, 0) === argAt(c, 1);
export const first: Rewrite = (c) => argAt(c, 0);
export const zero: Rewrite = (c) => integer(c, 0);

/** The arguments of an argument, if that is this operation. */
export function innerArgs(
  c: Candidate,
  i: number,
  op: "add" | "sub" | "min" | "max" | "shift-left" | "shift-right",
): readonly [number, number] | null {
  const value = c.at(i);
  return value.op === op ? value.args : null;
}
