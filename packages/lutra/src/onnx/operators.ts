// Layers of a row that are one operator: which function each operator is, and when it is not (an axis that cannot be told).
// One row per operator; what has no row is no site.

import type { NodeProto } from "onnx-buf";
import { numberAttribute } from "./attribute.ts";
import type { Graph } from "./graph.ts";

/** What an operator computes: a function of each row of its first input. */
export interface Operator {
  readonly kind: string;
  readonly axes: readonly number[];
  readonly attributes: Readonly<Record<string, number>>;
}

type Reader = (node: NodeProto, graph: Graph) => Operator | null;

const OPERATORS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["Softmax", softmax("softmax")],
  ["LogSoftmax", softmax("log-softmax")],
  ["LayerNormalization", norm("layer-norm", 3)],
  ["RMSNormalization", norm("rms-norm", 2)],
  ["SimplifiedLayerNormalization", norm("rms-norm", 2)],
]);

/** The function a node computes by itself; null if it is none of them, or not in a form that can be replaced. */
export function readOperator(node: NodeProto, graph: Graph): Operator | null {
  const domain = node.domain === "" || node.domain === "ai.onnx" ? "" : `${node.domain}/`;
  return OPERATORS.get(`${domain}${node.opType}`)?.(node, graph) ?? null;
}

/** Before opset 13 Softmax flattens all axes from `axis` on into one row. */
function softmax(kind: string): Reader {
  return (node, graph) => {
    const flattens = graph.model.opset < 13;
    const first = graph.negativeAxes([numberAttribute(node, "axis", flattens ? 1 : -1)], node.input[0] ?? "");
    if (first === null) return null;
    return { kind, axes: flattens ? fromAxis(first[0]) : first, attributes: {} };
  };
}

/** Norms run over all axes from `axis` to the last. */
function norm(kind: string, maxInputs: number): Reader {
  return (node, graph) => {
    const first = graph.negativeAxes([numberAttribute(node, "axis", -1)], node.input[0] ?? "");
    if (first === null || inputsOf(node) > maxInputs || inputsOf(node) < 2) return null;
    return { kind, axes: fromAxis(first[0]), attributes: { epsilon: numberAttribute(node, "epsilon", 1e-5) } };
  };
}

/** A negative axis and all after it. */
function fromAxis(axis: number): readonly number[] {
  return Array.from({ length: -axis }, (_, i) => axis + i);
}

function inputsOf(node: NodeProto): number {
  return node.input.filter((name) => name !== "").length;
}
