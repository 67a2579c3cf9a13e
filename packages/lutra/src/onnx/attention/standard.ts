// ONNX's own Attention (operator sets 23 and 24). The cap comes before the mask and qk_matmul_output_mode counts the stages in that order,
// as the standard says since its correction of both versions and as onnxruntime does; the first edition had the mask before the cap.

import { type NodeProto, TensorProto_DataType } from "onnx-buf";
import { numberAttribute } from "../attribute.ts";
import type { Nodes } from "../recurrent/nodes.ts";
import {
  againstHeads,
  attend,
  causalMask,
  fromHeads,
  keepWhere,
  keyIndices,
  leastNumber,
  length,
  pastLength,
  toHeads,
  withPast,
} from "./core.ts";
import type { FactsOf, Operator } from "./operator.ts";

export const STANDARD: Operator = { reasonAgainst, expand };

function reasonAgainst(node: NodeProto, factsOf: FactsOf): string | null {
  const [, key = "", value = "", mask = ""] = node.input;
  if (key === "" || value === "") return "it has no key or no value";
  const precision = numberAttribute(node, "softmax_precision", TensorProto_DataType.FLOAT);
  if (precision !== TensorProto_DataType.FLOAT)
    return `its softmax_precision is element type ${precision}, not binary32`;
  const rank = rankOf(node, factsOf);
  if (rank === null) return "the rank of its query is neither 3 nor 4";
  const heads = ["q_num_heads", "kv_num_heads"].map((name) => againstHeads(numberAttribute(node, name, 0)));
  const againstAny = heads.find((reason) => reason !== null) ?? null;
  if (rank === 3 && againstAny !== null) return againstAny;
  const { element } = factsOf(mask);
  if (mask === "" || element === TensorProto_DataType.BOOL || element === TensorProto_DataType.FLOAT) return null;
  return element === null ? "the element type of its mask is not known" : `its mask has element type ${element}`;
}

/** Heads must be given for rank 3 and say nothing for rank 4. */
function rankOf(node: NodeProto, factsOf: FactsOf): 3 | 4 | null {
  const isFlat = numberAttribute(node, "q_num_heads", null) !== null;
  const rank = factsOf(node.input[0]).rank ?? (isFlat ? 3 : 4);
  return rank === 3 || rank === 4 ? rank : null;
}

function expand(node: NodeProto, nodes: Nodes, factsOf: FactsOf): void {
  const [, , , mask = "", pastKey = "", pastValue = "", lengths = ""] = node.input;
  const [y = "", presentKey = "", presentValue = "", scoresOutput = ""] = node.output;
  const isFlat = rankOf(node, factsOf) === 3;
  const queryHeads = numberAttribute(node, "q_num_heads", 0);
  const keyHeads = numberAttribute(node, "kv_num_heads", 0);
  const heads = (name: string, index: number, count: number): string =>
    isFlat ? toHeads(nodes, name, node.input[index], count) : node.input[index];
  const q = heads("q", 0, queryHeads);
  const k = withPast(nodes, "all_k", pastKey, heads("k", 1, keyHeads));
  const v = withPast(nodes, "all_v", pastValue, heads("v", 2, keyHeads));
  const scale = numberAttribute(node, "scale", null);
  const softcap = numberAttribute(node, "softcap", 0);
  const isGrouped = !isFlat || keyHeads !== queryHeads;
  const zeroesUnseeing = mask !== "" || lengths !== "";
  const result = attend(
    {
      q,
      k,
      v,
      scale,
      softcap,
      isGrouped,
      mask: (scores) => masked(node, nodes, { scores, q, k }, factsOf),
      zeroesUnseeing,
    },
    nodes,
  );
  nodes.give(presentKey, k);
  nodes.give(presentValue, v);
  const stages = [result.scores, result.capped, result.masked, result.weights];
  nodes.give(scoresOutput, stages[numberAttribute(node, "qk_matmul_output_mode", 0)] ?? result.scores);
  nodes.give(y, isFlat ? fromHeads(nodes, "flat", result.y) : result.y);
}

interface Scored {
  readonly scores: string;
  readonly q: string;
  /** With the past. */
  readonly k: string;
}

/** The scores with the mask, the causal one and that of keys that do not count. */
function masked(node: NodeProto, nodes: Nodes, { scores, q, k }: Scored, factsOf: FactsOf): string {
  const [, , , mask = "", pastKey = "", , lengths = ""] = node.input;
  const isCausal = numberAttribute(node, "is_causal", 0) !== 0;
  const biased = mask === "" ? scores : nodes.op("biased", "Add", [scores, bias(mask, k, nodes, factsOf)]);
  if (!isCausal && lengths === "") return biased;
  const keys = keyIndices(nodes, k);
  const ends =
    lengths === "" ? "" : nodes.op("ends", "Reshape", [lengths, nodes.integers("ends_shape", [-1, 1, 1, 1])]);
  const causal = isCausal
    ? keepWhere(nodes, "causal", causalMask(nodes, q, firstPlace(nodes, pastKey, ends, q), keys), biased)
    : biased;
  if (ends === "") return causal;
  return keepWhere(nodes, "counted", nodes.op("counts", "Less", [keys, ends]), causal);
}

/** The place of the first query among the keys: after the past's; the queries are the last of the keys that count where some do not. */
function firstPlace(nodes: Nodes, pastKey: string, ends: string, q: string): string {
  if (ends === "") return pastLength(nodes, pastKey);
  return nodes.op("first_place", "Sub", [ends, length(nodes, "queries_count", q)]);
}

/** What a mask adds to the scores. Since operator set 24 it may be shorter than the keys, which then are masked. */
function bias(mask: string, k: string, nodes: Nodes, factsOf: FactsOf): string {
  const isCondition = factsOf(mask).element === TensorProto_DataType.BOOL;
  const given = isCondition ? keepWhere(nodes, "mask_bias", mask, nodes.number("nothing", 0)) : mask;
  if (nodes.opset < 24) return given;
  const last = nodes.integers("last_axis", -1);
  const extentOf = (name: string, x: string, axis: number): string =>
    nodes.at(name, nodes.op(`${name}_of`, "Shape", [x]), axis, 0);
  const missing = nodes.op("missing", "Sub", [extentOf("wanted", k, 2), extentOf("present", given, -1)]);
  const pads = nodes.op(
    "pads",
    "Concat",
    [nodes.integers("no_pad", [0]), nodes.unsqueeze("missing_list", missing, 0)],
    { axis: 0n },
  );
  return nodes.op("padded", "Pad", [given, pads, leastNumber(nodes, "pad_value"), nodes.unsqueeze("axes", last, 0)]);
}
