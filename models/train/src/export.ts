// The trained model as ONNX: the graph of model.ts with its parameters, GELU written with Erf as exporters write it.
//   input    ids: int64 [batch, length], length at most the model's; 0 is padding
//   output   digits: binary32 [batch, 8, 10], scores of each digit of YYYYMMDD
import { type Node, type OnnxGraph, onnxGraph } from "./onnx-graph.ts";
import { DIGITS, EPSILON, MASKED, type Parameters, parameterShapes, type Shape } from "./shape.ts";

export function exportOnnx(model: Shape, parameters: Parameters): Uint8Array {
  const graph = onnxGraph("dates");
  parameterShapes(model).forEach(({ name }, i) => {
    graph.constant(name, parameters[i]);
  });
  const mask = maskScores(graph);
  let x = embed(graph, model);
  for (let i = 0; i < model.layers; i++) x = encoderLayer(graph, model, `layer${i}`, x, mask);
  const node = graph.scoped("classifier");
  const digits = node("Slice", [x, graph.integers([0]), graph.integers([DIGITS]), graph.integers([1])]);
  const scores = linear(node, "classifier", norm(node, "norm", digits));
  return graph.toBytes(
    { name: "ids", shape: ["batch", "length"] },
    { name: "digits", shape: ["batch", DIGITS, 10] },
    scores,
  );
}

/** 0, or MASKED where the text is padded: [batch, 1, 1, DIGITS + length]. */
function maskScores(graph: OnnxGraph): string {
  const node = graph.scoped("mask");
  const padding = node("Not", [node("Cast", ["ids"], { to: 9 })]); // 9: bool
  const scores = node("Mul", [node("Cast", [padding], { to: 1 }), graph.scalar(MASKED)]); // 1: binary32
  const all = node("Pad", [scores, graph.integers([0, DIGITS, 0, 0])]);
  return node("Unsqueeze", [all, graph.integers([1, 2])]);
}

/** The digits' tokens before the text's: [batch, DIGITS + length, width]. */
function embed(graph: OnnxGraph, { width }: Shape): string {
  const node = graph.scoped("embedding");
  const length = node("Shape", ["ids"], { start: 1, end: 2 });
  const positions = node("Slice", ["embedding.positions", graph.integers([0]), length]);
  const text = node("Add", [node("Gather", ["embedding.characters", "ids"]), positions]);
  const batch = node("Shape", ["ids"], { start: 0, end: 1 });
  const shape = node("Concat", [batch, graph.integers([DIGITS, width])], { axis: 0 });
  return node("Concat", [node("Expand", ["embedding.digits", shape]), text], { axis: 1 });
}

function encoderLayer(graph: OnnxGraph, model: Shape, name: string, x: string, mask: string): string {
  const node = graph.scoped(name);
  const attended = node("Add", [x, attention(graph, model, name, norm(node, `${name}.norm1`, x), mask)]);
  const up = linear(node, `${name}.up`, norm(node, `${name}.norm2`, attended));
  return node("Add", [attended, linear(node, `${name}.down`, gelu(graph, node, up))]);
}

function attention(graph: OnnxGraph, { width, heads }: Shape, name: string, x: string, mask: string): string {
  const node = graph.scoped(name);
  const extent = width / heads;
  const split = (part: string, perm: readonly number[]): string => {
    const parts = node("Reshape", [linear(node, `${name}.${part}`, x), graph.integers([0, 0, heads, extent])]);
    return node("Transpose", [parts], { perm });
  };
  const products = node("MatMul", [split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1])]);
  const scores = node("Add", [node("Mul", [products, graph.scalar(1 / Math.sqrt(extent))]), mask]);
  const mixed = node("MatMul", [node("Softmax", [scores], { axis: -1 }), split("value", [0, 2, 1, 3])]);
  const merged = node("Reshape", [node("Transpose", [mixed], { perm: [0, 2, 1, 3] }), graph.integers([0, 0, width])]);
  return linear(node, `${name}.output`, merged);
}

/** x * (1 + erf(x / sqrt 2)) * 0.5 */
function gelu(graph: OnnxGraph, node: Node, x: string): string {
  const erf = node("Erf", [node("Div", [x, graph.scalar(Math.SQRT2)])]);
  return node("Mul", [node("Mul", [x, node("Add", [erf, graph.scalar(1)])]), graph.scalar(0.5)]);
}

function linear(node: Node, name: string, x: string): string {
  return node("Add", [node("MatMul", [x, `${name}.weight`]), `${name}.bias`]);
}

function norm(node: Node, name: string, x: string): string {
  return node("LayerNormalization", [x, `${name}.gain`, `${name}.bias`], { axis: -1, epsilon: EPSILON });
}
