// What the parts of a lowering share: the program so far, and tensors of the network in the forms that are wanted.

import { LutraError } from "../../base/index.ts";
import { type Kernel, laneOf, type Over, type Value } from "../../kernel/index.ts";
import { codeRange, type Format, type IntegerFormat, type Interval } from "../../num/index.ts";
import {
  areSame,
  type Codes,
  fromNumber,
  type NamedSize,
  type Part,
  type Polynomial,
  type Program,
  type Step,
  type TensorLane,
  type TensorType,
  toSize,
} from "../../program/index.ts";
import type { Spec, Table } from "../../table/index.ts";
import type { Constant, Network, Operator, Piece, Shape } from "../trace/network.ts";
import type { Role } from "./formats.ts";

/** What is known of the numbers in a model, and who makes tables. */
export interface LowerOptions {
  /** The numbers that a tensor of the network is to hold in a role: those that were seen, or fewer. Asked of what no reshape and no move gives. */
  readonly range: (tensor: string, role: Role) => Interval;
  /** The same of each place of the last axis, for inputs of numbers. */
  readonly columnRanges: (input: string) => readonly Interval[];
  /** Largest number of an input of integers, ids or masks. */
  readonly largestCode: (input: string) => number;
  /** Bounds of the named sizes. */
  readonly sizes: readonly NamedSize[];
  /** The best table of a spec with at most 8 bits of input. */
  readonly table: (spec: Spec) => Table;
  /** Longest row of an attention. */
  readonly maxRow: number;
  /** What the queries and the keys of an attention are held in, by the tensor of its scores: 7 and 8 bits if absent. */
  readonly attention?: (scores: string) => readonly [queries: Role, keys: Role];
  /** What a tensor is held in where weights multiply it: bytes if absent. */
  readonly weighed?: (tensor: string) => Role;
  /** What an input that only products with weights read is held in, without a zero point: 8 bits if absent. */
  readonly weighedInput?: (input: string) => Role;
  /** Whether what has no integer form is computed in binary32, between codes. */
  readonly allowFloat?: boolean;
  /** Told of every tensor of the network that the program holds, in each of its forms. */
  readonly onHeld?: (tensor: string, held: Held, role: Role) => void;
}

/** A tensor of the program, and what its codes stand for. */
export interface Held {
  readonly tensor: string;
  readonly format: IntegerFormat;
  /** Of each place of the last axis, where they differ: the format's scale is 1 then. */
  readonly scales?: readonly number[];
}

/** An argument of a kernel. */
export interface Aligned {
  readonly tensor: string;
  readonly over: Over;
}

/** A lowering at work: parts ask it for operands. */
export interface Lowering {
  readonly network: Network;
  readonly options: LowerOptions;
  readonly builder: ProgramBuilder;
  operatorOf(tensor: string): Operator | undefined;
  /** The operators that read a tensor, once for each operand. */
  readersOf(tensor: string): readonly Operator[];
  /** A tensor in a role, in the format that all share to whom moves carry it. Without a zero point it may have another, of no more bits. */
  need(tensor: string, role: Role): Held;
  /** An input of ids or masks as i32 codes, or what moves and counting make of one. */
  ids(tensor: string): string;
  /** What a key stands for: made the first time it is asked for. */
  once<T>(key: string, make: () => T): T;
}

const ONE = fromNumber(1);

/** The program so far. */
export class ProgramBuilder {
  readonly #tensors: Record<string, TensorType> = {};
  readonly #constants: Record<string, Codes> = {};
  readonly #steps: Step[] = [];
  readonly #shapes = new Map<string, Shape>();
  readonly #contents = new Map<string, string>();
  readonly #reserved: ReadonlySet<string>;
  #count = 0;

  /** @param reserved names that inputs have: no other tensor gets one */
  constructor(reserved: readonly string[]) {
    this.#reserved = new Set(reserved);
  }

  /** A new tensor. */
  declare(lane: TensorLane, shape: Shape, type: Partial<TensorType> = {}, name: string = this.#newName()): string {
    if (this.has(name)) throw new Error(`the tensor ${name} is declared twice`);
    this.#tensors[name] = { lane, shape: shape.map(toSize), ...type };
    this.#shapes.set(name, shape);
    return name;
  }

  #newName(): string {
    for (;;) {
      const name = `v${this.#count++}`;
      if (!this.#reserved.has(name)) return name;
    }
  }

  /** A new tensor of codes. */
  codes(format: IntegerFormat, shape: Shape): Held {
    const { scale, zeroPoint, bits } = format;
    const { lo, hi } = codeRange(format);
    const range = bits === 8 || bits === 16 || bits === 32 ? {} : { range: [lo, hi] as const };
    const tensor = this.declare(tensorLane(format), shape, { quantization: { scale, zeroPoint }, ...range });
    return { tensor, format };
  }

  /** A constant: one tensor for all that hold the same. */
  constant(codes: Codes, lane: TensorLane, shape: readonly number[]): string {
    const content = `${lane} ${shape} ${codes.join()}`;
    const known = this.#contents.get(content);
    if (known !== undefined) return known;
    const name = this.declare(lane, shape.map(fromNumber));
    this.#constants[name] = codes;
    this.#contents.set(content, name);
    return name;
  }

  emit(step: Step): void {
    this.#steps.push(step);
  }

  /** A kernel over tensors of a shape: of fewer than two axes, which no tile has, they are rows. */
  kernel(kernel: Kernel, shape: Shape, args: Readonly<Record<string, string>>, results: readonly string[]): void {
    const tile = tileOf(shape);
    const emit = (own: typeof args, made: readonly string[]): void =>
      this.emit({ op: "kernel", kernel, tile: tile.map(toSize), arguments: own, results: made });
    if (tile.length === shape.length) {
      emit(args, results);
      return;
    }
    const params = kernel.values.filter((value) => value.op === "param");
    const aligned = params.map(({ name, over }) => [name, this.#as(args[name] as string, innerAxes(tile, over))]);
    const made = results.map((name, i) => {
      const { over } = kernel.values[kernel.results[i] as number] as Value;
      const inner = innerAxes(tile, over);
      return inner.length === this.shapeOf(name).length ? name : this.#like(name, inner);
    });
    emit(Object.fromEntries(aligned), made);
    for (const [i, name] of results.entries()) {
      if (made[i] !== name) this.emit({ op: "reshape", input: made[i] as string, result: name });
    }
  }

  has(tensor: string): boolean {
    return Object.hasOwn(this.#tensors, tensor);
  }

  shapeOf(tensor: string): Shape {
    return this.#shapes.get(tensor) as Shape;
  }

  reshaped(tensor: string, shape: Shape): string {
    const result = this.#like(tensor, shape);
    this.emit({ op: "reshape", input: tensor, result });
    return result;
  }

  /** A new tensor of another shape, of the same type otherwise. */
  #like(tensor: string, shape: Shape): string {
    const { lane, range, quantization } = this.#tensors[tensor] as TensorType;
    const kept = { ...(range === undefined ? {} : { range }), ...(quantization === undefined ? {} : { quantization }) };
    return this.declare(lane, shape, kept);
  }

  /** A tensor with as many axes as a shape of as many elements. */
  #as(tensor: string, shape: Shape): string {
    return this.shapeOf(tensor).length === shape.length ? tensor : this.reshaped(tensor, shape);
  }

  /** A tensor as an argument of a kernel over a shape: what it varies over, without an axis of rows or columns that is 1. */
  aligned(given: string, whole: Shape): Aligned {
    const tile = tileOf(whole);
    const tensor = tile.length === whole.length ? given : this.#as(given, tileOf(this.shapeOf(given)));
    const shape = this.shapeOf(tensor);
    const [rows, columns] = tile.slice(-2) as [Polynomial, Polynomial];
    const hasRows = shape.length >= 2 && areSame(shape.at(-2) as Polynomial, rows);
    const hasColumns = shape.length >= 1 && areSame(shape.at(-1) ?? ONE, columns);
    if (hasRows && hasColumns) return { tensor, over: "element" };
    const over: Over = hasColumns ? "column" : hasRows ? "row" : "one";
    const kept = [...shape.slice(0, -2), ...(hasRows ? [rows] : []), ...(hasColumns ? [columns] : [])];
    return { tensor: kept.length === shape.length ? tensor : this.reshaped(tensor, kept), over };
  }

  finish({ sizes }: LowerOptions, inputs: readonly string[], outputs: Program["outputs"]): Program {
    const used = JSON.stringify(this.#tensors);
    return {
      sizes: sizes.filter(({ name }) => used.includes(JSON.stringify(name))),
      tensors: this.#tensors,
      constants: this.#constants,
      inputs: inputs.filter((name) => this.has(name)),
      outputs,
      states: [],
      blocks: [{ name: "all", steps: this.#steps }],
    };
  }
}

/** A shape with at least two axes. */
function tileOf(shape: Shape): Shape {
  return [...Array<Polynomial>(Math.max(0, 2 - shape.length)).fill(ONE), ...shape];
}

/** The axes of a tile without outer axes that vary with a value. */
function innerAxes(tile: Shape, over: Over): Shape {
  const [rows, columns] = tile as readonly [Polynomial, Polynomial];
  return over === "element" ? [rows, columns] : over === "row" ? [rows] : over === "column" ? [columns] : [];
}

export function tensorLane(format: Format): TensorLane {
  return laneOf(format) as TensorLane;
}

export function constantOf({ network }: Lowering, name: string): Constant | undefined {
  return network.constants[name];
}

export function shapeIn({ network }: Lowering, name: string): Shape {
  return network.shapes[name] ?? network.constants[name]?.shape.map(fromNumber) ?? [];
}

/** A piece of a move in the program. */
export function partOf({ box, read, write }: Piece, from: string): Part {
  return {
    from,
    box: box.map(toSize),
    read: { start: toSize(read.start), strides: read.strides.map(toSize) },
    write: { start: toSize(write.start), strides: write.strides.map(toSize) },
  };
}

/** The value of the model that a tensor holds, or the first one behind it; the tensor itself if there is none. */
export function whereabouts(lowering: Pick<Lowering, "network" | "readersOf">, tensor: string): string {
  const { sources } = lowering.network;
  const waiting = [tensor];
  const seen = new Set(waiting);
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    if (sources[at] !== undefined) return sources[at];
    for (const { result } of lowering.readersOf(at)) {
      if (!seen.has(result)) waiting.push(result);
      seen.add(result);
    }
  }
  return tensor;
}

export function fault(lowering: Lowering, tensor: string, message: string, note?: string): LutraError {
  const where = whereabouts(lowering, tensor);
  return new LutraError("unsupported", message, note === undefined ? { where } : { where, note });
}
