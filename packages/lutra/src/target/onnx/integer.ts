// Integer tables as standard operators, the same codes as evaluate(). Up to 8 bits the answers to all codes are one constant; beyond,
// evaluate()'s own arithmetic in int64, which is exact: a table's sums stay below 2^53.

import { LutraError } from "../../base/index.ts";
import { codeRange, type IntegerFormat } from "../../num/index.ts";
import { evaluate, segmentCount, segmentStarts, type Table } from "../../table/index.ts";
import { type FunctionBuilder, INT32, INT64 } from "./builder.ts";
import { divide, greater, lesser } from "./int64.ts";
import { type Constants, gatherFrom, searchAmong } from "./search.ts";

/** Widest codes of graphs: those of DequantizeLinear and QuantizeLinear. */
const MAX_BITS = 16;
/** Inputs of so many bits become one Gather, whatever the table. */
const LISTED_BITS = 8;

interface IntegerTable {
  readonly table: Table;
  readonly input: IntegerFormat;
  readonly output: IntegerFormat;
}

/** The codes of `table` at the codes in the tensor `x`, which has the input format's element type. @throws LutraError "unsupported" */
export function emitInteger(build: FunctionBuilder, of: IntegerTable, x: string): string {
  const { table, input, output } = of;
  if (input.bits > MAX_BITS || output.bits > MAX_BITS) {
    throw new LutraError("unsupported", `the onnx target writes integer tables of up to ${MAX_BITS} bits`, {
      note: `this one is from ${input.bits} to ${output.bits} bits`,
    });
  }
  const isListed = input.bits <= LISTED_BITS || (table.index.rule === "direct" && table.reductions.length === 0);
  return isListed ? emitListed(build, of, x) : emitArithmetic(build, of, x);
}

/** Gather from the answers to all codes, lowest first. */
function emitListed(build: FunctionBuilder, { table, input, output }: IntegerTable, x: string): string {
  const { lo, hi } = codeRange(input);
  const answers = arrayFor(output, hi - lo + 1).map((_, i) => evaluate(table, lo + i));
  const code = build.op("Cast", [x], { to: INT32 });
  const place = lo === 0 ? code : build.op("Sub", [code, build.integers(Int32Array.of(lo), [])]);
  return build.op("Gather", [build.integers(answers), place]);
}

function arrayFor(
  { signed, bits }: IntegerFormat,
  length: number,
): Int8Array | Uint8Array<ArrayBuffer> | Int16Array | Uint16Array {
  if (bits <= 8) return signed ? new Int8Array(length) : new Uint8Array(length);
  return signed ? new Int16Array(length) : new Uint16Array(length);
}

/** ONNX element type of a format's codes (TensorProto.DataType). */
function elementType({ signed, bits }: IntegerFormat): bigint {
  if (bits <= 8) return signed ? 3n : 2n;
  return signed ? 5n : 4n;
}

// 16 bits -------------------------------------------------------------------------------------------------------------

function emitArithmetic(build: FunctionBuilder, { table, output }: IntegerTable, x: string): string {
  const reduction = table.reductions[0]?.by;
  const { lo, hi } = codeRange(output);
  const code = build.op("Cast", [x], { to: INT64 });
  const t = clamped(build, reduction === undefined ? code : build.op("Abs", [code]), table.clamp);
  const sum = emitLine(build, table, t);
  let y = clamped(build, shifted(build, sum, table), [lo, hi]);
  if (reduction === "odd") {
    const mirrored = clamped(build, build.op("Neg", [y]), [lo, hi]);
    y = build.op("Where", [build.op("Less", [code, build.ints(0)]), mirrored, y]);
  }
  return build.op("Cast", [y], { to: elementType(output) });
}

function clamped(build: FunctionBuilder, t: string, [low, high]: readonly [number, number]): string {
  const raised = low > -Infinity ? greater(build, t, build.ints(low)) : t;
  return high < Infinity ? lesser(build, raised, build.ints(high)) : raised;
}

/** sum / 2^shift, rounded as the table says. */
function shifted(build: FunctionBuilder, sum: string, { shift, rounding }: Table): string {
  return shift === 0 ? sum : divide(build, sum, build.ints(2 ** shift), rounding);
}

/** slope t + intercept, not yet shifted. */
function emitLine(build: FunctionBuilder, table: Table, t: string): string {
  const segment = emitSegment(build, table, t);
  const [intercepts, slopes] = table.coefficients;
  const intercept = gatherFrom(build, intercepts as readonly number[], segment, codes(build));
  if (slopes === undefined) return intercept;
  return build.op("Add", [build.op("Mul", [gatherFrom(build, slopes, segment, codes(build)), t]), intercept]);
}

/** int64 constants; no code is as large as what lies beyond. */
function codes(build: FunctionBuilder): Constants {
  return { of: (values) => build.ints(values), beyond: 2 ** 53 };
}

function emitSegment(build: FunctionBuilder, table: Table, t: string): string {
  const { index } = table;
  switch (index.rule) {
    case "direct":
    case "uniform": {
      // No offset is below 0 where it is divided: Div, which cuts towards 0, is floor.
      const offset = greater(build, build.op("Sub", [t, build.ints(index.first)]), build.ints(0));
      const position = index.rule === "direct" ? offset : build.op("Div", [offset, build.ints(index.width)]);
      return lesser(build, position, build.ints(segmentCount(table) - 1));
    }
    case "breakpoints":
      return searchAmong(build, t, index.codes, codes(build));
    case "nested":
      return searchAmong(build, t, segmentStarts(index, segmentCount(table), table.spec.input), codes(build));
    case "float-bits":
      throw new LutraError("unsupported", "an integer table has no float-bits index");
    default:
      return index satisfies never;
  }
}
