// The rules of steps that run a kernel: factors match, sums stay inside 32 bits, arguments and results align with the tile.

import type { Kernel, Lane, Over, Value } from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import { innerAxes, resultShape } from "./align.ts";
import type { Facts } from "./facts.ts";
import { areEqual, isOne, largest, sameShape, show, smallest } from "./sizes.ts";
import type { Size, Step, TensorType } from "./types.ts";

/** The param that holds a product's sums. */
export const ACCUMULATOR = "sums";

export function productComplaint(step: Step & { readonly op: "product" }, facts: Facts): string | null {
  const { program } = facts;
  const [a, b] = [program.tensors[step.a] as TensorType, program.tensors[step.b] as TensorType];
  if (a.shape.length < 2 || b.shape.length < 2) return "factors have at least two axes";
  const [m, k] = a.shape.slice(-2) as [Size, Size];
  const [first, second] = b.shape.slice(-2) as [Size, Size];
  const [inner, n] = step.isTransposed ? [second, first] : [first, second];
  if (!areEqual(k, inner)) return `factors of ${show([k])} and ${show([inner])} do not match`;
  const outer = outerOf(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (outer === null)
    return `leading axes ${show(a.shape.slice(0, -2))} and ${show(b.shape.slice(0, -2))} do not align`;
  const sum = sumRange(facts.rangeOf(step.a), facts.rangeOf(step.b), largest(k, program.sizes));
  const accumulator = step.kernel.values.find((value) => value.op === "param" && value.name === ACCUMULATOR);
  if (accumulator?.op !== "param" || accumulator.lane !== "i32" || accumulator.over !== "element") {
    return `the kernel needs an i32 param "${ACCUMULATOR}" per element`;
  }
  const [lo, hi] = accumulator.range ?? [-(2 ** 31), 2 ** 31 - 1];
  if (sum.lo < lo || sum.hi > hi)
    return `a sum may be from ${sum.lo} to ${sum.hi}, "${ACCUMULATOR}" is from ${lo} to ${hi}`;
  return tileComplaint(step, [...outer, m, n], facts);
}

/** The outer axes of a product; null if they do not align. */
function outerOf(a: readonly Size[], b: readonly Size[]): readonly Size[] | null {
  const [longer, shorter] = a.length >= b.length ? [a, b] : [b, a];
  const start = longer.length - shorter.length;
  const outer: Size[] = longer.slice(0, start);
  for (const [i, size] of shorter.entries()) {
    const other = longer[start + i] as Size;
    if (!areEqual(size, other) && !isOne(size) && !isOne(other)) return null;
    outer.push(isOne(size) ? other : size);
  }
  return outer;
}

function sumRange(a: Interval, b: Interval, count: number): Interval {
  const corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi];
  return { lo: Math.min(0, count * Math.min(...corners)), hi: Math.max(0, count * Math.max(...corners)) };
}

export type Tiled = Step & { readonly op: "product" | "kernel" };

export function tileComplaint(step: Tiled, tile: readonly Size[], facts: Facts): string | null {
  facts.rangesOf(step.kernel);
  const columns = tile.at(-1) as Size;
  const longest = largest(columns, facts.program.sizes);
  const { spec, values } = step.kernel;
  const { maxRow } = spec;
  if (values.some(({ op }) => op === "reduce") && smallest(columns, facts.program.sizes) < 1) {
    return `the kernel reduces rows of ${show([columns])}, which may be none`;
  }
  if (maxRow !== undefined && longest > maxRow) return `rows of up to ${longest}, the kernel's have at most ${maxRow}`;
  return argumentsComplaint(step, tile, facts) ?? resultsComplaint(step, tile, facts);
}

function argumentsComplaint(step: Tiled, tile: readonly Size[], facts: Facts): string | null {
  for (const value of step.kernel.values) {
    if (value.op !== "param" || (step.op === "product" && value.name === ACCUMULATOR)) continue;
    const name = Object.hasOwn(step.arguments, value.name) ? step.arguments[value.name] : undefined;
    if (name === undefined) return `the kernel's param "${value.name}" has no argument`;
    const complaint =
      argumentComplaint(value, facts.program.tensors[name] as TensorType, tile) ?? promiseComplaint(value, name, facts);
    if (complaint !== null) return `${name} as "${value.name}": ${complaint}`;
  }
  return null;
}

function argumentComplaint(value: Value, type: TensorType, tile: readonly Size[]): string | null {
  if (type.lane !== value.lane) return `lanes differ: ${type.lane} and ${value.lane}`;
  const inner = innerAxes(tile, value.over);
  const leading = type.shape.slice(0, type.shape.length - inner.length);
  const outer = tile.slice(0, -2);
  if (type.shape.length < inner.length || leading.length > outer.length)
    return `${show(type.shape)} has the wrong number of axes`;
  const aligned = [...outer.slice(outer.length - leading.length), ...inner];
  const fits = type.shape.every((size, i) => areEqual(size, aligned[i] as Size) || (i < leading.length && isOne(size)));
  return fits ? null : `${show(type.shape)} does not align with ${show(aligned)}`;
}

/** A param that promises a range gets a tensor that keeps it. */
function promiseComplaint(value: Value & { readonly op: "param" }, name: string, facts: Facts): string | null {
  if (value.range === undefined) return null;
  const range = facts.rangeOf(name);
  const [lo, hi] = value.range;
  return lo <= range.lo && range.hi <= hi ? null : `holds ${range.lo} to ${range.hi}, promised are ${lo} to ${hi}`;
}

function resultsComplaint(step: Tiled, tile: readonly Size[], { program }: Facts): string | null {
  const { results, values }: Kernel = step.kernel;
  if (results.length !== step.results.length) return `the kernel gives ${results.length} results`;
  for (const [i, name] of step.results.entries()) {
    const { lane, over } = values[results[i] as number] as { readonly lane: Lane; readonly over: Over };
    const type = program.tensors[name] as TensorType;
    if (type.lane !== lane) return `result ${name}: lanes differ: ${type.lane} and ${lane}`;
    const complaint = sameShape(resultShape(tile, over), type.shape);
    if (complaint !== null) return `result ${name}: ${complaint}`;
  }
  return null;
}
