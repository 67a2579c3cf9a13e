// Kernels of elements that are a few integer operations with vector instructions: these take less time than a table of all answers, and no memory.

import { type Kernel, ranges, simplify, type Value } from "../../../kernel/index.ts";
import { bitsOf } from "./widths.ts";

const OPERATIONS: readonly Value["op"][] = ["param", "const", "add", "sub", "mul", "min", "max", "cast", "shift-right"];
/** Values, params and constants included. */
const MOST_VALUES = 16;
const WIDEST = 32;

export function isShortArithmetic(kernel: Kernel): boolean {
  const simple = simplify(kernel);
  const { values } = simple;
  const known = ranges(simple);
  const isPlain = (value: Value, i: number): boolean => {
    const isFixed = value.op !== "shift-right" || values[value.args[1]]?.op === "const";
    return isFixed && OPERATIONS.includes(value.op) && value.lane !== "f32" && bitsOf(known[i] ?? null) <= WIDEST;
  };
  return values.length <= MOST_VALUES && values.every(isPlain);
}
