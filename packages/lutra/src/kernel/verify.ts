// The rules a kernel keeps, checked between passes: arguments come first, lanes agree, variation is the operands' join, roundings
// are stated where something is rounded, and no integer overflows its lane.

import type { Interval } from "../num/index.ts";
import { join } from "./build.ts";
import { laneOf, laneRange } from "./lanes.ts";
import { KNOWN_RANGES, rangeOf } from "./ranges.ts";
import type { Kernel, Lane, Over, Value } from "./types.ts";

/** Kernels that keep the rules: they are never changed, and whoever takes one verifies it. */
const VERIFIED = new WeakSet<Kernel>();

/** @throws RangeError naming the first value that breaks a rule, or whose range does not fit its lane */
export function verify(kernel: Kernel): void {
  if (VERIFIED.has(kernel)) return;
  const known: (Interval | null)[] = [];
  kernel.values.forEach((value, i) => {
    const complaint = complaintAbout(kernel, value, i) ?? overflowOf(kernel, value, known);
    if (complaint !== null) throw new RangeError(`kernel value ${i} (${value.op}): ${complaint}`);
  });
  if (kernel.results.length === 0) throw new RangeError("a kernel needs a result");
  for (const result of kernel.results) {
    if (kernel.values[result] === undefined) throw new RangeError(`result ${result} does not exist`);
  }
  KNOWN_RANGES.set(kernel, known);
  VERIFIED.add(kernel);
}

/** Appends the value's range to those known. */
function overflowOf(kernel: Kernel, value: Value, known: (Interval | null)[]): string | null {
  const range = rangeOf(value, kernel, known);
  if (typeof range === "string") return range;
  known.push(range);
  const lane = laneRange(value.lane);
  if (range === null || lane === null || (lane.lo <= range.lo && range.hi <= lane.hi)) return null;
  return `may be from ${range.lo} to ${range.hi}, which overflows ${value.lane}`;
}

function complaintAbout(kernel: Kernel, value: Value, i: number): string | null {
  const args: Value[] = [];
  for (const arg of "args" in value ? value.args : []) {
    const given = kernel.values[arg];
    if (given === undefined || arg < 0 || arg >= i) return `argument ${arg} does not come before it`;
    args.push(given);
  }
  return variationComplaint(value, args) ?? laneComplaint(value, args) ?? roundingComplaint(value, args);
}

function variationComplaint(value: Value, args: readonly Value[]): string | null {
  let over: Over = "one";
  for (const arg of args) over = join(over, arg.over);
  if (value.op === "param" || (value.op === "const" && value.over === "one")) return null;
  if (value.op !== "reduce") return value.over === over ? null : `varies per ${value.over}, its arguments per ${over}`;
  if (value.over !== "row") return "a reduction gives one value per row";
  return over === "element" ? null : `a reduction runs over elements, not over ${over}`;
}

function laneComplaint(value: Value, args: readonly Value[]): string | null {
  const { lane } = value;
  const different = "lanes of arguments and result differ";
  switch (value.op) {
    case "param":
      if (value.range === undefined) return null;
      return lane === "f32" ? "only integers promise a range" : constantComplaint(value.range, lane);
    case "const":
      return constantComplaint([value.value], lane);
    case "shift-left":
    case "shift-right":
      if (args[1]?.lane === "f32") return "the amount of a shift is an integer";
      return args[0]?.lane === lane ? null : different;
    case "bits":
      return args[0]?.lane === "f32" || lane === "f32" ? "only integers have a bit length" : null;
    case "cast":
      return args[0]?.lane === lane ? "a cast changes the lane" : null;
    case "select":
      return args[0]?.lane === args[1]?.lane && args[2]?.lane === lane && args[3]?.lane === lane ? null : different;
    case "lookup":
      if (args[0]?.lane !== laneOf(value.spec.input))
        return "the argument's lane does not hold the hole's input format";
      return lane === laneOf(value.spec.output) ? null : "the lane does not hold the hole's output format";
    default:
      return args.every((arg) => arg.lane === lane) ? null : different;
  }
}

function constantComplaint(numbers: readonly number[], lane: Lane): string | null {
  const range = laneRange(lane);
  const holds = (x: number): boolean =>
    range === null ? Object.is(Math.fround(x), x) : Number.isInteger(x) && range.lo <= x && x <= range.hi;
  const wrong = numbers.find((x) => !holds(x));
  return wrong === undefined ? null : `${wrong} is no value of ${lane}`;
}

/** A rounding is stated exactly where integers come out and something may be lost. */
function roundingComplaint(value: Value, args: readonly Value[]): string | null {
  const isInteger = value.lane !== "f32";
  const rounds =
    isInteger &&
    (value.op === "div" ||
      value.op === "shift-right" ||
      (value.op === "reduce" && value.with === "mean") ||
      (value.op === "cast" && args[0]?.lane === "f32"));
  const states = "rounding" in value && value.rounding !== undefined;
  if (rounds === states) return null;
  return rounds ? "needs a rounding" : "rounds nothing, but states a rounding";
}
