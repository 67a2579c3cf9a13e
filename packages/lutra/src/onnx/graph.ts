// A typed, read-only view of one graph, the model's own or a body: who produces and consumes a value, what is constant, element types and
// ranks as far as they can be told. Subgraphs are seen as consumers only. Built once per graph; nothing here changes the model.

import { type NodeProto, TensorProto_DataType } from "onnx-buf";
import { numberAttribute } from "./attribute.ts";
import { valuesRead } from "./check.ts";
import { type Constants, constantsOf } from "./constants.ts";
import { axesOf, type Facts, inferFacts, UNKNOWN } from "./infer.ts";
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
  /** The axes a Reduce node works along, negative and ascending; null if not known. */
  reducedAxes(node: NodeProto): readonly number[] | null;
  /** Negative form of axes of a value; null if its rank is needed and not known. */
  negativeAxes(axes: readonly number[], value: string): readonly number[] | null;
}

/** @param outside what is known of inputs that a body takes from the graphs around it */
export function viewGraph(model: Model, outside?: ReadonlyMap<string, Facts>): Graph {
  const nodes = model.graph.node;
  const producers = new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
  producers.delete("");
  const producer = (name: string): NodeProto | undefined => producers.get(name);
  const consumers = consumersOf(nodes);
  const outputs = new Set(model.graph.output.map((output) => output.name));
  const constants = constantsOf(model, producer);
  const known = inferFacts(model, constants, outside);
  const facts = (name: string): Facts => known.get(name) ?? UNKNOWN;
  return {
    model,
    nodes,
    constants,
    producer,
    consumers: (name) => consumers.get(name) ?? [],
    isOutput: (name) => outputs.has(name),
    facts,
    maybeFloat32: (name) => [null, TensorProto_DataType.FLOAT].includes(facts(name).element),
    negativeAxes: (axes, value) => negative(axes, facts(value).rank),
    reducedAxes: (node) => {
      const { rank } = facts(node.input[0] ?? "");
      const axes = axesOf(node, constants) ?? axesInRange(node, constants, producer, facts);
      if (axes === null || axes.length > 0) return axes === null ? null : negative(axes, rank);
      const isIdentity = numberAttribute(node, "noop_with_empty_axes", 0) !== 0;
      return rank === null || isIdentity ? null : Array.from({ length: rank }, (_, i) => i - rank);
    },
  };
}

/** Axes given as Range(first, rank, 1), as the standard writes "all from the first on"; null if they are given otherwise. */
function axesInRange(
  node: NodeProto,
  constants: Constants,
  producer: (name: string) => NodeProto | undefined,
  facts: (name: string) => Facts,
): readonly number[] | null {
  const range = producer(node.input[1] ?? "");
  if (range?.opType !== "Range") return null;
  const rankTaken = (name: string): number | null => {
    const size = producer(name);
    const shape = size?.opType === "Size" ? producer(size.input[0] ?? "") : undefined;
    return shape?.opType === "Shape" ? facts(shape.input[0] ?? "").rank : null;
  };
  const number = (name: string): number | null => {
    const known = constants.scalar(name) ?? rankTaken(name);
    const sum = known === null ? producer(name) : undefined;
    if (sum?.opType !== "Add") return known;
    const [a, b] = sum.input.map((part) => constants.scalar(part) ?? rankTaken(part));
    return a == null || b == null ? null : a + b;
  };
  const [first, end, step] = range.input.map(number);
  if (first == null || end == null || step !== 1 || end - first > MAX_RANK) return null;
  return Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
}

function consumersOf(nodes: readonly NodeProto[]): ReadonlyMap<string, readonly NodeProto[]> {
  const consumers = new Map<string, NodeProto[]>();
  for (const node of nodes) {
    for (const name of new Set(valuesRead(node))) {
      const list = consumers.get(name);
      if (list === undefined) consumers.set(name, [node]);
      else list.push(node);
    }
  }
  return consumers;
}

/** Axes counted from the last, ascending; null if that needs a rank which is not known, or if no tensor has such axes. */
function negative(axes: readonly number[], rank: number | null): readonly number[] | null {
  if (axes.some((axis) => Math.abs(axis) > MAX_RANK || (rank === null && axis >= 0))) return null;
  return axes.map((axis) => (axis < 0 ? axis : axis - (rank ?? 0))).sort((a, b) => a - b);
}
