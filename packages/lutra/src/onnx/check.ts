// The structure every later step relies on: each value has one producer, everything read exists, no cycle, in the graph and all
// its subgraphs. Types and shapes are not checked: that is the runtime's business.

import type { GraphProto, NodeProto } from "onnx-buf";
import { LutraError } from "../base/index.ts";

/** @throws LutraError "bad-model" naming the node or value at fault. `outer` tells what the enclosing graphs offer. */
export function checkGraph(graph: GraphProto, outer: (name: string) => boolean = () => false): void {
  const producers = producersOf(graph);
  const given = givenNames(graph);
  const isVisible = (name: string): boolean => producers.has(name) || given.has(name) || outer(name);
  for (const node of graph.node) {
    const missing = node.input.find((name) => name !== "" && !isVisible(name));
    if (hasTwins(node)) bad(`node ${labelOf(node)} has two bodies of one name`, `node ${labelOf(node)}`);
    if (missing !== undefined)
      bad(`node ${labelOf(node)} reads "${missing}", which nothing produces`, `node ${labelOf(node)}`);
  }
  for (const output of graph.output)
    if (!isVisible(output.name)) bad(`the output "${output.name}" is not produced by any node`, `graph ${graph.name}`);
  checkAcyclic(graph, producers);
  for (const node of graph.node) for (const body of subgraphs(node)) checkGraph(body, isVisible);
}

/** Bodies are told apart by the names of their attributes. */
function hasTwins(node: NodeProto): boolean {
  const names = node.attribute.flatMap(({ name, g, graphs }) => (g !== undefined || graphs.length > 0 ? [name] : []));
  return new Set(names).size < names.length;
}

/** The graphs in a node's attributes: the branches of If, the body of Loop and Scan. */
export function subgraphs(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap((attribute) =>
    attribute.g === undefined ? attribute.graphs : [attribute.g, ...attribute.graphs],
  );
}

/** Every value a node needs: its inputs, and what its subgraphs take from outside. */
export function valuesRead(node: NodeProto): string[] {
  return [...node.input.filter((name) => name !== ""), ...subgraphs(node).flatMap(outerValues)];
}

/** Names a subgraph reads but does not define itself. */
export function outerValues(graph: GraphProto): string[] {
  const own = givenNames(graph);
  for (const node of graph.node) for (const name of node.output) own.add(name);
  const read = [...graph.node.flatMap(valuesRead), ...graph.output.map((output) => output.name)];
  return read.filter((name) => !own.has(name));
}

/** Values a graph has without computing them: inputs and initializers. */
function givenNames(graph: GraphProto): Set<string> {
  const names = new Set([...graph.input, ...graph.initializer].map((value) => value.name));
  for (const sparse of graph.sparseInitializer) names.add(sparse.values?.name ?? "");
  return names;
}

/** How a node is called in messages: its name, or its operator and first output. */
function labelOf(node: NodeProto): string {
  return node.name !== "" ? node.name : `${node.opType} -> ${node.output.find((name) => name !== "") ?? "nothing"}`;
}

function producersOf(graph: GraphProto): Map<string, number> {
  const producers = new Map<string, number>();
  const given = givenNames(graph);
  graph.node.forEach((node, index) => {
    for (const name of node.output) {
      if (name === "") continue;
      if (producers.has(name) || given.has(name))
        bad(`the value "${name}" is produced more than once`, `node ${labelOf(node)}`);
      producers.set(name, index);
    }
  });
  return producers;
}

/** Removes nodes whose inputs are ready until none is left (Kahn); what remains leads into a cycle. */
function checkAcyclic(graph: GraphProto, producers: ReadonlyMap<string, number>): void {
  const sources = graph.node.map((node) => [...new Set(valuesRead(node).flatMap((name) => producers.get(name) ?? []))]);
  const waiting = sources.map((list) => list.length);
  const users: number[][] = graph.node.map(() => []);
  sources.forEach((list, index) => {
    for (const source of list) users[source].push(index);
  });
  const ready = waiting.flatMap((count, index) => (count === 0 ? [index] : []));
  for (let next = ready.pop(); next !== undefined; next = ready.pop()) {
    for (const user of users[next]) if (--waiting[user] === 0) ready.push(user);
  }
  const stuck = waiting.findIndex((count) => count > 0);
  if (stuck < 0) return;
  const onCycle = walkBack(stuck, (index) => sources[index].find((source) => waiting[source] > 0) ?? index);
  const label = labelOf(graph.node[onCycle]);
  bad(`the graph has a cycle through node ${label}`, `node ${label}`);
}

/** Follows predecessors until one repeats: that one is on a cycle. */
function walkBack(start: number, previous: (index: number) => number): number {
  const seen = new Set<number>();
  let index = start;
  while (!seen.has(index)) {
    seen.add(index);
    index = previous(index);
  }
  return index;
}

function bad(message: string, where: string): never {
  throw new LutraError("bad-model", message, { where, note: "Export the model again, or run onnx.checker on it." });
}
