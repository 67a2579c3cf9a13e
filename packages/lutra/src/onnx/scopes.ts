// Finds sites everywhere in a model: in the main graph, in the bodies of If, Loop and Scan at any depth, in model-local functions, and in
// what LSTM, GRU and RNN become when they are expanded. A body is searched with what is known of the values it takes from outside.

import { type FunctionProto, type NodeProto, TensorProto_DataType } from "onnx-buf";
import { bodyStep, functionStep, type Path } from "./bodies.ts";
import { findInGraph } from "./find.ts";
import { unfuse } from "./fused.ts";
import { type Graph, viewGraph } from "./graph.ts";
import type { Budget } from "./match.ts";
import { type Expander, expanderOf } from "./recurrent/model.ts";
import { type Skipped, skippedBecause, skippedIn } from "./skipped.ts";
import type { Model, Site } from "./types.ts";
import { viewBody, viewFunction } from "./views.ts";

/** The domain of functions that rewriting adds: what is in tables already is not searched. */
const OWN_DOMAIN = "lutra";
/** Search steps for a whole model, a few seconds' worth; models with a thousand nodes take some ten thousand. */
const MAX_TOTAL_STEPS = 2 ** 24;

export interface Layers {
  readonly sites: readonly Site[];
  /** What no table will replace, and why, in the same order. */
  readonly skipped: readonly Skipped[];
}

/**
 * The layers of a model: those of the main graph in graph order of their outputs, each graph followed by those inside it, functions last.
 * @throws LutraError "bad-model" if a constant's data do not fit its shape
 */
export function findLayers(model: Model): Layers {
  const plain = unfuse(model);
  const search = new Search(plain);
  search.graph(viewGraph(plain), []);
  search.functions();
  return search;
}

/** The sites of a model, as `findLayers` has them. */
export function findSites(model: Model): readonly Site[] {
  return findLayers(model).sites;
}

class Search implements Layers {
  readonly sites: Site[] = [];
  readonly skipped: Skipped[] = [];
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
    const found = findInGraph(view, this.budget);
    for (const site of found) this.sites.push(this.placed(site, path));
    this.skipped.push(...skippedIn(view, path, found, (node) => this.expansion(node, view) !== null));
    for (const node of view.nodes) this.inside(node, view, path);
  }

  /** Functions that are called, as long as searching one meets calls of further ones. */
  functions(): void {
    for (const [definition, elements] of this.calls) {
      const imported = definition.opsetImport.find(({ domain }) => domain === "" || domain === "ai.onnx");
      const [opset, path] = [Number(imported?.version ?? 0), [functionStep(definition)]];
      if (opset === this.model.opset) this.graph(viewFunction(definition, elements, this.model), path);
      else {
        const reason = `its function is of opset ${opset}, tables are emitted for the model's, ${this.model.opset}`;
        this.skipped.push(...skippedBecause(definition.node, path, reason));
      }
    }
  }

  private inside(node: NodeProto, view: Graph, path: Path): void {
    for (const { g, name } of node.attribute)
      if (g !== undefined) this.graph(viewBody(node, g, view), [...path, bodyStep(node, name)]);
    const called = this.definitions.get(functionStep({ domain: node.domain, name: node.opType }));
    if (called !== undefined) this.recordCall(called, node, view);
    for (const one of this.expansion(node, view) ?? []) this.inside(one, view, path);
  }

  private expansion(node: NodeProto, view: Graph): readonly NodeProto[] | null {
    return view.maybeFloat32(node.input[1] ?? "") ? this.expander(node) : null;
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
