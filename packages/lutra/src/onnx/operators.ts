// Layers that are one operator: which function each operator is, and when it is not (another alpha, a second input, an axis that
// cannot be told). One row per operator; what has no row is no site.

import type { NodeProto } from "onnx-buf";
import { numberAttribute, textAttribute } from "./attribute.ts";
import type { Graph } from "./graph.ts";

/** What an operator computes: a function of its first input, along axes for functions of a row. */
export interface Operator {
  readonly kind: string;
  readonly axes: readonly number[] | null;
  readonly attributes: Readonly<Record<string, number>>;
}

type Reader = (node: NodeProto, graph: Graph) => Operator | null;

const MICROSOFT = "com.microsoft/";
/** Attributes are stored in binary32: 1.702 reads as 1.7020000219. */
const ATTRIBUTE_TOLERANCE = 1e-6;

const elementwise = (kind: string): Operator => ({ kind, axes: null, attributes: {} });

/** The function, if every attribute named has its value (given: the operator's own default). */
function unary(
  kind: string,
  wanted: Readonly<Record<string, readonly [standard: number, fallback: number]>> = {},
): Reader {
  return (node) => {
    if (inputsOf(node) !== 1) return null;
    const holds = Object.entries(wanted).every(([name, [standard, fallback]]) =>
      isNear(numberAttribute(node, name, fallback), standard),
    );
    return holds ? elementwise(kind) : null;
  };
}

const OPERATORS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["Gelu", (node) => elementwise(textAttribute(node, "approximate", "none") === "tanh" ? "gelu-tanh" : "gelu")],
  [`${MICROSOFT}Gelu`, unary("gelu")],
  [`${MICROSOFT}FastGelu`, unary("gelu-tanh")],
  [
    `${MICROSOFT}QuickGelu`,
    (node, graph) =>
      unary("quick-gelu", { alpha: [1.702, 1.702] })(node, graph) ?? unary("silu", { alpha: [1, 1.702] })(node, graph),
  ],
  ["Swish", unary("silu", { alpha: [1, 1] })],
  ["Erf", unary("erf")],
  ["Exp", unary("exp")],
  ["Log", unary("log")],
  ["Sqrt", unary("sqrt")],
  ["Reciprocal", unary("reciprocal")],
  ["Tanh", unary("tanh")],
  ["Sigmoid", unary("sigmoid")],
  ["Mish", unary("mish")],
  ["Softplus", unary("softplus")],
  ["Elu", unary("elu", { alpha: [1, 1] })],
  [
    "Selu",
    unary("selu", {
      alpha: [1.6732632423543772, 1.6732632423543772],
      gamma: [1.0507009873554805, 1.0507009873554805],
    }),
  ],
  ["HardSwish", unary("hard-swish")],
  ["HardSigmoid", unary("hard-sigmoid", { alpha: [1 / 6, 0.2], beta: [0.5, 0.5] })],
  ["Softsign", unary("softsign")],
  ["Sin", unary("sin")],
  ["Cos", unary("cos")],
  ["Softmax", softmax("softmax")],
  ["LogSoftmax", softmax("log-softmax")],
  ["LayerNormalization", norm("layer-norm", 3)],
  ["RMSNormalization", norm("rms-norm", 2)],
  ["SimplifiedLayerNormalization", norm("rms-norm", 2)],
]);

/** The function a node computes by itself; null if it is none of them, or not in a form that can be replaced. */
export function readOperator(node: NodeProto, graph: Graph): Operator | null {
  const domain = node.domain === "" || node.domain === "ai.onnx" ? "" : `${node.domain}/`;
  const [, ...others] = node.output.filter((name) => name !== "");
  if (others.some((name) => graph.isOutput(name) || graph.consumers(name).length > 0)) return null;
  return OPERATORS.get(`${domain}${node.opType}`)?.(node, graph) ?? null;
}

/** Before opset 13 Softmax flattens all axes from `axis` on into one row: the same only if `axis` is the last. */
function softmax(kind: string): Reader {
  return (node, graph) => {
    const flattens = graph.model.opset < 13;
    const axis = numberAttribute(node, "axis", flattens ? 1 : -1);
    const axes = graph.negativeAxes([axis], node.input[0] ?? "");
    if (axes === null || (flattens && axes[0] !== -1)) return null;
    return { kind, axes, attributes: {} };
  };
}

/** Norms run over all axes from `axis` to the last. */
function norm(kind: string, maxInputs: number): Reader {
  return (node, graph) => {
    const first = graph.negativeAxes([numberAttribute(node, "axis", -1)], node.input[0] ?? "");
    if (first === null || inputsOf(node) > maxInputs || inputsOf(node) < 2) return null;
    const axes = Array.from({ length: -first[0] }, (_, i) => first[0] + i);
    return { kind, axes, attributes: { epsilon: numberAttribute(node, "epsilon", 1e-5) } };
  };
}

function inputsOf(node: NodeProto): number {
  return node.input.filter((name) => name !== "").length;
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= ATTRIBUTE_TOLERANCE * Math.abs(b);
}
