// Values with one number per row, and how a graph spreads them over the row again: reductions that keep their axes do so by themselves,
// others through Reshape, Unsqueeze, Squeeze or Expand. Only reads; what cannot be told counts as wrong.

import type { NodeProto } from "onnx-buf";
import { numberAttribute } from "./attribute.ts";
import type { Graph } from "./graph.ts";
import { axesOf } from "./infer.ts";
import { MAX_RANK } from "./limits.ts";

/** Operators that give a value per row another shape. */
export const SPREADING: ReadonlySet<string> = new Set(["Reshape", "Unsqueeze", "Expand", "Identity", "Cast"]);

/** Nodes that compute values per row and put them to use; the row's axes, negative. */
interface RowWork {
  readonly nodes: ReadonlySet<NodeProto>;
  readonly axes: readonly number[] | null;
}

/** Longest chain of nodes followed to the end of a shape. */
const MAX_CHAIN = 8;

/**
 * Whether the values per row in a match are combined with the row they came from. Always so if every reduction keeps its axes and nothing
 * reshapes; otherwise every node must combine values of one known rank, and what raises a rank must put the 1 where the row was.
 */
export function isSpread(graph: Graph, { nodes, axes }: RowWork): boolean {
  const all = [...nodes];
  const loses = (node: NodeProto): boolean =>
    node.opType.startsWith("Reduce") && numberAttribute(node, "keepdims", 1) === 0;
  if (!all.some((node) => loses(node) || SPREADING.has(node.opType))) return true;
  return all.every((node) => {
    if (node.opType.startsWith("Reduce") || node.opType === "Identity" || node.opType === "Cast") return true;
    if (SPREADING.has(node.opType)) return spreads(graph, node, axes ?? []);
    const ranks = node.input
      .filter((name) => name !== "" && !graph.constants.has(name))
      .map((name) => graph.facts(name).rank);
    return ranks.every((rank) => rank !== null && rank === ranks[0]);
  });
}

/** Whether the node's result has extent 1, or was spread before, along the axes of the row. */
function spreads(graph: Graph, node: NodeProto, axes: readonly number[]): boolean {
  const [before, after] = [graph.facts(node.input[0]).rank, graph.facts(node.output[0]).rank];
  if (before === null || after === null) return false;
  if (node.opType === "Expand") return before === after;
  if (node.opType === "Unsqueeze") {
    const added = axesOf(node, graph.constants)?.map((axis) => (axis < 0 ? axis : axis - after));
    return added?.toSorted((a, b) => a - b).join() === axes.join();
  }
  // Whatever the other extents are: a result [.., 1, ..] that goes with data [.., n, ..] holds the rows in their order.
  return axes.length === 1 && after - before <= 1 && extentIn(graph, node.input[1] ?? "", axes[0]) === 1;
}

/** Extent of a value along a negative axis, from its declaration or from the shape it was given; null if not known. */
export function extentAlong(graph: Graph, name: string, axis: number): number | null {
  const { input, valueInfo } = graph.model.graph;
  const declared = [...input, ...valueInfo].find((info) => info.name === name)?.type?.value;
  const dim = declared?.case === "tensorType" ? declared.value.shape?.dim.at(axis)?.value : undefined;
  if (dim?.case === "dimValue" && dim.value > 0n) return Number(dim.value);
  const producer = graph.producer(name);
  return producer?.opType === "Reshape" ? extentIn(graph, producer.input[1] ?? "", axis) : null;
}

/** The number at a negative index of a shape vector; null if it is computed, or no extent. */
function extentIn(graph: Graph, name: string, axis: number): number | null {
  let index = axis;
  let current = name;
  for (let steps = 0; steps < MAX_CHAIN; steps++) {
    const known = graph.constants.numbers(current, MAX_RANK);
    if (known !== null) return (known.at(index) ?? 0) > 0 ? (known.at(index) ?? null) : null;
    const producer = graph.producer(current);
    if (producer === undefined || !["Concat", "Cast", "Identity"].includes(producer.opType)) return null;
    const parts = [...producer.input];
    for (let last = parts.pop(); last !== undefined; last = parts.pop()) {
      current = last;
      const length = graph.facts(last).length;
      if (length === null || index >= -length) break;
      index += length;
    }
  }
  return null;
}
