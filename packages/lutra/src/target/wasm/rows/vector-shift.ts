// Shifts to the right of a vector of integers, by one amount: rounded by adding half a unit before, by an average with 0 where that
// would overflow, or by the bit below the last.

import type { Value } from "../../../kernel/index.ts";
import type { Interval } from "../../../num/index.ts";
import { type Code, i32, op } from "../assembler.ts";
import type { Block } from "../lanes.ts";
import type { Plan } from "./plan.ts";
import { converted, roundingTerms } from "./scalar.ts";
import { copied, type Vectors } from "./vector-scope.ts";
import { equal, shaped, splat } from "./vector-shapes.ts";
import { asShift, isFraction, isLoaded, type Shift, shiftOf } from "./vector-widths.ts";
import { fitsSigned, type Width } from "./widths.ts";

/** Of 16-bit fractions, rounded half up. */
const PRODUCTS = { relaxed: "i16x8.relaxed_q15mulr_s", simd: "i16x8.q15mulr_sat_s" } as const;
const Q15 = 15;

/** Whether a shift is a product with the fraction 2^-amount: one relaxed instruction. */
function isFractional(plan: Plan, { of, amount, rounding }: Shift): boolean {
  const isWithin = amount.lo >= 1 && amount.hi <= Q15;
  return rounding === "half-up" && isWithin && fitsSigned(plan.ranges[of] as Interval, 16);
}

/** The q-th vector of a shift to the right, or of a division by a power of two; null for other divisions and amounts. */
export function shiftRightCode(step: Vectors, i: number, q: number): Code | null {
  const { plan, form } = step.scope;
  const shift = asShift(plan, i);
  if (shift === null) return null;
  if (isFraction(plan, i)) {
    const product = plan.kernel.values[shift.of];
    const [a, b] = (product?.op === "mul" ? product.args : [0, 0]) as readonly [number, number];
    return op(PRODUCTS[form === "relaxed" ? "relaxed" : "simd"], step.part(a, 16, q), step.part(b, 16, q));
  }
  const { width, manner, isSigned } = shiftOf(plan, shift);
  const x = step.part(shift.of, width, q);
  if (width === 16 && form === "relaxed" && isFractional(plan, shift)) {
    return op(PRODUCTS.relaxed, x, fraction(step, shift));
  }
  const right = (v: Code, more = 0): Code => {
    const places = placesOf(step, shift, more);
    if (width !== 8) return shaped(width, isSigned ? "shr_s" : "shr_u", v, places);
    // Bytes have no sign here: shifted as words, without what came over from the byte above.
    const mask = step.block.constant(equal(8, 0xff >> (Number(shift.by) + more)));
    return op("v128.and", op("i16x8.shr_u", v, places), mask);
  };
  if (manner === "average") {
    const zero = step.block.constant(equal(width, 0));
    return shaped(width, "avgr_u", shift.by === 1 ? x : right(x, -1), zero);
  }
  if (manner === "two-shifts" && shift.amount.lo >= 2) {
    // Twice as much, and half a unit: now there is room for it.
    const twice = shaped(width, "add", right(x, -1), step.block.constant(equal(width, 1)));
    return shaped(width, isSigned ? "shr_s" : "shr_u", twice, i32(1));
  }
  if (manner === "two-shifts") {
    const last = op("v128.and", right(x, -1), step.block.constant(equal(width, 1)));
    return shaped(width, "add", right(x), last);
  }
  if (shift.rounding === "floor" || shift.by === 0) return right(x);
  const moved = mergedAddend(step, shift, width, q);
  if (moved !== null) return right(moved);
  const { addend, mask } = terms(step, shift, width);
  const half = shaped(width, "add", x, addend);
  return right(mask === null ? half : shaped(width, "add", half, op("v128.and", right(x), mask)));
}

/** x + c or x - c and half a unit, c one number of the row: both added at once; null for others. */
function mergedAddend(step: Vectors, shift: Shift, width: Width, q: number): Code | null {
  const sum = step.kernel.values[shift.of] as Value;
  if ((sum.op !== "add" && sum.op !== "sub") || width !== 32 || shift.rounding !== "half-up") return null;
  if (isLoaded(step.scope.plan, shift.of, step.scope.stage)) return null;
  const [x, c] = sum.args;
  const isMerged =
    step.isUniform(c) && !step.isUniform(x) && step.constant(c) === undefined && step.native(shift.of) === width;
  if (!isMerged) return null;
  const addend = copied(step.scope.copiesOf(shift.of), `merged ${shift.of} ${JSON.stringify(shift.by)}`, () =>
    shaped(width, sum.op, terms(step, shift, width).addend, step.part(c, width, 0)),
  );
  return shaped(width, "add", step.part(x, width, q), addend);
}

/** Copies of what is added before a shift. */
function terms(step: Vectors, shift: Shift, width: Width): { readonly addend: Code; readonly mask: Code | null } {
  const { by, rounding } = shift;
  const isEven = rounding === "half-even";
  if (typeof by === "number") {
    const half = 2 ** (by - 1);
    const constant = (value: number): Code => step.block.constant(equal(width, value));
    return { addend: constant(isEven ? half - 1 : half), mask: isEven ? constant(1) : null };
  }
  const copies = step.scope.copiesOf(by.value);
  const name = `${by.value} ${rounding} ${width}`;
  const one = (setup: Block): ReturnType<typeof roundingTerms> => {
    const places = placesOf(step, shift);
    return roundingTerms(setup, width === 64 ? setup.keep(op("i64.extend_i32_u", places)) : places, rounding);
  };
  const addend = copied(copies, `addend ${name}`, (setup) => splat(width, one(setup).addend));
  if (!isEven) return { addend, mask: null };
  return { addend, mask: copied(copies, `mask ${name}`, (setup) => splat(width, one(setup).mask as Code)) };
}

/** A constant amount, or one of a row, less one where asked for. */
export function placesOf(step: Vectors, { by }: Shift, more = 0): Code {
  if (typeof by === "number") return i32(by + more);
  const amount = converted(step.scope.scalar(by.value), "i32");
  const places = (): Code => (more === 0 ? amount : op("i32.add", amount, i32(more)));
  return copied(step.scope.copiesOf(by.value), `places ${by.value} ${more}`, places);
}

/** Copies of 2^(15 - amount). */
function fraction(step: Vectors, shift: Shift): Code {
  const { by } = shift;
  if (typeof by === "number") return step.block.constant(equal(16, 2 ** (Q15 - by)));
  const power = (): Code => splat(16, op("i32.shl", i32(1), op("i32.sub", i32(Q15), placesOf(step, shift))));
  return copied(step.scope.copiesOf(by.value), `fraction ${by.value}`, power);
}
