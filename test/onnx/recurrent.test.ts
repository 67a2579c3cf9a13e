import { create } from "@bufbuild/protobuf";
import { type AttributeProto, AttributeProto_AttributeType, AttributeProtoSchema } from "onnx-buf";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { random } from "../../packages/lutra/src/num/index.ts";
import {
  type AttributeValue,
  concatenate,
  expandRecurrent,
  type FunctionDefinition,
  findSites,
  type Model,
  node,
  rewrite,
  writeModel,
} from "../../packages/lutra/src/onnx/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { model, valueInfo } from "./models.ts";
import { readNodeTest } from "./node-tests.ts";

type Feeds = Readonly<Record<string, ort.Tensor>>;

const INT32 = 6;
const GATES = { LSTM: 4, GRU: 3, RNN: 1 } as const;
type Type = keyof typeof GATES;
const SIZE = { time: 5, batch: 3, input: 4, hidden: 6 } as const;

async function run(from: Model, feeds: Feeds): Promise<Record<string, ort.Tensor>> {
  const bytes = concatenate(writeModel(from));
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const results = await session.run(feeds);
  await session.release();
  return results as Record<string, ort.Tensor>;
}

interface Case {
  readonly type: Type;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly activations?: readonly string[];
  /** Optional inputs that are given; all else is left out. */
  readonly given?: readonly ("b" | "lengths" | "h" | "c" | "p")[];
  readonly opset?: number;
}

function texts(name: string, values: readonly string[]): AttributeProto {
  const strings = values.map((value) => new TextEncoder().encode(value));
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.STRINGS, strings });
}

/** One recurrent operator whose weights are inputs, with normal random numbers for everything. */
function makeCase({ type, attributes = {}, activations = [], given = [], opset = 17 }: Case): {
  model: Model;
  feeds: Feeds;
} {
  const { time, batch, input, hidden } = SIZE;
  const directions = "direction" in attributes && attributes.direction === "bidirectional" ? 2 : 1;
  const rows = GATES[type] * hidden;
  const shapes: Readonly<Record<string, readonly number[]>> = {
    x: [time, batch, input],
    w: [directions, rows, input],
    r: [directions, rows, hidden],
    b: [directions, 2 * rows],
    lengths: [batch],
    h: [directions, batch, hidden],
    c: [directions, batch, hidden],
    p: [directions, 3 * hidden],
  };
  const generator = random(7);
  const present = (name: string): boolean => ["x", "w", "r", ...given].includes(name);
  const names = Object.keys(shapes).slice(0, type === "LSTM" ? 8 : 6);
  const feeds = Object.fromEntries(
    names.filter(present).map((name) => {
      const shape = shapes[name];
      if (name === "lengths") return [name, new ort.Tensor("int32", Int32Array.of(2, 5, 1), shape)];
      const data = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => generator.normal());
      return [name, new ort.Tensor("float32", data, shape)];
    }),
  );
  const outputs = type === "LSTM" ? ["y", "last_h", "last_c"] : ["y", "last_h"];
  const inputs = names.map((name) => (present(name) ? name : ""));
  while (inputs.at(-1) === "") inputs.pop();
  const operator = node(type, inputs, outputs, { hidden_size: BigInt(hidden), ...attributes });
  if (activations.length > 0) operator.attribute.push(texts("activations", activations));
  return {
    model: model({
      nodes: [operator],
      inputs: Object.keys(feeds).map((name) => valueInfo(name, null, name === "lengths" ? INT32 : 1)),
      outputs: outputs.map((name) => valueInfo(name, null)),
      opset,
    }),
    feeds,
  };
}

/** All that has a site in it expanded. */
function expanded(from: Model): Model {
  return expandRecurrent(
    from,
    findSites(from).map(({ scope }) => scope ?? []),
  );
}

function expectClose(actual: ort.Tensor, expected: ort.Tensor, tolerance: number): void {
  expect(actual.dims).toEqual(expected.dims);
  const worst = Array.from(actual.data as Float32Array).reduce(
    (most, value, i) => Math.max(most, Math.abs(value - Number(expected.data[i]))),
    0,
  );
  expect(worst).toBeLessThan(tolerance);
}

describe("expanding a recurrent operator", () => {
  const everything = ["b", "lengths", "h", "c", "p"] as const;
  const CASES: readonly (readonly [string, Case])[] = [
    ["a bare LSTM", { type: "LSTM" }],
    ["a bare GRU", { type: "GRU" }],
    ["a bare RNN", { type: "RNN" }],
    ["a reverse LSTM", { type: "LSTM", attributes: { direction: "reverse" }, given: ["b"] }],
    ["a reverse GRU with lengths", { type: "GRU", attributes: { direction: "reverse" }, given: ["b", "lengths", "h"] }],
    ["an LSTM with everything", { type: "LSTM", attributes: { direction: "bidirectional" }, given: everything }],
    ["a GRU with everything", { type: "GRU", attributes: { direction: "bidirectional" }, given: everything }],
    ["an RNN with everything", { type: "RNN", attributes: { direction: "bidirectional" }, given: everything }],
    [
      "a GRU that resets after the product",
      { type: "GRU", attributes: { linear_before_reset: 1n }, given: ["b", "h"] },
    ],
    ["such a GRU without biases", { type: "GRU", attributes: { linear_before_reset: 1n } }],
    ["an LSTM with coupled gates", { type: "LSTM", attributes: { input_forget: 1n }, given: ["b"] }],
    ["an LSTM that clips", { type: "LSTM", attributes: { clip: 0.5 }, given: ["b", "h", "c"] }],
    ["a GRU that clips", { type: "GRU", attributes: { clip: 0.5 }, given: ["b", "h"] }],
    ["an RNN that clips", { type: "RNN", attributes: { clip: 0.5 }, given: ["b", "h"] }],
    ["an LSTM with other activations", { type: "LSTM", activations: ["Tanh", "Softsign", "sigmoid"], given: ["b"] }],
    ["a GRU with other activations", { type: "GRU", activations: ["Softsign", "Tanh"], given: ["b"] }],
    ["an LSTM of opset 12", { type: "LSTM", attributes: { direction: "bidirectional" }, given: everything, opset: 12 }],
    ["a GRU of opset 21", { type: "GRU", attributes: { direction: "bidirectional" }, given: everything, opset: 21 }],
  ];

  it.each(CASES)("gives what onnxruntime's own operator gives: %s", async (_, given) => {
    const { model: before, feeds } = makeCase(given);
    const after = expanded(before);
    expect(after.graph.node.map(({ opType }) => opType)).not.toContain(given.type);
    const [expected, actual] = await Promise.all([run(before, feeds), run(after, feeds)]);
    for (const name of Object.keys(expected)) expectClose(actual[name], expected[name], 2e-6);
  });
});

/** A tensor with axis i of the result being axis order[i] of the given one. */
function transposed({ data, dims, type }: ort.Tensor, order: readonly number[]): ort.Tensor {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((a, b) => a * b, 1));
  const shape = order.map((axis) => dims[axis]);
  const values = Float32Array.from({ length: data.length }, (_, i) => {
    let [rest, from] = [i, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += (rest % shape[axis]) * strides[order[axis]];
      rest = Math.floor(rest / shape[axis]);
    }
    return Number((data as Float32Array)[from]);
  });
  return new ort.Tensor(type as "float32", values, shape);
}

describe("expanding an operator with the batch first", () => {
  it.each(["LSTM", "GRU", "RNN"] as const)("gives what %s gives with the time first, transposed", async (type) => {
    const attributes = { direction: "bidirectional" };
    const timeFirst = makeCase({ type, attributes, given: ["b", "lengths", "h", "c"] });
    const expected = await run(timeFirst.model, timeFirst.feeds);
    const batchFirst = makeCase({ type, attributes: { ...attributes, layout: 1n }, given: ["b", "lengths", "h", "c"] });
    const { x, h, c } = timeFirst.feeds;
    const swapped = Object.entries({ x, h, c }).filter(([, tensor]) => tensor !== undefined);
    const feeds = Object.fromEntries(swapped.map(([name, tensor]) => [name, transposed(tensor, [1, 0, 2])]));
    const actual = await run(expanded(batchFirst.model), { ...timeFirst.feeds, ...feeds });
    expectClose(actual.y, transposed(expected.y, [2, 0, 1, 3]), 2e-6);
    for (const name of Object.keys(expected).filter((output) => output !== "y"))
      expectClose(actual[name], transposed(expected[name], [1, 0, 2]), 2e-6);
  });
});

describe("a recurrent operator's sites", () => {
  const found = (given: Case): readonly string[] =>
    findSites(makeCase(given).model).map(({ id, kind }) => `${kind} ${id}`);

  it("are its activations, gates of one kind together", () => {
    expect(found({ type: "LSTM" })).toEqual([
      "sigmoid y/lstm/forward/step/gates",
      "tanh y/lstm/forward/step/candidate",
      "tanh y/lstm/forward/step/squashed",
    ]);
    expect(found({ type: "GRU" })).toEqual(["sigmoid y/gru/forward/step/gates", "tanh y/gru/forward/step/candidate"]);
    expect(found({ type: "RNN", attributes: { direction: "bidirectional" } })).toEqual([
      "tanh y/rnn/forward/step/hidden",
      "tanh y/rnn/reverse/step/hidden",
    ]);
  });

  it("are those that the node asks for, whatever their case", () => {
    const activations = ["tanh", "SIGMOID", "Softsign"];
    expect(found({ type: "LSTM", activations }).map((site) => site.split(" ")[0])).toEqual([
      "tanh",
      "sigmoid",
      "softsign",
    ]);
    expect(found({ type: "RNN", activations: ["Relu"] })).toEqual([]);
  });

  it("are none where an activation has parameters of its own", () => {
    expect(found({ type: "RNN", activations: ["ScaledTanh"] })).toEqual([]);
  });

  it("are none where the weights are not binary32", () => {
    const double = (name: string) => valueInfo(name, null, 11);
    const wide = model({
      nodes: [node("RNN", ["x", "w", "r"], ["y"], { hidden_size: 4n })],
      inputs: ["x", "w", "r"].map(double),
      outputs: [double("y")],
    });
    expect(findSites(wide)).toEqual([]);
  });

  it("leave the operator whole until one of them is replaced, and then the others in place", () => {
    const { model: before } = makeCase({ type: "LSTM" });
    const [site] = findSites(before);
    const own: FunctionDefinition = {
      name: "own",
      inputs: ["a"],
      outputs: ["b"],
      nodes: [node("Sigmoid", ["a"], ["b"])],
    };
    expect(rewrite(before, []).graph).toBe(before.graph);
    const after = rewrite(before, [{ site, function: own }]);
    const scan = after.graph.node.find(({ opType }) => opType === "Scan");
    const inside = scan?.attribute.find(({ name }) => name === "body")?.g?.node.map(({ opType }) => opType);
    expect(inside?.filter((type) => ["own", "Sigmoid", "Tanh"].includes(type))).toEqual(["own", "Tanh", "Tanh"]);
  });

  it("have names of their own when the model uses those already", () => {
    const lstm = node("LSTM", ["x", "w", "r"], ["y"], { hidden_size: 6n });
    const taken = model({
      nodes: [lstm, node("Neg", ["y"], ["y/lstm/forward/x"])],
      inputs: ["x", "w", "r"].map((name) => valueInfo(name, null)),
      outputs: [valueInfo("y/lstm/forward/x", null)],
    });
    expect(findSites(taken).map(({ id }) => id)[0]).toBe("y/lstm_1/forward/step/gates");
  });
});

describeShared("expanding the operators of ONNX's node tests", () => {
  it.each([
    "test_gru_batchwise",
    "test_gru_defaults",
    "test_gru_seq_length",
    "test_gru_with_initial_bias",
    "test_lstm_batchwise",
    "test_lstm_defaults",
    "test_lstm_with_initial_bias",
    "test_lstm_with_peepholes",
    "test_rnn_seq_length",
  ])("%s gives the expected outputs", async (name) => {
    const { model: before, inputs, expected } = readNodeTest(sharedPath("vectors/onnx_node_tests"), name);
    const actual = await run(expanded(before), inputs);
    for (const [output, tensor] of Object.entries(expected)) expectClose(actual[output], tensor, 2e-6);
  });
});
