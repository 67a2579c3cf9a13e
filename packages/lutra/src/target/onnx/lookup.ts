// One binary32 table as standard operators, operation for operation what evaluate() does in binary32: the same bits wherever the runtime
// rounds each operation to binary32 and does not contract. NaN-safe: no index is ever computed from a NaN without a comparison first.

import { LutraError } from "../../base/index.ts";
import { MAX_BINARY32, MIN_NORMAL_BINARY32, powerOfTwo } from "../../num/index.ts";
import { type Reduction, segmentCount, segmentStarts, type Table } from "../../table/index.ts";
import { type FunctionBuilder, INT32 } from "./builder.ts";
import { emitInteger } from "./integer.ts";
import { gatherFrom, searchAmong } from "./search.ts";

/** The value of `table` at the tensor `x`: codes of its formats. @throws LutraError "unsupported" for other floats than binary32 */
export function emitLookup(build: FunctionBuilder, table: Table, x: string): string {
  const { input, output } = table.spec;
  if (input.kind === "integer" && output.kind === "integer") return emitInteger(build, { table, input, output }, x);
  if (input.kind !== "float" || output.kind !== "float" || input.name !== "binary32" || output.name !== "binary32") {
    throw new LutraError("unsupported", "the onnx target writes tables of integers and of binary32", {
      note: "fit the table with --in binary32 --out binary32",
    });
  }
  return emitFrom(build, table, 0, x);
}

function emitFrom(build: FunctionBuilder, table: Table, depth: number, x: string): string {
  const reduction = table.reductions[depth];
  if (reduction === undefined) return emitLine(build, table, x);
  return emitReduction(build, reduction, x, (t) => emitFrom(build, table, depth + 1, t));
}

function emitReduction(build: FunctionBuilder, by: Reduction, x: string, rest: (t: string) => string): string {
  switch (by.by) {
    case "odd": {
      const y = rest(build.op("Abs", [x]));
      return build.op("Where", [build.op("Less", [x, build.floats(0)]), build.op("Neg", [y]), y]);
    }
    case "even":
      return rest(build.op("Abs", [x]));
    case "reflect": {
      const y = rest(build.op("Neg", [build.op("Abs", [x])]));
      return build.op("Add", [y, build.op("Relu", [x])]);
    }
    case "complement": {
      const y = rest(build.op("Neg", [build.op("Abs", [x])]));
      const isPositive = build.op("Greater", [x, build.floats(0)]);
      return build.op("Where", [isPositive, build.op("Sub", [build.floats(1), y]), y]);
    }
    case "octave": {
      const { mantissa, octave, octaves } = splitOctave(build, x, by.step);
      const scale = gather(
        build,
        octaves.map((j) => powerOfTwo(by.power * j)),
        octave,
      );
      return build.op("Mul", [rest(mantissa), scale]);
    }
    case "logarithm": {
      const { mantissa, octave, octaves } = splitOctave(build, x, 1);
      return build.op("Add", [
        rest(mantissa),
        gather(
          build,
          octaves.map((j) => Math.fround(by.perOctave * j)),
          octave,
        ),
      ]);
    }
    case "exponential":
      return emitExponential(build, by.factor, x, rest);
    default:
      return by satisfies never;
  }
}

/** First octave whose power of two is kept; below it the answer is 0. */
const FIRST_OCTAVE = -126;
/** Above it the answer is infinite. */
const LAST_OCTAVE = 127;

/** y = T(z - j) 2^j with z = factor x clamped to [-127, 128], whose two ends stand for 0 and infinity. */
function emitExponential(build: FunctionBuilder, factor: number, x: string, rest: (t: string) => string): string {
  const z = build.op("Mul", [x, build.floats(factor)]);
  const low = build.floats(FIRST_OCTAVE - 1);
  const bounded = build.op("Min", [build.op("Max", [z, low]), build.floats(LAST_OCTAVE + 1)]);
  const octave = build.op("Floor", [bounded]);
  const y = rest(build.op("Sub", [bounded, octave]));
  const isNumber = build.op("GreaterOrEqual", [octave, low]);
  const position = build.op("Sub", [build.op("Where", [isNumber, octave, low]), low]);
  const powers = Array.from({ length: LAST_OCTAVE - FIRST_OCTAVE + 3 }, (_, i) => {
    const j = FIRST_OCTAVE - 1 + i;
    return j < FIRST_OCTAVE ? 0 : j > LAST_OCTAVE ? Infinity : powerOfTwo(j);
  });
  return build.op("Mul", [y, gather(build, powers, build.op("Cast", [position], { to: INT32 }))]);
}

/** x = mantissa 2^(step octave), by binary search among the powers of two: every product is exact. */
function splitOctave(
  build: FunctionBuilder,
  x: string,
  step: 1 | 2,
): { readonly mantissa: string; readonly octave: string; readonly octaves: readonly number[] } {
  const positive = build.op("Min", [
    build.op("Max", [x, build.floats(MIN_NORMAL_BINARY32)]),
    build.floats(MAX_BINARY32),
  ]);
  const first = Math.floor(FIRST_OCTAVE / step);
  const last = Math.floor(LAST_OCTAVE / step);
  const octaves = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const octave = search(
    build,
    positive,
    octaves.slice(1).map((j) => powerOfTwo(step * j)),
  );
  const scale = gather(
    build,
    octaves.map((j) => powerOfTwo(-step * j)),
    octave,
  );
  return { mantissa: build.op("Mul", [positive, scale]), octave, octaves };
}

// the line ------------------------------------------------------------------------------------------------------------

function emitLine(build: FunctionBuilder, table: Table, x: string): string {
  let t = x;
  if (table.clamp[0] > -Infinity) t = build.op("Max", [t, build.floats(table.clamp[0])]);
  if (table.clamp[1] < Infinity) t = build.op("Min", [t, build.floats(table.clamp[1])]);
  const segment = emitSegment(build, table, t);
  const [intercepts, slopes] = table.coefficients;
  const intercept = gather(build, intercepts as readonly number[], segment);
  if (slopes === undefined) return intercept;
  return build.op("Add", [build.op("Mul", [gather(build, slopes, segment), t]), intercept]);
}

function emitSegment(build: FunctionBuilder, table: Table, t: string): string {
  const { index } = table;
  const count = segmentCount(table);
  switch (index.rule) {
    case "breakpoints":
      return search(build, t, index.codes);
    case "float-bits":
    case "nested":
      return search(build, t, segmentStarts(index, count, table.spec.input));
    case "uniform": {
      const offset = build.op("Sub", [t, build.floats(index.first)]);
      const position = build.op("Floor", [build.op("Mul", [offset, build.floats(1 / index.width)])]);
      const zero = build.floats(0);
      const least = build.op("Where", [build.op("GreaterOrEqual", [position, zero]), position, zero]);
      return build.op("Cast", [build.op("Min", [least, build.floats(count - 1)])], { to: INT32 });
    }
    case "direct":
      throw new LutraError("unsupported", "a direct table has no binary32 form");
    default:
      return index satisfies never;
  }
}

/** The number of binary32 thresholds (ascending) that are <= t. */
function search(build: FunctionBuilder, t: string, thresholds: readonly number[]): string {
  return searchAmong(build, t, thresholds, { of: (values) => build.floats(values), beyond: Infinity });
}

function gather(build: FunctionBuilder, entries: readonly number[], position: string): string {
  return gatherFrom(build, entries, position, { of: (values) => build.floats(values) });
}
