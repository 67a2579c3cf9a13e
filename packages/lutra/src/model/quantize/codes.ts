// Masks and other tensors that are functions of an input's integers: whatever exporters compute them by becomes one gather from a table of their
// numbers. So each is a mask to those who leave scores out, and numbers to all others. The network answers the same.

import { parseFn } from "../../fn/index.ts";
import { areSame, fromNumber, type Polynomial, times } from "../../program/index.ts";
import { BINARY } from "../trace/folding.ts";
import type { BinaryFunction, Constant, Network, Operator, Shape } from "../trace/network.ts";
import { stridesOf } from "../trace/tracer.ts";
import { readersOf } from "./detours.ts";
import { largestCodeOf } from "./sizes.ts";

/** A tensor that is a function of the integers of an input. */
interface Few {
  readonly input: string;
  /** The input's integers, reshaped and moved as the tensor is. */
  readonly ids: string;
  /** What each integer becomes; null where it stays as it is. */
  readonly table: readonly number[] | null;
}

/** Of the tables: as many as ids may choose from. */
const MOST_VALUES = 2 ** 16;
export const FUNCTIONS: Readonly<Record<BinaryFunction, string>> = {
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
const CONDITIONS: ReadonlySet<BinaryFunction> = new Set(["equal", "less", "greater", "and", "or"]);

/** The same network; operators that nobody reads any more are left. */
export function withTables(network: Network): Network {
  const found = new Found(network);
  const operators = network.operators.flatMap((operator) => found.add(operator));
  return found.network(operators);
}

class Found {
  readonly #network: Network;
  readonly #shapes: Record<string, Shape>;
  readonly #constants: Record<string, Constant>;
  readonly #few = new Map<string, Few>();
  /** Tensors that are others with axes repeated. */
  readonly #short = new Map<string, string>();
  readonly #conditions: ReadonlySet<string>;

  constructor(network: Network) {
    this.#network = network;
    this.#shapes = { ...network.shapes };
    this.#constants = { ...network.constants };
    this.#conditions = new Set(network.integers?.filter((input) => choosesOrLeavesOut(network, input)));
    for (const input of this.#conditions) {
      if (largestCodeOf(network, input) < MOST_VALUES) this.#few.set(input, { input, ids: input, table: null });
    }
  }

  /** An operator, and what makes the ids of its result; where these are a table's, the gather that takes its place. */
  add(operator: Operator): readonly Operator[] {
    const few = this.#of(operator);
    if (few === null || !this.#isAlike(operator, few)) return this.#withNumbers(operator);
    const { result } = operator;
    this.#few.set(result, few);
    this.#noteRepeats(operator);
    if (few.table === null) return [operator];
    const table = `${result}.table`;
    this.#constants[table] = { shape: [few.table.length], data: Float64Array.from(few.table) };
    const gather: Operator = { op: "gather", table, ids: few.ids, result };
    if (operator.op !== "reshape" && operator.op !== "move") return [gather];
    this.#shapes[few.ids] = this.#shapes[result] as Shape;
    return [this.#moved(operator, few), gather];
  }

  /** A sum or a choice repeats axes itself: what only repeats them before is left out, where another operand has them. */
  #withNumbers(given: Operator): readonly Operator[] {
    const operator = this.#withoutRepeats(given);
    const { op } = operator;
    if (op !== "binary") return [operator];
    const made: Operator[] = [];
    const operand = (name: string): string => {
      const few = this.#few.get(name);
      if (few === undefined || few.table !== null) return name;
      const [result, table] = [`${name}.numbers`, `${name}.table`];
      if (this.#constants[table] !== undefined) return result;
      const data = Float64Array.from(this.#tableOf(few));
      this.#constants[table] = { shape: [data.length], data };
      this.#shapes[result] = this.#shapes[name] as Shape;
      made.push({ op: "gather", table, ids: few.ids, result });
      return result;
    };
    const [a, b] = [operand(operator.a), operand(operator.b)];
    return [...made, { ...operator, a, b }];
  }

  #withoutRepeats(operator: Operator): Operator {
    if (operator.op !== "binary" && operator.op !== "select") return operator;
    let kept = operator;
    for (const key of operator.op === "select" ? (["condition", "a", "b"] as const) : (["a", "b"] as const)) {
      const short = this.#short.get((kept as Readonly<Record<string, string>>)[key] as string);
      if (short === undefined) continue;
      const shorter = { ...kept, [key]: short };
      const names = [shorter.a, shorter.b, ...(shorter.op === "select" ? [shorter.condition] : [])];
      const shapes = names.map((name) => this.#shapes[name] ?? this.#constants[name]?.shape.map(fromNumber) ?? []);
      const wanted = this.#shapes[operator.result] as Shape;
      const isSame = wanted.every((size, i) => {
        return shapes.some((shape) => areSame(shape.at(i - wanted.length) ?? fromNumber(1), size));
      });
      if (isSame) kept = shorter;
    }
    return kept;
  }

  network(operators: readonly Operator[]): Network {
    const sources: Record<string, string> = { ...this.#network.sources };
    for (const [name] of this.#few) sources[`${name}.numbers`] = sources[name] ?? name;
    return { ...this.#network, shapes: this.#shapes, constants: this.#constants, sources, operators };
  }

  #of(operator: Operator): Few | null {
    switch (operator.op) {
      case "reshape":
        return this.#elsewhere(operator.input, operator.result);
      case "move": {
        const [piece, ...others] = operator.pieces;
        const isWhole =
          piece !== undefined &&
          others.length === 0 &&
          areEqual(piece.write.strides, stridesOf(piece.box)) &&
          areSame(elementsIn(piece.box), elementsIn(this.#shapes[operator.result] as Shape)) &&
          areSame(piece.write.start, fromNumber(0));
        return isWhole ? this.#elsewhere(piece.from, operator.result) : null;
      }
      case "function": {
        const few = this.#few.get(operator.input);
        if (few === undefined) return null;
        const fn = parseFn(operator.fn);
        return this.#computed(few, (_, x) => fn.evaluate(x));
      }
      case "binary": {
        const of = BINARY[FUNCTIONS[operator.fn]] as (a: number, b: number) => number;
        return this.#joined([operator.a, operator.b], ([a, b]) => of(a as number, b as number));
      }
      case "select":
        return this.#joined([operator.condition, operator.a, operator.b], ([which, yes, no]) => {
          return (which !== 0 ? yes : no) as number;
        });
      default:
        return null;
    }
  }

  #noteRepeats({ result, ...operator }: Operator): void {
    const piece = operator.op === "move" ? operator.pieces[0] : undefined;
    if (piece === undefined) return;
    const [before, after] = [this.#shapes[piece.from] as Shape, this.#shapes[result] as Shape];
    const own = stridesOf(before);
    const isRepeat =
      before.length === after.length &&
      before.every((size, i) => {
        const isKept = areSame(size, after[i] as Polynomial);
        return isOne(size) || (isKept && areSame(piece.read.strides[i] ?? fromNumber(0), own[i] as Polynomial));
      });
    if (isRepeat) this.#short.set(result, this.#short.get(piece.from) ?? piece.from);
  }

  /** Constants of more axes give a result more axes. */
  #isAlike({ op, result }: Operator, { ids }: Few): boolean {
    return op === "reshape" || op === "move" || areEqual(this.#shapes[ids] ?? [], this.#shapes[result] ?? []);
  }

  #elsewhere(from: string, result: string): Few | null {
    const few = this.#few.get(from);
    if (few === undefined) return null;
    return { ...few, ids: few.table === null ? result : `${result}.ids` };
  }

  #moved(operator: Extract<Operator, { op: "reshape" | "move" }>, { ids }: Few): Operator {
    const before = this.#few.get(operator.op === "reshape" ? operator.input : (operator.pieces[0]?.from ?? ""));
    const from = before?.ids ?? "";
    return operator.op === "reshape"
      ? { ...operator, input: from, result: ids }
      : { ...operator, pieces: operator.pieces.map((piece) => ({ ...piece, from })), result: ids };
  }

  /** Of tensors of the same ids, and single numbers. */
  #joined(names: readonly string[], of: (numbers: readonly number[]) => number): Few | null {
    const all = names.map((name) => this.#few.get(name) ?? null);
    const single = names.map((name) => {
      const data = this.#constants[name]?.data;
      return data?.length === 1 && this.#few.get(name) === undefined ? (data[0] as number) : null;
    });
    const few = all.find((each) => each !== null);
    const isOne = all.every((each, i) => (each === null ? single[i] !== null : each.ids === few?.ids));
    if (few === undefined || few === null || !isOne) return null;
    const tables = all.map((each) => (each === null ? null : this.#tableOf(each)));
    return this.#computed(few, (code) => {
      return of(tables.map((table, i) => (table === null ? (single[i] as number) : (table[code] as number))));
    });
  }

  #computed(few: Few, of: (code: number, x: number) => number): Few {
    return { ...few, table: this.#tableOf(few).map((x, code) => of(code, x)) };
  }

  #tableOf({ input, table }: Few): readonly number[] {
    return table ?? Array.from({ length: largestCodeOf(this.#network, input) + 1 }, (_, code) => code);
  }
}

/** Whether an input of integers chooses: rows, branches, or what a Softmax leaves out. Others are numbers. */
function choosesOrLeavesOut(network: Network, input: string): boolean {
  const readers = readersOf(network);
  const isFew = (name: string): boolean => network.constants[name] !== undefined;
  const leads = (tensor: string): boolean =>
    (readers.get(tensor) ?? []).some((reader) => {
      if (reader.op === "softmax") return true;
      return (reader.op === "binary" || reader.op === "select" || reader.op === "reshape") && leads(reader.result);
    });
  const visit = (tensor: string): boolean =>
    (readers.get(tensor) ?? []).some((reader) => {
      switch (reader.op) {
        case "gather":
          return reader.ids === tensor;
        case "select":
          return reader.condition === tensor;
        case "reshape":
        case "move":
          return visit(reader.result);
        case "function":
          return reader.fn === "1-x" || visit(reader.result);
        case "binary":
          if (CONDITIONS.has(reader.fn)) return true;
          if (isFew(reader.a) || isFew(reader.b)) return visit(reader.result);
          return reader.fn === "add" && leads(reader.result);
        default:
          return false;
      }
    });
  return visit(input);
}

function isOne(size: Polynomial | undefined): boolean {
  return size !== undefined && areSame(size, fromNumber(1));
}

function elementsIn(shape: Shape): Polynomial {
  return shape.reduce(times, fromNumber(1));
}

function areEqual(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => areSame(size, b[i] as Polynomial));
}
