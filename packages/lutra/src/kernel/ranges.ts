// Which integers each value of a kernel can be, by interval analysis: the proof that no integer operation overflows, its shifts and
// divisors included. Ends are exact up to 2^53, which no lane exceeds; a larger end is rounded but still seen to be larger.

import { codeRange, type Interval, iv } from "../num/index.ts";
import { bitLength, divide, longestShift, shiftLeft, shiftRight } from "./integer.ts";
import { laneRange } from "./lanes.ts";
import type { Kernel, Value } from "./types.ts";

/** Ranges of earlier values; null for binary32. */
export type Known = readonly (Interval | null)[];

/** Ranges of kernels that were worked out before: kernels are never changed, and each is asked about in every pass. */
export const KNOWN_RANGES: WeakMap<Kernel, Known> = new WeakMap();

/**
 * The range of each value of a kernel that verify accepts; null for binary32. It may contain more than what happens, never less.
 * @throws RangeError naming the first value whose range cannot be stated
 */
export function ranges(kernel: Kernel): Known {
  const before = KNOWN_RANGES.get(kernel);
  if (before !== undefined) return before;
  const known: (Interval | null)[] = [];
  kernel.values.forEach((value, i) => {
    const range = rangeOf(value, kernel, known);
    if (typeof range === "string") throw new RangeError(`kernel value ${i} (${value.op}): ${range}`);
    known.push(range);
  });
  KNOWN_RANGES.set(kernel, known);
  return known;
}

/** The range of one value, overflow not yet judged, or the complaint why it cannot be stated. */
export function rangeOf(value: Value, kernel: Kernel, known: Known): Interval | string | null {
  if (value.op === "shift-left" || value.op === "shift-right") {
    const amount = known[value.args[1]] as Interval;
    const longest = longestShift(value.lane);
    if (!(amount.lo >= 0 && amount.hi <= longest)) {
      return `the amount of a shift is from 0 to ${longest}, this may be ${amount.lo < 0 ? amount.lo : amount.hi}`;
    }
  }
  const whole = laneRange(value.lane);
  if (whole === null) return null;
  switch (value.op) {
    case "param":
      return value.range === undefined ? whole : { lo: value.range[0], hi: value.range[1] };
    case "const":
      return { lo: value.value, hi: value.value };
    case "lookup":
      return codeRange(value.spec.output);
    case "cast":
      return clampTo(known[value.args[0]] ?? whole, whole);
    case "select":
      return iv.hull(known[value.args[2]] as Interval, known[value.args[3]] as Interval);
    case "bits": {
      const { lo, hi } = known[value.args[0]] as Interval;
      return lo < 0
        ? `only non-negative integers have a bit length, this may be ${lo}`
        : { lo: bitLength(lo), hi: bitLength(hi) };
    }
    case "reduce":
      return reduced(value.with, known[value.args[0]] as Interval, kernel.spec.maxRow, whole);
    default:
      return related(value, kernel, known) ?? combined(value, known);
  }
}

type Binary = Extract<Value, { readonly args: readonly [number, number] }>;

function combined(value: Binary, known: Known): Interval | string {
  const a = known[value.args[0]] as Interval;
  const b = known[value.args[1]] as Interval;
  switch (value.op) {
    case "add":
      return { lo: a.lo + b.lo, hi: a.hi + b.hi };
    case "sub":
      return { lo: a.lo - b.hi, hi: a.hi - b.lo };
    case "mul":
      return corners(a, b, (x, y) => x * y);
    case "min":
      return { lo: Math.min(a.lo, b.lo), hi: Math.min(a.hi, b.hi) };
    case "max":
      return { lo: Math.max(a.lo, b.lo), hi: Math.max(a.hi, b.hi) };
    case "div":
      if (!(b.lo > 0)) return `the divisor must be proven positive, this may be ${b.lo}`;
      return corners(a, b, (x, y) => divide(x, y, value.rounding ?? "floor"));
    case "shift-left":
      return corners(a, b, shiftLeft);
    case "shift-right":
      return corners(a, b, (x, y) => shiftRight(x, y, value.rounding ?? "floor"));
    default:
      return value satisfies never;
  }
}

/**
 * What interval arithmetic cannot see because two arguments come from one value: squares, absolute values, remainders and distances to a
 * row's maximum.
 */
function related(value: Binary, { values }: Kernel, known: Known): Interval | null {
  const [a, b] = value.args;
  if (value.op === "mul" && a === b) return square(known[a] as Interval);
  const other = values[b];
  if (value.op === "max" && other?.op === "sub" && other.args[1] === a) {
    const zero = values[other.args[0]];
    return zero?.op === "const" && zero.value === 0 ? magnitudes(known[a] as Interval) : null;
  }
  if (value.op === "sub" && isMaximumOf(values, known, a, b)) {
    return { lo: 0, hi: (known[a] as Interval).hi - (known[b] as Interval).lo };
  }
  if (value.op !== "sub" || other?.op !== "mul") return null;
  const quotient = values[other.args[0]];
  const isFloor = quotient?.op === "div" && quotient.rounding === "floor";
  if (!isFloor || quotient.args[0] !== a || quotient.args[1] !== other.args[1]) return null;
  return { lo: 0, hi: (known[other.args[1]] as Interval).hi - 1 };
}

/** Whether a is the maximum along the row of b, both perhaps in other lanes that hold them. */
function isMaximumOf(values: readonly Value[], known: Known, a: number, b: number): boolean {
  const uncast = (i: number): number => {
    const value = values[i] as Value;
    if (value.op !== "cast") return i;
    const [range, lane] = [known[value.args[0]], laneRange(value.lane)];
    const isHeld = range != null && lane !== null && lane.lo <= range.lo && range.hi <= lane.hi;
    return isHeld ? uncast(value.args[0]) : i;
  };
  const most = values[uncast(a)];
  return most?.op === "reduce" && most.with === "max" && uncast(most.args[0]) === uncast(b);
}

function corners(a: Interval, b: Interval, of: (x: number, y: number) => number): Interval {
  const ends = [of(a.lo, b.lo), of(a.lo, b.hi), of(a.hi, b.lo), of(a.hi, b.hi)];
  return { lo: Math.min(...ends), hi: Math.max(...ends) };
}

/** What |x| can be. */
export function magnitudes(a: Interval): Interval {
  return { lo: iv.mignitude(a), hi: iv.magnitude(a) };
}

function square(a: Interval): Interval {
  const { lo, hi } = magnitudes(a);
  return { lo: lo * lo, hi: hi * hi };
}

/** Saturation: what lies wholly outside becomes one end. */
function clampTo({ lo, hi }: Interval, whole: Interval): Interval {
  const clamp = (x: number): number => Math.min(whole.hi, Math.max(whole.lo, x));
  return { lo: clamp(lo), hi: clamp(hi) };
}

/** A mean is no larger than its numbers, but their sum is taken in the same lane. */
function reduced(
  how: "add" | "max" | "mean",
  a: Interval,
  maxRow: number | undefined,
  lane: Interval,
): Interval | string {
  if (how === "max") return a;
  if (maxRow === undefined) return "a sum of integers needs the spec's maxRow";
  const sum = { lo: Math.min(a.lo, a.lo * maxRow), hi: Math.max(a.hi, a.hi * maxRow) };
  if (how === "add") return sum;
  return lane.lo <= sum.lo && sum.hi <= lane.hi ? a : `its sum may be from ${sum.lo} to ${sum.hi}, which overflows`;
}
