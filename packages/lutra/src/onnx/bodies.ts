// The graphs inside a model: bodies of If, Loop and Scan at any depth, and model-local functions. Each has a path of steps from the main
// graph, which names it. Changing them makes a new model that shares every graph in which nothing changes.

import type { FunctionProto, GraphProto, NodeProto } from "onnx-buf";
import { changed } from "./changed.ts";
import type { Model } from "./types.ts";

/** The steps from the main graph to a graph inside it; the main graph is []. */
export type Path = readonly string[];

/** What a node is called among its neighbours: its first output that it gives. */
export function labelOf(node: NodeProto): string {
  return node.output.find((name) => name !== "") ?? "";
}

/** The step into a node's graph attribute: "<first output>.then_branch". */
export function bodyStep(node: NodeProto, attribute: string): string {
  return `${labelOf(node)}.${attribute}`;
}

/** The step into a model-local function: "<domain>.<name>()". */
export function functionStep({ domain, name }: { readonly domain: string; readonly name: string }): string {
  return `${domain}.${name}()`;
}

export function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && startsWith(a, b);
}

/** Whether a path leads to, or through, the start. */
export function startsWith(path: Path, start: Path): boolean {
  return start.every((step, i) => path[i] === step);
}

/** The nodes of one graph after a change; the same list where nothing changes. */
export type ChangeNodes = (nodes: readonly NodeProto[], path: Path) => readonly NodeProto[];

/** The model with `change` applied to its graph, to every function and, in what came out, to every body at any depth. */
export function changeModel(model: Model, change: ChangeNodes): Model {
  const graph = changeGraph(model.graph, [], change);
  const functions = model.proto.functions.map((old) => changeGraph(old, [functionStep(old)], change));
  const isSame = graph === model.graph && functions.every((made, i) => made === model.proto.functions[i]);
  return isSame ? model : { ...model, graph, proto: changed(model.proto, { graph, functions }) };
}

/** Declared types of values that are no longer computed go too. */
function changeGraph<G extends GraphProto | FunctionProto>(graph: G, path: Path, change: ChangeNodes): G {
  const made = change(graph.node, path);
  const node = made.map((one) => changeBodies(one, path, change));
  if (made === graph.node && node.every((one, i) => one === made[i])) return graph;
  const kept = new Set(node.flatMap(({ output }) => output));
  const gone = new Set(graph.node.flatMap(({ output }) => output).filter((name) => !kept.has(name)));
  const fields: Partial<GraphProto | FunctionProto> = {
    node,
    valueInfo: graph.valueInfo.filter(({ name }) => !gone.has(name)),
  };
  return changed<G>(graph, fields as Partial<G>);
}

function changeBodies(node: NodeProto, path: Path, change: ChangeNodes): NodeProto {
  if (node.attribute.every(({ g }) => g === undefined)) return node;
  const attribute = node.attribute.map((one) => {
    if (one.g === undefined) return one;
    const g = changeGraph(one.g, [...path, bodyStep(node, one.name)], change);
    return g === one.g ? one : changed(one, { g });
  });
  return attribute.every((one, i) => one === node.attribute[i]) ? node : changed(node, { attribute });
}
