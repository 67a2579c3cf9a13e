// Attention operators as the standard nodes they stand for, so that the Softmax inside, and the Tanh of a cap, are layers like any others.
// Names depend on the operator and the prefix alone.

import { type NodeProto, TensorProto_DataType } from "onnx-buf";
import { Nodes } from "../recurrent/nodes.ts";
import { MULTI_HEAD_ATTENTION, PACKED_ATTENTION } from "./microsoft.ts";
import type { FactsOf, Operator } from "./operator.ts";
import { STANDARD } from "./standard.ts";

const MICROSOFT = "com.microsoft";

const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ["/Attention", STANDARD],
  [`${MICROSOFT}/Attention`, PACKED_ATTENTION],
  [`${MICROSOFT}/MultiHeadAttention`, MULTI_HEAD_ATTENTION],
]);

/** Operators with a softmax inside that nothing expands, and why. */
const OTHERS: ReadonlyMap<string, string> = new Map(
  [
    "GroupQueryAttention",
    "DecoderMaskedMultiHeadAttention",
    "DecoderMaskedSelfAttention",
    "LongformerAttention",
    "PackedAttention",
    "PackedMultiHeadAttention",
    "PagedAttention",
    "QAttention",
    "SparseAttention",
  ].map((name) => [`${MICROSOFT}/${name}`, "Lutra has no expansion of this operator"]),
);

function keyOf({ domain, opType }: NodeProto): string {
  return `${domain === "ai.onnx" ? "" : domain}/${opType}`;
}

/**
 * Why an attention operator is left alone, as a clause after "because"; null if it is expanded, or if the node is no such operator.
 * @param factsOf what is known of the values of the node's graph
 */
export function notExpandedBecause(node: NodeProto, factsOf: FactsOf): string | null {
  const operator = OPERATORS.get(keyOf(node));
  if (operator === undefined) return OTHERS.get(keyOf(node)) ?? null;
  if (node.attribute.some(({ refAttrName }) => refAttrName !== ""))
    return "its attributes are parameters of a function";
  if (node.input.length === 0 || node.input[0] === "" || node.output.every((name) => name === ""))
    return "it has no input or no output";
  const { element } = factsOf(node.input[0]);
  if (element !== null && element !== TensorProto_DataType.FLOAT)
    return `its data are ${TensorProto_DataType[element]?.toLowerCase() ?? `of type ${element}`}; tables are made for float32`;
  return operator.reasonAgainst(node, factsOf);
}

/** The nodes of an attention operator; null for any other node, and for one that is left alone. */
export function expandAttention(
  node: NodeProto,
  opset: number,
  factsOf: FactsOf,
  prefixFor: () => string,
): readonly NodeProto[] | null {
  const operator = OPERATORS.get(keyOf(node));
  if (operator === undefined || notExpandedBecause(node, factsOf) !== null) return null;
  const nodes = new Nodes(prefixFor(), opset);
  operator.expand(node, nodes, factsOf);
  return nodes.list;
}
