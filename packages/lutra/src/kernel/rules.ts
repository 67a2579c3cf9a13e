// The identities that simplify applies, a line each: what it says, and the condition under which it holds bit for bit. Of integers
// whatever holds in exact arithmetic within the proven ranges; of binary32 only what keeps -0, infinities and NaN as they are.
// Only simplify uses them. None makes a kernel cost more.

import { exponentOf, powerOfTwo } from "../num/index.ts";
import { evaluate } from "../table/index.ts";
import { ROUNDED } from "./arithmetic.ts";
import {
  areSame,
  argAt,
  constantAt,
  first,
  firstIfSecondIs,
  innerArgs,
  type Rewrite,
  type Rule,
  when,
  zero,
} from "./candidate.ts";
import {
  addedBack,
  addedOnce,
  castOnce,
  chosenByOrder,
  chosenByRange,
  differenceTaken,
  lesserByRange,
  limitedOnce,
  saturatedOnce,
  shiftedBack,
  shiftedOnce,
  takenAway,
} from "./rules-integers.ts";
import type { Computed } from "./types.ts";

// constants -----------------------------------------------------------------------------------------------------------

/** NaN stays an operation: it has no literal in every target. */
const folded: Rewrite = (c) => {
  const constants = c.args.map((arg) => constantAt(c, arg));
  if (constants.some((value) => value === null)) return null;
  const value = c.value as Computed;
  const result = ROUNDED.combine(
    value,
    constants.map((x) => Float64Array.of(x as number)),
  );
  const [answer] = ROUNDED.checked(value, result) as unknown as [number];
  return Number.isNaN(answer) ? null : c.make({ op: "const", value: answer }, value.lane);
};

/** So that the other rules need to look for constants in one place only. */
const constantSecond: Rewrite = (c) => {
  const { value } = c;
  if (value.op !== "add" && value.op !== "mul" && value.op !== "min" && value.op !== "max") return null;
  const [a, b] = value.args;
  if (constantAt(c, a) === null || constantAt(c, b) !== null) return null;
  return c.make({ op: value.op, args: [b, a] }, value.lane);
};

const lookedUp: Rewrite = (c) => {
  const code = constantAt(c, argAt(c, 0));
  if (c.value.op !== "lookup" || c.value.table === undefined || code === null) return null;
  const answer = evaluate(c.value.table, code);
  return Number.isNaN(answer) ? null : c.make({ op: "const", value: answer }, c.value.lane);
};

/** Of an empty row interpret takes a sum, which is 0, but no mean and no maximum of integers. An end of a range may be -0, no integer is. */
const onlyPossible: Rewrite = ({ value, range, make }) => {
  if (range === null || range.lo !== range.hi) return null;
  if (value.op === "reduce" && value.with === "add" && range.lo !== 0) return null;
  return make({ op: "const", value: range.lo + 0 }, value.lane);
};

// binary32 ------------------------------------------------------------------------------------------------------------

/** -0 - (-0 - x): two negations. */
const negatedTwice: Rewrite = (c) => {
  const inner = innerArgs(c, argAt(c, 1), "sub");
  const isNegation = inner !== null && inner[0] === argAt(c, 0) && Object.is(constantAt(c, inner[0]), -0);
  return isNegation ? inner[1] : null;
};

const negated: Rewrite = (c) => {
  const x = firstIfSecondIs(-1)(c);
  return x === null ? null : c.make({ op: "sub", args: [c.make({ op: "const", value: -0 }, "f32"), x] }, "f32");
};

/** x / 2^k: quotient and product are one real number, rounded once. */
const multiplied: Rewrite = (c) => {
  const by = constantAt(c, argAt(c, 1));
  if (by === null || by === 0 || !Number.isFinite(by)) return null;
  const exponent = exponentOf(by);
  if (Math.abs(by) !== powerOfTwo(exponent) || Math.abs(exponent) > 126) return null;
  return c.make({ op: "mul", args: [argAt(c, 0), c.make({ op: "const", value: 1 / by }, "f32")] }, "f32");
};

// the table -----------------------------------------------------------------------------------------------------------

const COMPUTED = [
  "add",
  "sub",
  "mul",
  "div",
  "min",
  "max",
  "shift-left",
  "shift-right",
  "bits",
  "cast",
  "select",
] as const;
const INTEGERS = "integers";
const BINARY32 = "binary32";

/** Tried in this order. x, y are any values, c, d constants. */
export const RULES: readonly Rule[] = [
  { on: COMPUTED, lanes: "all", says: "f(c, d) is a constant", to: folded },
  { on: ["add", "mul", "min", "max"], lanes: "all", says: "c + x = x + c", to: constantSecond },
  { on: ["lookup"], lanes: "all", says: "T(c) is a constant", to: lookedUp },
  { on: [...COMPUTED, "reduce"], lanes: INTEGERS, says: "a range of one integer is a constant", to: onlyPossible },

  { on: ["min", "max"], lanes: "all", says: "min(x, x) = x", to: when(areSame, first) },
  { on: ["min", "max"], lanes: "all", says: "min(min(x, c), d) = min(x, min(c, d))", to: limitedOnce },
  {
    on: ["select"],
    lanes: "all",
    says: "select(., ., x, x) = x",
    to: when(
      (c) => argAt(c, 2) === argAt(c, 3),
      (c) => argAt(c, 2),
    ),
  },
  { on: ["select"], lanes: "all", says: "select(x, x, ., y) = y", to: when(areSame, (c) => argAt(c, 3)) },
  { on: ["select"], lanes: "all", says: "select of integers that ranges decide", to: chosenByRange },
  { on: ["shift-left", "shift-right"], lanes: "all", says: "x << 0 = x", to: firstIfSecondIs(0) },

  { on: ["add"], lanes: INTEGERS, says: "x + 0 = x", to: firstIfSecondIs(0) },
  { on: ["add"], lanes: INTEGERS, says: "(x - y) + y = x", to: addedBack },
  { on: ["add"], lanes: INTEGERS, says: "(x + c) + d = x + (c + d)", to: addedOnce },
  { on: ["sub"], lanes: INTEGERS, says: "x - 0 = x", to: firstIfSecondIs(0) },
  { on: ["sub"], lanes: INTEGERS, says: "x - x = 0", to: when(areSame, zero) },
  { on: ["sub"], lanes: INTEGERS, says: "(x + y) - y = x", to: takenAway },
  { on: ["sub"], lanes: INTEGERS, says: "x - (x - y) = y", to: differenceTaken },
  { on: ["mul"], lanes: INTEGERS, says: "x * 1 = x", to: firstIfSecondIs(1) },
  { on: ["div"], lanes: INTEGERS, says: "x / 1 = x", to: firstIfSecondIs(1) },
  { on: ["min", "max"], lanes: INTEGERS, says: "min(x, y) = x where ranges show x <= y", to: lesserByRange },
  { on: ["select"], lanes: INTEGERS, says: "select(x, y, x, y) = min(x, y)", to: chosenByOrder },
  {
    on: ["shift-left", "shift-right"],
    lanes: INTEGERS,
    says: "(x >> c) >> d = x >> (c + d), both floors",
    to: shiftedOnce,
  },
  { on: ["shift-right"], lanes: INTEGERS, says: "(x << c) >> d = x << (c - d) or x >> (d - c)", to: shiftedBack },
  { on: ["cast"], lanes: INTEGERS, says: "cast(cast(x)) = cast(x) or x", to: castOnce },
  {
    on: ["cast"],
    lanes: INTEGERS,
    says: "cast(min(x, c)) = cast(x) where the cast saturates as much",
    to: saturatedOnce,
  },

  { on: ["add"], lanes: BINARY32, says: "x + -0 = x", to: firstIfSecondIs(-0) },
  { on: ["sub"], lanes: BINARY32, says: "x - 0 = x", to: firstIfSecondIs(0) },
  { on: ["sub"], lanes: BINARY32, says: "-0 - (-0 - x) = x", to: negatedTwice },
  { on: ["mul"], lanes: BINARY32, says: "x * 1 = x", to: firstIfSecondIs(1) },
  { on: ["mul"], lanes: BINARY32, says: "x * -1 = -0 - x", to: negated },
  { on: ["div"], lanes: BINARY32, says: "x / 1 = x", to: firstIfSecondIs(1) },
  { on: ["div"], lanes: BINARY32, says: "x / 2^k = x * 2^-k", to: multiplied },
  { on: ["min"], lanes: BINARY32, says: "min(x, Infinity) = x", to: firstIfSecondIs(Infinity) },
  { on: ["max"], lanes: BINARY32, says: "max(x, -Infinity) = x", to: firstIfSecondIs(-Infinity) },
];
