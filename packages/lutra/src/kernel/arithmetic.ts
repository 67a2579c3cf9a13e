// What each operation of a kernel computes, array by array: ROUNDED as a kernel means it, EXACT on real numbers without any rounding.

import type { Interval } from "../num/index.ts";
import { bitLength, divide, roundReal, shiftLeft, shiftRight } from "./integer.ts";
import { laneRange } from "./lanes.ts";
import type { Computed, Value } from "./types.ts";

type Reduction = Extract<Value, { readonly op: "reduce" }>;

export interface Arithmetic {
  /** The value's operation on arguments of equal length. */
  combine(value: Computed, args: readonly Float64Array[]): Float64Array;
  /** One row. */
  reduce(value: Reduction, row: Float64Array): number;
  /** The data itself. @throws RangeError if it holds what the value's lane cannot */
  checked(value: Value, data: Float64Array): Float64Array;
}

/** Partial sums of a binary32 row: element c goes to sum c mod 16, then halves are added (8, 4, 2, 1). What a 4x128-bit loop does. */
const PARTIAL_SUMS = 16;

/** The meaning of kernels. */
export const ROUNDED: Arithmetic = {
  combine(value, args) {
    const of = value.lane === "f32" ? binary32(value) : integers(value);
    return mapAll(args, of);
  },
  reduce(value, row) {
    if (value.with === "max") return largest(row);
    if (value.lane === "f32") {
      const sum = interleavedSum(row);
      return value.with === "mean" ? Math.fround(sum / row.length) : sum;
    }
    const sum = plainSum(row);
    return value.with === "mean" ? divide(sum, row.length, value.rounding ?? "half-even") : sum;
  },
  checked(value, data) {
    const lane = laneRange(value.lane);
    if (lane === null) return data;
    const [lo, hi] = value.op === "param" && value.range !== undefined ? value.range : [lane.lo, lane.hi];
    for (let i = 0; i < data.length; i++) {
      const code = data[i] as number;
      if (!(Number.isInteger(code) && lo <= code && code <= hi)) throw outside(value, code, { lo, hi });
      data[i] = code + 0;
    }
    return data;
  },
};

/** Real numbers: nothing is rounded, nothing overflows; casts still saturate. */
export const EXACT: Arithmetic = {
  combine: (value, args) => mapAll(args, reals(value)),
  reduce(value, row) {
    if (value.with === "max") return largest(row);
    const sum = plainSum(row);
    return value.with === "mean" ? sum / row.length : sum;
  },
  checked: (_value, data) => data,
};

type Scalar = (a: number, b: number, c: number, d: number) => number;

function mapAll(args: readonly Float64Array[], of: Scalar): Float64Array {
  const [a, b, c, d] = args as [Float64Array, ...(Float64Array | undefined)[]];
  return a.map((x, i) => of(x, b?.[i] as number, c?.[i] as number, d?.[i] as number));
}

/** Each operation rounds once. */
function binary32(value: Computed): Scalar {
  const exact = reals(value);
  return (a, b, c, d) => Math.fround(exact(a, b, c, d));
}

function integers(value: Computed): Scalar {
  const rounding = "rounding" in value ? (value.rounding ?? "floor") : "floor";
  switch (value.op) {
    case "div":
      return (a, b) => divide(a, b, rounding);
    case "shift-right":
      return (a, b) => shiftRight(a, b, rounding);
    case "cast": {
      const { lo, hi } = laneRange(value.lane) as Interval;
      return (a) => Math.min(hi, Math.max(lo, roundReal(a, rounding)));
    }
    default:
      return reals(value);
  }
}

function reals(value: Computed): Scalar {
  switch (value.op) {
    case "add":
      return (a, b) => a + b;
    case "sub":
      return (a, b) => a - b;
    case "mul":
      return (a, b) => a * b;
    case "div":
      return (a, b) => a / b;
    case "min":
      return (a, b) => Math.min(a, b);
    case "max":
      return (a, b) => Math.max(a, b);
    case "shift-left":
      return shiftLeft;
    case "shift-right":
      return (a, b) => a / 2 ** b;
    case "bits":
      return (a) => bitLength(Math.floor(a));
    case "select":
      return (a, b, c, d) => (a < b ? c : d);
    case "cast": {
      const { lo, hi } = laneRange(value.lane) ?? { lo: -Infinity, hi: Infinity };
      return (a) => Math.min(hi, Math.max(lo, a));
    }
    default:
      return value satisfies never;
  }
}

function largest(row: Float64Array): number {
  let result = -Infinity;
  for (let i = 0; i < row.length; i++) result = Math.max(result, row[i] as number);
  return result;
}

function plainSum(row: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i] as number;
  return sum;
}

function interleavedSum(row: Float64Array): number {
  const partial = new Float32Array(PARTIAL_SUMS);
  for (let i = 0; i < row.length; i++) {
    const j = i % PARTIAL_SUMS;
    partial[j] = (partial[j] as number) + (row[i] as number);
  }
  for (let half = PARTIAL_SUMS / 2; half >= 1; half /= 2) {
    for (let j = 0; j < half; j++) partial[j] = (partial[j] as number) + (partial[j + half] as number);
  }
  return partial[0] as number;
}

function outside(value: Value, code: number, { lo, hi }: Interval): RangeError {
  const what = value.op === "param" ? `input "${value.name}"` : `the result of ${value.op}`;
  return new RangeError(`${what} holds integers from ${lo} to ${hi}, got ${code}`);
}
