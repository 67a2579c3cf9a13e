// A Network as an integer Program: every tensor in the forms its readers want, each in a format for the numbers that were seen in it. From the
// outputs back to the inputs: what nobody reads is not made.

import { fill, type Hole, holes } from "../../kernel/index.ts";
import { elementwise, layerNormCodes, normParameters, rescaleCodes, rmsNormCodes } from "../../layer/index.ts";
import { codeRange, type IntegerFormat, integerFormat, valuesOf } from "../../num/index.ts";
import { numberOf, type Polynomial, type Program } from "../../program/index.ts";
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
} from "./context.ts";
import { Formats, formatFor, type Role, rangeOf } from "./formats.ts";
import { linear } from "./linear.ts";

/**
 * The program of a network.
 * @throws LutraError "unsupported" naming what has no integer form
 */
export function lower(network: Network, options: LowerOptions): Program {
  const lowering = new Lowered(network, options);
  const outputs = Object.entries(network.outputs).map(
    ([name, tensor]) => [name, lowering.need(tensor, "long").tensor] as const,
  );
  return lowering.builder.finish(options, network.inputs, Object.fromEntries(outputs));
}

class Lowered implements Lowering {
  readonly network: Network;
  readonly options: LowerOptions;
  readonly builder: ProgramBuilder = new ProgramBuilder();
  readonly #formats: Formats;
  readonly #operators: ReadonlyMap<string, Operator>;
  readonly #made = new Map<string, unknown>();

  constructor(network: Network, options: LowerOptions) {
    this.network = network;
    this.options = options;
    this.#formats = new Formats(network, options.range);
    this.#operators = new Map(network.operators.map((operator) => [operator.result, operator]));
  }

  operatorOf(tensor: string): Operator | undefined {
    return this.#operators.get(tensor);
  }

  need(tensor: string, role: Role): Held {
    return this.once(`${role} ${tensor}`, () => this.#make(tensor, role));
  }

  ids(tensor: string): string {
    return this.once(`ids ${tensor}`, () => this.#makeIds(tensor));
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
          : linear(this, operator, null, format);
      case "softmax":
        return probabilities(this, operator, format);
      case "binary":
        return arithmetic(this, operator, format, role);
      case "function":
        return this.#function(operator, format);
      case "norm":
        return this.#norm(operator, format);
      default:
        throw fault(this, name, `${operator.op} has no integer form here`);
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

  /** Read by products with weights only, an input has a scale for each place of its last axis: the weights take it in. */
  #input(name: string, role: Role, format: IntegerFormat): Held {
    if (role !== "byte")
      throw fault(this, name, `the input ${name} is read by other than products with weights and tables`);
    const readers = this.network.operators.filter((operator) => Object.values(operator).includes(name));
    const isWeighed = readers.every(
      (operator) => operator.op === "product" && constantOf(this, operator.b) !== undefined,
    );
    const shape = shapeIn(this, name);
    if (!isWeighed) {
      const { scale, zeroPoint } = format;
      return { tensor: this.builder.declare("i8", shape, { quantization: { scale, zeroPoint } }, name), format };
    }
    // Without zero points: one for all places would cost as much as it gives.
    const scales = this.options.columnRanges(name).map((range) => formatFor("even", range).scale);
    const tensor = this.builder.declare("i8", shape, { quantization: { scale: scales, zeroPoint: 0 } }, name);
    return { tensor, format: integerFormat(true, 8, 1), scales };
  }

  #move({ pieces, fill: empty, result }: Extract<Operator, { op: "move" }>, role: Role, own: IntegerFormat): Held {
    const sources = pieces.map(({ from }) => this.need(from, role));
    const format = sources.length === 1 ? (sources[0] as Held).format : own;
    const y = this.builder.codes(format, shapeIn(this, result));
    const parts = pieces.map((piece, i) => partOf(piece, this.#as(sources[i] as Held, format).tensor));
    const code = Math.round(empty / format.scale) + format.zeroPoint;
    this.builder.emit({ op: "move", parts, fill: code, result: y.tensor });
    return y;
  }

  /** The same numbers in another format. */
  #as(held: Held, format: IntegerFormat): Held {
    if (JSON.stringify(held.format) === JSON.stringify(format)) return held;
    const shape = this.builder.shapeOf(held.tensor);
    const y = this.builder.codes(format, shape);
    this.builder.kernel(rescaleCodes({ input: held.format, output: format }), shape, { x: held.tensor }, [y.tensor]);
    return y;
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
    const x = this.need(input, "byte");
    const spec: Spec = { fn, domain: valuesOf(x.format), input: x.format, output: format };
    const shape = shapeIn(this, result);
    const y = this.builder.codes(format, shape);
    const kernel = fill(elementwise(spec), { f: this.options.table(spec) });
    this.builder.kernel(kernel, shape, { x: x.tensor }, [y.tensor]);
    return y;
  }

  #norm({ kind, epsilon, input, gamma, beta, result }: Extract<Operator, { op: "norm" }>, format: IntegerFormat): Held {
    const x = this.need(input, "wide");
    const shape = shapeIn(this, result);
    const columns = numberOf(shape.at(-1) as Polynomial);
    if (columns === null) throw fault(this, result, "a norm's rows have one length in every run");
    const numbers = (name: string | null, otherwise: number): ArrayLike<number> => {
      const data = name === null ? undefined : constantOf(this, name)?.data;
      return data !== undefined && data.length > 1 ? data : new Float64Array(columns).fill(data?.[0] ?? otherwise);
    };
    const parameters = normParameters(numbers(gamma, 1), numbers(beta, 0), format);
    const make = kind === "layer-norm" ? layerNormCodes : rmsNormCodes;
    const { gammaShift } = parameters;
    const empty = make({ input: x.format, output: format, columns, epsilon, gammaShift, beta: true, mantissaBits: 8 });
    const [{ spec }] = holes(empty) as [Hole];
    const y = this.builder.codes(format, shape);
    const args = {
      x: x.tensor,
      gamma: this.builder.constant(parameters.gamma, "i16", [columns]),
      beta: this.builder.constant(parameters.beta, "i32", [columns]),
    };
    this.builder.kernel(fill(empty, { rsqrt: this.options.table(spec) }), shape, args, [y.tensor]);
    return y;
  }

  #makeIds(name: string): string {
    const constant = constantOf(this, name);
    if (constant !== undefined) return this.builder.constant(Int32Array.from(constant.data), "i32", constant.shape);
    const operator = this.operatorOf(name);
    const shape = shapeIn(this, name);
    if (operator === undefined) {
      return this.builder.declare("i32", shape, { range: [0, this.options.largestCode(name)] }, name);
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
