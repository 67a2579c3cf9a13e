// Reads an LSTM, GRU or RNN node: its inputs, outputs and attributes with the operator's defaults. null means that the node cannot be
// expanded: an activation with parameters of its own, or something the operator set does not allow.

import type { NodeProto } from "onnx-buf";
import { numberAttribute, textAttribute, textsAttribute } from "../attribute.ts";

export interface Recurrent {
  readonly type: "LSTM" | "GRU" | "RNN";
  readonly hiddenSize: number;
  readonly directions: readonly Direction[];
  /** Bound on the magnitude of what goes into an activation; null if there is none. */
  readonly clip: number | null;
  /** Layout 1: the batch is the first axis, not the time. */
  readonly isBatchFirst: boolean;
  /** GRU: the reset gate multiplies the recurrent product, not the state that goes into it. */
  readonly resetsAfter: boolean;
  /** LSTM: the forget gate is 1 - the input gate. */
  readonly couplesForget: boolean;
  /** Names of values; "" where an optional one is absent. */
  readonly inputs: Readonly<Record<"x" | "w" | "r" | "bias" | "lengths" | "h" | "c" | "peepholes", string>>;
  readonly outputs: Readonly<Record<"y" | "h" | "c", string>>;
}

export interface Direction {
  readonly isReverse: boolean;
  /** ONNX operators in the order of the specification: f, g, h of LSTM; f, g of GRU; f of RNN. */
  readonly activations: readonly string[];
}

const DEFAULT_ACTIVATIONS: Readonly<Record<Recurrent["type"], readonly string[]>> = {
  LSTM: ["Sigmoid", "Tanh", "Tanh"],
  GRU: ["Sigmoid", "Tanh"],
  RNN: ["Tanh"],
};

/** The activations without parameters; names are compared without case, as runtimes do. */
const ACTIVATIONS: ReadonlyMap<string, string> = new Map(
  ["Sigmoid", "Tanh", "Relu", "Softsign", "Softplus"].map((name) => [name.toLowerCase(), name]),
);

const DIRECTIONS: ReadonlyMap<string, readonly boolean[]> = new Map([
  ["forward", [false]],
  ["reverse", [true]],
  ["bidirectional", [false, true]],
]);

/** The recurrent operator a node is; null if it is none, or one that cannot be expanded. */
export function readRecurrent(node: NodeProto): Recurrent | null {
  const type = node.opType;
  if (node.domain !== "" || (type !== "LSTM" && type !== "GRU" && type !== "RNN")) return null;
  if (node.attribute.some(({ refAttrName }) => refAttrName !== "")) return null;
  const hiddenSize = numberAttribute(node, "hidden_size", 0);
  const directions = readDirections(node, type);
  if (directions === null || hiddenSize < 1 || !Number.isSafeInteger(hiddenSize)) return null;
  const [x = "", w = "", r = "", bias = "", lengths = "", h = "", c = "", peepholes = ""] = node.input;
  const [y = "", lastH = "", lastC = ""] = node.output;
  const isLstm = type === "LSTM";
  return {
    type,
    hiddenSize,
    directions,
    clip: numberAttribute(node, "clip", null),
    isBatchFirst: numberAttribute(node, "layout", 0) === 1,
    resetsAfter: numberAttribute(node, "linear_before_reset", 0) !== 0,
    couplesForget: numberAttribute(node, "input_forget", 0) !== 0,
    inputs: { x, w, r, bias, lengths, h, c: isLstm ? c : "", peepholes: isLstm ? peepholes : "" },
    outputs: { y, h: lastH, c: isLstm ? lastC : "" },
  };
}

function readDirections(node: NodeProto, type: Recurrent["type"]): readonly Direction[] | null {
  const reverses = DIRECTIONS.get(textAttribute(node, "direction", "forward"));
  const defaults = DEFAULT_ACTIVATIONS[type];
  const given = textsAttribute(node, "activations");
  if (reverses === undefined) return null;
  if (given === null) return reverses.map((isReverse) => ({ isReverse, activations: defaults }));
  const known = given.flatMap((name) => ACTIVATIONS.get(name.toLowerCase()) ?? []);
  if (known.length !== reverses.length * defaults.length || known.length !== given.length) return null;
  return reverses.map((isReverse, i) => {
    return { isReverse, activations: known.slice(i * defaults.length, (i + 1) * defaults.length) };
  });
}
