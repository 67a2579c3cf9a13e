// Reductions one number at a time, for the scalar form. The 16 partial sums of binary32 are in scratch memory; they are joined as the
// definition does, by halves.

import type { Interval } from "../../../num/index.ts";
import { type Code, f32, get, i32, load, op, select, set, store } from "../assembler.ts";
import type { FunctionBuilder } from "../assembler-module.ts";
import type { Block } from "../lanes.ts";
import type { Plan, Reduction } from "./plan.ts";
import { constant, converted, quotient, typeOf } from "./scalar.ts";
import { STEP } from "./widths.ts";

const FLOAT_BYTES = 4;
/** Up to here every integer is a binary32 number. */
const LONGEST_SHORT = 2 ** 24;

export interface ScalarAccumulator {
  /** Statements before the loop. */
  readonly start: readonly Code[];
  /** Takes one element, kept, in column c. */
  take(block: Block, x: Code, c: Code): void;
  /** The number for the row, once all elements are taken. */
  finish(block: Block, columns: Code): Code;
}

/** The integers that a reduction adds up to: of a mean they are not its own. */
export function sumRange(plan: Plan, value: Reduction, i: number): Interval {
  const own = plan.ranges[i] as Interval;
  if (value.with !== "mean") return own;
  const { lo, hi } = plan.ranges[value.args[0]] as Interval;
  const { maxRow = 1 } = plan.kernel.spec;
  return { lo: Math.min(lo, lo * maxRow), hi: Math.max(hi, hi * maxRow) };
}

/** A sum, kept, as the mean of so many columns (an i32). */
export function mean(block: Block, { rounding }: Reduction, sum: Code, columns: Code, range: Interval | null): Code {
  if (range === null) {
    // The definition divides in binary64, which of two binary32 numbers rounds to the same; only long rows have no binary32 length.
    const exact = op("f64.div", op("f64.promote_f32", sum), op("f64.convert_i32_u", columns));
    const short = op("f32.div", sum, op("f32.convert_i32_s", columns));
    return select(short, op("f32.demote_f64", exact), op("i32.lt_u", columns, i32(LONGEST_SHORT)));
  }
  const a = block.keep(converted(sum, "i64"));
  const b = block.keep(op("i64.extend_i32_u", columns));
  return converted(quotient(block, { a, b, isNegative: true }, rounding ?? "floor"), typeOf(range));
}

/** @param partial address of 64 bytes, for sums of binary32 */
export function scalarAccumulator(
  plan: Plan,
  builder: FunctionBuilder,
  value: Reduction,
  i: number,
  partial: Code,
): ScalarAccumulator {
  const range = plan.ranges[i] as Interval | null;
  if (value.with === "max") return maximum(plan, builder, value);
  if (range === null) return floatSum(value, partial);
  const total = sumRange(plan, value, i);
  const type = typeOf(total) as "i32" | "i64";
  const sum = builder.local(type);
  return {
    start: [set(sum, constant(type, 0))],
    take: (block, x) => {
      block.statements.push(set(sum, op(`${type}.add`, get(sum), converted(x, type))));
    },
    finish: (block, columns) => (value.with === "mean" ? mean(block, value, get(sum), columns, range) : get(sum)),
  };
}

function maximum(plan: Plan, builder: FunctionBuilder, value: Reduction): ScalarAccumulator {
  const range = plan.ranges[value.args[0]] as Interval | null;
  const type = typeOf(range);
  const most = builder.local(type);
  return {
    start: [set(most, constant(type, range === null ? -Infinity : range.lo))],
    take: (block, x) => {
      const greater =
        type === "f32" ? op("f32.max", get(most), x) : select(x, get(most), op(`${type}.lt_s`, get(most), x));
      block.statements.push(set(most, greater));
    },
    finish: () => get(most),
  };
}

function floatSum(value: Reduction, partial: Code): ScalarAccumulator {
  return {
    start: Array.from({ length: STEP }, (_, j) => store("f32.store", partial, f32(0), j * FLOAT_BYTES)),
    take: (block, x, c) => {
      const place = op("i32.shl", op("i32.and", c, i32(STEP - 1)), i32(2));
      const address = block.keep(op("i32.add", partial, place));
      block.statements.push(store("f32.store", address, op("f32.add", load("f32.load", address), x)));
    },
    finish: (block, columns) => {
      let sums = Array.from({ length: STEP }, (_, j) => block.keep(load("f32.load", partial, j * FLOAT_BYTES)));
      while (sums.length > 1) {
        const half = sums.length / 2;
        sums = sums.slice(0, half).map((sum, j) => block.keep(op("f32.add", sum, sums[j + half] as Code)));
      }
      const [sum] = sums as [Code];
      return value.with === "mean" ? mean(block, value, sum, columns, null) : sum;
    },
  };
}
