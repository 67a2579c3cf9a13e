// What every attention operator computes, over values [batch, heads, length, size]: softmax(mask(cap(scale * Q K^T))) V. The softmax, and
// the tanh of a cap, are layers of their own in it. A score that must not count becomes the least finite binary32, as in onnxruntime, so
// that a row without any that counts gives the mean of the values or 0, as the operator says, and not NaN.

import { TensorProto_DataType } from "onnx-buf";
import type { Nodes } from "../recurrent/nodes.ts";

/** -(2 - 2^-23) * 2^127, exactly. */
const LEAST_FLOAT32 = -3.4028234663852886e38;

export interface Attention {
  /** [batch, heads, queries, size]. */
  readonly q: string;
  /** [batch, key heads, keys, size], the past's keys first; v likewise. */
  readonly k: string;
  readonly v: string;
  /** Factor of the scores; null is 1 / sqrt(size). */
  readonly scale: number | null;
  /** c of c tanh(x / c), which bounds a score; 0 if there is no bound. */
  readonly softcap: number;
  /** Whether a head of keys may serve several heads of queries, which follow each other. */
  readonly isGrouped: boolean;
  /** The scores with the mask. */
  readonly mask: (scores: string) => string;
  /** Whether a query that sees no key gets 0; it gets the mean of the values otherwise. */
  readonly zeroesUnseeing: boolean;
}

/** The scores at each stage, [batch, heads, queries, keys], and the result, [batch, heads, queries, size of a value]. */
export interface Attended {
  readonly scores: string;
  readonly capped: string;
  readonly masked: string;
  readonly weights: string;
  readonly y: string;
}

/** Why a number of heads is none; null if it is one. */
export function againstHeads(heads: number): string | null {
  return Number.isSafeInteger(heads) && heads > 0 ? null : `its number of heads is ${heads}`;
}

export function attend(attention: Attention, nodes: Nodes): Attended {
  const { k, v, softcap, isGrouped, mask, zeroesUnseeing } = attention;
  const q = scaleQueries(attention, nodes);
  const keys = nodes.op("keys", "Transpose", [k], { perm: [0n, 1n, 3n, 2n] });
  const multiply = isGrouped ? groupedMultiply(k, nodes) : plainMultiply(nodes);
  const scores = multiply("scores", q, keys);
  const capped = softcap > 0 ? capScores(scores, softcap, nodes) : scores;
  const masked = mask(capped);
  const softmax = nodes.op("softmax", "Softmax", [masked], { axis: -1n });
  const weights = zeroesUnseeing ? zeroWhereMasked(masked, softmax, nodes) : softmax;
  return { scores, capped, masked, weights, y: multiply("weighted", weights, v) };
}

function scaleQueries({ q, scale }: Attention, nodes: Nodes): string {
  if (scale !== null) return nodes.op("scaled", "Mul", [q, nodes.number("scale", scale)]);
  const size = extent(nodes, "size", q, 3);
  const root = nodes.op("root", "Sqrt", [
    nodes.op("size_float", "Cast", [size], { to: BigInt(TensorProto_DataType.FLOAT) }),
  ]);
  return nodes.op("scaled", "Div", [q, root]);
}

function capScores(scores: string, softcap: number, nodes: Nodes): string {
  const bound = nodes.number("softcap", softcap);
  const tanh = nodes.op("softcap_tanh", "Tanh", [nodes.op("softcap_argument", "Div", [scores, bound])]);
  return nodes.op("capped", "Mul", [tanh, bound]);
}

/** Where any score of a row counts, those that do not have weight 0 already. NaN stays NaN. */
function zeroWhereMasked(masked: string, weights: string, nodes: Nodes): string {
  const isMasked = nodes.op("is_masked", "LessOrEqual", [masked, leastNumber(nodes, "least")]);
  return nodes.op("weights", "Where", [isMasked, nodes.number("no_weight", 0), weights]);
}

/** Multiplies matrices for each head of queries with those for each head of keys. */
type Multiply = (name: string, a: string, b: string) => string;

function plainMultiply(nodes: Nodes): Multiply {
  return (name, a, b) => nodes.op(name, "MatMul", [a, b]);
}

/** Heads as [heads of keys, heads of queries for each], so that MatMul broadcasts a head of keys. */
function groupedMultiply(k: string, nodes: Nodes): Multiply {
  const keyHeads = extent(nodes, "key_heads", k, 1);
  return (name, a, b) => {
    const extents = [0, 1, 2, 3].map((axis) => extent(nodes, `${name}_extent_${axis}`, a, axis));
    const rest = nodes.integers(`${name}_rest`, [-1]);
    const reshape = (to: string, x: string, shape: readonly string[]): string =>
      nodes.op(to, "Reshape", [x, nodes.op(`${to}_shape`, "Concat", shape, { axis: 0n })]);
    const grouped = reshape(`${name}_grouped`, a, [extents[0], keyHeads, rest, extents[2], extents[3]]);
    const product = nodes.op(`${name}_products`, "MatMul", [grouped, nodes.unsqueeze(`${name}_shared`, b, 2)]);
    return reshape(name, product, [...extents.slice(0, 3), rest]);
  };
}

/** One extent of a value's shape, as a vector of length 1. */
export function extent(nodes: Nodes, name: string, x: string, axis: number): string {
  const shape = nodes.op(`${name}_of`, "Shape", [x]);
  return nodes.op(name, "Gather", [shape, nodes.integers(`${name}_axis`, [axis])], { axis: 0n });
}

/** [batch, length, heads * size] as [batch, heads, length, size]. */
export function toHeads(nodes: Nodes, name: string, x: string, heads: number): string {
  const parts = nodes.op(`${name}_parts`, "Reshape", [x, nodes.integers(`${name}_parts_shape`, [0, 0, heads, -1])]);
  return nodes.op(name, "Transpose", [parts], { perm: [0n, 2n, 1n, 3n] });
}

/** [batch, heads, length, size] as [batch, length, heads * size]. */
export function fromHeads(nodes: Nodes, name: string, x: string): string {
  const parts = nodes.op(`${name}_parts`, "Transpose", [x], { perm: [0n, 2n, 1n, 3n] });
  return nodes.op(name, "Reshape", [parts, nodes.integers(`${name}_shape`, [0, 0, -1])]);
}

/** The past before what is new, along the axis of lengths. */
export function withPast(nodes: Nodes, name: string, past: string, x: string): string {
  return past === "" ? x : nodes.op(name, "Concat", [past, x], { axis: 2n });
}

/** The indices of the keys, int64. */
export function keyIndices(nodes: Nodes, k: string): string {
  return range(nodes, "key_index", nodes.integers("first_key", 0), length(nodes, "keys_length", k));
}

/**
 * Whether a query may see a key, [..., queries, keys]: query i stands at the place `first` + i among the keys and sees those up to there.
 * @param first int64, a scalar or one for each sample, [batch, 1, 1, 1]
 */
export function causalMask(nodes: Nodes, q: string, first: string, keys: string): string {
  const count = length(nodes, "queries_length", q);
  const indices = nodes.unsqueeze("queries", range(nodes, "query_index", nodes.integers("first_query", 0), count), 1);
  const places = nodes.op("query_places", "Add", [indices, first]);
  return nodes.op("sees", "Not", [nodes.op("later", "Less", [places, keys])]);
}

/** How many keys are the past's, a scalar: the place of the first query. */
export function pastLength(nodes: Nodes, past: string): string {
  return past === "" ? nodes.integers("past_length", 0) : length(nodes, "past_length", past);
}

/** The scores where the condition holds, the least number elsewhere. */
export function keepWhere(nodes: Nodes, name: string, condition: string, scores: string): string {
  return nodes.op(name, "Where", [condition, scores, leastNumber(nodes, `${name}_least`)]);
}

export function leastNumber(nodes: Nodes, name: string): string {
  return nodes.number(name, LEAST_FLOAT32);
}

/** The length of a value in heads, a scalar. */
export function length(nodes: Nodes, name: string, x: string): string {
  return nodes.at(name, nodes.op(`${name}_of`, "Shape", [x]), 2, 0);
}

function range(nodes: Nodes, name: string, first: string, end: string): string {
  return nodes.op(name, "Range", [first, end, nodes.integers(`${name}_step`, 1)]);
}
