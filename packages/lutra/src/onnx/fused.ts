// Operators that do something besides their layer: add a bias or a residual, regroup channels, attend (attention/). Each as the nodes it
// stands for, so that the layer is a site and the rest stays. Names depend on the operator alone: a site found in the nodes is found again
// when rewriting makes them. An operator without a site stays as it is.

import type { NodeProto } from "onnx-buf";
import { expandAttention } from "./attention/expand.ts";
import type { FactsOf } from "./attention/operator.ts";
import { numberAttribute } from "./attribute.ts";
import { changeModel, labelOf, type Path } from "./bodies.ts";
import { type AttributeValue, constant, int64, node as makeNode } from "./build.ts";
import { UNKNOWN } from "./infer.ts";
import { freshPrefix, usedNames } from "./names.ts";
import type { Model } from "./types.ts";
import { viewAt } from "./views.ts";

/** The nodes of one operator: op() appends one and returns its output. */
interface Parts {
  readonly opset: number;
  /** An inner value. */
  readonly name: (suffix: string) => string;
  readonly op: (
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes?: Readonly<Record<string, AttributeValue>>,
    domain?: string,
  ) => string;
  readonly integers: (suffix: string, values: readonly number[]) => string;
}

type Unfuse = (node: NodeProto, parts: Parts) => void;

const MICROSOFT = "com.microsoft";

const FUSED: ReadonlyMap<
  string,
  { readonly applies: (node: NodeProto, opset: number) => boolean; readonly unfuse: Unfuse }
> = new Map([
  [`${MICROSOFT}/BiasGelu`, { applies: hasBias, unfuse: biased("Gelu") }],
  [`${MICROSOFT}/FastGelu`, { applies: hasBias, unfuse: biased("FastGelu") }],
  [`${MICROSOFT}/SkipLayerNormalization`, { applies: isSkipNorm, unfuse: skipNorm(true) }],
  [`${MICROSOFT}/SkipSimplifiedLayerNormalization`, { applies: isSkipNorm, unfuse: skipNorm(false) }],
  [`${MICROSOFT}/QLinearSigmoid`, { applies: isQuantized, unfuse: quantized("Sigmoid") }],
  [`${MICROSOFT}/QLinearSoftmax`, { applies: isQuantizedSoftmax, unfuse: quantized("Softmax") }],
  ["/InstanceNormalization", { applies: hasParameters, unfuse: instanceNorm }],
  ["/GroupNormalization", { applies: hasParameters, unfuse: groupNorm }],
]);

/** The nodes an operator stands for; null for one that is a layer and nothing else, or no layer. */
function unfused(node: NodeProto, opset: number, used: () => ReadonlySet<string>): readonly NodeProto[] | null {
  const fused = FUSED.get(`${node.domain === "ai.onnx" ? "" : node.domain}/${node.opType}`);
  if (fused === undefined || !fused.applies(node, opset)) return null;
  const nodes: NodeProto[] = [];
  const prefix = freshPrefix(used(), `${node.output[0]}/${node.opType}`);
  const name = (suffix: string): string => `${prefix}/${suffix}`;
  fused.unfuse(node, {
    opset,
    name,
    op: (opType, inputs, output, attributes = {}, domain = "") => {
      nodes.push(makeNode(opType, inputs, [output], attributes, { name: output, domain }));
      return output;
    },
    integers: (suffix, values) => {
      nodes.push(constant(name(suffix), int64(values), [values.length]));
      return name(suffix);
    },
  });
  return nodes;
}

/**
 * The model with such operators as the nodes they stand for, in bodies and functions too.
 * @param isWanted expand only operators that become a node with a wanted output; all if absent
 */
export function unfuse(model: Model, isWanted: (name: string) => boolean = () => true): Model {
  let names: ReadonlySet<string> | null = null;
  const used = (): ReadonlySet<string> => {
    names ??= usedNames(model);
    return names;
  };
  const factsIn = factsByPath(model);
  return changeModel(model, (nodes, path) => {
    const made = nodes.map((node) => {
      const prefix = (): string => freshPrefix(used(), `${labelOf(node)}/attention`);
      const parts = unfused(node, model.opset, used) ?? expandAttention(node, model.opset, factsIn(path), prefix);
      return parts?.some((part) => isWanted(part.output[0])) ? parts : null;
    });
    return made.every((parts) => parts === null) ? nodes : nodes.flatMap((node, i) => made[i] ?? [node]);
  });
}

/** What is known of the values of each graph of the model. A graph is looked at when first asked for. */
function factsByPath(model: Model): (path: Path) => FactsOf {
  const known = new Map<string, FactsOf>();
  return (path) => (name) => {
    const key = JSON.stringify(path);
    const facts = known.get(key) ?? viewAt(model, path)?.facts ?? (() => UNKNOWN);
    known.set(key, facts);
    return facts(name);
  };
}

/** Whether the first inputs are given: a model may leave out even what its operator demands. */
function hasInputs({ input }: NodeProto, count: number): boolean {
  return input.length >= count && !input.slice(0, count).includes("");
}

function hasBias(node: NodeProto): boolean {
  return hasInputs(node, 2);
}

function hasParameters(node: NodeProto): boolean {
  return hasInputs(node, 3) && (node.output[0] ?? "") !== "";
}

/** f(x + bias) */
function biased(opType: string): Unfuse {
  return ({ input: [x, bias], output: [y] }, { op, name }) => {
    op(opType, [op("Add", [x, bias], name("sum"))], y, {}, MICROSOFT);
  };
}

/** Scale and zero point of the input, then of the output. */
function isQuantized(node: NodeProto): boolean {
  return hasInputs(node, 5) && (node.output[0] ?? "") !== "";
}

/** Its own attribute says which opset's Softmax it is: before 13 all axes from `axis` on are one row. */
function isQuantizedSoftmax(node: NodeProto, opset: number): boolean {
  const isSame = numberAttribute(node, "opset", 1) < 13 === opset < 13;
  return isQuantized(node) && (isSame || numberAttribute(node, "axis", 0) === -1);
}

/** f of the numbers that codes stand for, as codes again. */
function quantized(opType: "Sigmoid" | "Softmax"): Unfuse {
  return (node, { op, name }) => {
    const [codes, scale, zero, scaleOut, zeroOut] = node.input;
    const axis = numberAttribute(node, "axis", null);
    const x = op("DequantizeLinear", [codes, scale, zero], name("x"));
    const y = op(opType, [x], name("y"), axis === null ? {} : { axis: BigInt(axis) });
    op("QuantizeLinear", [y, scaleOut, zeroOut], node.output[0]);
  };
}

/** Its outputs 1 and 2, mean and inverse deviation, are for training. */
function isSkipNorm(node: NodeProto): boolean {
  return hasParameters(node) && [1, 2].every((index) => (node.output[index] ?? "") === "");
}

/** norm(x + skip [+ bias]), and the sum itself as output 3. */
function skipNorm(isCentred: boolean): Unfuse {
  return (node, { op, name }) => {
    const [x, skip, gamma, fourth = "", fifth = ""] = node.input;
    const [beta, bias] = isCentred ? [fourth, fifth] : ["", fourth];
    const total = (node.output[3] ?? "") === "" ? name("sum") : node.output[3];
    const sum = op("Add", [x, skip], bias === "" ? total : name("residual"));
    if (bias !== "") op("Add", [sum, bias], total);
    const epsilon = numberAttribute(node, "epsilon", 1e-12);
    const opType = isCentred ? "LayerNormalization" : "SimplifiedLayerNormalization";
    op(opType, [total, gamma, ...(beta === "" ? [] : [beta])], node.output[0], { axis: -1n, epsilon });
  };
}

/** Each channel of each sample is a row. */
function instanceNorm(node: NodeProto, parts: Parts): void {
  const { op, name, integers } = parts;
  const [x, scale, bias] = node.input;
  const rows = op("Reshape", [x, integers("channels", [0, 0, -1])], name("rows"));
  const scaled = scaleRows(parts, normalise(node, parts, rows), scale, bias);
  op("Reshape", [scaled, op("Shape", [x], name("shape"))], node.output[0]);
}

/** Each group of channels of each sample is a row. Before opset 21 scale and bias are per group, then per channel. */
function groupNorm(node: NodeProto, parts: Parts): void {
  const { op, name, integers, opset } = parts;
  const [x, scale, bias] = node.input;
  const groups = numberAttribute(node, "num_groups", 1);
  const rows = op("Reshape", [x, integers("groups", [0, groups, -1])], name("rows"));
  const shape = op("Shape", [x], name("shape"));
  let normal = normalise(node, parts, rows);
  if (opset >= 21) {
    const outer = op("Slice", [shape, integers("first", [0]), integers("second", [2])], name("outer"));
    const perChannel = op("Concat", [outer, integers("rest", [-1])], name("per_channel"), { axis: 0n });
    normal = op("Reshape", [normal, perChannel], name("channels"));
  }
  op("Reshape", [scaleRows(parts, normal, scale, bias), shape], node.output[0]);
}

/** (x - mean) / sqrt(variance + epsilon) along the last axis. */
function normalise(node: NodeProto, { op, name, opset }: Parts, x: string): string {
  const average = (of: string, output: string): string => meanOfLast(op, opset, of, output);
  const deviation = op("Sub", [x, average(x, name("mean"))], name("deviation"));
  const variance = average(op("Mul", [deviation, deviation], name("squares")), name("variance"));
  const epsilon = op("Constant", [], name("epsilon"), { value_float: numberAttribute(node, "epsilon", 1e-5) });
  const deviate = op("Sqrt", [op("Add", [variance, epsilon], name("raised"))], name("deviate"));
  return op("Div", [deviation, deviate], name("normal"));
}

/** Axes are an input from opset 18 on. */
function meanOfLast(op: Parts["op"], opset: number, of: string, output: string): string {
  if (opset < 18) return op("ReduceMean", [of], output, { axes: [-1n] });
  const axes = op("Constant", [], `${output}_axes`, { value_ints: [-1n] });
  return op("ReduceMean", [of, axes], output);
}

/** Rows [batch, channels, n] times scale plus bias, [channels] both. */
function scaleRows({ op, name, integers }: Parts, rows: string, scale: string, bias: string): string {
  const column = integers("column", [-1, 1]);
  const scaled = op("Mul", [rows, op("Reshape", [scale, column], name("scale"))], name("scaled"));
  return op("Add", [scaled, op("Reshape", [bias, column], name("bias"))], name("shifted"));
}
