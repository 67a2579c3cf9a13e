// Finds sites everywhere in a model: in the main graph, in the bodies of If, Loop and Scan at any depth, in model-local functions, and in
// what LSTM, GRU and RNN become when they are expanded. A body is searched with what is known of the values it takes from outside.

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
import { findInGraph } from "./find.ts";
import { unfuse } from "./fused.ts";
import { type Graph, viewGraph } from "./graph.ts";
import type { Facts } from "./infer.ts";
import type { Budget } from "./match.ts";
import { type Expander, expanderOf } from "./recurrent/model.ts";
import type { Model, Site } from "./types.ts";

/** The domain of functions that rewriting adds: what is in tables already is not searched. */
const OWN_DOMAIN = "lutra";
/** Search steps for a whole model, a few seconds' worth; models with a thousand nodes take some ten thousand. */
const MAX_TOTAL_STEPS = 2 ** 24;

/**
 * The sites of a model: those of the main graph in graph order of their outputs, each graph followed by those inside it, functions last.
 * @throws LutraError "bad-model" if a constant's data do not fit its shape
 */
export function findSites(model: Model): readonly Site[] {
  const plain = unfuse(model);
  const search = new Search(plain);
  search.graph(viewGraph(plain), []);
  search.functions();
  return search.sites;
}

class Search {
  readonly sites: Site[] = [];
  private readonly model: Model;
  private readonly expander: Expander;
  private readonly definitions: ReadonlyMap<string, FunctionProto>;
  private readonly budget: Budget = { left: MAX_TOTAL_STEPS };
  private readonly ids = new Set<string>();
  /** Element types that each called function's inputs have; null where one is not known. */
  private readonly calls = new Map<FunctionProto, (number | null)[]>();

  constructor(model: Model) {
    this.model = model;
    this.expander = expanderOf(model);
    const functions = model.proto.functions.filter(({ domain }) => domain !== OWN_DOMAIN);
    this.definitions = new Map(functions.map((definition) => [functionStep(definition), definition]));
  }

  graph(view: Graph, path: Path): void {
    for (const site of findInGraph(view, this.budget)) this.sites.push(this.placed(site, path));
    for (const node of view.nodes) this.inside(node, view, path);
  }

  /** Functions that are called, as long as searching one meets calls of further ones. */
  functions(): void {
    for (const [definition, elements] of this.calls) {
      const imported = definition.opsetImport.find(({ domain }) => domain === "");
      // Tables are emitted for the model's operator set; a function of another one is left alone.
      if (Number(imported?.version ?? 0) !== this.model.opset) continue;
      const graph = create(GraphProtoSchema, {
        node: definition.node.map(withoutReferences),
        input: definition.input.map((name, i) => typed(name, elements[i] ?? null)),
        output: definition.output.map((name) => typed(name, null)),
        valueInfo: definition.valueInfo,
      });
      this.graph(viewGraph({ ...this.model, graph }), [functionStep(definition)]);
    }
  }

  private inside(node: NodeProto, view: Graph, path: Path): void {
    for (const { g, name } of node.attribute)
      if (g !== undefined) this.graph(viewBody(node, g, view), [...path, bodyStep(node, name)]);
    const called = this.definitions.get(functionStep({ domain: node.domain, name: node.opType }));
    if (called !== undefined) this.recordCall(called, node, view);
    const weights = node.input[1] ?? "";
    const expansion = view.maybeFloat32(weights) ? this.expander(node) : null;
    for (const one of expansion ?? []) this.inside(one, view, path);
  }

  private recordCall(called: FunctionProto, node: NodeProto, view: Graph): void {
    const known = this.calls.get(called);
    const elements = called.input.map((_, i) => view.facts(node.input[i] ?? "").element);
    this.calls.set(called, known === undefined ? elements : known.map((one, i) => commonElement(one, elements[i])));
  }

  /** The site with its scope, and an id of its own: bodies side by side may use the same names. */
  private placed(site: Site, path: Path): Site {
    if (path.length === 0) {
      this.ids.add(site.id);
      return site;
    }
    let id = this.ids.has(site.id) ? [...path, site.id].join("/") : site.id;
    for (let i = 1; this.ids.has(id); i++) id = `${[...path, site.id].join("/")}_${i}`;
    this.ids.add(id);
    return { ...site, id, scope: path };
  }
}

/** Of two calls the one that is not binary32, if there is one: tables must suit both. */
function commonElement(a: number | null, b: number | null): number | null {
  const other = [a, b].find((element) => element !== null && element !== TensorProto_DataType.FLOAT);
  return other ?? (a === b ? a : null);
}

/** A body with what it takes from outside as inputs of its own, or as initializers where they are constants there. */
function viewBody(node: NodeProto, body: GraphProto, outer: Graph): Graph {
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
  return refers ? changed(node, { domain: `${OWN_DOMAIN}.parameter` }) : node;
}
