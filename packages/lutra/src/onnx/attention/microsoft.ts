// com.microsoft's MultiHeadAttention and Attention, as onnxruntime's optimizer writes them. A mask of 0 and 1, or of lengths, adds
// mask_filter_value to the scores; a causal one leaves nothing of them. Expanded is what onnxruntime's CPU kernels compute.

import { type NodeProto, TensorProto_DataType } from "onnx-buf";
import { integersAttribute, numberAttribute } from "../attribute.ts";
import { int64, tensor } from "../build.ts";
import type { Nodes } from "../recurrent/nodes.ts";
import {
  againstHeads,
  attend,
  causalMask,
  extent,
  fromHeads,
  keepWhere,
  keyIndices,
  pastLength,
  toHeads,
  withPast,
} from "./core.ts";
import type { FactsOf, Operator } from "./operator.ts";

export const MULTI_HEAD_ATTENTION: Operator = { reasonAgainst: againstMultiHead, expand: expandMultiHead };
export const PACKED_ATTENTION: Operator = { reasonAgainst: againstPacked, expand: expandPacked };

const DEFAULT_FILTER = -10000;

function isGiven(names: readonly string[], index: number): boolean {
  return (names[index] ?? "") !== "";
}

/** The rank must be one of the wanted. */
function againstRank(what: string, rank: number | null, wanted: readonly number[]): string | null {
  if (rank === null) return `the rank of its ${what} is not known`;
  return wanted.includes(rank) ? null : `its ${what} has rank ${rank}`;
}

function againstMultiHead(node: NodeProto, factsOf: FactsOf): string | null {
  const { input, output } = node;
  if (!isGiven(input, 1) || !isGiven(input, 2)) return "its query, key and value are packed in one input";
  if (isGiven(input, 8)) return "its past shares a buffer with its present";
  if (isGiven(input, 9)) return "it reads its past through cache_indirection";
  if (isGiven(output, 3)) return "it gives its scores (output qk)";
  const keyRank = factsOf(input[1]).rank;
  if (keyRank === 4 && isGiven(input, 3)) return "it has a bias for keys that are in heads already";
  return (
    againstHeads(numberAttribute(node, "num_heads", 0)) ??
    againstRank("query", factsOf(input[0]).rank, [3]) ??
    againstRank("key", keyRank, [3, 4]) ??
    (isGiven(input, 4) ? againstRank("mask", factsOf(input[4]).rank, [1, 2, 3]) : null)
  );
}

function expandMultiHead(node: NodeProto, nodes: Nodes, factsOf: FactsOf): void {
  const [query, key, value, bias = "", mask = "", attentionBias = "", pastKey = "", pastValue = ""] = node.input;
  const [y = "", presentKey = "", presentValue = ""] = node.output;
  const heads = numberAttribute(node, "num_heads", 0);
  const biases = bias === "" ? null : biasParts(nodes, bias, query, key);
  const inHeads = (name: string, index: number, x: string): string => {
    const biased = biases === null ? x : nodes.op(`${name}_biased`, "Add", [x, biases[index]]);
    return toHeads(nodes, name, biased, heads);
  };
  const q = inHeads("q", 0, query);
  const isInHeads = factsOf(key).rank === 4;
  const k = withPast(nodes, "all_k", pastKey, isInHeads ? key : inHeads("k", 1, key));
  const v = withPast(nodes, "all_v", pastValue, isInHeads ? value : inHeads("v", 2, value));
  const attended = attendMasked(node, nodes, {
    q,
    k,
    v,
    mask,
    maskRank: factsOf(mask).rank,
    attentionBias,
    past: pastKey,
  });
  nodes.give(presentKey, k);
  nodes.give(presentValue, v);
  nodes.give(y, attended);
}

/** The bias is one vector for query, key and value; a value may be wider. */
function biasParts(nodes: Nodes, bias: string, query: string, key: string): readonly string[] {
  const zero = nodes.integers("bias_first", [0]);
  const first = extent(nodes, "query_width", query, 2);
  const second = nodes.op("bias_middle", "Add", [first, extent(nodes, "key_width", key, 2)]);
  const end = extent(nodes, "bias_end", bias, 0);
  const part = (name: string, from: string, to: string): string => nodes.op(name, "Slice", [bias, from, to]);
  return [part("bias_q", zero, first), part("bias_k", first, second), part("bias_v", second, end)];
}

function againstPacked(node: NodeProto, factsOf: FactsOf): string | null {
  const { input } = node;
  if (!isGiven(input, 1)) return "it has no weights";
  if (isGiven(input, 6) || numberAttribute(node, "past_present_share_buffer", 0) !== 0)
    return "its past shares a buffer with its present";
  if (numberAttribute(node, "do_rotary", 0) !== 0) return "it rotates its queries and keys";
  const sizes = integersAttribute(node, "qkv_hidden_sizes");
  if (sizes !== null && sizes.length !== 3) return `its qkv_hidden_sizes are ${sizes.length} numbers, not 3`;
  const against = againstHeads(numberAttribute(node, "num_heads", 0));
  return against ?? (isGiven(input, 3) ? againstRank("mask", factsOf(input[3]).rank, [1, 2, 3]) : null);
}

function expandPacked(node: NodeProto, nodes: Nodes, factsOf: FactsOf): void {
  const [x, weights, bias = "", mask = "", past = "", attentionBias = ""] = node.input;
  const [y = "", present = ""] = node.output;
  const heads = numberAttribute(node, "num_heads", 0);
  const product = nodes.op("projected", "MatMul", [x, weights]);
  const all = bias === "" ? product : nodes.op("projected_biased", "Add", [product, bias]);
  const names = ["q_flat", "k_flat", "v_flat"];
  const sizes = integersAttribute(node, "qkv_hidden_sizes");
  const flat = sizes === null ? nodes.splitEqually(names, all) : nodes.split(names, all, sizes);
  const [q, newK, newV] = ["q", "k", "v"].map((name, i) => toHeads(nodes, name, flat[i], heads));
  const [pastKey, pastValue] = ["past_k", "past_v"].map((name, i) => (past === "" ? "" : nodes.at(name, past, i, 0)));
  const k = withPast(nodes, "all_k", pastKey, newK);
  const v = withPast(nodes, "all_v", pastValue, newV);
  const attended = attendMasked(node, nodes, {
    q,
    k,
    v,
    mask,
    maskRank: factsOf(mask).rank,
    attentionBias,
    past: pastKey,
  });
  if (present !== "") {
    const both = [nodes.unsqueeze("present_k", k, 0), nodes.unsqueeze("present_v", v, 0)];
    nodes.give(present, nodes.op("present", "Concat", both, { axis: 0n }));
  }
  nodes.give(y, attended);
}

interface Masked {
  readonly q: string;
  readonly k: string;
  readonly v: string;
  readonly mask: string;
  readonly maskRank: number | null;
  readonly attentionBias: string;
  /** The past's keys. */
  readonly past: string;
}

/** The operator's result, [batch, queries, heads * size]. */
function attendMasked(node: NodeProto, nodes: Nodes, given: Masked): string {
  const { q, k, v, mask, attentionBias, past } = given;
  const scale = numberAttribute(node, "scale", 0);
  const isCausal = numberAttribute(node, "unidirectional", 0) !== 0;
  const masked = (scores: string): string => {
    const keys = isCausal || mask !== "" ? keyIndices(nodes, k) : "";
    let sum = attentionBias === "" ? scores : nodes.op("biased", "Add", [scores, attentionBias]);
    if (mask !== "") {
      const filter = nodes.number("filter", numberAttribute(node, "mask_filter_value", DEFAULT_FILTER));
      const added = nodes.op("mask_bias", "Where", [visible(given, keys, nodes), nodes.number("nothing", 0), filter]);
      sum = nodes.op("filtered", "Add", [sum, added]);
    }
    return isCausal ? keepWhere(nodes, "causal", causalMask(nodes, q, pastLength(nodes, past), keys), sum) : sum;
  };
  const mine = {
    q,
    k,
    v,
    scale: scale === 0 ? null : scale,
    softcap: 0,
    isGrouped: false,
    mask: masked,
    zeroesUnseeing: false,
  };
  return fromHeads(nodes, "flat", attend(mine, nodes).y);
}

/** Which keys count, in the shape of the scores: a mask of rank 1 holds where a row's keys end, then where they begin; others are 0 and 1. */
function visible({ q, k, mask, maskRank }: Masked, keys: string, nodes: Nodes): string {
  const batch = extent(nodes, "batch", q, 0);
  if (maskRank !== 1) {
    const shape = [
      batch,
      nodes.integers("one_head", [1]),
      nodes.integers("mask_rows", [-1]),
      extent(nodes, "mask_columns", k, 2),
    ];
    const full = nodes.op("mask_full", "Reshape", [mask, nodes.op("mask_shape", "Concat", shape, { axis: 0n })]);
    return nodes.op("counts", "Cast", [full], { to: BigInt(TensorProto_DataType.BOOL) });
  }
  const lengths = nodes.op("mask_int64", "Cast", [mask], { to: BigInt(TensorProto_DataType.INT64) });
  // Beginnings may be left out: they are 0 then.
  const filled = nodes.op(
    "mask_filled",
    "Concat",
    [lengths, nodes.op("no_beginnings", "ConstantOfShape", [batch], { value: tensor(int64([0])) })],
    { axis: 0n },
  );
  const column = nodes.integers("column", [-1, 1, 1, 1]);
  const part = (name: string, from: string, to: string): string =>
    nodes.op(name, "Reshape", [nodes.op(`${name}_list`, "Slice", [filled, from, to]), column]);
  const twice = nodes.op("batch_twice", "Add", [batch, batch]);
  const ends = part("ends", nodes.integers("mask_first", [0]), batch);
  const beginnings = part("beginnings", batch, twice);
  const begun = nodes.op("begun", "Not", [nodes.op("before", "Less", [keys, beginnings])]);
  return nodes.op("counts", "And", [begun, nodes.op("not_ended", "Less", [keys, ends])]);
}
