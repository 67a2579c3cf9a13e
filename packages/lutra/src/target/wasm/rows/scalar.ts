// One number at a time: each operation of a kernel as code on i32, i64 or f32. Integers are in 32 bits where their proven range allows it. The
// values of a row, the scalar form, and what has no vector instructions are computed by this.

import { type Computed, laneRange } from "../../../kernel/index.ts";
import { type Interval, iv } from "../../../num/index.ts";
import type { Rounding } from "../../../table/index.ts";
import { type Code, f32, i32, i64, op, select } from "../assembler.ts";
import type { Block } from "../lanes.ts";
import type { Plan } from "./plan.ts";
import { fitsSigned } from "./widths.ts";

export type ScalarType = "i32" | "i64" | "f32";

/** How numbers of a range are held; null is binary32. */
export function typeOf(range: Interval | null): ScalarType {
  if (range === null) return "f32";
  return fitsSigned(range, 32) ? "i32" : "i64";
}

export function constant(type: ScalarType, value: number): Code {
  return type === "f32" ? f32(value) : type === "i32" ? i32(value) : i64(value);
}

/** An integer in another type: extended with its sign, or its lower half. */
export function converted(code: Code, to: ScalarType): Code {
  if (code.type === to) return code;
  return to === "i64" ? op("i64.extend_i32_s", code) : op("i32.wrap_i64", code);
}

/** Where a value is computed: its arguments, kept, by their number in the kernel. */
export interface ScalarScope {
  readonly plan: Plan;
  readonly block: Block;
  at(i: number): Code;
}

/** The code of a value that is computed from others. */
export function scalarCode(scope: ScalarScope, i: number): Code {
  const value = scope.plan.kernel.values[i] as Computed;
  return value.lane === "f32" ? binary32(scope, value) : integer(scope, value, i);
}

function binary32({ plan, block, at }: ScalarScope, value: Computed): Code {
  const [a, b] = value.args.map(at) as [Code, Code];
  switch (value.op) {
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "min":
    case "max":
      return op(`f32.${value.op}`, a, b);
    case "shift-left":
    case "shift-right":
      return op("f32.mul", a, powerOfTwo(b, value.op === "shift-left" ? 1 : -1));
    case "select":
      return chosen({ plan, block, at }, value.args, "f32");
    case "cast":
      return op(a.type === "i64" ? "f32.convert_i64_s" : "f32.convert_i32_s", a);
    case "bits":
      throw new TypeError("a bit length is an integer");
    default:
      return value satisfies never;
  }
}

/** 2^(sign n) for n from 0 to 62. */
export function powerOfTwo(n: Code, sign: 1 | -1): Code {
  const exponent = op(sign === 1 ? "i32.add" : "i32.sub", i32(127), converted(n, "i32"));
  return op("f32.reinterpret_i32", op("i32.shl", exponent, i32(23)));
}

function integer(scope: ScalarScope, value: Computed, i: number): Code {
  const { plan, block, at } = scope;
  const range = plan.ranges[i] as Interval;
  const type = typeOf(range) as "i32" | "i64";
  const [a, b] = value.args as readonly [number, number];
  const argument = (arg: number): Code => converted(at(arg), type);
  switch (value.op) {
    case "add":
    case "sub":
    case "mul":
      return op(`${type}.${value.op}`, argument(a), argument(b));
    case "shift-left":
      return op(`${type}.shl`, argument(a), argument(b));
    case "min":
    case "max": {
      const both = iv.hull(plan.ranges[a] as Interval, plan.ranges[b] as Interval);
      const [x, y] = [a, b].map((arg) => block.keep(converted(at(arg), typeOf(both)))) as [Code, Code];
      return converted(select(x, y, value.op === "min" ? less(x, y) : less(y, x)), type);
    }
    case "div":
      return converted(quotient(block, dividend(scope, value.args, i), value.rounding ?? "floor"), type);
    case "shift-right":
      return converted(shiftedRight(scope, value.args, value.rounding ?? "floor"), type);
    case "bits": {
      const of = at(a);
      if (of.type === "i64") return converted(op("i64.sub", i64(64), op("i64.clz", of)), type);
      return converted(op("i32.sub", i32(32), op("i32.clz", of)), type);
    }
    case "select":
      return chosen(scope, value.args, type);
    case "cast":
      return converted(saturated(scope, value, a), type);
    default:
      return value satisfies never;
  }
}

/** a < b */
function less(a: Code, b: Code): Code {
  return op(a.type === "f32" ? "f32.lt" : a.type === "i32" ? "i32.lt_s" : "i64.lt_s", a, b);
}

function chosen({ plan, at }: ScalarScope, args: readonly number[], type: ScalarType): Code {
  const [a, b, c, d] = args as [number, number, number, number];
  const [first, second] = [plan.ranges[a] as Interval | null, plan.ranges[b] as Interval | null];
  const compared = first === null || second === null ? "f32" : typeOf(iv.hull(first, second));
  const as = (arg: number, to: ScalarType): Code => (to === "f32" ? at(arg) : converted(at(arg), to));
  return select(as(c, type), as(d, type), less(as(a, compared), as(b, compared)));
}

// division and shifts -------------------------------------------------------------------------------------------------

export interface Division {
  /** Both kept, of one type that also holds twice the divisor. */
  readonly a: Code;
  readonly b: Code;
  readonly isNegative: boolean;
}

function dividend({ plan, block, at }: ScalarScope, args: readonly number[], i: number): Division {
  const [a, b] = args as [number, number];
  const [over, under] = [plan.ranges[a] as Interval, plan.ranges[b] as Interval];
  const type = typeOf(iv.hull(iv.hull(over, plan.ranges[i] as Interval), { lo: 0, hi: 2 * under.hi }));
  return { a: block.keep(converted(at(a), type)), b: block.keep(converted(at(b), type)), isNegative: over.lo < 0 };
}

/** a / b for b > 0. */
export function quotient(block: Block, { a, b, isNegative }: Division, rounding: Rounding): Code {
  const type = a.type as "i32" | "i64";
  const truncated = block.keep(op(`${type}.div_s`, a, b));
  const product = op(`${type}.mul`, truncated, b);
  if (rounding === "floor" && !isNegative) return truncated;
  const rest = block.keep(op(`${type}.sub`, a, product));
  const isBelow = less(rest, constant(type, 0));
  const down = isNegative ? block.keep(op(`${type}.sub`, truncated, converted(isBelow, type))) : truncated;
  if (rounding === "floor") return down;
  const positive = isNegative ? block.keep(op(`${type}.sub`, a, op(`${type}.mul`, down, b))) : rest;
  const twice = block.keep(op(`${type}.shl`, positive, constant(type, 1)));
  const isUp = rounding === "half-up" ? op("i32.eqz", less(twice, b)) : evenUp(twice, b, down);
  return op(`${type}.add`, down, converted(isUp, type));
}

/** Whether twice the rest is more than a unit, or as much and the answer below is odd. */
function evenUp(twice: Code, unit: Code, down: Code): Code {
  const isTie = twice.type === "i32" ? op("i32.eqz", op("i32.xor", twice, unit)) : op("i64.eq", twice, unit);
  const isOdd = op("i32.and", converted(down, "i32"), i32(1));
  return op("i32.or", less(unit, twice), op("i32.and", isTie, isOdd));
}

/** a / 2^b, in a type in which nothing overflows on the way. */
function shiftedRight({ plan, block, at }: ScalarScope, args: readonly number[], rounding: Rounding): Code {
  const [a, b] = args as [number, number];
  const [range, amount] = [plan.ranges[a] as Interval, plan.ranges[b] as Interval];
  const half = 2 ** Math.max(0, amount.hi - 1);
  const type = typeOf({ lo: range.lo, hi: Math.max(range.hi + half, 2 * half - 1) }) as "i32" | "i64";
  const x = block.keep(converted(at(a), type));
  const places = block.keep(converted(at(b), type));
  if (rounding === "floor") return op(`${type}.shr_s`, x, places);
  const { addend, mask } = roundingTerms(block, places, rounding);
  if (mask === null) return op(`${type}.shr_s`, op(`${type}.add`, x, addend), places);
  const odd = op(`${type}.and`, op(`${type}.shr_s`, x, places), mask);
  return op(`${type}.shr_s`, op(`${type}.add`, op(`${type}.add`, x, addend), odd), places);
}

/**
 * What is added before a shift by `places`, so that it rounds: half a unit, to even one less and the last bit of the floor, which `mask`
 * leaves. Nothing for a shift by 0.
 */
export function roundingTerms(
  block: Block,
  places: Code,
  rounding: Rounding,
): { readonly addend: Code; readonly mask: Code | null } {
  const type = places.type as "i32" | "i64";
  const one = constant(type, 1);
  const half = op(`${type}.shr_u`, op(`${type}.shl`, one, places), one);
  if (rounding === "half-up") return { addend: block.keep(half), mask: null };
  const kept = block.keep(half);
  const isShift = block.keep(op("i32.eqz", op(`${type}.eqz`, kept)));
  const mask = type === "i64" ? block.keep(op("i64.extend_i32_u", isShift)) : isShift;
  return { addend: block.keep(op(`${type}.sub`, kept, mask)), mask };
}

// casts ---------------------------------------------------------------------------------------------------------------

function saturated({ plan, block, at }: ScalarScope, value: Computed & { readonly op: "cast" }, a: number): Code {
  const { lo, hi } = laneRange(value.lane) as Interval;
  const range = plan.ranges[a] as Interval | null;
  const from = range ?? { lo: -Infinity, hi: Infinity };
  let x = range === null ? op("i64.trunc_sat_f32_s", rounded(block, at(a), value.rounding ?? "floor")) : at(a);
  const bound = (end: number): Code => constant(x.type as ScalarType, end);
  if (from.lo < lo) {
    x = block.keep(x);
    x = select(bound(lo), x, less(x, bound(lo)));
  }
  if (from.hi > hi) {
    x = block.keep(x);
    x = select(bound(hi), x, less(bound(hi), x));
  }
  return x;
}

/** To an integer, still in binary32. */
function rounded(block: Block, x: Code, rounding: Rounding): Code {
  if (rounding === "half-even") return op("f32.nearest", x);
  const down = block.keep(op("f32.floor", x));
  if (rounding === "floor") return down;
  // The difference is exact where it decides: only a rest above a half is ever rounded, and then not below it.
  const isUp = op("f32.ge", op("f32.sub", x, down), f32(0.5));
  return op("f32.add", down, op("f32.convert_i32_s", isUp));
}
