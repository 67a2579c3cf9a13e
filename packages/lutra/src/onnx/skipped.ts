// Layers that are no site, and why: what a user who counts the layers of a model would miss. Only operators that are non-linear layers by
// themselves are reported; what exporters write as several nodes is either found or indistinguishable from plain arithmetic.

import { type NodeProto, TensorProto_DataType } from "onnx-buf";
import { notExpandedBecause } from "./attention/expand.ts";
import { labelOf, type Path } from "./bodies.ts";
import type { Graph } from "./graph.ts";
import { TRANSCENDENTAL } from "./lift.ts";
import type { Site } from "./types.ts";

/** A non-linear operator that no table will replace. Plain JSON. */
export interface Skipped {
  /** The node, named by its first output. */
  readonly id: string;
  readonly operator: string;
  /** In words, for a user: "its data are float16; ...". */
  readonly reason: string;
  /** As of a Site. */
  readonly scope?: readonly string[];
}

/** Non-linear by themselves; the first input is the data. */
const ELEMENTWISE: ReadonlySet<string> = new Set([...TRANSCENDENTAL, "BiasGelu"]);
const OF_A_ROW: ReadonlySet<string> = new Set(
  (
    "Softmax LogSoftmax LayerNormalization RMSNormalization SimplifiedLayerNormalization SkipLayerNormalization " +
    "SkipSimplifiedLayerNormalization GroupNormalization InstanceNormalization"
  ).split(" "),
);
const RECURRENT: ReadonlySet<string> = new Set(["LSTM", "GRU", "RNN"]);
/** Layers that Lutra knows no function for, whatever their data. */
const UNKNOWN: ReadonlySet<string> = new Set(
  (
    "Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh ReduceL2 ReduceLogSum ReduceLogSumExp LpNormalization LRN " +
    "MeanVarianceNormalization"
  ).split(" "),
);
/** An operator of another domain is a function of the model, which is searched itself, or the runtime's own. */
const DOMAINS: readonly string[] = ["", "ai.onnx", "com.microsoft"];

/**
 * The non-linear operators of a graph that no site replaces, in graph order.
 * @param isExpanded whether a node's layers are sites of its expansion
 */
export function skippedIn(
  graph: Graph,
  path: Path,
  sites: readonly Site[],
  isExpanded: (node: NodeProto) => boolean,
): readonly Skipped[] {
  const replaced = new Set(sites.flatMap(({ nodes }) => nodes));
  return graph.nodes.flatMap((node) => {
    const id = labelOf(node);
    const reason = replaced.has(id) || isExpanded(node) ? null : whyNot(node, graph);
    if (reason === null) return [];
    return [{ id, operator: node.opType, reason, ...(path.length === 0 ? {} : { scope: path }) }];
  });
}

/** The non-linear operators of a function that is not searched because of its operator set. */
export function skippedBecause(nodes: readonly NodeProto[], path: Path, reason: string): readonly Skipped[] {
  return nodes.filter(isLayer).map((node) => ({ id: labelOf(node), operator: node.opType, reason, scope: path }));
}

function isLayer({ domain, opType }: NodeProto): boolean {
  const sets = [OF_A_ROW, ELEMENTWISE, RECURRENT, UNKNOWN];
  return DOMAINS.includes(domain) && sets.some((operators) => operators.has(opType));
}

/** Why a node is no site; null for one that is no layer, or arithmetic on shapes and constants. */
function whyNot(node: NodeProto, graph: Graph): string | null {
  const attention = notExpandedBecause(node, graph.facts);
  if (attention !== null) return attention;
  if (!isLayer(node)) return null;
  const isRow = OF_A_ROW.has(node.opType);
  const { data, rank, element } = graph.facts(node.input[0] ?? "");
  if (!data) return null;
  if (element !== null && element !== TensorProto_DataType.FLOAT) {
    const type = TensorProto_DataType[element]?.toLowerCase() ?? `of type ${element}`;
    return `its data are ${type}; tables are made for float32`;
  }
  if (UNKNOWN.has(node.opType)) return "Lutra has no table for this operator";
  if (RECURRENT.has(node.opType))
    return "it has an activation with parameters, or attributes that do not fit the operator";
  if (isRow && rank === null) return "the rank of its input is not known; run shape inference on the model first";
  return isRow
    ? "its inputs or axes are not those of a layer that tables are made for"
    : "what it computes was not recognised as a smooth function of one input";
}
