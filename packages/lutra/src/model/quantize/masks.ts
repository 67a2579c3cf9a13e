// Tensors that take few values, each a function of one small integer: masks. Constants of few distinct numbers, inputs of integers, and what
// reshapes, moves and arithmetic with single numbers make of them.

import { BINARY } from "../trace/folding.ts";
import type { Constant, Operator, Piece, Shape } from "../trace/network.ts";
import { FUNCTIONS } from "./codes.ts";
import { constantOf, type Lowering, partOf, shapeIn } from "./context.ts";

export interface Coded {
  /** Makes its codes in the program, once: u8 of constants, i32 of inputs. */
  readonly tensor: () => string;
  readonly lane: "u8" | "i32";
  /** What each code stands for. */
  readonly table: readonly number[];
}

/** One fewer than 8 bits count: padding may add one. */
const MOST_VALUES = 255;
/** Pairs of values that are looked at to tell two masks apart. */
const MOST_PAIRS = 2 ** 20;

/** Null of what takes many values. Nothing is emitted until the codes are asked for. */
export function codedOf(lowering: Lowering, name: string): Coded | null {
  return lowering.once(`coded ${name}`, () => {
    const constant = constantOf(lowering, name);
    if (constant !== undefined) return fromConstant(lowering, constant);
    const operator = lowering.operatorOf(name);
    if (operator !== undefined) return fromOperator(lowering, operator);
    const count = lowering.options.largestCode(name) + 1;
    if (count > 2 ** 16) return null;
    return { tensor: () => lowering.ids(name), lane: "i32", table: Array.from({ length: count }, (_, code) => code) };
  });
}

function fromConstant(lowering: Lowering, { shape, data }: Constant): Coded | null {
  const table = [...new Set(data)];
  if (table.length > MOST_VALUES) return null;
  const codes = new Map(table.map((value, code) => [value, code]));
  const tensor = (): string =>
    lowering.builder.constant(
      Uint8Array.from(data, (x) => codes.get(x) as number),
      "u8",
      shape,
    );
  return { tensor, lane: "u8", table };
}

function fromOperator(lowering: Lowering, operator: Operator): Coded | null {
  const { result } = operator;
  const made = (lane: Coded["lane"], emit: (tensor: string) => void): (() => string) => {
    return () =>
      lowering.once(`codes ${result}`, () => {
        const tensor = lowering.builder.declare(lane, shapeIn(lowering, result));
        emit(tensor);
        return tensor;
      });
  };
  switch (operator.op) {
    case "function":
      return operator.fn === "1-x" ? mapped(codedOf(lowering, operator.input), (x) => 1 - x) : null;
    case "binary": {
      const [left, right] = [constantOf(lowering, operator.a), constantOf(lowering, operator.b)];
      const of = BINARY[FUNCTIONS[operator.fn]] as (a: number, b: number) => number;
      if (right?.data.length === 1) return mapped(codedOf(lowering, operator.a), (x) => of(x, right.data[0] as number));
      if (left?.data.length === 1) return mapped(codedOf(lowering, operator.b), (x) => of(left.data[0] as number, x));
      return null;
    }
    case "gather": {
      const numbers = constantOf(lowering, operator.table);
      if (numbers?.shape.length !== 1) return null;
      return mapped(codedOf(lowering, operator.ids), (id) => numbers.data[id] as number);
    }
    case "reshape": {
      const inner = codedOf(lowering, operator.input);
      if (inner === null) return null;
      const tensor = made(inner.lane, (result) =>
        lowering.builder.emit({ op: "reshape", input: inner.tensor(), result }),
      );
      return { ...inner, tensor };
    }
    case "move": {
      const [piece, ...others] = operator.pieces;
      const inner = piece === undefined || others.length > 0 ? null : codedOf(lowering, piece.from);
      if (inner === null || piece === undefined) return null;
      const table = inner.table.includes(operator.fill) ? inner.table : [...inner.table, operator.fill];
      const tensor = made(inner.lane, (result) => {
        const parts = [partOf(piece, inner.tensor())];
        lowering.builder.emit({ op: "move", parts, fill: table.indexOf(operator.fill), result });
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

// flags ---------------------------------------------------------------------------------------------------------------

type Wanted = (x: number) => boolean;

/**
 * u8 tensors of the program: what one of them has 1 for is what is wanted. Null of tensors that take many values, and where no masks of parts
 * tell it. Values of parts: the numbers that a tensor may hold.
 */
export function flagsOf(lowering: Lowering, name: string, isWanted: Wanted): readonly string[] | null {
  const coded = codedOf(lowering, name);
  if (coded !== null) return [maskOf(lowering, coded, isWanted, shapeIn(lowering, name))];
  const operator = lowering.operatorOf(name);
  if (operator?.op === "function" && operator.fn === "1-x") {
    return flagsOf(lowering, operator.input, (x) => isWanted(1 - x));
  }
  if (operator?.op === "binary") return flagsOfTwo(lowering, operator, isWanted);
  if (operator?.op === "select") return flagsOfChoice(lowering, operator, isWanted);
  if (operator?.op === "reshape") {
    const shape = shapeIn(lowering, name);
    return flagsOf(lowering, operator.input, isWanted)?.map((flags) => lowering.builder.reshaped(flags, shape)) ?? null;
  }
  if (operator?.op !== "move" || operator.pieces.length !== 1) return null;
  const [piece] = operator.pieces as [Piece];
  return (
    flagsOf(lowering, piece.from, isWanted)?.map((flags) => {
      const result = lowering.builder.declare("u8", shapeIn(lowering, name), { range: [0, 1] });
      lowering.builder.emit({
        op: "move",
        parts: [partOf(piece, flags)],
        fill: Number(isWanted(operator.fill)),
        result,
      });
      return result;
    }) ?? null
  );
}

/** What two tensors of few values give is wanted where the one's value suffices, or the other's; null where that is not all. */
function flagsOfTwo(
  lowering: Lowering,
  { fn, a, b }: Extract<Operator, { op: "binary" }>,
  isWanted: Wanted,
): readonly string[] | null {
  const [left, right] = [valuesOf(lowering, a), valuesOf(lowering, b)];
  if (left === null || right === null || left.length * right.length > MOST_PAIRS) return null;
  const of = BINARY[FUNCTIONS[fn]] as (a: number, b: number) => number;
  const inLeft = new Set(left.filter((x) => right.every((y) => isWanted(of(x, y)))));
  const inRight = new Set(right.filter((y) => left.every((x) => isWanted(of(x, y)))));
  const isAll = left.every((x) => right.every((y) => isWanted(of(x, y)) === (inLeft.has(x) || inRight.has(y))));
  if (!isAll) return null;
  return both(
    flagsOf(lowering, a, (x) => inLeft.has(x)),
    flagsOf(lowering, b, (y) => inRight.has(y)),
  );
}

/** A branch is one number that is wanted, or not; the other one's numbers then count too, or may not. */
function flagsOfChoice(
  lowering: Lowering,
  { condition, a, b }: Extract<Operator, { op: "select" }>,
  isWanted: Wanted,
): readonly string[] | null {
  const [yes, no] = [a, b].map((name) => valuesOf(lowering, name)?.map(isWanted) ?? null);
  const all = (flags: readonly boolean[] | null | undefined, what: boolean): boolean =>
    flags?.every((flag) => flag === what) ?? false;
  if (all(yes, true)) {
    const chosen = flagsOf(lowering, condition, (x) => x !== 0);
    return all(no, false) ? chosen : both(chosen, flagsOf(lowering, b, isWanted));
  }
  if (!all(no, true)) return null;
  const chosen = flagsOf(lowering, condition, (x) => x === 0);
  return all(yes, false) ? chosen : both(chosen, flagsOf(lowering, a, isWanted));
}

function both(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  return a === null || b === null ? null : [...a, ...b];
}

/** The few numbers that a tensor may hold. */
export function valuesOf(lowering: Lowering, name: string): readonly number[] | null {
  const coded = codedOf(lowering, name);
  if (coded !== null) return coded.table;
  const operator = lowering.operatorOf(name);
  const joined = (sets: readonly (readonly number[] | null)[]): readonly number[] | null =>
    sets.includes(null) ? null : [...new Set(sets.flatMap((set) => set ?? []))];
  switch (operator?.op) {
    case "function":
      return operator.fn === "1-x" ? (valuesOf(lowering, operator.input)?.map((x) => 1 - x) ?? null) : null;
    case "reshape":
      return valuesOf(lowering, operator.input);
    case "move":
      return joined([[operator.fill], ...operator.pieces.map(({ from }) => valuesOf(lowering, from))]);
    case "select":
      return joined([valuesOf(lowering, operator.a), valuesOf(lowering, operator.b)]);
    case "binary": {
      const [left, right] = [valuesOf(lowering, operator.a), valuesOf(lowering, operator.b)];
      if (left === null || right === null || left.length * right.length > MOST_PAIRS) return null;
      const of = BINARY[FUNCTIONS[operator.fn]] as (a: number, b: number) => number;
      const all = [...new Set(left.flatMap((x) => right.map((y) => of(x, y))))];
      return all.length > MOST_VALUES ? null : all;
    }
    default:
      return null;
  }
}

/** A u8 tensor of the program: 1 where what a code stands for is wanted. */
export function maskOf(lowering: Lowering, { tensor, table }: Coded, isWanted: Wanted, shape: Shape): string {
  const flags = Uint8Array.from(table, (x) => Number(isWanted(x)));
  const ids = tensor();
  return lowering.once(`flags ${ids} ${flags}`, () => {
    const { builder } = lowering;
    const result = builder.declare("u8", shape, { range: [0, 1] });
    builder.emit({ op: "gather", table: builder.constant(flags, "u8", [flags.length]), ids, result });
    return result;
  });
}
