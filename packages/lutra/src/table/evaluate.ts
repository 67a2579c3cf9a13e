// The definition of every table: evaluate(table, code), bit for bit. Slow and plain on purpose; all other code must agree with it.

import { LutraError } from "../base/index.ts";
import {
  codeRange,
  encode,
  exponentOf,
  type Format,
  MAX_BINARY32,
  MIN_NORMAL_BINARY32,
  powerOfTwo,
  toOrdered32,
} from "../num/index.ts";
import type { Index, NestedIndex, Reduction, Rounding, Table } from "./types.ts";

/** Number of (slope, intercept) entries; tails that are lines of their own count. */
export function segmentCount(table: Table): number {
  return coefficients(table, 0).length;
}

/**
 * The table's answer for one input code, in codes of its output format (a value, for float formats).
 * Defined for every code, the infinities and NaN included.
 */
export function evaluate(table: Table, code: number): number {
  if (Number.isNaN(code)) return Number.NaN;
  if (table.spec.input.kind === "integer") return evaluateInteger(table, code);
  return encode(table.spec.output, evaluateFrom(table, 0, code));
}

/** Slope of the table's own function at a code, in output value per input value: the chain rule through the reductions. 0 where clamped. */
export function slopeAt(table: Table, code: number): number {
  if (Number.isNaN(code)) return Number.NaN;
  const { input, output } = table.spec;
  if (input.kind !== "integer" || output.kind !== "integer") return slopeFrom(table, 0, code);
  const reduced = table.reductions.length === 0 ? code : Math.abs(code);
  const sign = table.reductions[0]?.by === "even" && code < 0 ? -1 : 1;
  return (sign * lineSlope(table, reduced) * output.scale) / (2 ** table.shift * input.scale);
}

/** Segment of a reduced and clamped argument. */
export function segmentOf(index: Index, count: number, t: number): number {
  return Math.min(count - 1, Math.max(0, unboundedSegment(index, t)));
}

function unboundedSegment(index: Index, t: number): number {
  switch (index.rule) {
    case "direct":
      return t - index.first;
    case "uniform":
      return Math.floor(Math.fround(Math.fround(t - index.first) / index.width));
    case "breakpoints":
      return countAtMost(index.codes, t);
    case "float-bits":
      return Math.floor(toOrdered32(t) / 2 ** index.shift) - index.first;
    case "nested":
      return nestedSegment(index, t);
    default:
      return index satisfies never;
  }
}

function nestedSegment({ first, codes, scales, counts }: NestedIndex, t: number): number {
  const part = countAtMost(codes, t);
  const start = part === 0 ? first : (codes[part - 1] as number);
  const inside = Math.floor(Math.fround(Math.fround(t - start) * (scales[part] as number)));
  const before = counts.slice(0, part).reduce((sum, count) => sum + count, 0);
  return before + Math.min((counts[part] as number) - 1, Math.max(0, inside));
}

/** How many of the ascending codes are <= t. */
function countAtMost(codes: readonly number[], t: number): number {
  let low = 0;
  let high = codes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((codes[middle] as number) <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

function coefficients(table: Table, degree: number): readonly number[] {
  const column = table.coefficients[degree];
  if (column === undefined) throw new RangeError(`the table has no coefficients of degree ${degree}`);
  return column;
}

function clampArgument(table: Table, t: number): number {
  return Math.min(table.clamp[1], Math.max(table.clamp[0], t));
}

// integers ------------------------------------------------------------------------------------------------------------

function evaluateInteger(table: Table, code: number): number {
  const reduction = table.reductions[0]?.by;
  const t = clampArgument(table, reduction === undefined ? code : Math.abs(code));
  const i = segmentOf(table.index, segmentCount(table), t);
  const slope = table.coefficients[1]?.[i] ?? 0;
  const sum = slope * t + (coefficients(table, 0)[i] as number);
  const y = saturate(table.spec.output, roundShift(sum, table.shift, table.rounding));
  // 0 - y and + 0: no integer is -0.
  return reduction === "odd" && code < 0 ? saturate(table.spec.output, 0 - y) : y + 0;
}

/** sum / 2^shift, rounded. Exact for |sum| < 2^53: the rest is compared with a half, never added to one. */
export function roundShift(sum: number, shift: number, rounding: Rounding): number {
  const divisor = 2 ** shift;
  const down = Math.floor(sum / divisor);
  if (rounding === "floor") return down;
  const rest = sum - down * divisor;
  const half = divisor / 2;
  if (rest !== half) return rest > half ? down + 1 : down;
  return rounding === "half-up" || down % 2 !== 0 ? down + 1 : down;
}

function saturate(format: Format, code: number): number {
  const { lo, hi } = codeRange(format);
  return Math.min(hi, Math.max(lo, code));
}

// binary32 ------------------------------------------------------------------------------------------------------------

/** The table behind its first `depth` reductions. */
function evaluateFrom(table: Table, depth: number, x: number): number {
  const reduction = table.reductions[depth];
  if (reduction === undefined) return line(table, x);
  return applyReduction(reduction, x, (t) => evaluateFrom(table, depth + 1, t));
}

function line(table: Table, x: number): number {
  const t = clampArgument(table, x);
  const i = segmentOf(table.index, segmentCount(table), t);
  const intercept = coefficients(table, 0)[i] as number;
  const slope = table.coefficients[1]?.[i];
  return slope === undefined ? intercept : Math.fround(Math.fround(slope * t) + intercept);
}

function applyReduction(reduction: Reduction, x: number, rest: (t: number) => number): number {
  switch (reduction.by) {
    case "odd":
      return x < 0 ? -rest(-x) : rest(x);
    case "even":
      return rest(Math.abs(x));
    case "reflect":
      return Math.fround(rest(-Math.abs(x)) + Math.max(x, 0));
    case "complement":
      return x > 0 ? Math.fround(1 - rest(-x)) : rest(x);
    case "octave": {
      const { mantissa, octave } = splitOctave(x, reduction.step);
      return Math.fround(rest(mantissa) * powerOfTwo(reduction.power * octave));
    }
    case "logarithm": {
      const { mantissa, octave } = splitOctave(x, 1);
      return Math.fround(rest(mantissa) + Math.fround(reduction.perOctave * octave));
    }
    case "exponential": {
      const z = Math.fround(reduction.factor * x);
      const octave = Math.floor(z);
      if (octave < -126) return 0;
      if (octave > 127) return Infinity;
      return Math.fround(rest(Math.fround(z - octave)) * powerOfTwo(octave));
    }
    default:
      return reduction satisfies never;
  }
}

/** x = mantissa * 2^(step * octave) with mantissa in [1, 2^step), x first clamped to the positive normal binary32 values. */
export function splitOctave(x: number, step: 1 | 2): { readonly mantissa: number; readonly octave: number } {
  const positive = Math.min(MAX_BINARY32, Math.max(MIN_NORMAL_BINARY32, x));
  const octave = Math.floor(exponentOf(positive) / step);
  return { mantissa: positive * powerOfTwo(-step * octave), octave };
}

// slopes --------------------------------------------------------------------------------------------------------------

function lineSlope(table: Table, t: number): number {
  if (t < table.clamp[0] || t > table.clamp[1]) return 0;
  return table.coefficients[1]?.[segmentOf(table.index, segmentCount(table), t)] ?? 0;
}

function slopeFrom(table: Table, depth: number, x: number): number {
  const reduction = table.reductions[depth];
  if (reduction === undefined) return lineSlope(table, x);
  const rest = (t: number): number => slopeFrom(table, depth + 1, t);
  switch (reduction.by) {
    case "odd":
      return rest(Math.abs(x));
    case "even":
      return x < 0 ? -rest(-x) : rest(x);
    case "reflect":
      return x > 0 ? 1 - rest(-x) : rest(x);
    case "complement":
      return rest(-Math.abs(x));
    case "octave": {
      if (x < MIN_NORMAL_BINARY32 || x > MAX_BINARY32) return 0;
      const { mantissa, octave } = splitOctave(x, reduction.step);
      return rest(mantissa) * powerOfTwo((reduction.power - reduction.step) * octave);
    }
    case "logarithm": {
      if (x < MIN_NORMAL_BINARY32 || x > MAX_BINARY32) return 0;
      const { mantissa, octave } = splitOctave(x, 1);
      return rest(mantissa) * powerOfTwo(-octave);
    }
    case "exponential": {
      const z = Math.fround(reduction.factor * x);
      const octave = Math.floor(z);
      if (octave < -126 || octave > 127) return 0;
      return rest(Math.fround(z - octave)) * reduction.factor * powerOfTwo(octave);
    }
    default:
      return reduction satisfies never;
  }
}

/**
 * The plain table of one of the scales that share its coefficients; segments that have no codes there are left out.
 * @throws RangeError if there is no such scale
 */
export function atScale(table: Table, i: number): Table {
  const variant = table.scales?.[i];
  if (variant === undefined) throw new RangeError(`the table has no scale ${i}`);
  const { scales: _, ...plain } = table;
  const { input, clamp, index, shift, interceptShift } = variant;
  const kept = reachedSegments(index, segmentCount(table));
  const [intercepts, ...rest] = table.coefficients.map((column) => kept.map((k) => column[k] as number));
  if (intercepts === undefined) throw new LutraError("bad-table", "a table needs coefficients");
  return {
    ...plain,
    spec: { ...table.spec, input },
    clamp,
    index:
      index.rule === "breakpoints"
        ? { ...index, codes: kept.slice(1).map((k) => index.codes[k - 1] as number) }
        : index,
    shift,
    coefficients: [intercepts.map((c) => c * 2 ** interceptShift), ...rest],
  };
}

/** The segments that have codes of their own, ascending: without those between coinciding breakpoints. */
function reachedSegments(index: Index, count: number): number[] {
  const all = Array.from({ length: count }, (_, k) => k);
  if (index.rule !== "breakpoints") return all;
  const { codes } = index;
  return all.filter((k) => k === 0 || k === count - 1 || (codes[k - 1] as number) < (codes[k] as number));
}
