// The tensors that a model stores, wherever they are: initializers and attributes of the graph, of bodies at any depth and of model-local
// functions. Listing them, and a model with some of them changed.

import type { AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, TensorProto } from "onnx-buf";
import { changed } from "./changed.ts";
import type { Model } from "./types.ts";

export function* storedTensors({ graph, functions }: ModelProto): Generator<TensorProto> {
  if (graph !== undefined) yield* inGraph(graph);
  for (const one of functions) yield* inNodes(one.node);
}

function* inGraph(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  yield* inNodes(graph.node);
}

function* inNodes(nodes: readonly NodeProto[]): Generator<TensorProto> {
  for (const { attribute } of nodes) {
    for (const { t, tensors, g, graphs } of attribute) {
      if (t !== undefined) yield t;
      yield* tensors;
      if (g !== undefined) yield* inGraph(g);
      for (const graph of graphs) yield* inGraph(graph);
    }
  }
}

type Change = (tensor: TensorProto) => TensorProto;

/** The model with every stored tensor replaced by what `change` makes of it; parts in which nothing changes are shared. */
export function changeTensors(model: Model, change: Change): Model {
  const graph = changeGraph(model.graph, change);
  const functions = each(model.proto.functions, (one) => changeFunction(one, change));
  return { ...model, graph, proto: changed(model.proto, { graph, functions }) };
}

function changeGraph(graph: GraphProto, change: Change): GraphProto {
  const initializer = each(graph.initializer, change);
  const node = each(graph.node, (one) => changeNode(one, change));
  return initializer === graph.initializer && node === graph.node ? graph : changed(graph, { initializer, node });
}

function changeFunction(definition: FunctionProto, change: Change): FunctionProto {
  const node = each(definition.node, (one) => changeNode(one, change));
  return node === definition.node ? definition : changed(definition, { node });
}

function changeNode(node: NodeProto, change: Change): NodeProto {
  const attribute = each(node.attribute, (one) => changeAttribute(one, change));
  return attribute === node.attribute ? node : changed(node, { attribute });
}

function changeAttribute(attribute: AttributeProto, change: Change): AttributeProto {
  const [t] = each(attribute.t === undefined ? [] : [attribute.t], change);
  const [g] = each(attribute.g === undefined ? [] : [attribute.g], (one) => changeGraph(one, change));
  const tensors = each(attribute.tensors, change);
  const graphs = each(attribute.graphs, (one) => changeGraph(one, change));
  const isSame = t === attribute.t && g === attribute.g && tensors === attribute.tensors && graphs === attribute.graphs;
  if (isSame) return attribute;
  return changed(attribute, { ...(t && { t }), ...(g && { g }), tensors, graphs });
}

/** The changed list; the same one if nothing in it changes. */
function each<T>(list: T[], change: (one: T) => T): T[] {
  const made = list.map(change);
  return made.every((one, i) => one === list[i]) ? list : made;
}
