// interpret(kernel) is the definition of a kernel, operation by operation in binary32 or integer codes; ideal(kernel) is the
// same computation with exact functions and no rounding: the truth that layers are calibrated and judged by.

import { codeRange, decode, type Format } from "../num/index.ts";
import { evaluate } from "../table/index.ts";
import { type Arithmetic, EXACT, ROUNDED } from "./arithmetic.ts";
import { tablesOf } from "./holes.ts";
import type { Kernel, Over, Value } from "./types.ts";

/** Named inputs: rows * columns, rows, columns or 1 numbers, according to what the param varies over. Row-major. */
export type KernelInputs = Readonly<Record<string, ArrayLike<number>>>;

type Lookup = Value & { readonly op: "lookup" };

/** How a kernel is run: with rounded operations and tables, or exactly. */
interface Manner {
  readonly arithmetic: Arithmetic;
  lookup(value: Lookup, x: Float64Array): Float64Array;
}

/**
 * Runs a filled kernel on a tile of rows x columns. One array per result.
 * binary32: every operation is rounded on its own, sums run as 16 interleaved partial sums. Integers: exact, rounded as stated.
 * @throws LutraError "mismatch" if a hole is empty; RangeError if an input is missing, has the wrong length or is no integer of its
 * param, if rows are longer than the spec's maxRow where integers are summed, or if an unverified kernel's integer leaves its lane
 */
export function interpret(kernel: Kernel, inputs: KernelInputs, rows: number, columns: number): Float64Array[] {
  const tables = tablesOf(kernel);
  return run(kernel, inputs, rows, columns, {
    arithmetic: ROUNDED,
    lookup: (value, x) => {
      const table = tables[value.hole];
      if (table === undefined) throw new RangeError(`no table for ${value.hole}`);
      return x.map((code) => evaluate(table, code));
    },
  });
}

/** Called with what a hole is asked for, as real numbers, before it answers. Values are only valid during the call. */
export type Observe = (hole: string, values: Float64Array) => void;

/**
 * Runs a kernel on real numbers: exact functions (to their references' ulps), binary64 arithmetic, no lookup, no rounding. A hole of
 * integer formats is asked for the value of its argument, a code that need not be whole, and answers the code of the function's value.
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
    arithmetic: EXACT,
    lookup: ({ hole, spec }, x) => {
      const reals = spec.input.kind === "float" ? x : x.map((code) => decode(spec.input, code));
      observe?.(hole, reals);
      const answers = reals.map(functionOf(spec.fn));
      return spec.output.kind === "float" ? answers : answers.map((y) => exactCode(spec.output, y));
    },
  });
}

/** The code of a real number, saturated but not rounded. */
function exactCode(format: Format, y: number): number {
  if (format.kind === "float") return y;
  const { lo, hi } = codeRange(format);
  return Math.min(hi, Math.max(lo, y / format.scale + format.zeroPoint));
}

function run(kernel: Kernel, inputs: KernelInputs, rows: number, columns: number, by: Manner): Float64Array[] {
  const extent = { rows, columns };
  checkRows(kernel, columns);
  const results: Float64Array[] = [];
  for (const value of kernel.values) results.push(compute(value, kernel, results, inputs, extent, by));
  return kernel.results.map((i) => results[i] as Float64Array);
}

/** Sums of integers are proven not to overflow up to maxRow. */
function checkRows({ spec, values }: Kernel, columns: number): void {
  const sums = values.some((value) => value.op === "reduce" && value.with !== "max" && value.lane !== "f32");
  if (sums && spec.maxRow !== undefined && columns > spec.maxRow) {
    throw new RangeError(`rows of at most ${spec.maxRow} numbers, got ${columns}`);
  }
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
  by: Manner,
): Float64Array {
  switch (value.op) {
    case "param":
      return by.arithmetic.checked(value, readInput(value, inputs, sizeOver(value.over, extent)));
    case "const":
      return Float64Array.of(value.value);
    case "lookup":
      return by.lookup(value, results[value.args[0]] as Float64Array);
    case "reduce": {
      const data = results[value.args[0]] as Float64Array;
      const out = Float64Array.from({ length: extent.rows }, (_, r) =>
        by.arithmetic.reduce(value, data.subarray(r * extent.columns, (r + 1) * extent.columns)),
      );
      return by.arithmetic.checked(value, out);
    }
    default: {
      const args = value.args.map((arg) =>
        spread(results[arg] as Float64Array, kernel.values[arg] as Value, value, extent),
      );
      return by.arithmetic.checked(value, by.arithmetic.combine(value, args));
    }
  }
}

function readInput({ name }: Value & { readonly op: "param" }, inputs: KernelInputs, size: number): Float64Array {
  const input = inputs[name];
  if (input === undefined) throw new RangeError(`input "${name}" is missing`);
  if (input.length !== size) throw new RangeError(`input "${name}" needs ${size} numbers, got ${input.length}`);
  return Float64Array.from(input);
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
