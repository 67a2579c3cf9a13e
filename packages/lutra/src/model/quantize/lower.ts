// A Network as an integer Program: every tensor in the forms its readers want, each in a format for the numbers that were seen in it. From the
// outputs back to the inputs: what nobody reads is not made.

import { LutraError } from "../../base/index.ts";
import { fill } from "../../kernel/index.ts";
import { elementwise } from "../../layer/index.ts";
import { codeRange, exponentOf, type IntegerFormat, integerFormat, powerOfTwo, valuesOf } from "../../num/index.ts";
import { type Program, shareKernels, type TensorLane, type TensorType } from "../../program/index.ts";
import type { Spec } from "../../table/index.ts";
import type { Constant, Network, Operator } from "../trace/network.ts";
import { arithmetic } from "./arithmetic.ts";
import { attention, probabilities } from "./attention.ts";
import {
  constantOf,
  fault,
  type Held,
  type Lowering,
  type LowerOptions,
  ProgramBuilder,
  partOf,
  shapeIn,
  tensorLane,
  whereabouts,
} from "./context.ts";
import { readersOf } from "./detours.ts";
import { BITS, Formats, formatFor, isInfinite, type Role, rangeOf } from "./formats.ts";
import { weighedOnce } from "./fusion.ts";
import { linear } from "./linear.ts";
import { normTo } from "./norms.ts";
import { plainMean, plainSelect } from "./plain.ts";
import { rescaled } from "./rescaled.ts";

/** Bits that 16 have more than 8 with a zero point: with both signs, those have 9. */
const MOST_FINER = 7;

/**
 * The program of a network.
 * @throws LutraError "unsupported" naming what has no integer form
 */
export function lower(network: Network, options: LowerOptions): Program {
  const lowering = new Lowered(network, options);
  const outputs = Object.entries(network.outputs).map(
    ([name, tensor]) => [name, lowering.need(tensor, "long").tensor] as const,
  );
  return shareKernels(lowering.builder.finish(options, network.inputs, Object.fromEntries(outputs)));
}

class Lowered implements Lowering {
  readonly network: Network;
  readonly options: LowerOptions;
  readonly builder: ProgramBuilder;
  readonly #formats: Formats;
  readonly #operators: ReadonlyMap<string, Operator>;
  readonly #readers: ReadonlyMap<string, readonly Operator[]>;
  /** Tensors of the network with those of the program that hold them. */
  readonly #told = new Set<string>();
  readonly #made = new Map<string, unknown>();

  constructor(network: Network, options: LowerOptions) {
    this.network = network;
    this.options = options;
    this.builder = new ProgramBuilder(network.inputs);
    this.#formats = new Formats(network, options.range);
    this.#readers = readersOf(network);
    this.#operators = new Map(network.operators.map((operator) => [operator.result, operator]));
  }

  operatorOf(tensor: string): Operator | undefined {
    return this.#operators.get(tensor);
  }

  readersOf(tensor: string): readonly Operator[] {
    return this.#readers.get(tensor) ?? [];
  }

  need(tensor: string, role: Role): Held {
    return this.once(`${role} ${tensor}`, () => {
      const held = this.#placed(tensor, () => this.#make(tensor, role));
      const key = JSON.stringify([tensor, held.tensor]);
      if (!this.#told.has(key)) this.options.onHeld?.(tensor, held, role);
      this.#told.add(key);
      return held;
    });
  }

  ids(tensor: string): string {
    return this.once(`ids ${tensor}`, () => this.#makeIds(tensor));
  }

  /** Errors of kernels know no model: they get the place of what was being made. */
  #placed(tensor: string, make: () => Held): Held {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof LutraError) || error.where !== undefined) throw error;
      const { code, message, note } = error;
      const details = { where: whereabouts(this, tensor), cause: error };
      throw new LutraError(code, message, note === undefined ? details : { ...details, note });
    }
  }

  once<T>(key: string, make: () => T): T {
    if (!this.#made.has(key)) this.#made.set(key, make());
    return this.#made.get(key) as T;
  }

  #make(name: string, role: Role): Held {
    const format = this.#formats.of(name, role);
    const constant = constantOf(this, name);
    if (constant !== undefined) return this.#quantized(constant, format);
    const operator = this.operatorOf(name);
    if (operator === undefined) return this.#input(name, role, format);
    switch (operator.op) {
      case "reshape": {
        const source = this.need(operator.input, role);
        return { ...source, tensor: this.builder.reshaped(source.tensor, shapeIn(this, name)) };
      }
      case "move":
        return this.#move(operator, role, format);
      case "gather":
        return this.#gather(operator, role);
      case "product":
        return constantOf(this, operator.b) === undefined
          ? attention(this, operator, format)
          : linear(this, { product: operator, bias: null }, format);
      case "softmax":
        return probabilities(this, operator, format);
      case "binary":
        return arithmetic(this, operator, format, role);
      case "function":
        return this.#function(operator, format);
      case "norm":
        return this.#norm(operator, role, format);
      case "mean":
        return plainMean(this, operator, format);
      case "select":
        return plainSelect(this, operator, role === "long" ? this.#formats.of(name, "wide") : format);
      case "count":
        throw fault(this, name, "positions as numbers have no integer form");
      default:
        return operator satisfies never;
    }
  }

  #quantized({ shape, data }: Constant, format: IntegerFormat): Held {
    const { lo, hi } = codeRange(format);
    const codes = data.map((x) => Math.max(lo, Math.min(hi, Math.round(x / format.scale) + format.zeroPoint)));
    const lane = tensorLane(format);
    const array =
      lane === "i8" ? Int8Array.from(codes) : lane === "i16" ? Int16Array.from(codes) : Int32Array.from(codes);
    return { tensor: this.builder.constant(array, lane, shape), format };
  }

  /** In 8 bits where nothing wants more; else in 16, from which 8 are made for those that want no more. */
  #input(name: string, role: Role, format: IntegerFormat): Held {
    if (this.#isReadInBytes(name)) return this.#byteInput(name, role, format);
    if (role !== "wide") return this.#as(this.need(name, "wide"), format);
    const { scale, zeroPoint } = format;
    return { tensor: this.#declareInput(name, "i16", { quantization: { scale, zeroPoint } }), format };
  }

  /** The tensor of an input: of numbers in one form, or of ids. */
  #declareInput(name: string, lane: TensorLane, type: Partial<TensorType>): string {
    if (this.builder.has(name)) throw fault(this, name, `the input ${name} is read as numbers and as ids or flags too`);
    return this.builder.declare(lane, shapeIn(this, name), type, name);
  }

  /** Whether products with weights and tables are all that reads a tensor, as it is, reshaped or moved. */
  #isReadInBytes(name: string): boolean {
    return this.readersOf(name).every((operator) => {
      if (operator.op === "reshape" || operator.op === "move") return this.#isReadInBytes(operator.result);
      return operator.op === "function" || this.#isWeighed(operator);
    });
  }

  #isWeighed(operator: Operator): boolean {
    return operator.op === "product" && constantOf(this, operator.b) !== undefined;
  }

  /** Read by products with weights only, an input has a scale for each place of its last axis: the weights take it in. */
  #byteInput(name: string, role: Role, format: IntegerFormat): Held {
    if (role !== "byte")
      throw fault(this, name, `the input ${name} is read by other than products with weights and tables`);
    if (!this.readersOf(name).every((operator) => this.#isWeighed(operator))) {
      const { scale, zeroPoint } = format;
      return { tensor: this.#declareInput(name, "i8", { quantization: { scale, zeroPoint } }), format };
    }
    // Without zero points: one for all places would cost as much as it gives.
    const own = this.options.weighedInput?.(name) ?? "even";
    const scales = this.options.columnRanges(name).map((range) => formatFor(own, range).scale);
    const one = integerFormat(true, BITS[own], 1);
    const { lo, hi } = codeRange(one);
    const type = { range: [lo, hi] as const, quantization: { scale: scales, zeroPoint: 0 } };
    return { tensor: this.#declareInput(name, tensorLane(one), type), format: one, scales };
  }

  /** In the format of the one source, if the fill has a code in it; else in the format that all share, in 16 bits if sources have no more. */
  #move({ pieces, fill: empty, result }: Extract<Operator, { op: "move" }>, role: Role, own: IntegerFormat): Held {
    const sources = pieces.map(({ from }) => this.need(from, role));
    const [first, ...others] = sources;
    const format = first !== undefined && others.length === 0 && hasCode(first.format, empty) ? first.format : own;
    if (role === "long" && sources.some((source) => source.format.bits < format.bits)) return this.need(result, "wide");
    const y = this.builder.codes(format, shapeIn(this, result));
    const parts = pieces.map((piece, i) => partOf(piece, this.#as(sources[i] as Held, format).tensor));
    const { lo, hi } = codeRange(format);
    const code = Math.max(lo, Math.min(hi, codeOf(empty, format)));
    this.builder.emit({ op: "move", parts, fill: code, result: y.tensor });
    return y;
  }

  /** The same numbers in another format. */
  #as(held: Held, format: IntegerFormat): Held {
    return rescaled(this, held, format);
  }

  /** Rows of a table of 8-bit codes, whatever is wanted: wider ones would only make the file longer. */
  #gather({ table, ids, result }: Extract<Operator, { op: "gather" }>, role: Role): Held {
    const constant = constantOf(this, table);
    if (constant === undefined) throw fault(this, result, "a gather from what a run computes has no integer form");
    const rows = this.#quantized(constant, formatFor(role === "byte" ? "byte" : "even", rangeOf(constant.data)));
    const y = this.builder.codes(rows.format, shapeIn(this, result));
    this.builder.emit({ op: "gather", table: rows.tensor, ids: this.ids(ids), result: y.tensor });
    return y;
  }

  #function({ fn, input, result }: Extract<Operator, { op: "function" }>, format: IntegerFormat): Held {
    const weighed = weighedOnce(this, input);
    // Of one reader: another one may want another format, and the product would be made again.
    if (weighed !== null && this.readersOf(result).length === 1) {
      return linear(this, weighed, this.#formats.of(input, "byte"), { by: "function", fn, output: format });
    }
    const x = this.need(input, "byte");
    const spec: Spec = { fn, domain: valuesOf(x.format), input: x.format, output: format };
    const shape = shapeIn(this, result);
    const y = this.builder.codes(format, shape);
    const kernel = fill(elementwise(spec), { f: this.options.table(spec) });
    this.builder.kernel(kernel, shape, { x: x.tensor }, [y.tensor]);
    return y;
  }

  /** Wanted in 8 bits and in more, a norm gives both at once: those of 8 bits are the others rounded again. */
  #norm(operator: Extract<Operator, { op: "norm" }>, role: Role, format: IntegerFormat): Held {
    const { result } = operator;
    if ((role !== "byte" && role !== "wide") || !this.#isReadInBoth(result)) return normTo(this, operator, format)[0];
    const [coarse, wide] = [this.#formats.of(result, "byte"), this.#formats.of(result, "wide")];
    // Not so fine that 16 bits would hold less than they are to.
    const finer = Math.min(MOST_FINER, exponentOf(coarse.scale / wide.scale));
    if (finer < 1) return normTo(this, operator, format)[0];
    const both = this.once(`norm ${result}`, () => {
      return normTo(this, operator, integerFormat(true, 16, coarse.scale * powerOfTwo(-finer)), coarse);
    });
    return both[role === "byte" ? 1 : 0] as Held;
  }

  /** Whether products with weights and others read a tensor, as it is, reshaped or moved. */
  #isReadInBoth(name: string): boolean {
    const readers = (at: string): readonly Operator[] =>
      this.readersOf(at).flatMap((operator) =>
        operator.op === "reshape" || operator.op === "move" ? readers(operator.result) : [operator],
      );
    const all = readers(name);
    const isByte = (operator: Operator): boolean => operator.op === "function" || this.#isWeighed(operator);
    const isWide = ({ op, ...rest }: Operator): boolean =>
      op === "norm" || (op === "binary" && "fn" in rest && rest.fn !== "mul");
    return all.some(isByte) && all.some(isWide);
  }

  #makeIds(name: string): string {
    const constant = constantOf(this, name);
    if (constant !== undefined) return this.builder.constant(Int32Array.from(constant.data), "i32", constant.shape);
    const operator = this.operatorOf(name);
    const shape = shapeIn(this, name);
    if (operator === undefined) {
      return this.#declareInput(name, "i32", { range: [0, this.options.largestCode(name)] });
    }
    if (operator.op === "reshape") return this.builder.reshaped(this.ids(operator.input), shape);
    const result = this.builder.declare("i32", shape);
    if (operator.op === "count") {
      this.builder.emit({ op: "count", result });
    } else if (operator.op === "move") {
      const parts = operator.pieces.map((piece) => partOf(piece, this.ids(piece.from)));
      this.builder.emit({ op: "move", parts, fill: operator.fill, result });
    } else {
      throw fault(this, name, "ids that a run computes have no integer form");
    }
    return result;
  }
}

function codeOf(x: number, { scale, zeroPoint }: IntegerFormat): number {
  return Math.round(x / scale) + zeroPoint;
}

/** Whether a format need not saturate a number; none has more than the largest code for those that stand for infinity. */
function hasCode(format: IntegerFormat, x: number): boolean {
  const { lo, hi } = codeRange(format);
  const code = codeOf(x, format);
  return isInfinite(x) || (code >= lo && code <= hi);
}
