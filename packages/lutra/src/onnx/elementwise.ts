// Elementwise sites: which of the regions that could be one are. Largest first, in three rounds: functions known by name or by family
// that take several nodes or an operator of their own; expressions that are none; operators that are building blocks, such as Exp.

import type { NodeProto } from "onnx-buf";
import { type Recognised, recogniser } from "./recognise.ts";
import { type Place, type Region, regionsAt } from "./region.ts";
import type { Site } from "./types.ts";

export interface Candidate {
  readonly region: Region;
  readonly function: Recognised;
}

/** Functions that larger ones are made of: by themselves they wait for the expressions. */
const BUILDING_BLOCKS: ReadonlySet<string> = new Set(
  "erf exp log sqrt reciprocal tanh sigmoid softplus softsign hard-sigmoid sin cos".split(" "),
);

export function isBuildingBlock(kind: string): boolean {
  return BUILDING_BLOCKS.has(kind);
}

const ROUNDS: readonly ((candidate: Candidate) => boolean)[] = [
  ({ region, function: { kind, is } }) => is !== "expression" && (region.nodes.length > 1 || !isBuildingBlock(kind)),
  // One bend among sums and scales is better served by its own function, whose symmetries and tails are known.
  ({ region: { bends }, function: { is } }) => is === "expression" && bends.strong >= 1 && bends.all >= 2,
  ({ region, function: { is } }) => is !== "expression" && region.nodes.length === 1,
];

/** The elementwise sites of what is free, by their last nodes. */
export function findElementwise(place: Place): ReadonlyMap<NodeProto, Site> {
  const recognise = recogniser();
  const roots = place.graph.nodes.toReversed();
  const taken = new Set<NodeProto>();
  const sites = new Map<NodeProto, Site>();
  const known = new Map<NodeProto, readonly Candidate[]>();
  for (const accepts of ROUNDS) {
    for (const root of roots) {
      // A region contains its root. Most roots are taken by then: what they compute need not be looked at.
      if (taken.has(root)) continue;
      const candidates = known.get(root) ?? candidatesAt(place, root, recognise);
      known.set(root, candidates);
      const chosen = candidates.findLast((one) => accepts(one) && one.region.nodes.every((node) => !taken.has(node)));
      if (chosen === undefined) continue;
      for (const node of chosen.region.nodes) taken.add(node);
      sites.set(root, siteOf(chosen, root));
    }
  }
  return sites;
}

/** What the regions that end in a node compute, smallest first. */
export function candidatesAt(
  place: Place,
  root: NodeProto,
  recognise: (text: string) => Recognised | null,
): readonly Candidate[] {
  const found: Candidate[] = [];
  for (const region of regionsAt(place, root)) {
    if (region.bends.strong === 0 && region.bends.all < 2) continue;
    const known = keepsRank(place, region, root) ? recognise(region.text) : null;
    if (known !== null) found.push({ region, function: known });
  }
  return found;
}

/** A constant of one element and many axes makes the result's rank larger than the data's. */
function keepsRank({ graph }: Place, { source }: Region, root: NodeProto): boolean {
  const [before, after] = [graph.facts(source).rank, graph.facts(root.output[0]).rank];
  return before === null || after === null || before === after;
}

function siteOf({ region, function: { kind } }: Candidate, root: NodeProto): Site {
  const [output] = root.output;
  return {
    id: output,
    kind,
    form: region.nodes.length === 1 ? "operator" : "decomposed",
    nodes: region.nodes.map((node) => node.output[0]),
    inputs: [region.source],
    output,
    attributes: {},
    axes: null,
  };
}
