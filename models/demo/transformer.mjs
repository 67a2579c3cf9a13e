// The demo model: a small BERT-like Transformer with seeded, untrained weights, built as an ONNX graph (opset 20, IR 9).
// It has every kind of non-linear layer that the tables replace, one of them in decomposed form: erf-GELU in layer 0,
// the Gelu operator in layer 1, Softmax over masked scores, LayerNormalization, Tanh.
import { create, toBinary } from "@bufbuild/protobuf";
import { random } from "lutra";
import {
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
} from "onnx-buf";

/** Shape of the network. `tokens` counts the vocabulary, 0 being the padding. */
export const SHAPE = { tokens: 64, positions: 24, width: 64, heads: 4, hidden: 256, layers: 2, classes: 8 };

/**
 * The model's file.
 *   inputs   input_ids, attention_mask: int64 [batch, length], length at most SHAPE.positions
 *   output   logits: binary32 [batch, SHAPE.classes]
 * The same seed gives the same bytes on every machine.
 */
export function buildTransformer(seed) {
  const graph = new GraphBuilder(seed);
  const mask = maskScores(graph);
  let x = embed(graph);
  for (let i = 0; i < SHAPE.layers; i++)
    x = encoderLayer(graph, `layer${i}`, x, mask, i === 0 ? erfGelu : geluOperator);
  graph.output("logits", classify(graph, x));
  return graph.toBytes();
}

// Activations keep the sizes of a trained model's: weights of variance 1 / fan-in times a gain, norms near the identity.
const GAIN = { embedding: 1, attention: 1.6, value: 1, hidden: 1.5, output: 1, pooler: 1.5, classifier: 2 };

function embed(graph) {
  const { tokens, positions, width } = SHAPE;
  const words = graph.weight("embedding.words", [tokens, width], GAIN.embedding);
  const places = graph.weight("embedding.positions", [positions, width], GAIN.embedding / 2);
  const length = graph.node("Slice", [graph.node("Shape", ["input_ids"]), graph.integers([1]), graph.integers([2])]);
  const used = graph.node("Slice", [places, graph.integers([0]), length]);
  return norm(graph, "embedding.norm", graph.node("Add", [graph.node("Gather", [words, "input_ids"]), used]));
}

/** 0 where a position is real, -10000 where it is padding; [batch, 1, 1, length]. */
function maskScores(graph) {
  const real = graph.node("Cast", ["attention_mask"], { to: DataType.FLOAT });
  const padding = graph.node("Sub", [graph.scalar(1), graph.node("Unsqueeze", [real, graph.integers([1, 2])])]);
  return graph.node("Mul", [padding, graph.scalar(-10000)]);
}

function encoderLayer(graph, name, x, mask, gelu) {
  const attended = norm(graph, `${name}.norm1`, graph.node("Add", [x, attention(graph, `${name}.attention`, x, mask)]));
  const hidden = gelu(graph, linear(graph, `${name}.up`, attended, SHAPE.width, SHAPE.hidden, GAIN.hidden));
  const down = linear(graph, `${name}.down`, hidden, SHAPE.hidden, SHAPE.width, GAIN.output);
  return norm(graph, `${name}.norm2`, graph.node("Add", [attended, down]));
}

function attention(graph, name, x, mask) {
  const { width, heads } = SHAPE;
  const split = (part, gain, perm) => {
    const all = linear(graph, `${name}.${part}`, x, width, width, gain);
    const parts = graph.node("Reshape", [all, graph.integers([0, 0, heads, width / heads])]);
    return graph.node("Transpose", [parts], { perm });
  };
  const query = split("query", GAIN.attention, [0, 2, 1, 3]);
  const key = split("key", GAIN.attention, [0, 2, 3, 1]);
  const value = split("value", GAIN.value, [0, 2, 1, 3]);
  const products = graph.node("MatMul", [query, key]);
  const scores = graph.node("Add", [graph.node("Div", [products, graph.scalar(Math.sqrt(width / heads))]), mask]);
  const weighted = graph.node("MatMul", [graph.node("Softmax", [scores], { axis: -1 }), value]);
  const merged = graph.node("Transpose", [weighted], { perm: [0, 2, 1, 3] });
  const joined = graph.node("Reshape", [merged, graph.integers([0, 0, width])]);
  return linear(graph, `${name}.output`, joined, width, width, GAIN.output);
}

/** x * (1 + erf(x / sqrt 2)) * 0.5, as PyTorch exports it below opset 20. */
function erfGelu(graph, x) {
  const erf = graph.node("Erf", [graph.node("Div", [x, graph.scalar(Math.SQRT2)])]);
  const product = graph.node("Mul", [x, graph.node("Add", [erf, graph.scalar(1)])]);
  return graph.node("Mul", [product, graph.scalar(0.5)]);
}

function geluOperator(graph, x) {
  return graph.node("Gelu", [x]);
}

/** BERT's head: the first position through a tanh layer, then one score per class. */
function classify(graph, x) {
  const first = graph.node("Gather", [x, graph.integer(0)], { axis: 1 });
  const pooled = graph.node("Tanh", [linear(graph, "pooler", first, SHAPE.width, SHAPE.width, GAIN.pooler)]);
  return linear(graph, "classifier", pooled, SHAPE.width, SHAPE.classes, GAIN.classifier);
}

function linear(graph, name, x, from, to, gain) {
  const product = graph.node("MatMul", [x, graph.weight(`${name}.weight`, [from, to], gain / Math.sqrt(from))]);
  return graph.node("Add", [product, graph.weight(`${name}.bias`, [to], 0.1)]);
}

function norm(graph, name, x) {
  const gamma = graph.weight(`${name}.gamma`, [SHAPE.width], 0.1, 1);
  const beta = graph.weight(`${name}.beta`, [SHAPE.width], 0.1);
  return graph.node("LayerNormalization", [x, gamma, beta], { axis: -1, epsilon: 1e-5 });
}

/** Collects nodes and constants; names nodes and values after their operator, `Add_7`. */
class GraphBuilder {
  #nodes = [];
  #constants = [];
  #outputs = [];
  #random;

  constructor(seed) {
    this.#random = random(seed);
  }

  node(opType, input, attributes = {}) {
    const name = `${opType}_${this.#nodes.length}`;
    const attribute = Object.entries(attributes).map(([key, value]) => toAttribute(key, value));
    this.#nodes.push({ name, opType, input, output: [name], attribute });
    return name;
  }

  /** Normally distributed around `mean`; binary32. */
  weight(name, dims, deviation, mean = 0) {
    const count = dims.reduce((product, extent) => product * extent, 1);
    const values = Float32Array.from({ length: count }, () => mean + deviation * this.#random.normal());
    return this.#constant(name, dims, DataType.FLOAT, values);
  }

  scalar(value) {
    return this.#constant(`constant_${this.#constants.length}`, [], DataType.FLOAT, Float32Array.of(value));
  }

  integer(value) {
    return this.#constant(`constant_${this.#constants.length}`, [], DataType.INT64, BigInt64Array.of(BigInt(value)));
  }

  integers(values) {
    const data = BigInt64Array.from(values, BigInt);
    return this.#constant(`constant_${this.#constants.length}`, [values.length], DataType.INT64, data);
  }

  /** Gives a value the name of an output of the model. */
  output(name, value) {
    const producer = this.#nodes.find((node) => node.output[0] === value);
    producer.output = [name];
    this.#outputs.push(valueInfo(name, DataType.FLOAT, ["batch", SHAPE.classes]));
  }

  toBytes() {
    const inputs = ["input_ids", "attention_mask"].map((name) => valueInfo(name, DataType.INT64, ["batch", "length"]));
    const model = create(ModelProtoSchema, {
      irVersion: 9n,
      producerName: "lutra demo",
      opsetImport: [{ domain: "", version: 20n }],
      graph: { name: "demo", node: this.#nodes, initializer: this.#constants, input: inputs, output: this.#outputs },
    });
    return toBinary(ModelProtoSchema, model);
  }

  #constant(name, dims, dataType, values) {
    this.#constants.push({ name, dims: dims.map(BigInt), dataType, rawData: new Uint8Array(values.buffer) });
    return name;
  }
}

function toAttribute(name, value) {
  if (Array.isArray(value)) return { name, type: AttributeType.INTS, ints: value.map(BigInt) };
  if (Number.isInteger(value)) return { name, type: AttributeType.INT, i: BigInt(value) };
  return { name, type: AttributeType.FLOAT, f: value };
}

/** Type and shape of an input or output; a dimension that is a name is free. */
function valueInfo(name, elemType, dims) {
  const dim = dims.map((extent) => ({
    value:
      typeof extent === "string" ? { case: "dimParam", value: extent } : { case: "dimValue", value: BigInt(extent) },
  }));
  return { name, type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } } };
}
