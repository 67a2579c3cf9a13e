// The ONNX reader on mutated files, and everything that works on a read model on models whose nodes were changed: a Model or a
// LutraError. What is accepted is written, read again, and has the same layers.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { AttributeProtoSchema, type GraphProto, ModelProtoSchema, type NodeProto, TensorProtoSchema } from "onnx-buf";
import { describe, expect, test } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import type { Random } from "../../packages/lutra/src/num/index.ts";
import {
  concatenate,
  findSites,
  node,
  type Replacement,
  readModel,
  rewrite,
  type Site,
  tensor,
  writeModel,
} from "../../packages/lutra/src/onnx/index.ts";
import { modelWithExternalData, tinyModel } from "../cli/tiny-model.ts";
import { modelBytes, valueInfo } from "../onnx/models.ts";
import { sharedPath } from "../shared.ts";
import { mutateBytes, pick } from "./mutate.ts";
import { survives } from "./survive.ts";

const weights = (shape: readonly number[], name: string) =>
  tensor(
    new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5),
    shape.map((extent) => extent),
    name,
  );
const half = tensor(Float32Array.of(0.5), [], "half");

/** What exporters write: operators, a decomposed Softmax and norm, a recurrent layer, quantized data, a body, external data. */
const GENERATED: readonly Uint8Array[] = [
  modelBytes({
    nodes: [
      node("LayerNormalization", ["x", "gamma", "beta"], ["normed"], { axis: -1n, epsilon: 1e-5 }),
      node("Gelu", ["normed"], ["y"], { approximate: "tanh" }),
    ],
    initializers: [weights([4], "gamma"), weights([4], "beta")],
    opset: 20,
  }),
  modelBytes({
    nodes: [
      node("ReduceMax", ["x"], ["max"], { axes: [-1n] }),
      node("Sub", ["x", "max"], ["d"]),
      node("Exp", ["d"], ["e"]),
      node("ReduceSum", ["e", "axis"], ["s"]),
      node("Div", ["e", "s"], ["p"]),
      node("Mul", ["p", "half"], ["q"]),
      node("Sigmoid", ["q"], ["g"]),
      node("Mul", ["q", "g"], ["y"]),
    ],
    initializers: [tensor(BigInt64Array.of(-1n), [1], "axis"), half],
  }),
  modelBytes({
    nodes: [node("LSTM", ["x", "w", "r"], ["y"], { hidden_size: 2n })],
    inputs: [valueInfo("x", [3, 1, 2])],
    initializers: [weights([1, 8, 2], "w"), weights([1, 8, 2], "r")],
  }),
  modelBytes({
    nodes: [
      node("DequantizeLinear", ["x", "scale", "zero"], ["d"]),
      node("Gelu", ["d"], ["g"]),
      node("QuantizeLinear", ["g", "scale", "zero"], ["y"]),
    ],
    inputs: [valueInfo("x", [2, 4], 3)],
    initializers: [
      tensor(Float32Array.of(0.05), [], "scale"),
      create(TensorProtoSchema, { name: "zero", dataType: 3, int32Data: [3] }),
    ],
    opset: 20,
  }),
  modelBytes({
    nodes: [
      node("DequantizeLinear", ["x", "scale", "zero"], ["d"]),
      node("DequantizeLinear", ["one", "scale", "zero"], ["c"]),
      node("Mul", ["d", "c"], ["m"]),
      node("QuantizeLinear", ["m", "scale", "zero"], ["m_codes"]),
      node("DequantizeLinear", ["m_codes", "scale", "zero"], ["n"]),
      node("Sigmoid", ["n"], ["s"]),
      node("QuantizeLinear", ["s", "scale", "zero"], ["s_codes"]),
      node("DequantizeLinear", ["s_codes", "scale", "zero"], ["t"]),
      node("Mul", ["d", "t"], ["p"]),
      node("QuantizeLinear", ["p", "scale", "zero"], ["y"]),
      node("Max", ["s_codes", "zero"], ["z"]),
      node("QLinearSigmoid", ["x", "scale", "zero", "scale", "zero"], ["w"], {}, { domain: "com.microsoft" }),
    ],
    inputs: [valueInfo("x", [2, 4], 3)],
    outputs: [valueInfo("y", [2, 4], 3), valueInfo("z", [2, 4], 3), valueInfo("w", [2, 4], 3)],
    initializers: [
      tensor(Float32Array.of(0.05), [], "scale"),
      tensor(Int8Array.of(3), [], "zero"),
      tensor(Int8Array.of(23), [], "one"),
    ],
    domains: ["com.microsoft"],
    opset: 20,
  }),
  bodied(),
  modelWithExternalData("weights.bin"),
  tinyModel(),
];

function bodied(): Uint8Array {
  const branch = (name: string, opType: string) =>
    create(AttributeProtoSchema, {
      name,
      type: 5,
      g: { name, node: [node(opType, ["x"], [name])], output: [valueInfo(name)] },
    });
  const conditional = node("If", ["c"], ["y"]);
  conditional.attribute.push(branch("then_branch", "Tanh"), branch("else_branch", "Elu"));
  return modelBytes({ nodes: [conditional], inputs: [valueInfo("x"), valueInfo("c", [], 9)] });
}

/** The smallest of ONNX's own node tests: one of each operator, and the graphs that they expand to. */
function nodeTests(): readonly Uint8Array[] {
  const root = sharedPath("vectors/onnx_node_tests");
  if (!existsSync(root)) return [];
  const files = readdirSync(root)
    .sort()
    .map((name) => `${root}/${name}/model.onnx`)
    .filter((file) => existsSync(file) && statSync(file).size < 3000);
  return files.map((file) => new Uint8Array(readFileSync(file)));
}

const external = (): Uint8Array => new Uint8Array(16);

/** A function of as many inputs as the layer has, that gives back the first. */
function placeholder(site: Site): Replacement {
  const inputs = site.inputs.map((_, i) => `in${i}`);
  const definition = { inputs, outputs: ["out"], nodes: [node("Identity", ["in0"], ["out"])] };
  return { site, function: { name: `Placeholder${inputs.length}`, ...definition } };
}

/** Reads, searches, replaces every layer, writes and reads again. @throws LutraError "bad-model" or "unsupported", or what is a defect */
function work(bytes: Uint8Array): void {
  try {
    const model = readModel(bytes, { external });
    const sites = findSites(model);
    const again = readModel(concatenate(writeModel(model)), { external });
    expect(findSites(again)).toEqual(sites);
    const rewritten = rewrite(model, sites.map(placeholder), { flat: bytes.length % 2 === 0 });
    expect(() => readModel(concatenate(writeModel(rewritten)), { external })).not.toThrow();
  } catch (error) {
    if (error instanceof LutraError) expect(["bad-model", "unsupported"]).toContain(error.code);
    throw error;
  }
}

const OPERATORS = [
  ...[
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Sqrt",
    "Exp",
    "Tanh",
    "Sigmoid",
    "Erf",
    "Softmax",
    "Gelu",
    "Constant",
    "Cast",
  ],
  ...[
    "ReduceMean",
    "ReduceSum",
    "ReduceMax",
    "LayerNormalization",
    "LSTM",
    "GRU",
    "RNN",
    "Identity",
    "If",
    "Loop",
    "Scan",
  ],
  ...[
    "Reshape",
    "Transpose",
    "QuantizeLinear",
    "DequantizeLinear",
    "Attention",
    "Where",
    "Expand",
    "",
    "NoSuchOperator",
  ],
];
const INTEGERS = [0n, -1n, 1n, 2n, 13n, -(2n ** 63n), 2n ** 63n - 1n, 2n ** 32n];

/** A model file with one to three nodes or tensors changed, still a protobuf message. */
function mutateModel(original: Uint8Array, draw: Random): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, original);
  const graph = proto.graph as GraphProto;
  for (let round = draw.below(3); round >= 0; round--) {
    if (draw.below(4) > 0 && graph.node.length > 0) mutateNode(pick(graph.node, draw), graph, draw);
    else mutateTensors(graph, draw);
  }
  return toBinary(ModelProtoSchema, proto);
}

function mutateNode(target: NodeProto, graph: GraphProto, draw: Random): void {
  const names = graph.node.flatMap(({ input, output }) => [...input, ...output]);
  const input = draw.below(target.input.length + 1);
  const attribute = pick([...target.attribute, create(AttributeProtoSchema)], draw);
  const choice = draw.below(9);
  if (choice === 0) target.opType = pick(OPERATORS, draw);
  else if (choice === 1) target.input[input] = pick(names, draw);
  else if (choice === 2) target.input.splice(input, 1);
  else if (choice === 3) target.output[draw.below(target.output.length + 1)] = pick(["", ...names], draw);
  else if (choice === 4) target.attribute.splice(draw.below(target.attribute.length + 1), 1);
  else if (choice === 5) attribute.i = pick(INTEGERS, draw);
  else if (choice === 6) attribute.ints = Array.from({ length: draw.below(4) }, () => pick(INTEGERS, draw));
  else if (choice === 7) attribute.f = pick([0, -1, Number.NaN, Infinity, 1e-45], draw);
  else
    attribute.name = pick(["axis", "axes", "epsilon", "to", "value", "direction", "activations", "hidden_size"], draw);
}

function mutateTensors(graph: GraphProto, draw: Random): void {
  const inNodes = graph.node.flatMap((at) => at.attribute.flatMap(({ t }) => (t === undefined ? [] : [t])));
  const tensors = [...graph.initializer, ...inNodes];
  if (tensors.length === 0) return;
  const target = pick(tensors, draw);
  const choice = draw.below(5);
  if (choice === 0) target.dims = Array.from({ length: draw.below(4) }, () => pick(INTEGERS, draw));
  else if (choice === 1) target.dataType = draw.below(26);
  else if (choice === 2) target.rawData = target.rawData.slice(draw.below(target.rawData.length + 1));
  else if (choice === 3) target.dataLocation = draw.below(2);
  else target.name = pick(["", ...graph.node.flatMap(({ output }) => output)], draw);
}

describe("the ONNX reader survives", () => {
  const originals = [...GENERATED, ...nodeTests()];
  const show = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

  test("the originals, which it accepts", () => {
    for (const original of originals) work(original);
  });

  test("sampled mutations of bytes", async () => {
    const { cases, accepted } = await survives("model bytes", {
      share: 0.16,
      make: (draw) => mutateBytes(pick(originals, draw), draw),
      read: work,
      show,
    });
    expect(accepted).toBeGreaterThan(cases / 100);
  });

  test("sampled changes of nodes and tensors", async () => {
    const { cases, accepted } = await survives("model nodes", {
      share: 0.08,
      make: (draw) => mutateModel(pick(originals, draw), draw),
      read: work,
      show,
    });
    expect(accepted).toBeGreaterThan(cases / 5);
  });
});
