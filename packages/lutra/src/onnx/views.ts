// Typed views of the graphs inside a model: of a body with what is known of the values it takes from outside, of a model-local function
// with what is known of its calls. The views change nothing; what they need to say is in graphs made for them.

import { create } from "@bufbuild/protobuf";
import {
  type FunctionProto,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  TensorProto_DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { bodyStep, functionStep, type Path } from "./bodies.ts";
import { changed } from "./changed.ts";
import { outerValues } from "./check.ts";
import { constantTensor } from "./constants.ts";
import { type Graph, viewGraph } from "./graph.ts";
import type { Facts } from "./infer.ts";
import type { Model } from "./types.ts";

/** No operator is in it. */
const PARAMETER_DOMAIN = "lutra.parameter";

/** The graph at the end of a path, each graph on the way with what is known of those around it; null if there is none. */
export function viewAt(model: Model, path: Path): Graph | null {
  if (path.length === 0) return viewGraph(model);
  const [last, before] = [path[path.length - 1], path.slice(0, -1)];
  const called = before.length > 0 ? undefined : model.proto.functions.find((one) => functionStep(one) === last);
  if (called !== undefined) return viewFunction(called, [], model);
  const outer = viewAt(model, before);
  for (const node of outer?.nodes ?? [])
    for (const { g, name } of node.attribute)
      if (outer !== null && g !== undefined && bodyStep(node, name) === last) return viewBody(node, g, outer);
  return null;
}

/** @param elements the element types of its inputs where they are known */
export function viewFunction(definition: FunctionProto, elements: readonly (number | null)[], model: Model): Graph {
  const graph = create(GraphProtoSchema, {
    node: definition.node.map(withoutReferences),
    input: definition.input.map((name, i) => typed(name, elements[i] ?? null)),
    output: definition.output.map((name) => typed(name, null)),
    valueInfo: definition.valueInfo,
  });
  return viewGraph({ ...model, graph });
}

/** A body with what it takes from outside as inputs of its own, or as initializers where they are constants there. */
export function viewBody(node: NodeProto, body: GraphProto, outer: Graph): Graph {
  const captured = [...new Set(outerValues(body))];
  const constants = captured.flatMap((name) => outerConstant(name, outer) ?? []);
  const known = new Set(constants.map(({ name }) => name));
  const taken = captured.filter((name) => !known.has(name));
  const facts = new Map<string, Facts>(taken.map((name) => [name, outer.facts(name)]));
  const input = body.input.map((info, i) => declared(info, argumentElement(node, body, i, outer)));
  const graph = changed(body, {
    initializer: [...constants, ...body.initializer],
    input: [...input, ...taken.map((name) => typed(name, outer.facts(name).element))],
  });
  return viewGraph({ ...outer.model, graph }, facts);
}

function outerConstant(name: string, outer: Graph): GraphProto["initializer"][number] | null {
  if (!outer.constants.has(name)) return null;
  const producer = outer.producer(name);
  if (producer === undefined) return outer.model.graph.initializer.find((one) => one.name === name) ?? null;
  const tensor = producer.opType === "Constant" ? constantTensor(producer) : null;
  return tensor === null ? null : changed(tensor, { name });
}

/** The element type that a body's input gets from the node: Loop's are the iteration, the condition and what is carried. */
function argumentElement(node: NodeProto, body: GraphProto, index: number, outer: Graph): number | null {
  if (node.opType === "Loop" && index < 2) return [TensorProto_DataType.INT64, TensorProto_DataType.BOOL][index];
  if (node.opType !== "Loop" && node.opType !== "Scan") return null;
  const skipped = node.opType === "Scan" ? node.input.length - body.input.length : 0;
  return outer.facts(node.input[index + skipped] ?? "").element;
}

function declared(info: ValueInfoProto, element: number | null): ValueInfoProto {
  return info.type === undefined ? typed(info.name, element) : info;
}

function typed(name: string, element: number | null): ValueInfoProto {
  if (element === null) return create(ValueInfoProtoSchema, { name });
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: element } } },
  });
}

/** A node whose attributes are the function's parameters says nothing until it is called: nothing matches it. */
function withoutReferences(node: NodeProto): NodeProto {
  const refers = node.attribute.some(({ refAttrName }) => refAttrName !== "");
  return refers ? changed(node, { domain: PARAMETER_DOMAIN }) : node;
}
