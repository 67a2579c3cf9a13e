// In which width each operation on elements is computed. Sums and products are right modulo a power of two, so the width of the result is
// enough; what compares or shifts to the right must hold its arguments.

import { type Lane, laneBits, laneRange, type Value } from "../../../kernel/index.ts";
import { exponentOf, type Interval, iv, powerOfTwo } from "../../../num/index.ts";
import type { Plan } from "./plan.ts";
import { bitsOf, fits, fitsSigned, fitsUnsigned, WIDTHS, type Width } from "./widths.ts";

/** As arrays hold it. */
export function laneWidth({ lane }: Value): Width {
  return laneBits(lane);
}

/** Whether a pass before that of the stage has left a value in scratch. */
export function isLoaded({ scratch, stages }: Plan, i: number, stage: number): boolean {
  return scratch.has(i) && (stages[i] as number) < stage;
}

/** The width in which a pass has a value at first: computed, or loaded from scratch. */
export function widthIn(plan: Plan, i: number, stage: number): Width {
  return isLoaded(plan, i, stage) ? (plan.scratch.get(i) as Width) : computedWidth(plan, i);
}

/** By value, for each plan: every step of every pass asks again. */
const COMPUTED = new WeakMap<Plan, Width[]>();

function computedWidth(plan: Plan, i: number): Width {
  const known = COMPUTED.get(plan) ?? [];
  const width = known[i] ?? widthOf(plan, i);
  if (known[i] === undefined) {
    known[i] = width;
    COMPUTED.set(plan, known);
  }
  return width;
}

function widthOf(plan: Plan, i: number): Width {
  const value = plan.kernel.values[i] as Value;
  const range = plan.ranges[i] as Interval | null;
  if (value.op === "param") return laneWidth(value);
  if (range === null) return 32;
  switch (value.op) {
    case "min":
    case "max": {
      const [a, b] = value.args;
      return bitsOf(iv.hull(plan.ranges[a] as Interval, plan.ranges[b] as Interval));
    }
    case "mul":
    case "shift-left": {
      // There are no products of bytes, and shifts of bytes by what is no constant are slow.
      const isByConstant = typeof asShift(plan, i)?.by === "number";
      return isByConstant ? bitsOf(range) : (Math.max(16, bitsOf(range)) as Width);
    }
    case "div":
    case "shift-right": {
      const shift = asShift(plan, i);
      if (shift === null) return bitsOf(range);
      return isFraction(plan, i) ? 16 : shiftOf(plan, shift).width;
    }
    case "cast":
      return castWidth(plan, value.args[0], value.lane, range);
    default:
      return bitsOf(range);
  }
}

/**
 * A saturation is computed where its bounds and its argument fit, if no instruction narrows and saturates at once. One that adds and saturates
 * does so at the bounds of its own width, which must be the lane's, however narrow the range.
 */
function castWidth(plan: Plan, arg: number, lane: Lane, range: Interval): Width {
  const from = plan.ranges[arg] as Interval | null;
  if (from === null) return laneBits(lane);
  const to = laneRange(lane) as Interval;
  const isInside = to.lo <= from.lo && from.hi <= to.hi;
  if (isInside) return bitsOf(range);
  if (isSaturatingSum(plan, arg, lane)) return laneBits(lane);
  return bitsOf(isNarrowing(from, lane) ? range : iv.hull(from, range));
}

/** Whether narrowing instructions saturate to the lane: from signed integers of 16 or 32 bits. */
export function isNarrowing(from: Interval, lane: Lane): boolean {
  const width = laneBits(lane);
  return width < 32 && bitsOf(from) > width && fitsSigned(from, 32) && fitsSigned(from, bitsOf(from));
}

/** Whether a value is a sum or difference whose saturation to the lane is one instruction. */
export function isSaturatingSum(plan: Plan, i: number, lane: Lane): boolean {
  const value = plan.kernel.values[i] as Value;
  if ((value.op !== "add" && value.op !== "sub") || laneBits(lane) > 16) return false;
  const [a, b] = value.args.map((arg) => plan.ranges[arg] as Interval) as [Interval, Interval];
  const whole = laneRange(lane) as Interval;
  return [a, b].every(({ lo, hi }) => whole.lo <= lo && hi <= whole.hi) || isDistance(plan, i, lane);
}

/** Whether a value is a difference of signed bytes or words that goes to unsigned ones: that of both moved up by half their range. */
export function isDistance(plan: Plan, i: number, lane: Lane): boolean {
  const value = plan.kernel.values[i] as Value;
  if (value.op !== "sub" || (lane !== "u8" && lane !== "u16")) return false;
  return value.args.every((arg) => fitsSigned(plan.ranges[arg] as Interval, laneBits(lane)));
}

// shifts --------------------------------------------------------------------------------------------------------------

/** A product or quotient by a power of two, or a shift: which argument, and by what. */
export interface Shift {
  readonly of: number;
  readonly by: number | { readonly value: number };
  readonly amount: Interval;
  readonly rounding: "floor" | "half-up" | "half-even";
}

/** The shift that a value is, by an amount that is the same along the row; null for others. */
export function asShift(plan: Plan, i: number): Shift | null {
  const value = plan.kernel.values[i] as Value;
  if (value.op === "shift-left" || value.op === "shift-right") {
    const [of, by] = value.args;
    const { over } = plan.kernel.values[by] as Value;
    if (over !== "one" && over !== "row") return null;
    const rounding = (value.op === "shift-right" ? value.rounding : undefined) ?? "floor";
    return { of, by: plan.constants[by] ?? { value: by }, amount: plan.ranges[by] as Interval, rounding };
  }
  if ((value.op !== "mul" && value.op !== "div") || value.lane === "f32") return null;
  const [a, b] = value.args;
  const factor = plan.constants[b];
  if (factor === undefined || factor < 1) return null;
  const places = exponentOf(factor);
  if (powerOfTwo(places) !== factor) return null;
  const rounding = (value.op === "div" ? value.rounding : undefined) ?? "floor";
  return { of: a, by: places, amount: { lo: places, hi: places }, rounding };
}

/** Whether a value is a product of 16-bit fractions, rounded half up: one instruction. */
export function isFraction(plan: Plan, i: number): boolean {
  const shift = asShift(plan, i);
  if (shift === null || shift.by !== 15 || shift.rounding !== "half-up") return false;
  const product = plan.kernel.values[shift.of] as Value;
  if (product.op !== "mul") return false;
  const factors = product.args.map((arg) => plan.ranges[arg] as Interval);
  return factors.every((range) => fitsSigned(range, 16)) && factors.some(({ lo }) => lo > -(2 ** 15));
}

export type ShiftManner = "plain" | "average" | "two-shifts";

/** How a shift to the right is computed: in which width and manner, and whether its argument is signed there. */
export function shiftOf(
  plan: Plan,
  { of, by, amount, rounding }: Shift,
): { readonly width: Width; readonly manner: ShiftManner; readonly isSigned: boolean } {
  const range = plan.ranges[of] as Interval;
  // Of bytes only those without a sign are shifted as such, by constants: engines make much of the others.
  const least = typeof by === "number" && range.lo >= 0 ? bitsOf(range) : (Math.max(16, bitsOf(range)) as Width);
  if (rounding === "half-up" && range.lo >= 0 && least <= 16 && amount.lo >= 1 && amount.hi <= least) {
    return { width: least, manner: "average", isSigned: false };
  }
  const half = rounding === "floor" ? 0 : 2 ** Math.max(0, amount.hi - 1);
  const reach = { lo: range.lo, hi: range.hi + half };
  if (rounding === "half-up" && !fits(reach, least) && amount.lo >= 1 && amount.hi < least) {
    return { width: least, manner: "two-shifts", isSigned: fitsSigned(range, least) };
  }
  const width = WIDTHS.find((w) => w >= least && fits(reach, w) && amount.hi < w) ?? 64;
  return { width, manner: "plain", isSigned: !fitsUnsigned(reach, width) };
}
