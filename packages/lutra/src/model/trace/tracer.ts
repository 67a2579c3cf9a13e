// The state of a trace: values by their names in the model, and the operators so far. Every operator's result has a shape when it is appended.

import { LutraError } from "../../base/index.ts";
import { areSame, fromNumber, numberOf, type Polynomial, times } from "../../program/index.ts";
import type { Constant, Network, Operator, Piece, Place, Shape } from "./network.ts";
import { asSizes, shapeOf, type Traced } from "./values.ts";

/** An operator whose result is yet to be named. */
type Nameless<T> = T extends { readonly result: string } ? Omit<T, "result"> : never;

export const ONE: Polynomial = fromNumber(1);

export class Tracer {
  readonly operators: Operator[] = [];
  readonly shapes: Record<string, Shape> = {};
  readonly constants: Record<string, Constant> = {};
  readonly sources: Record<string, string> = {};
  readonly #values = new Map<string, Traced>();
  #count = 0;

  /** The node at work, for errors. */
  where = "";
  /** Whether a value of the model is known to hold integers, or true and false. */
  readonly isInteger: (name: string) => boolean;
  readonly isCondition: (name: string) => boolean;

  constructor(isInteger: (name: string) => boolean, isCondition: (name: string) => boolean) {
    this.isInteger = isInteger;
    this.isCondition = isCondition;
  }

  set(name: string, value: Traced): void {
    this.#values.set(name, value);
    if (value.kind === "tensor" && this.sources[value.name] === undefined) this.sources[value.name] = name;
  }

  find(name: string): Traced | undefined {
    return this.#values.get(name);
  }

  append(operator: Nameless<Operator>, shape: Shape): Traced {
    const result = `t${this.#count++}`;
    this.operators.push({ ...operator, result } as Operator);
    this.shapes[result] = shape;
    return { kind: "tensor", name: result, shape };
  }

  input(name: string, shape: Shape): void {
    this.shapes[name] = shape;
    this.set(name, { kind: "tensor", name, shape });
  }

  /** The value as a tensor: constants are put where tensors are. */
  tensor(value: Traced): string {
    if (value.kind === "tensor") return value.name;
    if (value.kind === "sizes") throw this.fault("a size of the run is used as a number");
    const name = `c${this.#count++}`;
    this.constants[name] = value.constant;
    return name;
  }

  reshape(value: Traced, shape: Shape): Traced {
    if (value.kind === "constant") {
      const numbers = shape.map(numberOf);
      const known = numbers.filter((x) => x !== null);
      if (known.length === shape.length) return { kind: "constant", constant: { ...value.constant, shape: known } };
    }
    const given = shapeOf(value);
    if (given.length === shape.length && given.every((size, i) => areSame(size, shape[i] as Polynomial))) return value;
    return this.append({ op: "reshape", input: this.tensor(value) }, shape);
  }

  move(pieces: readonly Piece[], shape: Shape, fill = 0): Traced {
    return this.append({ op: "move", pieces, fill }, shape);
  }

  network(inputs: readonly string[], outputs: Network["outputs"]): Network {
    const { operators, shapes, constants, sources } = this;
    const integers = inputs.filter((name) => this.isInteger(name) || this.isCondition(name));
    // What is only reshaped into a value of the model has its numbers.
    for (const operator of operators.toReversed()) {
      const source = sources[operator.result];
      if (operator.op === "reshape" && source !== undefined) sources[operator.input] ??= source;
    }
    return { inputs, integers, outputs, operators, shapes, constants, sources };
  }

  sizes(value: Traced): readonly Polynomial[] {
    const found = asSizes(value);
    if (found === null) throw this.fault("a shape depends on the data");
    return found;
  }

  fault(message: string): LutraError {
    return new LutraError("unsupported", message, {
      where: this.where,
      note: "a program's shapes follow from those of its inputs, and its operators are those of Transformers",
    });
  }
}

/** Row-major steps of each axis. */
export function stridesOf(shape: Shape): Shape {
  const strides: Polynomial[] = [];
  let stride = ONE;
  for (const extent of shape.toReversed()) {
    strides.unshift(stride);
    stride = times(stride, extent);
  }
  return strides;
}

export function whole(shape: Shape): Place {
  return { start: fromNumber(0), strides: stridesOf(shape) };
}
