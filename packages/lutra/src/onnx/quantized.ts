// Elementwise functions of quantized graphs: what lies between DequantizeLinear and QuantizeLinear is a function from codes to codes. The
// graph is searched with every value in codes seen as the number it stands for, so that the pairs which exporters put behind each operator
// do not hide a function of several: its inner roundings are dropped, what replaces it is nearer to the function than they are.

import type { NodeProto } from "onnx-buf";
import { parseFn } from "../fn/index.ts";
import { allCodes, decode, type IntegerFormat } from "../num/index.ts";
import { type Candidate, candidatesAt, isBuildingBlock } from "./elementwise.ts";
import { type NumberView, viewNumbers } from "./quantized-view.ts";
import { recogniser } from "./recognise.ts";
import type { Place } from "./region.ts";
import type { Site } from "./types.ts";

/**
 * Which regions become sites, in two rounds: only named functions of several operators reach across inner roundings. `operators` are the
 * nodes besides QuantizeLinear, which in the view is Identity.
 */
const ROUNDS: readonly ((candidate: Candidate, operators: number) => boolean)[] = [
  ({ function: { kind, is } }, operators) => is !== "expression" && (operators > 1 || !isBuildingBlock(kind)),
  ({ region }, operators) => region.nodes.length === operators + 1,
];

/** The sites from codes to codes of what is free, by their QuantizeLinear. */
export function findQuantized(place: Place): ReadonlyMap<NodeProto, Site> {
  const view = viewNumbers(place.graph);
  const sites = new Map<NodeProto, Site>();
  if (view === null) return sites;
  const taken = new Set<NodeProto>();
  const inNumbers = placeIn(view, place);
  const recognise = recogniser();
  const isDefined = definedness();
  const roots = view.quantizes
    .toReversed()
    .map((root) => ({ root, candidates: candidatesAt(inNumbers, root, recognise) }))
    .filter(({ candidates }) => candidates.length > 0);
  for (const accepts of ROUNDS) {
    for (const { root, candidates } of roots) {
      const chosen = candidates.findLast((candidate) => {
        const { source, nodes } = candidate.region;
        const input = view.formatOf(source);
        if (input === null || nodes.some((node) => taken.has(node))) return false;
        const operators = nodes.filter((node) => !view.isQuantize(node)).length;
        return accepts(candidate, operators) && isDefined(candidate.function.kind, input);
      });
      if (chosen === undefined) continue;
      for (const node of chosen.region.nodes) taken.add(node);
      sites.set(view.original(root), siteOf(chosen, root, view, place));
    }
  }
  return sites;
}

/** The place as the view names things. */
function placeIn(view: NumberView, { isFree, needed }: Place): Place {
  return {
    graph: view.graph,
    order: new Map(view.graph.nodes.map((node, index) => [node, index])),
    isFree: (node) => isFree(view.original(node)),
    needed: new Set([...needed].map((name) => view.codesOf(name))),
  };
}

function siteOf({ region, function: { kind } }: Candidate, root: NodeProto, view: NumberView, place: Place): Site {
  const { nodes, source } = region;
  const [output] = root.output;
  const formats = { input: view.formatOf(source), output: view.formatOf(output) };
  if (formats.input === null || formats.output === null) throw new TypeError(`no format for the site ${output}`);
  const operators = nodes.filter((node) => !view.isQuantize(node));
  return {
    id: output,
    kind,
    form: operators.length === 1 ? "operator" : "decomposed",
    nodes: withDequantizes(nodes.map(view.original), place).map((node) => node.output[0]),
    inputs: [source],
    output,
    attributes: {},
    formats: { input: formats.input, output: formats.output },
    axes: null,
  };
}

/** A region's nodes with the DequantizeLinear that serve it alone, in graph order. */
function withDequantizes(nodes: readonly NodeProto[], { graph, order, needed }: Place): readonly NodeProto[] {
  const inside = new Set(nodes);
  for (const name of nodes.flatMap(({ input }) => input)) {
    const producer = graph.producer(name);
    if (producer?.opType !== "DequantizeLinear" || graph.isOutput(name) || needed.has(name)) continue;
    if (graph.consumers(name).every((user) => inside.has(user))) inside.add(producer);
  }
  return [...inside].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
}

/** Whether a function is finite at every code: a graph has an answer to an infinity, a table of correct answers has not. Remembers. */
function definedness(): (kind: string, input: IntegerFormat) => boolean {
  const known = new Map<string, boolean>();
  return (kind, input) => {
    const key = `${kind} ${JSON.stringify(input)}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const { evaluate } = parseFn(kind);
    const isDefined = allCodes(input).every((code) => Number.isFinite(evaluate(decode(input, code))));
    known.set(key, isDefined);
    return isDefined;
  };
}
