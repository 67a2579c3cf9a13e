// Collects the nodes that a recurrent or attention operator becomes. Every value and its node have one name, `<prefix>/<name>`; the caller gives each
// name once. Hides what changed between opset 12 and now: axes and sizes were attributes before opset 13.

import type { NodeProto } from "onnx-buf";
import { type AttributeValue, constant, int64, node } from "../build.ts";

export class Nodes {
  readonly list: NodeProto[] = [];
  readonly prefix: string;
  readonly opset: number;

  constructor(prefix: string, opset: number) {
    this.prefix = prefix;
    this.opset = opset;
  }

  /** Appends an operator with one output; returns the output's name. */
  op(
    name: string,
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string {
    return this.ops([name], opType, inputs, attributes)[0];
  }

  /** Appends an operator with several outputs; returns their names. */
  ops(
    names: readonly string[],
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): readonly string[] {
    const outputs = names.map((name) => `${this.prefix}/${name}`);
    this.list.push(node(opType, inputs, outputs, attributes, { name: outputs[0] }));
    return outputs;
  }

  /** A binary32 scalar. */
  number(name: string, value: number): string {
    return this.constant(name, constant(`${this.prefix}/${name}`, value));
  }

  /** An int64 vector, or a scalar. */
  integers(name: string, values: readonly number[] | number): string {
    const list = typeof values === "number" ? [values] : values;
    const shape = typeof values === "number" ? [] : [values.length];
    return this.constant(name, constant(`${this.prefix}/${name}`, int64(list), shape));
  }

  /** The values at one index of an axis; the axis is gone. */
  at(name: string, x: string, index: number, axis: number): string {
    return this.op(name, "Gather", [x, this.integers(`${name}_index`, index)], { axis: BigInt(axis) });
  }

  /** Parts of the last axis, of these sizes. */
  split(names: readonly string[], x: string, sizes: readonly number[]): readonly string[] {
    if (this.opset < 13) return this.ops(names, "Split", [x], { axis: -1n, split: sizes.map(BigInt) });
    return this.ops(names, "Split", [x, this.integers(`${names.join("_")}_sizes`, sizes)], { axis: -1n });
  }

  /** As many equal parts of the last axis as there are names. */
  splitEqually(names: readonly string[], x: string): readonly string[] {
    const count = this.opset < 18 ? {} : { num_outputs: BigInt(names.length) };
    return this.ops(names, "Split", [x], { axis: -1n, ...count });
  }

  unsqueeze(name: string, x: string, axis: number): string {
    if (this.opset < 13) return this.op(name, "Unsqueeze", [x], { axes: [BigInt(axis)] });
    return this.op(name, "Unsqueeze", [x, this.integers(`${name}_axis`, [axis])]);
  }

  /** The value under a name from outside: an output of what is expanded. Nothing if that output is left out. */
  give(output: string, x: string): void {
    if (output !== "") this.list.push(node("Identity", [x], [output], {}, { name: output }));
  }

  private constant(name: string, made: NodeProto): string {
    this.list.push(made);
    return `${this.prefix}/${name}`;
  }
}
