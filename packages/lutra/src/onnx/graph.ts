// A typed, read-only view of a model's main graph: who produces and consumes a value, what is constant, element types and ranks as far
// as they can be told. Subgraphs are seen as consumers only. Built once per model; nothing here changes the model.

import { type NodeProto, TensorProto_DataType } from "onnx-buf";
import { valuesRead } from "./check.ts";
import { type Constants, constantsOf } from "./constants.ts";
import { axesOf, type Facts, inferFacts } from "./infer.ts";
import { MAX_RANK } from "./limits.ts";
import type { Model } from "./types.ts";

export interface Graph {
  readonly model: Model;
  readonly nodes: readonly NodeProto[];
  readonly constants: Constants;
  /** The node that computes a value; undefined for inputs and initializers. */
  producer(name: string): NodeProto | undefined;
  /** The nodes that read a value, those whose subgraphs do included. */
  consumers(name: string): readonly NodeProto[];
  isOutput(name: string): boolean;
  facts(name: string): Facts;
  /** False if the value is known to hold something else than binary32. */
  maybeFloat32(name: string): boolean;
  /** The axes of a Reduce node, negative and ascending; null if not known. [] given means all axes. */
  reducedAxes(node: NodeProto): readonly number[] | null;
  /** Negative form of axes of a value; null if its rank is needed and not known. */
  negativeAxes(axes: readonly number[], value: string): readonly number[] | null;
}

const NOTHING: Facts = { element: null, rank: null, length: null, data: true };

export function viewGraph(model: Model): Graph {
  const nodes = model.graph.node;
  const producers = new Map<string, NodeProto>();
  const consumers = new Map<string, NodeProto[]>();
  for (const node of nodes) {
    for (const name of node.output) if (name !== "") producers.set(name, node);
    for (const name of new Set(valuesRead(node))) {
      const list = consumers.get(name);
      if (list === undefined) consumers.set(name, [node]);
      else list.push(node);
    }
  }
  const outputs = new Set(model.graph.output.map((output) => output.name));
  const producer = (name: string): NodeProto | undefined => producers.get(name);
  const constants = constantsOf(model, producer);
  const known = inferFacts(model, constants);
  const facts = (name: string): Facts => known.get(name) ?? NOTHING;
  const negativeAxes = (axes: readonly number[], value: string): readonly number[] | null => {
    const { rank } = facts(value);
    if (axes.some((axis) => Math.abs(axis) > MAX_RANK)) return null;
    if (rank === null) return axes.every((axis) => axis < 0) ? ascending(axes) : null;
    return ascending(axes.map((axis) => (axis < 0 ? axis : axis - rank)));
  };
  return {
    model,
    nodes,
    constants,
    producer,
    consumers: (name) => consumers.get(name) ?? [],
    isOutput: (name) => outputs.has(name),
    facts,
    maybeFloat32: (name) => [null, TensorProto_DataType.FLOAT].includes(facts(name).element),
    negativeAxes,
    reducedAxes: (node) => {
      const data = node.input[0] ?? "";
      const axes = axesOf(node, constants);
      const { rank } = facts(data);
      if (axes === null) return null;
      if (axes.length > 0) return negativeAxes(axes, data);
      return rank === null ? null : ascending(Array.from({ length: rank }, (_, i) => i - rank));
    },
  };
}

function ascending(axes: readonly number[]): readonly number[] {
  return [...axes].sort((a, b) => a - b);
}
