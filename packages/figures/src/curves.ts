// A table and its exact function as points: values and errors at inputs the format has, one per pixel of the view or every code if
// those are fewer, and both sides of every breakpoint, so that no jump is drawn as a slope.

import { decode, encode, evaluate, type Table, ulpOf } from "lutra";
import type { View } from "./view.ts";

export interface Sample {
  readonly x: number;
  /** The exact function; not finite at a pole. */
  readonly exact: number;
  /** What the table answers. */
  readonly delivered: number;
}

export function sampleCurves(table: Table, exact: (x: number) => number, view: View, count: number): readonly Sample[] {
  return sampleCodes(table, view, count).map((code) => {
    const x = decode(table.spec.input, code);
    return { x, exact: exact(x), delivered: decode(table.spec.output, evaluate(table, code)) };
  });
}

function sampleCodes(table: Table, { lo, hi, axis, breakpoints }: View, count: number): readonly number[] {
  const { input } = table.spec;
  const codes = new Set<number>();
  const add = (x: number): void => {
    const code = encode(input, x);
    const value = decode(input, code);
    if (value >= lo && value <= hi) codes.add(code);
  };
  const ratio = hi / lo;
  for (let i = 0; i <= count; i++) add(axis === "log" ? lo * ratio ** (i / count) : lo + ((hi - lo) * i) / count);
  for (const x of breakpoints) {
    add(x);
    add(x - ulpOf(input, x));
  }
  return [...codes].sort((a, b) => a - b);
}

/** "absolute": delivered minus exact. "relative": that divided by max(|exact|, floor). */
export type ErrorKind = "absolute" | "relative";

export function errorOf({ exact, delivered }: Sample, kind: ErrorKind, floor: number): number {
  const error = delivered - exact;
  return kind === "absolute" ? error : error / Math.max(Math.abs(exact), floor);
}
