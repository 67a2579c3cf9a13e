// A kernel's integer operations as standard operators: every computed integer is an int64 tensor, which holds all lanes exactly, so the
// results are interpret()'s. Casts, selections and shifts of binary32 values are here too.

import { type Computed, type Lane, laneRange } from "../../kernel/index.ts";
import type { Rounding } from "../../table/index.ts";
import { FLOAT, type FunctionBuilder, INT32, INT64 } from "./builder.ts";
import { divide, greater, lesser } from "./int64.ts";
import { gatherFrom, searchAmong } from "./search.ts";

/** TensorProto.DataType of each lane. */
export const LANE_TYPES: Readonly<Record<Lane, bigint>> = {
  f32: FLOAT,
  u8: 2n,
  i8: 3n,
  u16: 4n,
  i16: 5n,
  i32: INT32,
  i64: INT64,
  u32: 12n,
};

const OPERATORS = { add: "Add", sub: "Sub", mul: "Mul" } as const;

/** Longest shift of a kernel. */
const MAX_SHIFT = 62;
const POWERS: readonly number[] = Array.from({ length: MAX_SHIFT + 1 }, (_, i) => 2 ** i);

/**
 * A computed value, in int64 for integer lanes.
 * @param args tensors in float32 or int64
 * @param argLanes the lanes of the arguments
 */
export function emitComputed(
  build: FunctionBuilder,
  value: Computed,
  args: readonly string[],
  argLanes: readonly Lane[],
): string {
  const [a, b, c, d] = args as [string, string, string, string];
  const isFloat = value.lane === "f32";
  switch (value.op) {
    case "div":
      return isFloat ? build.op("Div", [a, b]) : divide(build, a, b, value.rounding ?? "floor");
    case "shift-left":
      return build.op("Mul", [a, powerOf(build, b, isFloat ? POWERS : null)]);
    case "shift-right": {
      if (!isFloat) return divide(build, a, powerOf(build, b, null), value.rounding ?? "floor");
      const inverse = POWERS.map((power) => 1 / power);
      return build.op("Mul", [a, powerOf(build, b, inverse)]);
    }
    case "bits": {
      const thresholds = POWERS.slice(0, 54);
      const length = searchAmong(build, a, thresholds, { of: (values) => build.ints(values), beyond: 2 ** 62 });
      return build.op("Cast", [length], { to: INT64 });
    }
    case "cast":
      return emitCast(build, value, a, argLanes[0] === "f32");
    case "select":
      return build.op("Where", [build.op("Less", [a, b]), c, d]);
    case "min":
      return isFloat ? build.op("Min", [a, b]) : lesser(build, a, b);
    case "max":
      return isFloat ? build.op("Max", [a, b]) : greater(build, a, b);
    default:
      return build.op(OPERATORS[value.op], [a, b]);
  }
}

/** 2^amount as float32 from a list, or as int64. */
function powerOf(build: FunctionBuilder, amount: string, floats: readonly number[] | null): string {
  const of = (values: number | readonly number[]): string =>
    floats === null ? build.ints(values) : build.floats(values);
  return gatherFrom(build, floats ?? POWERS, amount, { of });
}

function emitCast(
  build: FunctionBuilder,
  { lane, rounding = "half-even" }: Computed & { readonly op: "cast" },
  a: string,
  isFromFloat: boolean,
): string {
  const range = laneRange(lane);
  if (range === null) return build.op("Cast", [a], { to: FLOAT });
  const whole = isFromFloat ? fromFloat(build, a, rounding, range) : a;
  if (lane === "i64") return whole;
  return lesser(build, greater(build, whole, build.ints(range.lo)), build.ints(range.hi));
}

/** The nearest integer as rounded, NaN as 0; brought near the lane's range first, for a Cast beyond int64 is undefined. */
function fromFloat(
  build: FunctionBuilder,
  x: string,
  rounding: Rounding,
  { lo, hi }: { readonly lo: number; readonly hi: number },
): string {
  const number = build.op("Where", [build.op("Equal", [x, x]), x, build.floats(0)]);
  const near = build.op("Min", [build.op("Max", [number, build.floats(lo)]), build.floats(Math.fround(hi))]);
  if (rounding === "half-even") return build.op("Cast", [build.op("Round", [near])], { to: INT64 });
  const down = build.op("Floor", [near]);
  const whole = build.op("Cast", [down], { to: INT64 });
  if (rounding === "floor") return whole;
  const isUp = build.op("GreaterOrEqual", [build.op("Sub", [near, down]), build.floats(0.5)]);
  return build.op("Add", [whole, build.op("Cast", [isUp], { to: INT64 })]);
}

/** A mean of integers along the axes, rounded: their sum over how many they are. */
export function emitMean(build: FunctionBuilder, x: string, axes: readonly number[], rounding: Rounding): string {
  const ones = build.op("Add", [build.op("Sub", [x, x]), build.ints(1)]);
  return divide(build, build.reduce("ReduceSum", x, axes), build.reduce("ReduceSum", ones, axes), rounding);
}
