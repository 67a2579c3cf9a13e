// The small SSA that every layer is written in once. A value varies per element, row, column or not at all; a `lookup` is a
// hole until a Table fills it. Its meaning is interpret(kernel).

import type { Spec, Table } from "../table/index.ts";

/** How a value is held: binary32, or integers of a width. */
export type Lane = "f32" | "i8" | "u8" | "i16" | "u16" | "i32" | "u32";

/** What a value varies over in a tile of rows x columns. Operands join: row + column = element. */
export type Over = "one" | "row" | "column" | "element";

/** `args` are indices of earlier values. */
export type Op =
  | { readonly op: "param"; readonly name: string }
  | { readonly op: "const"; readonly value: number }
  | { readonly op: "add" | "sub" | "mul" | "div" | "min" | "max"; readonly args: readonly [number, number] }
  /** Along the columns; the result is per row. "mean" is the sum divided by the row length. */
  | { readonly op: "reduce"; readonly with: "add" | "max" | "mean"; readonly args: readonly [number] }
  /** Lookups of the same `hole` share one Table. */
  | {
      readonly op: "lookup";
      readonly hole: string;
      readonly spec: Spec;
      readonly table?: Table;
      readonly args: readonly [number];
    };

export type Value = Op & { readonly lane: Lane; readonly over: Over };

export interface Kernel {
  readonly spec: Spec;
  /** In order: a value's arguments come before it. */
  readonly values: readonly Value[];
  /** Indices of the values that are the kernel's outputs. */
  readonly results: readonly number[];
}
