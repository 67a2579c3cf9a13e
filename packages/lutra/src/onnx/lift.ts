// What elementwise operators compute, as text that fn/ parses: one row per operator. A region of such nodes becomes one expression in x.
// Only reads; which regions are worth it, find decides.

import type { NodeProto } from "onnx-buf";
import { numberAttribute, textAttribute } from "./attribute.ts";
import type { Graph } from "./graph.ts";

/** A value inside a region as a function of the region's source. */
export type Term =
  | { readonly is: "number"; readonly text: string }
  /** True where `text` is at least 0; the other way round where negated. */
  | { readonly is: "condition"; readonly text: string; readonly negated: boolean };

/** Longest expression fn/ parses. Values used often make the text grow without end. */
const MAX_TEXT = 500;
/** So many digits every binary32 keeps, and so many tell all of them apart. */
const BINARY32_DIGITS = [6, 9] as const;

type Lift = (args: readonly string[], node: NodeProto) => string | null;

const MICROSOFT = "com.microsoft/";

/** f of the only input, by the name fn/ knows it by. */
function named(name: string): Lift {
  return (args) => (args.length === 1 ? `${name}(${args[0]})` : null);
}

function joined(sign: string): Lift {
  return (args) => (args.length > 0 ? `(${args.join(sign)})` : null);
}

function nested(name: string): Lift {
  return (args) => (args.length > 0 ? args.reduce((a, b) => `${name}(${a},${b})`) : null);
}

const attribute = (node: NodeProto, name: string, fallback: number): string =>
  decimal(numberAttribute(node, name, fallback));

/** gamma * (x where x > 0, alpha * (e^x - 1) elsewhere); elu(u) is that with both 1. */
function scaledElu(x: string, alpha: string, gamma: string): string {
  return `(${gamma}*(max(${x},0)+${alpha}*elu(min(${x},0))))`;
}

const SELU_ALPHA = 1.6732632423543772;
const SELU_GAMMA = 1.0507009873554805;

const LIFTS: ReadonlyMap<string, Lift> = new Map<string, Lift>([
  ["Identity", ([x]) => x],
  ["Cast", ([x]) => x],
  ["CastLike", ([x]) => x],
  ["Neg", ([x]) => `(-${x})`],
  ["Add", joined("+")],
  ["Sum", joined("+")],
  ["Sub", joined("-")],
  ["Mul", joined("*")],
  ["Div", joined("/")],
  ["Min", nested("min")],
  ["Max", nested("max")],
  ["Pow", ([x, exponent]) => (Number.isFinite(numberIn(exponent)) ? `pow(${x},${exponent})` : null)],
  ["Abs", named("abs")],
  ["Relu", named("relu")],
  ["LeakyRelu", ([x], node) => `(max(${x},0)+${attribute(node, "alpha", 0.01)}*min(${x},0))`],
  ["Clip", clip],
  ["Erf", named("erf")],
  ["Exp", named("exp")],
  ["Log", named("log")],
  ["Sqrt", named("sqrt")],
  ["Reciprocal", named("reciprocal")],
  ["Tanh", named("tanh")],
  ["Sigmoid", named("sigmoid")],
  ["Mish", named("mish")],
  ["Softplus", named("softplus")],
  ["Softsign", named("softsign")],
  ["HardSwish", named("hard-swish")],
  ["Sin", named("sin")],
  ["Cos", named("cos")],
  ["Gelu", ([x], node) => `${textAttribute(node, "approximate", "none") === "tanh" ? "gelu-tanh" : "gelu"}(${x})`],
  ["Swish", ([x], node) => `(${x}*sigmoid(${attribute(node, "alpha", 1)}*${x}))`],
  ["Elu", ([x], node) => scaledElu(x, attribute(node, "alpha", 1), "1")],
  ["Selu", ([x], node) => scaledElu(x, attribute(node, "alpha", SELU_ALPHA), attribute(node, "gamma", SELU_GAMMA))],
  [
    "Celu",
    ([x], node) => {
      const alpha = attribute(node, "alpha", 1);
      return `(${alpha}*elu(${x}/${alpha}))`;
    },
  ],
  ["HardSigmoid", ([x], node) => `clamp(${attribute(node, "alpha", 0.2)}*${x}+${attribute(node, "beta", 0.5)},0,1)`],
  [`${MICROSOFT}Gelu`, named("gelu")],
  [`${MICROSOFT}FastGelu`, named("gelu-tanh")],
  [`${MICROSOFT}QuickGelu`, ([x], node) => `(${x}*sigmoid(${attribute(node, "alpha", 1.702)}*${x}))`],
]);

/** The test `left - right >= 0` or its opposite, by operator. */
const COMPARISONS: ReadonlyMap<string, { readonly swapped: boolean; readonly negated: boolean }> = new Map([
  ["GreaterOrEqual", { swapped: false, negated: false }],
  ["LessOrEqual", { swapped: true, negated: false }],
  ["Less", { swapped: false, negated: true }],
  ["Greater", { swapped: true, negated: true }],
]);

/** Operators that a table is worth having for, wherever x reaches them. */
export const TRANSCENDENTAL: ReadonlySet<string> = new Set(
  (
    "Erf Exp Log Sqrt Reciprocal Tanh Sigmoid Mish Softplus Softsign HardSwish HardSigmoid Sin Cos Gelu Swish Elu Selu Celu " +
    "FastGelu QuickGelu"
  ).split(" "),
);

/** Operators that bend a line, besides: they make named functions, but no expression by themselves. */
const BENDING: ReadonlySet<string> = new Set("Min Max Abs Relu LeakyRelu Clip Where Pow".split(" "));

/** How much a node bends its input: 2 for what a table is made for, 1 for other non-linear arithmetic, 0 for sums and scales. */
export function bend(node: NodeProto, graph: Graph): 0 | 1 | 2 {
  if (TRANSCENDENTAL.has(node.opType)) return 2;
  const isConstant = (index: number): boolean => graph.constants.scalar(node.input[index] ?? "") !== null;
  if (node.opType === "Div") return isConstant(1) ? 0 : 2;
  if (node.opType === "Mul") return isConstant(0) || isConstant(1) ? 0 : 1;
  if (node.opType === "Pow") return Number.isInteger(graph.constants.scalar(node.input[1] ?? "") ?? 0) ? 1 : 2;
  return BENDING.has(node.opType) ? 1 : 0;
}

/** Whether a node's first output is a function of each element of its inputs alone. */
export function isElementwise(node: NodeProto): boolean {
  return LIFTS.has(keyOf(node)) || COMPARISONS.has(keyOf(node)) || keyOf(node) === "Where";
}

/** What the node computes from terms of its inputs (null: an input left out); null if that cannot be written. */
export function liftNode(node: NodeProto, args: readonly (Term | null)[]): Term | null {
  const key = keyOf(node);
  if (key === "Where") return liftWhere(args);
  const texts = args.map((term) => (term === null ? "" : term.is === "number" ? term.text : null));
  if (texts.includes(null) || isShortOfInputs(node)) return null;
  const comparison = COMPARISONS.get(key);
  if (comparison !== undefined) {
    const [left, right] = comparison.swapped ? texts.toReversed() : texts;
    return { is: "condition", text: `(${left}-${right})`, negated: comparison.negated };
  }
  const given = key === "Clip" ? texts : texts.filter((text) => text !== "");
  return numberTerm(LIFTS.get(key)?.(given as string[], node) ?? null);
}

/** Operators of two inputs; nothing has checked that a node has what its operator asks for. */
const BINARY: ReadonlySet<string> = new Set(["Sub", "Div", "Pow", ...COMPARISONS.keys()]);

function isShortOfInputs({ opType, input }: NodeProto): boolean {
  const given = (index: number): boolean => (input[index] ?? "") !== "";
  return !given(0) || (BINARY.has(opType) && !given(1));
}

function liftWhere([test, then, otherwise]: readonly (Term | null)[]): Term | null {
  if (test?.is !== "condition" || then?.is !== "number" || otherwise?.is !== "number") return null;
  const [first, second] = test.negated ? [otherwise, then] : [then, otherwise];
  return numberTerm(`where(${test.text},${first.text},${second.text})`);
}

function numberTerm(text: string | null): Term | null {
  return text === null || text.length > MAX_TEXT ? null : { is: "number", text };
}

/** min and max are inputs from opset 11 on, attributes before. */
function clip([x, low = "", high = ""]: readonly string[], node: NodeProto): string | null {
  const lowest = low === "" ? numberAttribute(node, "min", -Infinity) : numberIn(low);
  const highest = high === "" ? numberAttribute(node, "max", Infinity) : numberIn(high);
  if (Number.isNaN(lowest) || Number.isNaN(highest)) return null;
  const raised = lowest < -MAX_BOUND ? x : `max(${x},${decimal(lowest)})`;
  return highest > MAX_BOUND ? raised : `min(${raised},${decimal(highest)})`;
}

/** Bounds beyond this, such as the largest binary32, bound nothing. */
const MAX_BOUND = 1e38;

/** The number a term is; NaN if it depends on x. */
function numberIn(text: string): number {
  return Number(text.startsWith("(-") ? text.slice(1, -1) : text);
}

function keyOf(node: NodeProto): string {
  return node.domain === "" || node.domain === "ai.onnx" ? node.opType : `${node.domain}/${node.opType}`;
}

/** A constant as the exporter meant it: the shortest decimal that rounds to the same binary32. In parentheses if negative. */
export function decimal(value: number): string {
  let text = String(value);
  // So few digits are the shortest there are: 0.5 and 2 are most of what models hold.
  if (text.length <= BINARY32_DIGITS[0]) return value < 0 ? `(${text})` : text;
  for (let [digits, most] = BINARY32_DIGITS as readonly [number, number]; digits <= most; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) {
      text = String(short);
      break;
    }
  }
  return value < 0 ? `(${text})` : text;
}
