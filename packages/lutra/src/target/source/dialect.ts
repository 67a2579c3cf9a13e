// What differs between the languages that a kernel is written in as source text. C and TypeScript share the rest: conditions,
// `a ? b : c`, comparisons, and the operators of 32-bit integers. A Dialect only makes text; it decides nothing.

import type { Lane, Over } from "../../kernel/index.ts";

/** How a number is held while computing: binary32, or integers of 32 bits or of up to 2^53. */
export type Type = "f32" | "i32" | "i64";

/** Functions that the text of a kernel calls, written out before it where it does. */
export type Helper =
  /** The 32 bits of a binary32 as a signed integer, and back. */
  | "bits"
  | "float"
  /** condition ? a : b of binary32. */
  | "choose"
  /** Of two binary32 numbers as IEEE 754-2019 has them: NaN if either is one, -0 below +0. */
  | "minimum"
  | "maximum"
  /** Sum of 16 partial sums: halves are added (8, 4, 2, 1). */
  | "total"
  /** a / b for b > 0; a / 2^b; a binary32 number as an integer between two given ones (NaN gives 0): rounded. */
  | `${Sized | "round"}-${"floor" | "half-up" | "half-even"}`
  /** Binary digits of a non-negative integer. */
  | `digits${Size}`;

/** Of integers of up to 2^53, or of 32 bits: b is at most 30 in a / 2^b then. */
type Size = "" | "32";
type Sized = `${"divide" | "shift"}${Size}`;

export interface Parameter {
  readonly name: string;
  readonly lane: Lane;
  readonly over: Over;
}

export interface ArraysSignature {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly result: Lane;
  readonly isOverRows: boolean;
}

export interface Dialect {
  /** A name of the file's own: prefix and part joined as the language does it. */
  name(prefix: string, part: string): string;
  literal(type: Type, value: number): string;
  /** A statement that names a value. */
  declare(type: Type, name: string, value: string): string;
  /** A statement that begins a variable. */
  variable(type: Type, name: string, value: string): string;
  /** Names a value for what is counted: rows, columns, places. */
  place(name: string, value: string): string;
  /** A constant array. */
  list(lane: Lane, name: string, values: readonly number[]): string;
  at(list: string, place: string): string;
  /** binary32, rounded. */
  arithmetic(op: "+" | "-" | "*" | "/", a: string, b: string): string;
  /** Integers whose product is exact. */
  product(type: Type, a: string, b: string): string;
  /** floor(a / 2^places); `places` is an i32 expression. */
  shiftDown(type: Type, a: string, places: string): string;
  /** a * 2^places, exact; with 32 bits for at most 30 places. */
  shiftUp(type: Type, a: string, places: string): string;
  /** A binary32 within the range of i32, towards 0. */
  truncate(x: string): string;
  /** The nearest binary32 of an integer. */
  toFloat(x: string): string;
  /** An integer that fits the type, in the type; and one that becomes an i64. */
  narrow(type: Type, x: string): string;
  wide(x: string): string;
  isNaN(x: string): string;
  /** condition ? a : b of binary32, as compilers of the language make no jump of it. */
  choose(condition: string, a: string, b: string, named: (helper: Helper) => string): string;
  /** Begins a loop over 0, step, ... below `limit`; closed by "}". */
  loop(name: string, limit: string, step?: number): string;
  /** The 16 partial sums of a row, all 0. */
  partialSums(name: string): string;
  /** Adds to an entry of an array of binary32. */
  increase(list: string, place: string, by: string): string;
  /** Writes to the output. */
  store(lane: Lane, place: string, value: string): string;
  /** Whether functions of 32-bit integers differ from those of larger ones. */
  readonly hasSizes: boolean;
  /** The text of a helper under its name. `named` gives the names of others. */
  helper(helper: Helper, named: (other: Helper) => string): string;
  /** A function of numbers, which varies over nothing. */
  func(name: string, parameters: readonly Parameter[], result: Lane, lines: readonly string[]): string;
  /** A function that writes an array y: of n numbers, or of rows x columns. What varies over nothing is passed as a number. */
  overArrays(signature: ArraysSignature, lines: readonly string[]): string;
}
