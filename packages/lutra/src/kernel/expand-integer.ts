// An integer table as the steps of evaluate: absolute value, clamp, line, rounding shift, saturation, sign. In i32 where every number on the
// way is proven to fit, else in i64.

import { codeRange, type Interval, integerFormat } from "../num/index.ts";
import type { Table } from "../table/index.ts";
import type { KernelBuilder } from "./build.ts";
import { chosen, constantLike, type Reached, reachedSegments } from "./expand-segments.ts";
import { longestShift } from "./integer.ts";
import { laneOf, laneRange } from "./lanes.ts";
import { magnitudes } from "./ranges.ts";
import type { Lane } from "./types.ts";

/** All codes that a lookup's lane may hold, of either sign. */
const ANY_CODE = integerFormat(true, 32);

/** Null if the table stays whole: too many segments, a clamp that is no integer, or numbers beyond 2^53. */
export function integerSteps(
  build: KernelBuilder,
  table: Table,
  x: number,
  from: Interval,
  maxSegments: number,
): number | null {
  const isSymmetric = table.reductions.length > 0;
  const t = clamped(isSymmetric ? magnitudes(from) : from, table.clamp);
  if (!(Number.isInteger(t.lo) && Number.isInteger(t.hi))) return null;
  const input = build.laneAt(x) === "u32" ? integerFormat(false, 32) : ANY_CODE;
  const reached = reachedSegments(table, t, input);
  if (reached.segments.length > maxSegments) return null;
  const lane = laneFor(table, reached, [from, t]);
  if (lane === null) return null;
  const wide = build.cast(x, lane);
  const zero = build.integer(0, lane);
  const size = isSymmetric ? build.binary("max", wide, build.binary("sub", zero, wide)) : wide;
  const y = line(build, table, limited(build, size, t), reached);
  const isOdd = table.reductions[0]?.by === "odd";
  const { lo, hi } = codeRange(table.spec.output);
  const answer = limited(build, y, { lo, hi });
  const signed = isOdd
    ? build.select(wide, zero, limited(build, build.binary("sub", zero, answer), { lo, hi }), answer)
    : answer;
  return build.cast(signed, laneOf(table.spec.output));
}

function clamped({ lo, hi }: Interval, [low, high]: Table["clamp"]): Interval {
  const clamp = (t: number): number => Math.min(high, Math.max(low, t)) + 0;
  return { lo: clamp(lo), hi: clamp(hi) };
}

function limited(build: KernelBuilder, value: number, { lo, hi }: Interval): number {
  const raised = build.binary("max", value, constantLike(build, value, lo));
  return build.binary("min", raised, constantLike(build, value, hi));
}

/** round((slope t + intercept) / 2^shift). */
function line(build: KernelBuilder, table: Table, t: number, { segments, starts }: Reached): number {
  const [intercepts, slopes] = columnsOf(table, segments);
  const product = build.binary("mul", chosen(build, t, slopes, starts), t);
  const sum = build.binary("add", product, chosen(build, t, intercepts, starts));
  return build.shiftRight(sum, build.integer(table.shift), table.rounding);
}

/** Intercepts and slopes of the segments; a table of constants has slopes of 0, and still varies with its argument. */
function columnsOf({ coefficients }: Table, segments: readonly number[]): readonly [number[], number[]] {
  const of = (degree: number): number[] => segments.map((i) => (coefficients[degree]?.[i] ?? 0) + 0);
  return [of(0), of(1)];
}

/** The lane in which interval analysis finds room for every step; null if there is none. */
function laneFor(table: Table, { segments }: Reached, inputs: readonly [from: Interval, t: Interval]): Lane | null {
  const [from, t] = inputs;
  const [intercepts, slopes] = columnsOf(table, segments).map(hull) as [Interval, Interval];
  const products = hull([slopes.lo * t.lo, slopes.lo * t.hi, slopes.hi * t.lo, slopes.hi * t.hi]);
  const sums = { lo: products.lo + intercepts.lo, hi: products.hi + intercepts.hi };
  const output = codeRange(table.spec.output);
  const negated = [from, output].map(({ lo, hi }) => ({ lo: -hi, hi: -lo }));
  const all = [from, t, slopes, intercepts, products, sums, output, ...(table.reductions.length > 0 ? negated : [])];
  const holds = (lane: Lane): boolean => {
    const { lo, hi } = laneRange(lane) as Interval;
    return table.shift <= longestShift(lane) && all.every((range) => lo <= range.lo && range.hi <= hi);
  };
  return holds("i32") ? "i32" : holds("i64") ? "i64" : null;
}

function hull(numbers: readonly number[]): Interval {
  return { lo: Math.min(...numbers), hi: Math.max(...numbers) };
}
