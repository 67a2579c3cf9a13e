// Shifts to the right of a vector of integers, by one amount: rounded by adding half a unit before, by an average with 0 where that
// would overflow, or by the bit below the last.

import { type Code, i32, op } from "../assembler.ts";
import { roundingTerms } from "./scalar.ts";
import type { Vectors } from "./vector-scope.ts";
import { equal, shaped, splat } from "./vector-shapes.ts";
import { asShift, isFraction, type Shift, shiftOf } from "./vector-widths.ts";
import type { Width } from "./widths.ts";

/** The q-th vector of a shift to the right, or of a division by a power of two; null for other divisions and amounts. */
export function shiftRightCode(step: Vectors, i: number, q: number): Code | null {
  const { plan, form } = step.scope;
  const shift = asShift(plan, i);
  if (shift === null) return null;
  if (isFraction(plan, i)) {
    const product = plan.kernel.values[shift.of];
    const [a, b] = (product?.op === "mul" ? product.args : [0, 0]) as readonly [number, number];
    const name = form === "relaxed" ? "i16x8.relaxed_q15mulr_s" : "i16x8.q15mulr_sat_s";
    return op(name, step.part(a, 16, q), step.part(b, 16, q));
  }
  const { width, manner, isSigned } = shiftOf(plan, shift);
  const x = step.part(shift.of, width, q);
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
  if (manner === "two-shifts") {
    const last = op("v128.and", right(x, -1), step.block.constant(equal(width, 1)));
    return shaped(width, "add", right(x), last);
  }
  if (shift.rounding === "floor" || shift.by === 0) return right(x);
  const { addend, mask } = terms(step, shift, width);
  const half = shaped(width, "add", x, addend);
  return right(mask === null ? half : shaped(width, "add", half, op("v128.and", right(x), mask)));
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
  const { setup, copies } = step.scope;
  const name = `${by.value} ${rounding} ${width}`;
  const known = [copies.get(`addend ${name}`), copies.get(`mask ${name}`)] as const;
  if (known[0] !== undefined) return { addend: known[0], mask: known[1] ?? null };
  const places = placesOf(step, shift);
  const one = roundingTerms(setup, width === 64 ? setup.keep(op("i64.extend_i32_u", places)) : places, rounding);
  const addend = setup.keep(splat(width, one.addend));
  const mask = one.mask === null ? null : setup.keep(splat(width, one.mask));
  copies.set(`addend ${name}`, addend);
  if (mask !== null) copies.set(`mask ${name}`, mask);
  return { addend, mask };
}

/** A constant amount, or one of a row, less one where asked for. */
export function placesOf(step: Vectors, { by }: Shift, more = 0): Code {
  if (typeof by === "number") return i32(by + more);
  const { copies, setup, scalar } = step.scope;
  const name = `places ${by.value} ${more}`;
  const known = copies.get(name);
  if (known !== undefined) return known;
  const amount = scalar(by.value);
  const narrow = amount.type === "i64" ? op("i32.wrap_i64", amount) : amount;
  const places = setup.keep(more === 0 ? narrow : op("i32.add", narrow, i32(more)));
  copies.set(name, places);
  return places;
}
