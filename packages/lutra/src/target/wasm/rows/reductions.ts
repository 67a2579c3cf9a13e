// Reductions of a row as vectors: sums and maxima of the elements of a step, joined to one number after the last. binary32 sums are the
// definition's 16 partial sums, four vectors; integers are added in any order, for nothing overflows.

import type { Value } from "../../../kernel/index.ts";
import type { Interval } from "../../../num/index.ts";
import { type Code, extractLane, f32x4, get, i32, type Local, op, select, set } from "../assembler.ts";
import type { FunctionBuilder } from "../assembler-module.ts";
import type { Block } from "../lanes.ts";
import type { Reduction } from "./plan.ts";
import { typeOf } from "./scalar.ts";
import { mean, sumRange } from "./scalar-reductions.ts";
import type { PassScope, Vectors } from "./vector-scope.ts";
import { equal, extended, extreme, folded, shaped } from "./vector-shapes.ts";
import { isLoaded, widthIn } from "./vector-widths.ts";
import { bitsOf, fitsSigned, partsOf, SHAPES, type Width } from "./widths.ts";

/** All ones in the lanes that count, of one of the vectors of a step. */
export type Masks = (width: Width, q: number) => Code;

/** What a step is computed for: so many vectors, each asked for by itself. */
export interface Sink {
  readonly parts: number;
  /** @param wanted masks of the step's elements that there are; all if null */
  take(step: Vectors, q: number, wanted: Masks | null): void;
}

export interface Accumulator extends Sink {
  /** The number for the row, once all steps are done. */
  finish(block: Block, columns: Code): Code;
}

/** Starts a reduction, before the loop. */
export function accumulator(scope: PassScope, builder: FunctionBuilder, i: number): Accumulator {
  const { plan, stage } = scope;
  const value = plan.kernel.values[i] as Reduction;
  const [arg] = value.args;
  const range = plan.ranges[arg] as Interval | null;
  const width = widthIn(plan, arg, stage);
  if (range === null)
    return value.with === "max" ? floatMaximum(scope, builder, value) : floatSum(scope, builder, value);
  if (value.with === "max") return integerMaximum(scope, builder, value, range, width);
  return integerSum(scope, builder, value, i, width);
}

function start(scope: PassScope, builder: FunctionBuilder, value: Code): Local {
  const local = builder.local("v128");
  scope.setup.statements.push(set(local, value));
  return local;
}

function integerMaximum(
  scope: PassScope,
  builder: FunctionBuilder,
  { args: [arg] }: Reduction,
  range: Interval,
  width: Width,
): Accumulator {
  const isSigned = fitsSigned(range, width);
  const greater = (a: Code, b: Code): Code => extreme("max", a, b, width, isSigned);
  const most = start(scope, builder, equal(width, range.lo));
  return {
    parts: partsOf(width),
    take(step, q, wanted) {
      const part = step.part(arg, width, q);
      const chosen = wanted === null ? part : op("v128.bitselect", part, get(most), wanted(width, q));
      step.block.statements.push(set(most, greater(get(most), chosen)));
    },
    finish(block) {
      const v = block.keep(folded(get(most), width, greater, (code) => block.keep(code)));
      return firstLane(v, range, width);
    },
  };
}

const INFINITY_BITS = 0x7f800000;
const MINUS_INFINITY_BITS = 0xff800000;
const NAN_BITS = 0x7fc00000;

/**
 * Math.max of binary32, for which engines need many instructions for each vector: here three, of integers. Non-negative numbers are ordered
 * as their bits are, negative ones the other way around; NaNs lie beyond the infinities. So the greatest signed integer is the answer if it is
 * not negative, else the least unsigned one is, -0 below 0 as in Math.max; the greatest signed and the greatest unsigned one show NaNs.
 */
function floatMaximum(scope: PassScope, builder: FunctionBuilder, { args: [arg] }: Reduction): Accumulator {
  const names = ["max_s", "min_u", "max_u"] as const;
  const found = names.map((name) => [0, 1].map(() => ({ name, local: start(scope, builder, f32x4(-Infinity)) })));
  return {
    parts: partsOf(32),
    take(step, q, wanted) {
      const part = step.part(arg, 32, q);
      const least = step.block.constant(f32x4(-Infinity));
      const x = wanted === null ? part : step.block.keep(op("v128.bitselect", part, least, wanted(32, q)));
      for (const pair of found) {
        const { name, local } = pair[q % 2] as (typeof pair)[0];
        step.block.statements.push(set(local, shaped(32, name, get(local), x)));
      }
    },
    finish(block) {
      const keep = (code: Code): Code => block.keep(code);
      const [signed, least, unsigned] = found.map(([even, odd]) => {
        const { name, local } = even as NonNullable<typeof even>;
        const both = (a: Code, b: Code): Code => shaped(32, name, a, b);
        const all = folded(both(get(local), get((odd as NonNullable<typeof odd>).local)), 32, both, keep);
        return keep(extractLane("i32x4.extract_lane", 0, all));
      }) as [Code, Code, Code];
      const bits = keep(select(least, signed, op("i32.lt_s", signed, i32(0))));
      const hasNaN = op(
        "i32.or",
        op("i32.lt_s", i32(INFINITY_BITS), signed),
        op("i32.lt_u", i32(MINUS_INFINITY_BITS), unsigned),
      );
      return op("f32.reinterpret_i32", select(i32(NAN_BITS), bits, hasNaN));
    },
  };
}

/** The first lane in the type of its range. */
function firstLane(v: Code, range: Interval | null, width: Width): Code {
  if (range === null) return extractLane("f32x4.extract_lane", 0, v);
  if (width === 64) {
    const number = extractLane("i64x2.extract_lane", 0, v);
    return typeOf(range) === "i32" ? op("i32.wrap_i64", number) : number;
  }
  if (width !== 32) return extractLane(`${SHAPES[width]}.extract_lane_${range.lo < 0 ? "s" : "u"}`, 0, v);
  const word = extractLane("i32x4.extract_lane", 0, v);
  return typeOf(range) === "i64" ? op("i64.extend_i32_u", word) : word;
}

function masked(part: Code, width: Width, q: number, wanted: Masks | null): Code {
  return wanted === null ? part : op("v128.and", part, wanted(width, q));
}

function floatSum(scope: PassScope, builder: FunctionBuilder, value: Reduction): Accumulator {
  const partial = [0, 1, 2, 3].map(() => start(scope, builder, f32x4(0)));
  return {
    parts: 4,
    take(step, q, wanted) {
      const sum = partial[q] as Local;
      const part = masked(step.part(value.args[0], 32, q), 32, q, wanted);
      step.block.statements.push(set(sum, op("f32x4.add", get(sum), part)));
    },
    finish(block, columns) {
      const [a, b, c, d] = partial.map(get) as [Code, Code, Code, Code];
      const eight = [op("f32x4.add", a, c), op("f32x4.add", b, d)] as const;
      const four = block.keep(op("f32x4.add", ...eight));
      const add = (x: Code, y: Code): Code => op("f32x4.add", x, y);
      const one = block.keep(folded(four, 32, add, (code) => block.keep(code)));
      const sum = block.keep(extractLane("f32x4.extract_lane", 0, one));
      return value.with === "mean" ? mean(block, value, sum, columns, null) : sum;
    },
  };
}

function integerSum(
  scope: PassScope,
  builder: FunctionBuilder,
  value: Reduction,
  i: number,
  width: Width,
): Accumulator {
  const [arg] = value.args;
  const range = scope.plan.ranges[arg] as Interval;
  const total = sumRange(scope.plan, value, i);
  const wide = Math.max(32, bitsOf(total)) as 32 | 64;
  const factors = wide === 32 ? shortFactors(scope, arg) : null;
  const sum = start(scope, builder, equal(wide, 0));
  if (factors !== null) return productSum(scope, value, factors, { i, sum, total });
  return {
    parts: partsOf(width),
    take(step, q, wanted) {
      const part = masked(step.part(arg, width, q), width, q, wanted);
      const all = widened(step.block, part, width, wide, fitsSigned(range, width));
      const next = all.reduce((a, b) => shaped(wide, "add", a, b), get(sum));
      step.block.statements.push(set(sum, next));
    },
    finish: (block, columns) => finishSum(scope, value, block, { sum, total, wide, i, columns }),
  };
}

/** The lanes of a sum joined, divided for a mean. */
function finishSum(
  { plan }: PassScope,
  value: Reduction,
  block: Block,
  { sum, total, wide, i, columns }: Sum & { readonly wide: 32 | 64; readonly columns: Code },
): Code {
  const add = (a: Code, b: Code): Code => shaped(wide, "add", a, b);
  const v = block.keep(folded(get(sum), wide, add, (code) => block.keep(code)));
  const one = block.keep(firstLane(v, total, wide));
  return value.with === "mean" ? mean(block, value, one, columns, plan.ranges[i] as Interval) : one;
}

/** The factors of a product of words that are not wider themselves; null of other values. */
function shortFactors({ plan, stage }: PassScope, i: number): readonly [number, number] | null {
  const value = plan.kernel.values[i] as Value;
  if (value.op !== "mul" || isLoaded(plan, i, stage)) return null;
  const isShort = value.args.every((arg) => {
    return fitsSigned(plan.ranges[arg] as Interval, 16) && widthIn(plan, arg, stage) <= 16;
  });
  return isShort ? value.args : null;
}

interface Sum {
  readonly i: number;
  readonly sum: Local;
  readonly total: Interval;
}

/** Products of words, summed by pairs in one instruction. */
function productSum(
  scope: PassScope,
  value: Reduction,
  factors: readonly [number, number],
  { i, sum, total }: Sum,
): Accumulator {
  const add = (a: Code, b: Code): Code => shaped(32, "add", a, b);
  return {
    parts: partsOf(16),
    take(step, q, wanted) {
      const [a, b] = factors.map((factor) => step.part(factor, 16, q)) as [Code, Code];
      const pairs = op("i32x4.dot_i16x8_s", masked(a, 16, q, wanted), b);
      step.block.statements.push(set(sum, add(get(sum), pairs)));
    },
    finish: (block, columns) => finishSum(scope, value, block, { sum, total, wide: 32, i, columns }),
  };
}

/** Vectors in a width whose lanes add up to those of one. */
function widened(block: Block, v: Code, from: Width, to: 32 | 64, isSigned: boolean): readonly Code[] {
  if (from >= to) return [v];
  const kept = block.keep(v);
  const next = (2 * from) as Width;
  if (next <= 32) {
    // A product with ones, for which engines need no constant of their own.
    const pairs =
      from === 16 && isSigned
        ? op("i32x4.dot_i16x8_s", kept, block.constant(equal(16, 1)))
        : shaped(next, `extadd_pairwise_${SHAPES[from]}_${isSigned ? "s" : "u"}`, kept);
    // The sum of two unsigned numbers has a bit to spare.
    return widened(block, pairs, next, to, true);
  }
  return [0, 1].map((half) => extended(kept, next, half, isSigned));
}
