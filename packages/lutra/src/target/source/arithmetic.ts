// The operations of kernels as expressions. Integers of lanes of up to 32 bits are computed in 32 bits, where verify has proven that
// they fit; what may pass them on the way is computed in 64 bits.

import { type Computed, type Lane, laneRange } from "../../kernel/index.ts";
import type { Interval } from "../../num/index.ts";
import type { Type } from "./dialect.ts";
import type { Source } from "./source.ts";

export interface Argument {
  readonly text: string;
  readonly lane: Lane;
}

/** How values of a lane are held. */
export function typeOf(lane: Lane): Type {
  return lane === "f32" ? "f32" : lane === "i64" || lane === "u32" ? "i64" : "i32";
}

export function arithmetic(source: Source, value: Computed, args: readonly Argument[]): string {
  return value.lane === "f32" ? binary32(source, value, args) : integers(source, value, args);
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

function integers(source: Source, value: Computed, args: readonly Argument[]): string {
  const { dialect } = source;
  const type = typeOf(value.lane);
  const [a, b, c, d] = args.map(({ text }) => text) as [string, string, string, string];
  switch (value.op) {
    case "add":
      return `${a} + ${b}`;
    case "sub":
      return `${a} - ${b}`;
    case "mul":
      return dialect.product(type, a, b);
    case "min":
      return `${a} < ${b} ? ${a} : ${b}`;
    case "max":
      return `${a} > ${b} ? ${a} : ${b}`;
    case "div":
      return dialect.narrow(type, `${source.helper(`divide-${value.rounding ?? "floor"}`)}(${a}, ${b})`);
    case "shift-left":
      return dialect.shiftUp(type, a, dialect.narrow("i32", b));
    case "shift-right": {
      const places = dialect.narrow("i32", b);
      const { rounding = "floor" } = value;
      if (rounding === "floor") return dialect.shiftDown(type, a, places);
      return dialect.narrow(type, `${source.helper(`shift-${rounding}`)}(${a}, ${places})`);
    }
    case "bits":
      return dialect.narrow(type, `${source.helper("digits")}(${a})`);
    case "select":
      return `${a} < ${b} ? ${c} : ${d}`;
    case "cast":
      return cast(source, value, args[0] as Argument);
    default:
      return value satisfies never;
  }
}

/** Saturated to the lane. */
function cast(source: Source, value: Extract<Computed, { op: "cast" }>, { text, lane }: Argument): string {
  const { dialect } = source;
  const type = typeOf(value.lane);
  if (lane === "f32") {
    const to = laneRange(value.lane) as Interval;
    const ends = [to.lo, to.hi].map((end) => dialect.literal("i64", end)).join(", ");
    return dialect.narrow(type, `${source.helper(`round-${value.rounding ?? "floor"}`)}(${text}, ${ends})`);
  }
  const from = typeOf(lane);
  const [has, wants] = [laneRange(lane), laneRange(value.lane)] as [Interval, Interval];
  let inside = text;
  if (has.hi > wants.hi) {
    const most = dialect.literal(from, wants.hi);
    inside = `(${text} > ${most} ? ${most} : ${text})`;
  }
  if (has.lo < wants.lo) {
    const least = dialect.literal(from, wants.lo);
    inside = `(${text} < ${least} ? ${least} : ${inside})`;
  }
  return type === from ? inside : type === "i64" ? dialect.wide(inside) : dialect.narrow(type, inside);
}
