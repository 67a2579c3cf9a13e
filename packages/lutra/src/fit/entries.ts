// Hardware that stores function values and interpolates between neighbours. As a Table: each pair of neighbours is a line, exactly, and
// what is counted as stored are the entries.

import { codeRange, encode, exponentOf, type Format, powerOfTwo, roundHalfEven } from "../num/index.ts";
import type { Index, Table } from "../table/index.ts";
import type { Task } from "./task.ts";

/** The line from one entry to the next: codes of the argument and of the answer. */
export interface EntryLine {
  readonly from: number;
  readonly to: number;
  readonly left: number;
  readonly right: number;
}

/** A line through an entry with a real slope, in output per argument: what a table says beyond its ends. */
export interface EdgeLine {
  readonly at: number;
  readonly value: number;
  readonly slope: number;
}

export interface Interpolation {
  readonly index: Index;
  readonly clamp: readonly [low: number, high: number];
  /** By segment. Between entries of integer tables lie powers of two of codes. */
  readonly lines: readonly (EntryLine | EdgeLine)[];
  readonly entries: number;
}

/** Least shift of an integer table with edge lines: their slopes are stored as multiples of 2^-EDGE_BITS. */
const EDGE_BITS = 12;

/** The table that interpolates, rounded half up for integers: (difference * offset + half) >> shift, added to the left entry. */
export function interpolatingTable({ problem }: Task, form: Interpolation): Table {
  const { spec } = problem;
  const { index, clamp, lines, entries } = form;
  const bits = entryBits(spec.output, lines);
  const common = { spec, reductions: problem.reductions, clamp, index, entries: { count: entries, bits } };
  if (spec.input.kind === "integer") {
    const shift = Math.max(...lines.map((line) => ("at" in line ? EDGE_BITS : exponentOf(line.to - line.from))));
    const stored = lines.map((line) => integerLine(line, shift));
    const coefficients = [stored.map(({ intercept }) => intercept), stored.map(({ slope }) => slope)];
    return { ...common, coefficients, shift, rounding: "half-up" };
  }
  const slopes = lines.map((line) => Math.fround(slopeOf(line)));
  const intercepts = lines.map((line, i) => {
    return Math.fround(("at" in line ? line.value : line.left) - (slopes[i] as number) * startOf(line));
  });
  return { ...common, coefficients: [intercepts, slopes], shift: 0, rounding: "half-up" };
}

/** Of the output's codes; of those wider than 16 bits only 16 where all entries fit, as accelerators store them. */
function entryBits(output: Format, lines: Interpolation["lines"]): number {
  if (output.kind === "float") return output.name === "binary32" ? 32 : 16;
  const values = lines.flatMap((line) => ("at" in line ? [line.value] : [line.left, line.right]));
  const isNarrow = values.every((value) => value >= -(2 ** 15) && value < 2 ** 15);
  return output.bits > 16 && isNarrow ? 16 : output.bits;
}

function integerLine(line: EntryLine | EdgeLine, shift: number): { slope: number; intercept: number } {
  const slope = roundHalfEven(slopeOf(line) * powerOfTwo(shift));
  const value = "at" in line ? line.value : line.left;
  return { slope, intercept: value * powerOfTwo(shift) - slope * startOf(line) };
}

function slopeOf(line: EntryLine | EdgeLine): number {
  return "at" in line ? line.slope : (line.right - line.left) / (line.to - line.from);
}

function startOf(line: EntryLine | EdgeLine): number {
  return "at" in line ? line.at : line.from;
}

/** The entry for a real value: a code of the output format, saturated. */
export function entryOf(output: Format, value: number): number {
  const { lo, hi } = codeRange(output);
  return Math.min(hi, Math.max(lo, encode(output, value)));
}

/** What an entry is taken from where it lies beyond the domain: f, as far as it is finite, else f at the nearest end of the range. */
export function valueAt({ fn, range }: Task, x: number): number {
  const value = fn.evaluate(x);
  return Number.isFinite(value) ? value : fn.evaluate(Math.min(range.hi, Math.max(range.lo, x)));
}
