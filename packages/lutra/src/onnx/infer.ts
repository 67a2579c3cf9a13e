// Element types and ranks of a graph's values, as far as simple rules tell: declared types first, then one rule per operator. null is
// "not known", never a guess. Extents are not inferred, but for the length of shape vectors, which decides the rank of a Reshape.

import { type NodeProto, TensorProto_DataType, type ValueInfoProto } from "onnx-buf";
import { integersAttribute, numberAttribute } from "./attribute.ts";
import { valuesRead } from "./check.ts";
import { type Constants, constantTensor } from "./constants.ts";
import { MAX_RANK } from "./limits.ts";
import type { Model } from "./types.ts";

/** What is known of a value. */
export interface Facts {
  /** A TensorProto data type. */
  readonly element: number | null;
  readonly rank: number | null;
  /** Number of elements, if the value is a vector of known length. */
  readonly length: number | null;
  /** False if the value is computed from constants and shapes alone: no input data flows through it. */
  readonly data: boolean;
}

export const UNKNOWN: Facts = { element: null, rank: null, length: null, data: true };
const Type = TensorProto_DataType;

const set = (names: string): ReadonlySet<string> => new Set(names.split(" "));

/** Results of int64 or bool, whatever goes in. */
const INT64_RESULT = set("Shape Size NonZero ArgMax ArgMin");
const BOOL_RESULT = set("Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Not IsNaN IsInf");
/** The rank is the largest rank of the inputs. */
const BROADCAST = set(
  "Add Sub Mul Div Pow Mod Max Min Sum Mean Where PRelu MatMul Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor",
);
/** The rank is that of the first input. */
const KEEP_RANK = set(
  "Abs Neg Sign Exp Log Sqrt Reciprocal Erf Tanh Sigmoid Relu LeakyRelu Gelu Mish Softplus Softsign Elu Selu Celu HardSwish HardSigmoid " +
    "Swish Sin Cos Tan Floor Ceil Round Clip Not Identity Cast CastLike Dropout Softmax LogSoftmax LayerNormalization RMSNormalization " +
    "SimplifiedLayerNormalization BatchNormalization InstanceNormalization GroupNormalization Transpose Concat Slice Pad Tile Split Conv " +
    "ConvTranspose MaxPool AveragePool GlobalMaxPool GlobalAveragePool CumSum QuantizeLinear DequantizeLinear ScatterND ScatterElements " +
    "GatherElements FastGelu QuickGelu BiasGelu SkipLayerNormalization SkipSimplifiedLayerNormalization Resize Trilu Attention " +
    "MultiHeadAttention",
);

/** Facts of every value of the graph; `outside` are those of inputs that a body takes from the graphs around it. */
export function inferFacts(
  model: Model,
  constants: Constants,
  outside: ReadonlyMap<string, Facts> = new Map(),
): ReadonlyMap<string, Facts> {
  const facts = new Map<string, Facts>();
  const { graph } = model;
  for (const initializer of graph.initializer) {
    const shape = initializer.dims.map(Number);
    const length = shape.length === 1 ? shape[0] : null;
    facts.set(initializer.name, { element: initializer.dataType, rank: shape.length, length, data: false });
  }
  const declared = new Map([...graph.valueInfo, ...graph.output].map((info) => [info.name, declaredFacts(info)]));
  for (const input of graph.input) facts.set(input.name, outside.get(input.name) ?? declaredFacts(input));
  for (const node of graph.node) {
    const result = resultOf(node, (name) => facts.get(name) ?? UNKNOWN, constants);
    node.output.forEach((name, index) => {
      const own = declared.get(name) ?? UNKNOWN;
      const inferred =
        index === 0 ? result : { ...UNKNOWN, element: secondaryElement(node, result), data: result.data };
      facts.set(name, {
        element: own.element ?? inferred.element,
        rank: own.rank ?? inferred.rank,
        length: inferred.length,
        data: inferred.data,
      });
    });
  }
  return facts;
}

function declaredFacts(info: ValueInfoProto): Facts {
  const value = info.type?.value;
  if (value?.case !== "tensorType") return UNKNOWN;
  const element = value.value.elemType === Type.UNDEFINED ? null : value.value.elemType;
  const rank = value.value.shape?.dim.length ?? null;
  return { ...UNKNOWN, element, rank: rank === null || rank > MAX_RANK ? null : rank };
}

/** Element type of the outputs after the first. */
function secondaryElement(node: NodeProto, first: Facts): number | null {
  if (node.opType === "Split" || node.opType === "LSTM" || node.opType === "GRU") return first.element;
  return node.opType === "TopK" || node.opType === "MaxPool" ? Type.INT64 : null;
}

type Lookup = (name: string) => Facts;

function resultOf(node: NodeProto, lookup: Lookup, constants: Constants): Facts {
  const inputs = node.input.filter((name) => name !== "").map(lookup);
  const first = inputs[0] ?? UNKNOWN;
  const data = carriesData(node, lookup);
  const element = elementOf(node, inputs);
  if (node.opType === "Constant") return constantFacts(node, constants);
  if (node.domain !== "" && node.domain !== "com.microsoft") return { ...UNKNOWN, data };
  return { element, rank: rankOf(node, inputs, constants), length: lengthOf(node, inputs, first, constants), data };
}

/** Shapes and types carry no data, random numbers do; a node with subgraphs reads what those read. */
function carriesData(node: NodeProto, lookup: Lookup): boolean {
  if (node.opType === "Shape" || node.opType === "Size") return false;
  if (node.opType === "CastLike") return lookup(node.input[0] ?? "").data;
  return node.opType.startsWith("Random") || valuesRead(node).some((name) => lookup(name).data);
}

function constantFacts(node: NodeProto, constants: Constants): Facts {
  const name = node.output[0] ?? "";
  const shape = constants.shape(name);
  const length = shape?.length === 1 ? shape[0] : null;
  return { element: constantTensor(node)?.dataType ?? null, rank: shape?.length ?? null, length, data: false };
}

function elementOf(node: NodeProto, inputs: readonly Facts[]): number | null {
  const { opType } = node;
  if (INT64_RESULT.has(opType)) return Type.INT64;
  if (BOOL_RESULT.has(opType)) return Type.BOOL;
  if (opType === "Cast") return numberAttribute(node, "to", null);
  if (opType === "ConstantOfShape") return node.attribute[0]?.t?.dataType ?? Type.FLOAT;
  if (opType === "QuantizeLinear") return inputs[2]?.element ?? numberAttribute(node, "output_dtype", Type.UINT8);
  // Ids come first; the embeddings that are added have the result's type.
  if (opType === "EmbedLayerNormalization")
    return inputs.find(({ element }) => element !== Type.INT32)?.element ?? null;
  const decisive =
    opType === "Where" || opType === "CastLike" || opType === "DequantizeLinear" ? 1 : opType === "OneHot" ? 2 : 0;
  return inputs[decisive]?.element ?? null;
}

function rankOf(node: NodeProto, inputs: readonly Facts[], constants: Constants): number | null {
  const { opType } = node;
  const first = inputs[0]?.rank ?? null;
  if (KEEP_RANK.has(opType)) return first;
  if (BROADCAST.has(opType)) {
    const ranks = inputs.flatMap((input) => input.rank ?? []);
    return ranks.length === inputs.length ? ranks.reduce((a, b) => Math.max(a, b), 0) : null;
  }
  if (opType === "Shape") return 1;
  if (opType === "Size") return 0;
  if (opType === "Gemm" || opType === "Flatten") return 2;
  if (opType === "Reshape") return inputs[1]?.length ?? null;
  if (opType === "ConstantOfShape") return inputs[0]?.length ?? null;
  if (opType === "EmbedLayerNormalization") return first === null ? null : first + 1;
  if (opType === "Expand")
    return first === null || inputs[1]?.length == null ? null : Math.max(first, inputs[1].length);
  if (opType === "Gather") return first === null || inputs[1]?.rank == null ? null : first + inputs[1].rank - 1;
  if (opType.startsWith("Reduce")) return reducedRank(node, first, constants);
  if (opType === "Unsqueeze" || opType === "Squeeze") {
    const axes = axesOf(node, constants);
    return first === null || axes === null ? null : first + (opType === "Unsqueeze" ? axes.length : -axes.length);
  }
  return null;
}

function reducedRank(node: NodeProto, rank: number | null, constants: Constants): number | null {
  if (numberAttribute(node, "keepdims", 1) !== 0) return rank;
  const axes = axesOf(node, constants);
  return rank === null || axes === null ? null : rank - (axes.length === 0 ? rank : axes.length);
}

function lengthOf(node: NodeProto, inputs: readonly Facts[], first: Facts, constants: Constants): number | null {
  if (node.opType === "Shape") return node.attribute.length === 0 ? first.rank : null;
  if (node.opType === "Cast" || node.opType === "Identity") return first.length;
  if (node.opType === "Unsqueeze") return first.rank === 0 ? 1 : null;
  if (node.opType === "Slice") return slicedLength(node, first.length, constants);
  if (node.opType !== "Concat") return null;
  return inputs.reduce<number | null>(
    (sum, input) => (sum === null || input.length === null ? null : sum + input.length),
    0,
  );
}

/** How much of a vector is left between constant ends, in steps of 1. */
function slicedLength(node: NodeProto, length: number | null, constants: Constants): number | null {
  const [start, end, step] = [1, 2, 4].map((index) => constants.scalar(node.input[index] ?? ""));
  if (length === null || start === null || end === null || (node.input[4] && step !== 1)) return null;
  const place = (index: number): number => Math.min(Math.max(index < 0 ? index + length : index, 0), length);
  return Math.max(0, place(end) - place(start));
}

/** The axes a node works along, from its attribute (older opsets) or its second input; [] if none are given, null if not constant. */
export function axesOf(node: NodeProto, constants: Constants): readonly number[] | null {
  const attribute = integersAttribute(node, "axes");
  if (attribute !== null) return attribute.length > MAX_RANK ? null : attribute;
  const input = node.input[1] ?? "";
  return input === "" ? [] : constants.numbers(input, MAX_RANK);
}
