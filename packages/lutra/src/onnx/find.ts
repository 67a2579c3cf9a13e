// Finds the non-linear layers of one graph: decomposed layers of a row first (rows.ts), then their operators (operators.ts), then
// elementwise functions, of codes (quantized.ts) and of numbers (elementwise.ts). A node belongs to one site at most; what a site computes
// inside is used nowhere else. Only binary32 data counts: arithmetic on shapes and constants is left alone. scopes.ts searches a model's
// bodies and functions with it.

import type { NodeProto } from "onnx-buf";
import { findElementwise } from "./elementwise.ts";
import type { Graph } from "./graph.ts";
import type { Budget } from "./match.ts";
import { readOperator } from "./operators.ts";
import { findQuantized } from "./quantized.ts";
import type { Place } from "./region.ts";
import { findRows } from "./rows.ts";
import type { Site } from "./types.ts";

/**
 * The sites of a graph, in the order of their outputs.
 * @param budget search steps, shared by all graphs of a model
 * @throws LutraError "bad-model" if a constant's data do not fit its shape, or if the budget is used up
 */
export function findInGraph(graph: Graph, budget: Budget): readonly Site[] {
  const order = new Map(graph.nodes.map((node, index) => [node, index]));
  const taken = new Set<NodeProto>();
  const sites = new Map<NodeProto, Site>();
  for (const { root, site, nodes } of findRows(graph, order, budget)) {
    for (const node of nodes) taken.add(node);
    sites.set(root, site);
  }
  for (const node of graph.nodes) {
    const site = taken.has(node) ? null : operatorSite(graph, node);
    if (site === null) continue;
    taken.add(node);
    sites.set(node, site);
  }
  const place = (): Place => ({
    graph,
    order,
    isFree: (node) => !taken.has(node),
    needed: new Set([...sites.values()].flatMap(({ inputs }) => inputs)),
  });
  const quantized = findQuantized(place());
  for (const [root, site] of quantized) sites.set(root, site);
  const replaced = new Set([...quantized.values()].flatMap(({ nodes }) => nodes));
  for (const node of graph.nodes) if (replaced.has(node.output[0] ?? "")) taken.add(node);
  for (const [root, site] of findElementwise(place())) sites.set(root, site);
  return graph.nodes.flatMap((node) => sites.get(node) ?? []);
}

function operatorSite(graph: Graph, node: NodeProto): Site | null {
  const [data, output] = [node.input[0] ?? "", node.output[0] ?? ""];
  if (data === "" || output === "" || !graph.maybeFloat32(data) || !graph.facts(data).data) return null;
  const operator = readOperator(node, graph);
  if (operator === null) return null;
  const inputs = node.input.filter((name) => name !== "");
  return { id: output, form: "operator", nodes: [output], inputs, output, ...operator };
}
