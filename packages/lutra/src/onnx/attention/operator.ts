// What the attention operators have in common for those who look for them: when one cannot be expanded, and its nodes when it can.

import type { NodeProto } from "onnx-buf";
import type { Facts } from "../infer.ts";
import type { Nodes } from "../recurrent/nodes.ts";

/** What is known of a value of the graph that the operator is in. */
export type FactsOf = (name: string) => Facts;

export interface Operator {
  /** Why the node cannot be expanded, in words that end "... is left alone, because"; null if it can. */
  readonly reasonAgainst: (node: NodeProto, factsOf: FactsOf) => string | null;
  /** Appends nodes that give all the operator's outputs. */
  readonly expand: (node: NodeProto, nodes: Nodes, factsOf: FactsOf) => void;
}
