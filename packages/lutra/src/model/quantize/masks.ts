// Tensors that take few values, each a function of one small integer: masks. Constants of few distinct numbers, inputs of integers, and what
// reshapes, moves and arithmetic with single numbers make of them.

import { BINARY } from "../trace/folding.ts";
import type { BinaryFunction, Constant, Operator, Shape } from "../trace/network.ts";
import { constantOf, type Lowering, partOf, shapeIn } from "./context.ts";

export interface Coded {
  /** Its codes, in the program: u8 of constants, i32 of inputs. */
  readonly tensor: string;
  readonly lane: "u8" | "i32";
  /** What each code stands for. */
  readonly table: readonly number[];
}

/** One fewer than 8 bits count: padding may add one. */
const MOST_VALUES = 255;
const FUNCTIONS: Readonly<Record<BinaryFunction, string>> = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  equal: "Equal",
  less: "Less",
  greater: "Greater",
  and: "And",
  or: "Or",
};

export function codedOf(lowering: Lowering, name: string): Coded | null {
  const constant = constantOf(lowering, name);
  if (constant !== undefined) return fromConstant(lowering, constant);
  const operator = lowering.operatorOf(name);
  if (operator === undefined) {
    const count = lowering.options.largestCode(name) + 1;
    return count > 2 ** 16
      ? null
      : { tensor: lowering.ids(name), lane: "i32" as const, table: Array.from({ length: count }, (_, code) => code) };
  }
  return fromOperator(lowering, operator);
}

function fromConstant(lowering: Lowering, { shape, data }: Constant): Coded | null {
  const table = [...new Set(data)];
  if (table.length > MOST_VALUES) return null;
  const codes = new Map(table.map((value, code) => [value, code]));
  const tensor = lowering.builder.constant(
    Uint8Array.from(data, (x) => codes.get(x) as number),
    "u8",
    shape,
  );
  return { tensor, lane: "u8", table };
}

function fromOperator(lowering: Lowering, operator: Operator): Coded | null {
  switch (operator.op) {
    case "function": {
      const inner = codedOf(lowering, operator.input);
      if (inner === null || operator.fn !== "1-x") return null;
      return { ...inner, table: inner.table.map((x) => 1 - x) };
    }
    case "binary": {
      const [left, right] = [constantOf(lowering, operator.a), constantOf(lowering, operator.b)];
      const of = BINARY[FUNCTIONS[operator.fn]] as (a: number, b: number) => number;
      if (right?.data.length === 1) return mapped(codedOf(lowering, operator.a), (x) => of(x, right.data[0] as number));
      if (left?.data.length === 1) return mapped(codedOf(lowering, operator.b), (x) => of(left.data[0] as number, x));
      return null;
    }
    case "reshape": {
      const inner = codedOf(lowering, operator.input);
      if (inner === null) return null;
      const tensor = lowering.builder.declare(inner.lane, shapeIn(lowering, operator.result));
      lowering.builder.emit({ op: "reshape", input: inner.tensor, result: tensor });
      return { ...inner, tensor };
    }
    case "move": {
      const [piece, ...others] = operator.pieces;
      const inner = piece === undefined || others.length > 0 ? null : codedOf(lowering, piece.from);
      if (inner === null || piece === undefined) return null;
      const table = inner.table.includes(operator.fill) ? inner.table : [...inner.table, operator.fill];
      const tensor = lowering.builder.declare(inner.lane, shapeIn(lowering, operator.result));
      lowering.builder.emit({
        op: "move",
        parts: [partOf(piece, inner.tensor)],
        fill: table.indexOf(operator.fill),
        result: tensor,
      });
      return { ...inner, tensor, table };
    }
    default:
      return null;
  }
}

function mapped(coded: Coded | null, of: (x: number) => number): Coded | null {
  return coded === null ? null : { ...coded, table: coded.table.map(of) };
}

/** A u8 tensor of the program: 1 where what a code stands for is excluded. */
export function maskOf(
  { builder }: Lowering,
  { tensor, table }: Coded,
  isExcluded: (x: number) => boolean,
  shape: Shape,
): string {
  const flags = Uint8Array.from(table, (x) => Number(isExcluded(x)));
  const result = builder.declare("u8", shape, { range: [0, 1] });
  builder.emit({ op: "gather", table: builder.constant(flags, "u8", [flags.length]), ids: tensor, result });
  return result;
}
