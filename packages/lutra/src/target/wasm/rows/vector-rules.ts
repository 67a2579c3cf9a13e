// Each operation of a kernel on one vector of elements, where there are instructions for it. What has none is computed lane by lane (null).

import type { Computed, Value } from "../../../kernel/index.ts";
import { type Interval, iv } from "../../../num/index.ts";
import { type Code, f32x4, op, v128 } from "../assembler.ts";
import { powerOfTwo } from "./scalar.ts";
import { castCode } from "./vector-casts.ts";
import { copied, type Vectors } from "./vector-scope.ts";
import { equal, extreme, interleaved, shaped } from "./vector-shapes.ts";
import { placesOf, shiftRightCode } from "./vector-shift.ts";
import { asShift, isLoaded } from "./vector-widths.ts";
import { bitsOf, fitsSigned, fitsUnsigned, SHAPES, type Width } from "./widths.ts";

/** The q-th vector of a value in its own width, or null. */
export function vectorCode(step: Vectors, value: Computed, i: number, q: number): Code | null {
  return value.lane === "f32" ? binary32(step, value, q) : integer(step, value, i, q);
}

function binary32(step: Vectors, value: Computed, q: number): Code | null {
  const [a, b] = value.args as [number, number];
  const part = (arg: number): Code => step.part(arg, 32, q);
  switch (value.op) {
    case "add":
    case "sub":
    case "mul":
    case "div":
      return op(`f32x4.${value.op}`, part(a), part(b));
    case "min":
    case "max": {
      // With a bound that is neither zero nor NaN the sign of a zero cannot matter, and these keep x if it is NaN.
      const [x, bound] = step.constant(a) === undefined ? [a, b] : [b, a];
      const isPlain = step.constant(bound) !== undefined && Math.abs(step.constant(bound) as number) > 0;
      return isPlain ? op(`f32x4.p${value.op}`, part(x), part(bound)) : op(`f32x4.${value.op}`, part(a), part(b));
    }
    case "shift-left":
    case "shift-right": {
      const factor = powers(step, b, value.op === "shift-left" ? 1 : -1);
      return factor === null ? null : op("f32x4.mul", part(a), factor);
    }
    case "select":
      return chosen(step, value.args, 32, q);
    case "cast": {
      const range = step.range(a) as Interval;
      if (bitsOf(range) === 64) return null;
      return op(`f32x4.convert_i32x4_${fitsSigned(range, 32) ? "s" : "u"}`, step.part(a, 32, q));
    }
    case "bits":
      return null;
    default:
      return value satisfies never;
  }
}

/** Copies of 2^(sign b); null where b varies along the row. */
function powers(step: Vectors, b: number, sign: 1 | -1): Code | null {
  if (!step.isUniform(b)) return null;
  const constant = step.constant(b);
  if (constant !== undefined) return step.block.constant(f32x4(2 ** (sign * constant)));
  const { copiesOf, scalar } = step.scope;
  return copied(copiesOf(b), `2^${sign} ${b}`, () => op("f32x4.splat", powerOfTwo(scalar(b), sign)));
}

function integer(step: Vectors, value: Computed, i: number, q: number): Code | null {
  const width = step.native(i);
  const [a, b] = value.args as readonly [number, number];
  const part = (arg: number): Code => step.part(arg, width, q);
  switch (value.op) {
    case "add":
      return productSum(step, a, b, width, q) ?? shaped(width, "add", part(a), part(b));
    case "sub":
      return remainder(step, a, b, width, q) ?? shaped(width, "sub", part(a), part(b));
    case "mul":
    case "shift-left": {
      const shift = asShift(step.scope.plan, i);
      if (shift === null) return value.op === "mul" ? product(step, a, b, width, q) : null;
      const x = step.part(shift.of, width, q);
      if (width !== 8) return shaped(width, "shl", x, placesOf(step, shift));
      // As words, without what came over from the byte below.
      const mask = step.block.constant(equal(8, (0xff << Number(shift.by)) & 0xff));
      return op("v128.and", op("i16x8.shl", x, placesOf(step, shift)), mask);
    }
    case "min":
    case "max": {
      const both = iv.hull(step.range(a) as Interval, step.range(b) as Interval);
      return extreme(value.op, part(a), part(b), width, fitsSigned(both, width));
    }
    case "div":
    case "shift-right":
      return shiftRightCode(step, i, q);
    case "select":
      return chosen(step, value.args, width, q);
    case "cast":
      return castCode(step, value, i, q);
    case "bits":
      return null;
    default:
      return value satisfies never;
  }
}

/** a - (a div c) c for a power of two c: the lower bits. */
function remainder(step: Vectors, a: number, b: number, width: Width, q: number): Code | null {
  const { values } = step.kernel;
  const multiple = values[b] as Value;
  if (multiple.op !== "mul") return null;
  const [quotient, divisor] = multiple.args;
  const division = values[quotient] as Value;
  const constant = step.constant(divisor);
  if (division.op !== "div" || division.rounding !== "floor" || constant === undefined) return null;
  if (division.args[0] !== a || division.args[1] !== divisor || asShift(step.scope.plan, b) === null) return null;
  return op("v128.and", step.part(a, width, q), step.block.constant(equal(width, constant - 1)));
}

/** A product, of factors in half the width where both fit there. */
function product(step: Vectors, a: number, b: number, width: Width, q: number): Code {
  const half = (width / 2) as Width;
  const factors = [a, b].map((arg) => step.range(arg) as Interval) as [Interval, Interval];
  const isShort = [a, b].every((arg) => step.isUniform(arg) || step.native(arg) <= half);
  const isSigned = factors.every((range) => fitsSigned(range, half));
  if (isShort && isSigned && width === 32) {
    const [x, y] = step.isUniform(a) ? [b, a] : [a, b];
    if (step.isUniform(y)) return wordsTimes(step, x, y, q);
  }
  if (isShort && (isSigned || factors.every((range) => fitsUnsigned(range, half)))) {
    const name = `extmul_${(q & 1) === 0 ? "low" : "high"}_${SHAPES[half]}_${isSigned ? "s" : "u"}`;
    return shaped(width, name, step.part(a, half, q >> 1), step.part(b, half, q >> 1));
  }
  return shaped(width, "mul", step.part(a, width, q), step.part(b, width, q));
}

/** Words times one number, with 0 beside each: two instructions where an engine needs three for a product of lanes of twice their width. */
function wordsTimes(step: Vectors, x: number, y: number, q: number): Code {
  const zero = step.block.constant(equal(16, 0));
  const words = interleaved(step.part(x, 16, q >> 1), zero, 16, q & 1);
  return op("i32x4.dot_i16x8_s", words, step.part(y, 16, 0));
}

/** A sum of two products of 16-bit numbers: one instruction for pairs of them. */
function productSum(step: Vectors, a: number, b: number, width: Width, q: number): Code | null {
  const terms = [step.kernel.values[a], step.kernel.values[b]] as const;
  const { plan, stage } = step.scope;
  if (width !== 32 || a === b || terms.some((term) => term?.op !== "mul")) return null;
  if (isLoaded(plan, a, stage) || isLoaded(plan, b, stage)) return null;
  const [[x, u], [y, v]] = terms.map((term) => (term as Value & { readonly op: "mul" }).args) as [Pair, Pair];
  const isShort = (i: number): boolean =>
    fitsSigned(step.range(i) as Interval, 16) && (step.isUniform(i) || step.native(i) <= 16);
  if (![x, u, y, v].every(isShort)) return null;
  return op("i32x4.dot_i16x8_s", inTurn(step, x, y, q), inTurn(step, u, v, q));
}

type Pair = readonly [number, number];

/** The words of two values in turn. */
function inTurn(step: Vectors, a: number, b: number, q: number): Code {
  const [first, second] = [step.constant(a), step.constant(b)];
  if (first !== undefined && second !== undefined) {
    return step.block.constant(v128([first, second, first, second, first, second, first, second], "i16"));
  }
  return step.remember(`in turn ${a} ${b} ${q}`, () =>
    interleaved(step.part(a, 16, q >> 1), step.part(b, 16, q >> 1), 16, q & 1),
  );
}

// choices -------------------------------------------------------------------------------------------------------------

function chosen(step: Vectors, args: readonly number[], width: Width, q: number): Code {
  const [a, b, c, d] = args as [number, number, number, number];
  return op("v128.bitselect", step.part(c, width, q), step.part(d, width, q), mask(step, a, b, width, q));
}

/** All ones where a < b, in any width. */
function mask(step: Vectors, a: number, b: number, width: Width, q: number): Code {
  const [first, second] = [step.range(a), step.range(b)];
  const both = first === null || second === null ? null : iv.hull(first, second);
  const native = bitsOf(both);
  return step.remember(`mask ${a} ${b} ${width} ${q}`, () => {
    if (native === width) {
      const [x, y] = [step.part(a, width, q), step.part(b, width, q)];
      if (both === null) return op("f32x4.lt", x, y);
      return shaped(width, width === 64 || fitsSigned(both, width) ? "lt_s" : "lt_u", x, y);
    }
    return step.resized(native < width ? "up" : "down", width, q, { lo: -1, hi: 0 }, (w, at) =>
      mask(step, a, b, w, at),
    );
  });
}
