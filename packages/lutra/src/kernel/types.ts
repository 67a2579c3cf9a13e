// The small SSA that every layer is written in once. A value varies per element, row, column or not at all; a `lookup` is a
// hole until a Table fills it. Its meaning is interpret(kernel). No integer operation wraps: verify proves that none overflows.

import type { Rounding, Spec, Table } from "../table/index.ts";

/**
 * How a value is held: binary32, or integers of a width. "i64" holds at most 2^53 in size, so that binary64 holds it too:
 * a target may compute it in either.
 */
export type Lane = "f32" | "i8" | "u8" | "i16" | "u16" | "i32" | "u32" | "i64";

/** What a value varies over in a tile of rows x columns. Operands join: row + column = element. */
export type Over = "one" | "row" | "column" | "element";

/**
 * `args` are indices of earlier values. Integers are exact: results are proven to fit their lane, and what is not exact is rounded as
 * stated (`rounding` is given for integer results of div, shift-right, mean and of casts from binary32, and nowhere else).
 */
export type Op =
  /** An integer param may promise a narrower range than its lane's: codes, both ends included. */
  | { readonly op: "param"; readonly name: string; readonly range?: readonly [lo: number, hi: number] }
  | { readonly op: "const"; readonly value: number }
  | { readonly op: "add" | "sub" | "mul" | "min" | "max"; readonly args: readonly [number, number] }
  /** Integers: the divisor is proven positive. */
  | { readonly op: "div"; readonly rounding?: Rounding; readonly args: readonly [number, number] }
  /** a * 2^b. b is an integer from 0 to 31, in the lanes i64 and f32 to 62; a binary32 result is rounded once. */
  | { readonly op: "shift-left"; readonly args: readonly [a: number, b: number] }
  /** a / 2^b, likewise. */
  | { readonly op: "shift-right"; readonly rounding?: Rounding; readonly args: readonly [a: number, b: number] }
  /** How many binary digits a non-negative integer has: 0 for 0, 1 + floor(log2 a) for others. 32 - clz in a 32-bit lane. */
  | { readonly op: "bits"; readonly args: readonly [number] }
  /** To another lane: saturated to it. From binary32 to integers: rounded as stated, NaN gives 0; to binary32: nearest, ties to even. */
  | { readonly op: "cast"; readonly rounding?: Rounding; readonly args: readonly [number] }
  /** a < b ? c : d. False where a or b is NaN. */
  | { readonly op: "select"; readonly args: readonly [a: number, b: number, c: number, d: number] }
  /** Along the columns; the result is per row. "mean" is the sum divided by the row length. Integers need the spec's `maxRow`: their sum fits. */
  | {
      readonly op: "reduce";
      readonly with: "add" | "max" | "mean";
      readonly rounding?: Rounding;
      readonly args: readonly [number];
    }
  /** Lookups of the same `hole` share one Table. */
  | {
      readonly op: "lookup";
      readonly hole: string;
      readonly spec: Spec;
      readonly table?: Table;
      readonly args: readonly [number];
    };

export type Value = Op & { readonly lane: Lane; readonly over: Over };

/** Values that are computed from arguments of the same place. */
export type Computed = Exclude<Value, { readonly op: "param" | "const" | "reduce" | "lookup" }>;

export interface Kernel {
  readonly spec: Spec;
  /** In order: a value's arguments come before it. */
  readonly values: readonly Value[];
  /** Indices of the values that are the kernel's outputs. */
  readonly results: readonly number[];
}
