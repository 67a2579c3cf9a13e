// The names a model uses, and new ones that it does not. A body may not reuse a name of the graphs around it, so names are kept for the
// model as a whole.

import type { FunctionProto, GraphProto, NodeProto } from "onnx-buf";
import { subgraphs } from "./check.ts";
import type { Model } from "./types.ts";

/** Every name of a value or node in the model, its bodies and its functions. */
export function usedNames(model: Model): Set<string> {
  const used = new Set<string>();
  const visitGraph = (graph: GraphProto): void => {
    for (const value of [...graph.input, ...graph.output, ...graph.initializer, ...graph.valueInfo])
      used.add(value.name);
    for (const node of graph.node) visitNode(node);
  };
  const visitNode = (node: NodeProto): void => {
    used.add(node.name);
    for (const name of [...node.input, ...node.output]) used.add(name);
    for (const body of subgraphs(node)) visitGraph(body);
  };
  const visitFunction = (definition: FunctionProto): void => {
    for (const name of [...definition.input, ...definition.output]) used.add(name);
    for (const node of definition.node) visitNode(node);
  };
  visitGraph(model.graph);
  for (const definition of model.proto.functions) visitFunction(definition);
  return used;
}

/** Gives a name that nothing in the model has yet: the wanted one, or that with a number. */
export function freshNames(model: Model): (wanted: string) => string {
  const used = usedNames(model);
  return (wanted) => {
    let name = wanted;
    for (let i = 1; used.has(name); i++) name = `${wanted}_${i}`;
    used.add(name);
    return name;
  };
}

/** `wanted`, or that with a number, such that no name of the model is it or lies under it ("<prefix>/..."). */
export function freshPrefix(used: ReadonlySet<string>, wanted: string): string {
  const isTaken = (prefix: string): boolean =>
    [...used].some((name) => name === prefix || name.startsWith(`${prefix}/`));
  let prefix = wanted;
  for (let i = 1; isTaken(prefix); i++) prefix = `${wanted}_${i}`;
  return prefix;
}
