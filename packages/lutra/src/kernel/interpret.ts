// interpret(kernel) is the definition of a kernel, operation by operation in binary32 or integer codes; ideal(kernel) is the
// same computation with exact functions and no rounding: the truth that layers are calibrated and judged by.

import { evaluate } from "../table/index.ts";
import { tablesOf } from "./holes.ts";
import type { Kernel, Over, Value } from "./types.ts";

/** Named inputs: rows * columns, rows, columns or 1 numbers, according to what the param varies over. Row-major. */
export type KernelInputs = Readonly<Record<string, ArrayLike<number>>>;

/** Partial sums of a row: element c goes to sum c mod 16, then halves are added (8, 4, 2, 1). What a 4x128-bit loop does. */
const PARTIAL_SUMS = 16;

/** How numbers are treated: rounded lookups and sums for `interpret`, exact ones for `ideal`. */
interface Arithmetic {
  round(x: number): number;
  sum(values: Float64Array, start: number, length: number): number;
  lookup(value: Value & { readonly op: "lookup" }, x: Float64Array): Float64Array;
}

/**
 * Runs a filled kernel on a tile of rows x columns. One array per result.
 * binary32: every operation is rounded on its own, sums run as 16 interleaved partial sums.
 * @throws LutraError "mismatch" if a hole is empty; RangeError if an input is missing or has the wrong length
 */
export function interpret(kernel: Kernel, inputs: KernelInputs, rows: number, columns: number): Float64Array[] {
  const tables = tablesOf(kernel);
  return run(kernel, inputs, rows, columns, {
    round: Math.fround,
    sum: interleavedSum,
    lookup: (value, x) => {
      const table = tables[value.hole];
      if (table === undefined) throw new RangeError(`no table for ${value.hole}`);
      return x.map((code) => evaluate(table, code));
    },
  });
}

/** Called with what a hole is asked for, before it answers. Values are only valid during the call. */
export type Observe = (hole: string, values: Float64Array) => void;

/**
 * Runs a kernel on real numbers: exact functions (to their references' ulps), binary64 arithmetic, no lookup, no rounding.
 * @param exact the reference of a hole's function, by the text in its spec
 */
export function ideal(
  kernel: Kernel,
  exact: (fn: string) => (x: number) => number,
  inputs: KernelInputs,
  rows: number,
  columns: number,
  observe?: Observe,
): Float64Array[] {
  const functions = new Map<string, (x: number) => number>();
  const functionOf = (fn: string): ((x: number) => number) => {
    const known = functions.get(fn) ?? exact(fn);
    functions.set(fn, known);
    return known;
  };
  return run(kernel, inputs, rows, columns, {
    round: (x) => x,
    sum: plainSum,
    lookup: (value, x) => {
      observe?.(value.hole, x);
      return x.map(functionOf(value.spec.fn));
    },
  });
}

function run(kernel: Kernel, inputs: KernelInputs, rows: number, columns: number, by: Arithmetic): Float64Array[] {
  const extent = { rows, columns };
  const results: Float64Array[] = [];
  for (const value of kernel.values) results.push(compute(value, kernel, results, inputs, extent, by));
  return kernel.results.map((i) => results[i] as Float64Array);
}

interface Extent {
  readonly rows: number;
  readonly columns: number;
}

function sizeOver(over: Over, { rows, columns }: Extent): number {
  return (over === "element" || over === "row" ? rows : 1) * (over === "element" || over === "column" ? columns : 1);
}

function compute(
  value: Value,
  kernel: Kernel,
  results: readonly Float64Array[],
  inputs: KernelInputs,
  extent: Extent,
  by: Arithmetic,
): Float64Array {
  const size = sizeOver(value.over, extent);
  switch (value.op) {
    case "param": {
      const input = inputs[value.name];
      if (input === undefined) throw new RangeError(`input "${value.name}" is missing`);
      if (input.length !== size)
        throw new RangeError(`input "${value.name}" needs ${size} numbers, got ${input.length}`);
      return Float64Array.from(input);
    }
    case "const":
      return Float64Array.of(value.value);
    case "reduce":
      return reduce(value.with, results[value.args[0]] as Float64Array, extent, by);
    case "lookup":
      return by.lookup(value, results[value.args[0]] as Float64Array);
    default: {
      const [a, b] = value.args.map((arg) =>
        spread(results[arg] as Float64Array, kernel.values[arg] as Value, value, extent),
      );
      return combine(value.op, a as Float64Array, b as Float64Array, by.round);
    }
  }
}

/** Repeats a value so that it varies over what its user varies over. */
function spread(data: Float64Array, from: Value, to: Value, { rows, columns }: Extent): Float64Array {
  if (from.over === to.over) return data;
  const size = sizeOver(to.over, { rows, columns });
  const out = new Float64Array(size);
  if (from.over === "one") return out.fill(data[0] as number);
  for (let r = 0; r < rows; r++) {
    if (from.over === "row") out.fill(data[r] as number, r * columns, (r + 1) * columns);
    else out.set(data, r * columns);
  }
  return out;
}

function combine(
  op: "add" | "sub" | "mul" | "div" | "min" | "max",
  a: Float64Array,
  b: Float64Array,
  round: (x: number) => number,
): Float64Array {
  const out = new Float64Array(a.length);
  const apply = OPERATIONS[op];
  for (let i = 0; i < out.length; i++) out[i] = round(apply(a[i] as number, b[i] as number));
  return out;
}

const OPERATIONS: Readonly<Record<"add" | "sub" | "mul" | "div" | "min" | "max", (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
};

function reduce(
  how: "add" | "max" | "mean",
  data: Float64Array,
  { rows, columns }: Extent,
  by: Arithmetic,
): Float64Array {
  const out = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    if (how === "max") out[r] = largest(data, r * columns, columns);
    else {
      const sum = by.sum(data, r * columns, columns);
      out[r] = how === "mean" ? by.round(sum / columns) : sum;
    }
  }
  return out;
}

function largest(data: Float64Array, start: number, length: number): number {
  let result = -Infinity;
  for (let i = start; i < start + length; i++) result = Math.max(result, data[i] as number);
  return result;
}

function plainSum(data: Float64Array, start: number, length: number): number {
  let sum = 0;
  for (let i = start; i < start + length; i++) sum += data[i] as number;
  return sum;
}

function interleavedSum(data: Float64Array, start: number, length: number): number {
  const partial = new Float32Array(PARTIAL_SUMS);
  for (let i = 0; i < length; i++) {
    const j = i % PARTIAL_SUMS;
    partial[j] = (partial[j] as number) + (data[start + i] as number);
  }
  for (let half = PARTIAL_SUMS / 2; half >= 1; half /= 2) {
    for (let j = 0; j < half; j++) partial[j] = (partial[j] as number) + (partial[j + half] as number);
  }
  return partial[0] as number;
}
