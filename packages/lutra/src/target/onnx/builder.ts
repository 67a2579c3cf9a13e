// Collects the nodes of one function: fresh names, constants shared by content, results renamed to the function's outputs.

import {
  type AttributeValue,
  constant,
  type Elements,
  type FunctionDefinition,
  int64,
  node,
} from "../../onnx/index.ts";

/** ONNX element types used here (TensorProto.DataType). */
export const FLOAT = 1n;
export const INT32 = 6n;
export const INT64 = 7n;

export class FunctionBuilder {
  readonly opset: number;
  readonly #nodes: ReturnType<typeof node>[] = [];
  readonly #constants = new Map<string, string>();
  #count = 0;

  constructor(opset: number) {
    this.opset = opset;
  }

  /** Appends an operator with one output and returns that output's name. */
  op(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    const output = this.#fresh();
    this.#nodes.push(node(opType, inputs, [output], attributes));
    return output;
  }

  /** A scalar (number) or one-dimensional binary32 constant. */
  floats(values: number | readonly number[]): string {
    return this.#constant(`f${JSON.stringify(asKey(values))}`, (output) =>
      constant(output, typeof values === "number" ? values : Float32Array.from(values)),
    );
  }

  /** A constant of integers of the array's type: one-dimensional, or a scalar for shape []. */
  integers(values: Elements, shape: readonly number[] = [values.length]): string {
    const key = `${values.constructor.name}${shape.length}[${values.join()}]`;
    return this.#constant(key, (output) => constant(output, values, shape));
  }

  /** A scalar (number) or one-dimensional int64 constant. */
  ints(values: number | readonly number[]): string {
    return this.#constant(`i${JSON.stringify(values)}`, (output) =>
      typeof values === "number" ? constant(output, int64([values]), []) : constant(output, int64(values)),
    );
  }

  /** A reduction over the axes, dimensions kept. Axes moved from attribute to input at an opset that depends on the operator. */
  reduce(opType: "ReduceMax" | "ReduceSum" | "ReduceMean", x: string, axes: readonly number[]): string {
    const axesAreInput = this.opset >= (opType === "ReduceSum" ? 13 : 18);
    return axesAreInput
      ? this.op(opType, [x, this.ints(axes)], { keepdims: 1n })
      : this.op(opType, [x], { axes: axes.map(BigInt), keepdims: 1n });
  }

  /** @param results names of the values that become outputs, in order */
  finish(name: string, inputs: readonly string[], results: readonly string[]): FunctionDefinition {
    const outputs = results.map((_, i) => (results.length === 1 ? "y" : `y${i}`));
    for (const [i, result] of results.entries()) {
      this.#nodes.push(node("Identity", [result], [outputs[i] as string], {}));
    }
    return { name, inputs, outputs, nodes: this.#nodes };
  }

  #constant(key: string, make: (output: string) => ReturnType<typeof node>): string {
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const output = this.#fresh();
    this.#nodes.push(make(output));
    this.#constants.set(key, output);
    return output;
  }

  #fresh(): string {
    return `t${this.#count++}`;
  }
}

/** Infinities and -0 as distinct text: JSON alone would merge them. */
function asKey(values: number | readonly number[]): unknown {
  const text = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));
  return typeof values === "number" ? text(values) : values.map(text);
}
