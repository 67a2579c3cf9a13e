// Regions of elementwise nodes that are functions of one value: grown from a root backwards, latest node first, so that every cut to a
// single value is met, smallest first. What a region computes inside is used nowhere else. Only reads.

import type { NodeProto } from "onnx-buf";
import type { Graph } from "./graph.ts";
import { bend, decimal, isElementwise, liftNode, type Term } from "./lift.ts";

export interface Region {
  /** The value it is a function of. */
  readonly source: string;
  /** In graph order, the root last. */
  readonly nodes: readonly NodeProto[];
  /** The function, as an expression in x. */
  readonly text: string;
  /** Nodes that bend: all of them, and those that a table is made for. */
  readonly bends: { readonly all: number; readonly strong: number };
}

/** Most nodes of a region; real layers have at most some 12, and twice as many with a rounding behind each. */
const MAX_NODES = 24;

export interface Place {
  readonly graph: Graph;
  /** Position of a node in the graph. */
  readonly order: ReadonlyMap<NodeProto, number>;
  /** Whether a node may be part of a region. */
  readonly isFree: (node: NodeProto) => boolean;
  /** What sites found before read: the nodes they replace read nothing else any more. */
  readonly needed: ReadonlySet<string>;
}

/** All regions that end in a node, growing. */
export function* regionsAt(place: Place, root: NodeProto): Generator<Region> {
  const { graph, isFree } = place;
  const nodes: NodeProto[] = [];
  const inside = new Set<NodeProto>();
  const open = new Set<string>();
  const bends = { all: 0, strong: 0 };
  for (let next: NodeProto | null = root; next !== null && nodes.length < MAX_NODES; ) {
    if (!isElementwise(next) || !isFree(next)) return;
    nodes.push(next);
    inside.add(next);
    open.delete(next.output[0]);
    const size = bend(next, graph);
    if (size > 0) bends.all++;
    if (size === 2) bends.strong++;
    for (const name of next.input) if (name !== "" && graph.constants.scalar(name) === null) open.add(name);
    if (open.size === 0) return;
    if (open.size === 1 && bends.all > 0) {
      const [source] = open;
      const ordered = nodes.toReversed();
      const text = isDatum(graph, source) ? textOf(graph, ordered, source) : null;
      if (text !== null) yield { source, nodes: ordered, text, bends: { ...bends } };
    }
    next = latest(place, open, inside);
  }
}

/** The producer to take in next: that of the latest open value, if nothing outside needs it; else none, for no cut lies beyond. */
function latest(
  { graph, order, isFree, needed }: Place,
  open: ReadonlySet<string>,
  inside: ReadonlySet<NodeProto>,
): NodeProto | null {
  let found: NodeProto | null = null;
  for (const name of open) {
    const producer = graph.producer(name);
    if (producer !== undefined && (found === null || position(order, producer) > position(order, found)))
      found = producer;
  }
  if (found === null || found.output.filter((name) => name !== "").length !== 1) return null;
  const [output] = found.output;
  if (graph.isOutput(output) || needed.has(output)) return null;
  return graph.consumers(output).every((user) => inside.has(user) || !isFree(user)) ? found : null;
}

function position(order: ReadonlyMap<NodeProto, number>, node: NodeProto): number {
  return order.get(node) ?? -1;
}

/** A binary32 value that input data flow into. */
function isDatum(graph: Graph, name: string): boolean {
  return graph.maybeFloat32(name) && graph.facts(name).data;
}

function textOf(graph: Graph, nodes: readonly NodeProto[], source: string): string | null {
  const terms = new Map<string, Term>([[source, { is: "number", text: "x" }]]);
  for (const node of nodes) {
    const args = node.input.map((name) => (name === "" ? null : (terms.get(name) ?? constantTerm(graph, name))));
    if (args.some((arg, i) => arg === null && node.input[i] !== "")) return null;
    const term = liftNode(node, args);
    if (term === null || (term.is === "number" && !graph.maybeFloat32(node.output[0]))) return null;
    terms.set(node.output[0], term);
  }
  const result = terms.get(nodes[nodes.length - 1].output[0]);
  return result?.is === "number" ? result.text : null;
}

function constantTerm(graph: Graph, name: string): Term | null {
  const value = graph.constants.scalar(name);
  return value === null || Number.isNaN(value) || Math.abs(value) === Infinity
    ? null
    : { is: "number", text: decimal(value) };
}
