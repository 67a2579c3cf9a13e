// What a table costs in hardware: bytes that must be stored, and operations to answer one value. Counts, not times.

import { exponentOf, type Format, powerOfTwo } from "../num/index.ts";
import { segmentCount } from "./evaluate.ts";
import type { Index, Reduction, Table } from "./types.ts";

/** Besides its breakpoint, a sub-interval of a nested index has a scale (binary32) and the number of its first segment. */
const NESTED_BYTES = 4 + 2;

/**
 * Bytes of what must be stored: coefficients once, breakpoints of every scale, at the width of the formats that hold them. Of a table
 * that interpolates between entries, the entries instead of the coefficients and of breakpoints that follow from them.
 */
export function tableBytes(table: Table): number {
  if (table.entries !== undefined) return table.entries.count * Math.ceil(table.entries.bits / 8);
  const width = table.spec.input.kind === "integer" ? integerWidth(table) : 4;
  const numbers = table.coefficients.reduce((sum, column) => sum + column.length, 0);
  const scales = table.scales ?? [{ input: table.spec.input, index: table.index }];
  return scales.reduce((sum, { input, index }) => sum + indexBytes(input, index), numbers * width);
}

function indexBytes(input: Format, index: Index): number {
  const width = input.kind === "integer" ? Math.ceil(input.bits / 8) : 4;
  if (index.rule === "breakpoints") return index.codes.length * width;
  return index.rule === "nested" ? index.codes.length * width + index.counts.length * NESTED_BYTES : 0;
}

/** Least of 1, 2, 4 bytes that holds every coefficient of an integer table; unsigned where all are answers of an unsigned output. */
function integerWidth({ coefficients, index, spec }: Table): number {
  const isUnsigned = index.rule === "direct" && spec.output.kind === "integer" && !spec.output.signed;
  const largest = coefficients.flat().reduce((most, c) => Math.max(most, c < 0 ? -c - 1 : c), 0);
  const limit = isUnsigned ? 2 : 1;
  return largest < 128 * limit ? 1 : largest < 32768 * limit ? 2 : 4;
}

/**
 * Scalar operations for one value. Negations, absolute values and reads of memory are not counted; a step of a binary search, a
 * minimum and a maximum are one comparison each, an addition to an exponent is an addition, taking bits out of a word a shift.
 */
export interface Operations {
  readonly comparisons: number;
  readonly multiplications: number;
  readonly additions: number;
  readonly shifts: number;
}

const NONE: Operations = { comparisons: 0, multiplications: 0, additions: 0, shifts: 0 };

/** What `evaluate` does for one value: reductions, clamp, index and line, and for integers rounding and saturation. */
export function operationsPerValue(table: Table): Operations {
  const clamps = table.clamp.filter(Number.isFinite).length;
  const line = table.coefficients.length > 1 ? { multiplications: 1, additions: 1 } : {};
  const slope = table.entries === undefined ? {} : { additions: 1 };
  const parts = [
    ...table.reductions.map(reductionOperations),
    { comparisons: clamps },
    indexOperations(table.index, segmentCount(table)),
    line,
    slope,
    table.spec.output.kind === "integer" ? outputOperations(table) : {},
  ];
  return parts.reduce<Operations>(plus, NONE);
}

/** The part of both that finds the segment: lookups of one argument behind equal indices need it once. */
export function searchCost(table: Table): { readonly operations: Partial<Operations>; readonly bytes: number } {
  const { index, spec } = table;
  return { operations: indexOperations(index, segmentCount(table)), bytes: indexBytes(spec.input, index) };
}

function plus(sum: Operations, part: Partial<Operations>): Operations {
  return {
    comparisons: sum.comparisons + (part.comparisons ?? 0),
    multiplications: sum.multiplications + (part.multiplications ?? 0),
    additions: sum.additions + (part.additions ?? 0),
    shifts: sum.shifts + (part.shifts ?? 0),
  };
}

/** Rounding is the addition of half a unit before the shift; saturation at both ends of the format. */
function outputOperations({ shift, rounding }: Table): Partial<Operations> {
  if (shift === 0) return { comparisons: 2 };
  return { comparisons: 2, shifts: 1, additions: rounding === "floor" ? 0 : 1 };
}

function indexOperations(index: Index, segments: number): Partial<Operations> {
  switch (index.rule) {
    case "direct":
      return { additions: 1 };
    case "uniform":
    case "float-bits":
      return { additions: 1, shifts: 1, comparisons: 2 };
    case "breakpoints":
      return { comparisons: searchSteps(segments) };
    case "nested": {
      const byShift = index.scales.every((scale) => powerOfTwo(exponentOf(scale)) === scale);
      const scaling = byShift ? { shifts: 1 } : { multiplications: 1 };
      return { ...scaling, additions: 2, comparisons: searchSteps(index.counts.length) + 2 };
    }
    default:
      return index satisfies never;
  }
}

/** Comparisons that tell n cases apart: ceil(log2 n). */
function searchSteps(n: number): number {
  return n <= 1 ? 0 : 32 - Math.clz32(n - 1);
}

function reductionOperations(reduction: Reduction): Partial<Operations> {
  switch (reduction.by) {
    case "odd":
      return { comparisons: 1 };
    case "even":
      return {};
    case "reflect":
    case "complement":
      return { comparisons: 1, additions: 1 };
    case "octave":
      return { comparisons: 2, shifts: 1, additions: 1 };
    case "logarithm":
      return { comparisons: 2, shifts: 1, multiplications: 1, additions: 1 };
    case "exponential":
      return { comparisons: 2, shifts: 1, multiplications: 1, additions: 2 };
    default:
      return reduction satisfies never;
  }
}
