// Finds the non-linear layers of a model's main graph: the largest decomposed forms first (rules.ts), then single operators
// (operators.ts). A node belongs to one site at most; what a site computes inside is used nowhere else. Only binary32 data counts:
// arithmetic on shapes and constants is left alone. Bodies of If, Loop, Scan and of functions are not searched.

import type { NodeProto } from "onnx-buf";
import { type Graph, viewGraph } from "./graph.ts";
import { type Budget, type Match, matches } from "./match.ts";
import { readOperator } from "./operators.ts";
import type { Pattern } from "./pattern.ts";
import { RULES, type Rule } from "./rules.ts";
import type { Model, Site } from "./types.ts";

/** Search steps for a whole model, a few seconds' worth; models with a thousand nodes take some ten thousand. */
const MAX_TOTAL_STEPS = 2 ** 24;

/** The sites of a model, in graph order of their outputs. @throws LutraError "bad-model" if a constant's data do not fit its shape. */
export function findSites(model: Model): readonly Site[] {
  const graph = viewGraph(model);
  const order = new Map(graph.nodes.map((node, index) => [node, index]));
  const taken = new Set<NodeProto>();
  const budget = { left: MAX_TOTAL_STEPS };
  const sites = new Map<NodeProto, Site>();
  for (const rule of RULES) {
    const roots = rootOperators(rule.pattern);
    for (const node of graph.nodes) {
      const match = roots.has(node.opType) && !taken.has(node) ? findMatch(graph, rule, node, taken, budget) : null;
      if (match === null) continue;
      for (const inner of match.nodes) taken.add(inner);
      sites.set(node, decomposedSite(rule, match, node, order));
    }
  }
  for (const node of graph.nodes) {
    const site = taken.has(node) ? null : operatorSite(graph, node);
    if (site !== null) sites.set(node, site);
  }
  return graph.nodes.flatMap((node) => sites.get(node) ?? []);
}

/** The operators a pattern's last node can be. */
function rootOperators(pattern: Pattern): ReadonlySet<string> {
  if (pattern.is === "product") return new Set(["Mul", "Div", "Reciprocal"]);
  if (pattern.is === "sum") return new Set(["Add", "Sub", "Sum"]);
  if (pattern.is === "operator" || pattern.is === "reduce") return new Set([pattern.type]);
  return new Set(pattern.is === "either" ? pattern.patterns.flatMap((one) => [...rootOperators(one)]) : []);
}

function findMatch(
  graph: Graph,
  rule: Rule,
  root: NodeProto,
  taken: ReadonlySet<NodeProto>,
  budget: Budget,
): Match | null {
  const output = root.output[0] ?? "";
  if (!graph.maybeFloat32(output)) return null;
  for (const match of matches(graph, rule.pattern, output, budget))
    if (hasRows(rule, match) && isReplaceable(graph, match, root, taken)) return match;
  return null;
}

/** A softmax runs along one axis; norms may take several as one row. */
function hasRows(rule: Rule, match: Match): boolean {
  return match.axes === null || match.axes.length === 1 || !rule.kind.endsWith("softmax");
}

/** Whether nothing outside needs a value from inside, and the result has the shape of the data. */
function isReplaceable(graph: Graph, match: Match, root: NodeProto, taken: ReadonlySet<NodeProto>): boolean {
  const data = match.values.get("x") ?? "";
  if (!graph.facts(data).data) return false;
  const ranks = [graph.facts(data).rank, graph.facts(root.output[0]).rank];
  if (ranks[0] !== null && ranks[1] !== null && ranks[0] !== ranks[1]) return false;
  for (const node of match.nodes) {
    if (taken.has(node)) return false;
    if (node === root) continue;
    for (const name of node.output)
      if (graph.isOutput(name) || !graph.consumers(name).every((user) => match.nodes.has(user))) return false;
  }
  return ["gamma", "beta"].every((name) => variesAlong(graph, match.values.get(name), match.axes ?? []));
}

/** Whether a parameter, if there is one, has one value per place in a row, and the same values in every row. */
function variesAlong(graph: Graph, parameter: string | undefined, axes: readonly number[]): boolean {
  if (parameter === undefined) return true;
  const shape = graph.constants.shape(parameter) ?? [];
  return shape.every((extent, i) => extent === 1 || axes.includes(i - shape.length));
}

function decomposedSite(rule: Rule, match: Match, root: NodeProto, order: ReadonlyMap<NodeProto, number>): Site {
  const nodes = [...match.nodes].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return {
    id: root.output[0],
    kind: rule.kind,
    form: "decomposed",
    nodes: nodes.map((node) => node.output[0]),
    inputs: ["x", "gamma", "beta"].flatMap((name) => match.values.get(name) ?? []),
    output: root.output[0],
    attributes: Object.fromEntries(match.numbers),
    axes: match.axes,
  };
}

function operatorSite(graph: Graph, node: NodeProto): Site | null {
  const [data, output] = [node.input[0] ?? "", node.output[0] ?? ""];
  if (output === "" || !graph.maybeFloat32(data) || !graph.facts(data).data) return null;
  const operator = readOperator(node, graph);
  if (operator === null) return null;
  const inputs = node.input.filter((name) => name !== "");
  return { id: output, form: "operator", nodes: [output], inputs, output, ...operator };
}
