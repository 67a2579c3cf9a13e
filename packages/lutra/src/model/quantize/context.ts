// What the parts of a lowering share: the program so far, and tensors of the network in the forms that are wanted.

import { LutraError } from "../../base/index.ts";
import { type Kernel, laneOf, type Over } from "../../kernel/index.ts";
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
  #count = 0;

  /** A new tensor. */
  declare(lane: TensorLane, shape: Shape, type: Partial<TensorType> = {}, name = `v${this.#count++}`): string {
    this.#tensors[name] = { lane, shape: shape.map(toSize), ...type };
    this.#shapes.set(name, shape);
    return name;
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

  kernel(kernel: Kernel, tile: Shape, args: Readonly<Record<string, string>>, results: readonly string[]): void {
    this.emit({ op: "kernel", kernel, tile: tile.map(toSize), arguments: args, results });
  }

  has(tensor: string): boolean {
    return this.#tensors[tensor] !== undefined;
  }

  shapeOf(tensor: string): Shape {
    return this.#shapes.get(tensor) as Shape;
  }

  reshaped(tensor: string, shape: Shape): string {
    const { lane, range, quantization } = this.#tensors[tensor] as TensorType;
    const kept = { ...(range === undefined ? {} : { range }), ...(quantization === undefined ? {} : { quantization }) };
    const result = this.declare(lane, shape, kept);
    this.emit({ op: "reshape", input: tensor, result });
    return result;
  }

  /** A tensor as an argument of a kernel over a tile: what it varies over, without an axis of rows or columns that is 1. */
  aligned(tensor: string, tile: Shape): Aligned {
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

export function fault({ network }: Lowering, tensor: string, message: string, note?: string): LutraError {
  const where = network.sources[tensor] ?? tensor;
  return new LutraError("unsupported", message, note === undefined ? { where } : { where, note });
}
