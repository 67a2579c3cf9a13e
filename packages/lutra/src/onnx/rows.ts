// Decomposed layers of a row: where a rule's pattern matches, and whether what matched can be replaced: the axes make a row, parameters
// vary along it, values per row are spread over it again, a sum divided by a number is a mean. Only reads.

import type { NodeProto } from "onnx-buf";
import type { Graph } from "./graph.ts";
import { type Budget, type Match, matches } from "./match.ts";
import type { Pattern } from "./pattern.ts";
import { RULES, type Rule } from "./rules.ts";
import { extentAlong, isSpread } from "./spread.ts";
import type { Site } from "./types.ts";

export interface FoundRow {
  /** The node that computes the result. */
  readonly root: NodeProto;
  readonly site: Site;
  /** What the site replaces. */
  readonly nodes: readonly NodeProto[];
}

/** The decomposed layers of a row, no node in two. @throws LutraError "bad-model" if the graph is too entangled */
export function findRows(graph: Graph, order: ReadonlyMap<NodeProto, number>, budget: Budget): readonly FoundRow[] {
  if (!graph.nodes.some(({ opType }) => opType.startsWith("Reduce"))) return [];
  const taken = new Set<NodeProto>();
  const found: FoundRow[] = [];
  for (const rule of RULES) {
    const roots = rootOperators(rule.pattern);
    for (const root of graph.nodes) {
      const match = roots.has(root.opType) && !taken.has(root) ? findMatch(graph, rule, root, taken, budget) : null;
      if (match === null) continue;
      const nodes = ownNodes(graph, match, root, order);
      for (const node of nodes) taken.add(node);
      found.push({ root, nodes, site: siteOf(rule, match, root, nodes) });
    }
  }
  return found;
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
    if (isReplaceable(graph, rule, match, root, taken)) return match;
  return null;
}

function isReplaceable(
  graph: Graph,
  rule: Rule,
  match: Match,
  root: NodeProto,
  taken: ReadonlySet<NodeProto>,
): boolean {
  const data = match.values.get("x") ?? "";
  if (!graph.facts(data).data || !isContiguous(match.axes ?? [])) return false;
  const ranks = [graph.facts(data).rank, graph.facts(root.output[0]).rank];
  if (ranks[0] !== null && ranks[1] !== null && ranks[0] !== ranks[1]) return false;
  for (const node of match.nodes) if (taken.has(node)) return false;
  if (!rule.kind.endsWith("norm") && !isPrivate(graph, match, root)) return false;
  if (!["gamma", "beta"].every((name) => variesAlong(graph, match.values.get(name), match.axes ?? []))) return false;
  return isSpread(graph, match) && isMean(graph, match);
}

/** Rows are runs of neighbouring axes. */
function isContiguous(axes: readonly number[]): boolean {
  return axes.every((axis, i) => axis === axes[0] + i);
}

/** Whether nothing outside needs a value from inside. */
function isPrivate(graph: Graph, { nodes }: Match, root: NodeProto): boolean {
  return [...nodes].every(
    (node) =>
      node === root ||
      node.output.every((name) => !graph.isOutput(name) && graph.consumers(name).every((user) => nodes.has(user))),
  );
}

/**
 * The nodes that only the result needs, in graph order. A norm's mean and deviation may be asked for by others: they stay, and the
 * result no longer comes from them.
 */
function ownNodes(
  graph: Graph,
  match: Match,
  root: NodeProto,
  order: ReadonlyMap<NodeProto, number>,
): readonly NodeProto[] {
  const latestFirst = [...match.nodes].sort((a, b) => (order.get(b) ?? 0) - (order.get(a) ?? 0));
  const own = new Set([root]);
  for (const node of latestFirst) {
    const isOwn = node.output.every(
      (name) => !graph.isOutput(name) && graph.consumers(name).every((user) => own.has(user)),
    );
    if (isOwn) own.add(node);
  }
  return latestFirst.filter((node) => own.has(node)).reverse();
}

/** Whether a parameter, if there is one, has one value per place in a row, and the same values in every row. */
function variesAlong(graph: Graph, parameter: string | undefined, axes: readonly number[]): boolean {
  if (parameter === undefined) return true;
  const shape = graph.constants.shape(parameter) ?? [];
  // A constant that was reshaped is known by its size; where its last axis is 1, it does not vary along a row's last.
  const isColumn = shape.length === 1 && shape[0] > 1 && extentAlong(graph, parameter, -1) === 1;
  if (isColumn && axes.includes(-1)) return false;
  return shape.every((extent, i) => extent === 1 || axes.includes(i - shape.length));
}

/** How far 1 / n may be off in a model. */
const SHARE_TOLERANCE = 1e-6;

/** Whether the factor of a sum over a row, if there is one, is the inverse of the row's length, as far as the graph tells that length. */
function isMean(graph: Graph, match: Match): boolean {
  const share = match.numbers.get("share");
  if (share === undefined) return true;
  const length = rowLength(graph, match);
  return length !== null && Math.abs(share * length - 1) <= SHARE_TOLERANCE;
}

/** Elements of a row, from a parameter that has them all or from the shapes known; null if neither tells. */
function rowLength(graph: Graph, match: Match): number | null {
  for (const name of ["gamma", "beta"]) {
    const parameter = match.values.get(name);
    const size = (parameter === undefined ? null : graph.constants.shape(parameter))?.reduce((a, b) => a * b, 1) ?? 1;
    if (size > 1) return size;
  }
  const [axis, ...more] = match.axes ?? [];
  return axis === undefined || more.length > 0 ? null : extentAlong(graph, match.values.get("x") ?? "", axis);
}

function siteOf(rule: Rule, match: Match, root: NodeProto, nodes: readonly NodeProto[]): Site {
  const epsilon = match.numbers.get("epsilon");
  return {
    id: root.output[0],
    kind: rule.kind,
    form: "decomposed",
    nodes: nodes.map((node) => node.output[0]),
    inputs: ["x", "gamma", "beta"].flatMap((name) => match.values.get(name) ?? []),
    output: root.output[0],
    attributes: epsilon === undefined ? {} : { epsilon },
    axes: match.axes,
  };
}
