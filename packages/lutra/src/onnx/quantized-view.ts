// A quantized graph as one of numbers: values in codes are seen as the numbers they stand for, QuantizeLinear as Identity, DequantizeLinear
// not at all. Only where scale and zero point are constants, one for the whole tensor; every other one stays an operator like any.

import { create } from "@bufbuild/protobuf";
import { type NodeProto, TensorProto_DataType, ValueInfoProtoSchema } from "onnx-buf";
import { type IntegerFormat, integerFormat } from "../num/index.ts";
import { numberAttribute } from "./attribute.ts";
import { constant } from "./build.ts";
import { changed } from "./changed.ts";
import { type Graph, viewGraph } from "./graph.ts";
import type { Facts } from "./infer.ts";

/** A graph whose values in codes are numbers of the same names. */
export interface NumberView {
  readonly graph: Graph;
  /** The QuantizeLinear among the graph's nodes, in order. */
  readonly quantizes: readonly NodeProto[];
  isQuantize(node: NodeProto): boolean;
  /** The node of the graph as it is that a node of this graph stands for. */
  original(node: NodeProto): NodeProto;
  /** Of a value in codes; null for others. */
  formatOf(name: string): IntegerFormat | null;
  /** The name that a dequantized value has in this graph: that of its codes. Other names stay. */
  codesOf(name: string): string;
}

const Type = TensorProto_DataType;
/** No operator is known in it. */
const CODES_DOMAIN = "codes";
/** Of QuantizeLinear and DequantizeLinear. */
const DOMAINS: readonly string[] = ["", "ai.onnx", "com.microsoft"];
const INTEGERS: ReadonlyMap<number, { readonly signed: boolean; readonly bits: number }> = new Map([
  [Type.INT8, { signed: true, bits: 8 }],
  [Type.UINT8, { signed: false, bits: 8 }],
  [Type.INT16, { signed: true, bits: 16 }],
  [Type.UINT16, { signed: false, bits: 16 }],
]);

/** The view; null where a graph has no QuantizeLinear that can be read. */
export function viewNumbers(graph: Graph): NumberView | null {
  const quantizes = new Map<NodeProto, IntegerFormat>();
  for (const node of graph.nodes) {
    const format = node.opType === "QuantizeLinear" ? formatOfNode(node, graph) : null;
    if (format !== null) quantizes.set(node, format);
  }
  if (quantizes.size === 0) return null;
  const { codes, formats } = dequantized(graph, quantizes);
  const codesOf = (name: string): string => codes.get(name) ?? name;
  const originals = new Map<NodeProto, NodeProto>();
  const nodes = graph.nodes.flatMap((node) => {
    const seen = seenNode(node, graph, quantizes, codesOf, formats);
    if (seen !== null && seen !== node) originals.set(seen, node);
    return seen === null ? [] : [seen];
  });
  const original = (node: NodeProto): NodeProto => originals.get(node) ?? node;
  const isQuantize = (node: NodeProto): boolean => quantizes.has(original(node));
  return {
    graph: numbersOf(graph, nodes, formats),
    quantizes: nodes.filter(isQuantize),
    isQuantize,
    original,
    formatOf: (name) => formats.get(name) ?? null,
    codesOf,
  };
}

/** What becomes of a node; null for what vanishes. */
function seenNode(
  node: NodeProto,
  graph: Graph,
  quantizes: ReadonlyMap<NodeProto, IntegerFormat>,
  codesOf: (name: string) => string,
  formats: ReadonlyMap<string, IntegerFormat>,
): NodeProto | null {
  if (quantizes.has(node)) {
    return changed(node, { opType: "Identity", domain: "", input: [codesOf(node.input[0])], attribute: [] });
  }
  if (node.opType === "DequantizeLinear" && DOMAINS.includes(node.domain)) {
    if (codesOf(node.output[0]) !== node.output[0]) return null;
    const number = constantNumber(node, graph);
    return number === null ? node : constant(node.output[0], number);
  }
  // What computes with the codes themselves, a Relu say, does not compute with the numbers.
  const input = node.input.map(codesOf);
  if (node.input.some((name) => formats.has(name))) return changed(node, { domain: CODES_DOMAIN, input });
  return input.every((name, i) => name === node.input[i]) ? node : changed(node, { input });
}

/** The number that a DequantizeLinear makes of a constant code; exporters quantize the constants of a formula too. */
function constantNumber(node: NodeProto, graph: Graph): number | null {
  const code = graph.constants.scalar(node.input[0] ?? "");
  const scale = graph.constants.scalar(node.input[1] ?? "");
  const zeroPoint = (node.input[2] ?? "") === "" ? 0 : graph.constants.scalar(node.input[2]);
  return code === null || scale === null || zeroPoint === null ? null : Math.fround(scale * (code - zeroPoint));
}

/**
 * The dequantized values by name, with the name of their codes, and the formats of all values in codes. Codes that are read with
 * different formats stay codes.
 */
function dequantized(
  graph: Graph,
  quantizes: ReadonlyMap<NodeProto, IntegerFormat>,
): { readonly codes: ReadonlyMap<string, string>; readonly formats: ReadonlyMap<string, IntegerFormat> } {
  const formats = new Map([...quantizes].map(([node, format]) => [node.output[0], format]));
  const codes = new Map<string, string>();
  const disputed = new Set<string>();
  for (const node of graph.nodes) {
    if (node.opType !== "DequantizeLinear" || !graph.facts(node.input[0] ?? "").data) continue;
    const [name] = node.input;
    const format = formatOfNode(node, graph);
    const known = formats.get(name);
    if (format === null || (known !== undefined && !sameFormat(known, format))) disputed.add(name);
    else if (isReadByNodes(graph, node.output[0])) {
      formats.set(name, format);
      codes.set(node.output[0], name);
    }
  }
  for (const [number, name] of codes) if (disputed.has(name)) codes.delete(number);
  return { codes, formats };
}

function sameFormat(a: IntegerFormat, b: IntegerFormat): boolean {
  return a.signed === b.signed && a.bits === b.bits && a.scale === b.scale && a.zeroPoint === b.zeroPoint;
}

/** Whether only inputs of nodes name a value: what a body or the graph's outputs read cannot be renamed. */
function isReadByNodes(graph: Graph, name: string): boolean {
  return !graph.isOutput(name) && graph.consumers(name).every(({ input }) => input.includes(name));
}

/** Format of the codes that a node makes or reads; null if it is not one for the whole tensor, or not constant. */
function formatOfNode(node: NodeProto, graph: Graph): IntegerFormat | null {
  if (!DOMAINS.includes(node.domain) || numberAttribute(node, "block_size", 0) !== 0) return null;
  const [value = "", scaleName = "", zeroPointName = ""] = node.input;
  if (value === "" || (node.output[0] ?? "") === "" || !graph.maybeFloat32(scaleName)) return null;
  const scale = graph.constants.scalar(scaleName);
  const zeroPoint = zeroPointName === "" ? 0 : graph.constants.scalar(zeroPointName);
  const kind = INTEGERS.get(elementOf(node, graph, zeroPointName) ?? Type.UNDEFINED);
  if (kind === undefined || scale === null || zeroPoint === null || !(scale > 0 && scale < Infinity)) return null;
  return integerFormat(kind.signed, kind.bits, scale, zeroPoint);
}

/** Element type of a node's codes: the zero point's where there is one. null if the codes are known to be of another type. */
function elementOf(node: NodeProto, graph: Graph, zeroPointName: string): number | null {
  const isQuantize = node.opType === "QuantizeLinear";
  const declared = graph.facts(isQuantize ? node.output[0] : node.input[0]).element;
  const given = isQuantize ? numberAttribute(node, "output_dtype", Type.UNDEFINED) : Type.UNDEFINED;
  const implied = given !== Type.UNDEFINED ? given : isQuantize ? Type.UINT8 : declared;
  const element = zeroPointName === "" ? implied : graph.facts(zeroPointName).element;
  return declared !== null && declared !== element ? null : element;
}

/** The graph of the view: codes count as binary32. */
function numbersOf(graph: Graph, nodes: readonly NodeProto[], formats: ReadonlyMap<string, IntegerFormat>): Graph {
  const { model } = graph;
  const outside = new Map<string, Facts>(
    model.graph.input.map(({ name }) => {
      const facts = graph.facts(name);
      return [name, formats.has(name) ? { ...facts, element: Type.FLOAT } : facts];
    }),
  );
  const body = changed(model.graph, {
    node: [...nodes],
    valueInfo: model.graph.valueInfo.filter(({ name }) => !formats.has(name)),
    output: model.graph.output.map((one) =>
      formats.has(one.name) ? create(ValueInfoProtoSchema, { name: one.name }) : one,
    ),
  });
  const seen = viewGraph({ ...model, graph: body }, outside);
  return {
    ...seen,
    maybeFloat32: (name) => formats.has(name) || seen.maybeFloat32(name),
    // Operators on codes are unknown ones here; what is known of the graph as it is holds for its numbers.
    facts: (name) => ({ ...seen.facts(name), rank: graph.facts(name).rank }),
  };
}
