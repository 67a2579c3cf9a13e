// The operations of kernels as expressions. Integers that are proven to fit 32 bits (kernel/ranges.ts) are computed in 32 bits whatever
// their lane, so that compilers vectorise them and small processors have them; others in 64 bits.

import { type Computed, laneRange } from "../../kernel/index.ts";
import type { Interval } from "../../num/index.ts";
import type { Type } from "./dialect.ts";
import type { Source } from "./source.ts";

export interface Argument {
  readonly text: string;
  readonly type: Type;
  /** What it can be; null for binary32. */
  readonly range: Interval | null;
}

/** What is computed, as it is held. */
export interface Target {
  readonly value: Computed;
  readonly type: Type;
}

const INT32: Interval = { lo: -(2 ** 31), hi: 2 ** 31 - 1 };

/** How integers of a range are held, whatever their lane: in 32 bits if these hold them all; null is binary32. */
export function typeOf(range: Interval | null): Type {
  if (range === null) return "f32";
  return INT32.lo <= range.lo && range.hi <= INT32.hi ? "i32" : "i64";
}

export function arithmetic(source: Source, target: Target, args: readonly Argument[]): string {
  return target.type === "f32" ? binary32(source, target.value, args) : integers(source, target, args);
}

function binary32(source: Source, value: Computed, args: readonly Argument[]): string {
  const { dialect } = source;
  const [a, b, c, d] = args.map(({ text }) => text) as [string, string, string, string];
  const power = (exponent: string): string => `${source.helper("float")}((127 ${exponent}) << 23)`;
  switch (value.op) {
    case "add":
      return dialect.arithmetic("+", a, b);
    case "sub":
      return dialect.arithmetic("-", a, b);
    case "mul":
      return dialect.arithmetic("*", a, b);
    case "div":
      return dialect.arithmetic("/", a, b);
    case "min":
    case "max":
      return `${source.helper(value.op === "min" ? "minimum" : "maximum")}(${a}, ${b})`;
    case "shift-left":
      return dialect.arithmetic("*", a, power(`+ ${dialect.narrow("i32", b)}`));
    case "shift-right":
      return dialect.arithmetic("*", a, power(`- ${dialect.narrow("i32", b)}`));
    case "select":
      return source.choose(`${a} < ${b}`, c, d);
    case "cast":
      return dialect.toFloat(a);
    case "bits":
      throw new TypeError("only integers have a bit length");
    default:
      return value satisfies never;
  }
}

function integers(source: Source, { value, type }: Target, args: readonly Argument[]): string {
  const { dialect } = source;
  const work = [type, ...args.map((arg) => arg.type)].includes("i64") ? "i64" : "i32";
  const finish = (text: string): string => (work === type ? text : dialect.narrow(type, text));
  const [a, b, c, d] = args.map(({ text }) => text) as [string, string, string, string];
  switch (value.op) {
    case "add":
    case "sub":
      return finish(sum(args[0]?.type === work ? a : dialect.wide(a), value.op === "add" ? "+" : "-", b));
    case "mul":
      return finish(dialect.product(work, a, b));
    case "min":
      return finish(`${a} < ${b} ? ${a} : ${b}`);
    case "max":
      return finish(`${a} > ${b} ? ${a} : ${b}`);
    case "div":
      return finish(`${source.sized("divide", value.rounding, work)}(${a}, ${b})`);
    case "shift-left":
    case "shift-right":
      return shifted(source, { value, type }, args as [Argument, Argument]);
    case "bits":
      return `${source.helper(work === "i32" && dialect.hasSizes ? "digits32" : "digits")}(${a})`;
    case "select":
      return `${a} < ${b} ? ${c} : ${d}`;
    case "cast":
      return cast(source, { value, type }, args[0] as Argument);
    default:
      return value satisfies never;
  }
}

function sum(a: string, sign: "+" | "-", b: string): string {
  return sign === "+" && b.startsWith("-") ? `${a} - ${b.slice(1)}` : `${a} ${sign} ${b}`;
}

/** Most places of a shift in 32 bits: 2^30 is the largest power there. Where none is needed, the processor's own limit. */
const MOST_PLACES = { power: 30, plain: 31 };

function shifted(source: Source, { value, type }: Target, [a, by]: readonly [Argument, Argument]): string {
  const { dialect } = source;
  const rounding = "rounding" in value ? value.rounding : undefined;
  const isPlain = value.op === "shift-right" && (rounding ?? "floor") === "floor";
  const isShort = (by.range?.hi ?? Infinity) <= (isPlain ? MOST_PLACES.plain : MOST_PLACES.power);
  const work = isShort && type === "i32" && a.type === "i32" ? "i32" : "i64";
  const places = by.type === "i64" ? dialect.narrow("i32", by.text) : by.text;
  const finish = (text: string): string => (work === type ? text : dialect.narrow(type, text));
  if (isPlain) return finish(dialect.shiftDown(work, a.type === work ? a.text : dialect.wide(a.text), places));
  if (value.op === "shift-left") return finish(dialect.shiftUp(work, a.text, places));
  return finish(`${source.sized("shift", rounding, work)}(${a.text}, ${places})`);
}

/** Saturated to the lane. */
function cast(source: Source, { value, type }: Target, { text, type: from, range }: Argument): string {
  const { dialect } = source;
  const wants = laneRange(value.lane) as Interval;
  if (range === null) {
    const ends = [wants.lo, wants.hi].map((end) => dialect.literal("i64", end)).join(", ");
    const rounding = ("rounding" in value ? value.rounding : undefined) ?? "floor";
    return dialect.narrow(type, `${source.helper(`round-${rounding}`)}(${text}, ${ends})`);
  }
  let inside = text;
  if (range.hi > wants.hi) {
    const most = dialect.literal(from, wants.hi);
    inside = `(${text} > ${most} ? ${most} : ${text})`;
  }
  if (range.lo < wants.lo) {
    const least = dialect.literal(from, wants.lo);
    inside = `(${text} < ${least} ? ${least} : ${inside})`;
  }
  return type === from ? inside : type === "i64" ? dialect.wide(inside) : dialect.narrow(type, inside);
}
