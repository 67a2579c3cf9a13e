// Casts of a vector to integers of a lane, saturated: by the instructions that saturate themselves where they apply, else by a minimum
// and a maximum.

import { type Lane, laneRange, type Value } from "../../../kernel/index.ts";
import { type Interval, iv } from "../../../num/index.ts";
import { type Code, f32x4, op } from "../assembler.ts";
import type { Vectors } from "./vector-scope.ts";
import { equal, extreme, saturatedNarrow, shaped } from "./vector-shapes.ts";
import { isDistance, isNarrowing, isSaturatingSum } from "./vector-widths.ts";
import { bitsOf, fitsSigned, type Width } from "./widths.ts";

/** The q-th vector of a cast to integers in its own width; null for 64 bits from binary32. */
export function castCode(step: Vectors, value: Value & { readonly op: "cast" }, i: number, q: number): Code | null {
  const [arg] = value.args;
  const { lane } = value;
  const from = step.range(arg);
  const width = step.native(i);
  if (from === null) return fromFloat(step, value, width, q);
  const to = laneRange(lane) as Interval;
  if (to.lo <= from.lo && from.hi <= to.hi) return step.part(arg, width, q);
  if (isSaturatingSum(step.scope.plan, arg, lane)) return saturatingSum(step, arg, lane, width, q);
  if (isNarrowing(from, lane)) return saturatedFrom(step, arg, width as 8 | 16, bitsOf(from), lane.startsWith("i"), q);
  const isSigned = fitsSigned(iv.hull(from, step.range(i) as Interval), width);
  const bound = (end: number): Code => step.block.constant(equal(width, end));
  let x = step.part(arg, width, q);
  if (from.lo < to.lo) x = step.block.keep(extreme("max", x, bound(to.lo), width, isSigned));
  if (from.hi > to.hi) x = extreme("min", x, bound(to.hi), width, isSigned);
  return x;
}

/** From signed integers of 16 or 32 bits, half the width at a time. */
function saturatedFrom(step: Vectors, arg: number, to: 8 | 16, from: Width, isSigned: boolean, q: number): Code {
  const half = (at: number): Code =>
    from === 2 * to ? step.part(arg, from, at) : step.block.keep(saturatedFrom(step, arg, 16, from, true, at));
  return saturatedNarrow(half(2 * q), half(2 * q + 1), to, isSigned);
}

function saturatingSum(step: Vectors, arg: number, lane: Lane, width: Width, q: number): Code {
  const sum = step.kernel.values[arg] as Value & { readonly op: "add" | "sub" };
  const [a, b] = sum.args.map((term) => step.part(term, width, q)) as [Code, Code];
  const sign = lane.startsWith("i") ? "s" : "u";
  const isSameLane =
    !isDistance(step.scope.plan, arg, lane) || sum.args.every((term) => (step.range(term) as Interval).lo >= 0);
  if (isSameLane) return shaped(width, `${sum.op}_sat_${sign}`, a, b);
  const top = step.block.constant(equal(width, 2 ** (width - 1)));
  return shaped(width, "sub_sat_u", op("v128.xor", a, top), op("v128.xor", b, top));
}

// from binary32 -------------------------------------------------------------------------------------------------------

function fromFloat(step: Vectors, value: Value & { readonly op: "cast" }, width: Width, q: number): Code | null {
  const { lane, args, rounding } = value;
  if (width === 64) return null;
  const whole = (at: number): Code =>
    step.remember(`whole ${args[0]} ${rounding} ${lane === "u32"} ${at}`, () =>
      op(`i32x4.trunc_sat_f32x4_${lane === "u32" ? "u" : "s"}`, roundedFloat(step, args[0], rounding ?? "floor", at)),
    );
  if (width === 32) return whole(q);
  const narrow = (to: 8 | 16, isSigned: boolean, at: number): Code => {
    const half = (n: number): Code => (to === 16 ? whole(n) : step.block.keep(narrow(16, true, n)));
    return saturatedNarrow(half(2 * at), half(2 * at + 1), to, isSigned);
  };
  return narrow(width, lane.startsWith("i"), q);
}

/** To an integer, still in binary32. */
function roundedFloat(step: Vectors, arg: number, rounding: "floor" | "half-up" | "half-even", q: number): Code {
  const x = step.part(arg, 32, q);
  if (rounding === "half-even") return op("f32x4.nearest", x);
  const down = step.block.keep(op("f32x4.floor", x));
  if (rounding === "floor") return down;
  // As for one number (scalar.ts).
  const isUp = op("f32x4.ge", op("f32x4.sub", x, down), step.block.constant(f32x4(0.5)));
  return op("f32x4.add", down, op("v128.and", isUp, step.block.constant(f32x4(1))));
}
