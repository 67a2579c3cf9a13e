// ONNX models in the making: nodes, initializers drawn from seeds, and a product with weights in two spellings, binary32 and what onnxruntime's
// dynamic quantization writes.
import { create, toBinary } from "@bufbuild/protobuf";
import { AttributeProto_AttributeType, ModelProtoSchema, TensorProto_DataType } from "onnx-buf";
import { bellShaped } from "../kernels/data.mjs";

const OPSET = 17n;
const IR_VERSION = 8n;
const EPSILON = 1e-12;
const BIAS_SPREAD = 0.02;
const GAMMA_SPREAD = 0.05;
const INT8_MOST = 127;
const { INT8 } = TensorProto_DataType;
export const { FLOAT, INT32, INT64, UINT8 } = TensorProto_DataType;
const TYPES = { Float32Array: FLOAT, BigInt64Array: INT64, Int8Array: INT8, Uint8Array: UINT8 };

/** Weights are drawn by their names, so that both spellings have the same. */
export class Graph {
  nodes = [];
  #isQuantized;
  #constants = new Map();
  #codes = new Map();

  constructor(isQuantized) {
    this.#isQuantized = isQuantized;
  }

  /** Adds a node. @returns the name of its (first) output */
  add(opType, input, attributes = {}, outputs = 1) {
    const name = `${opType.toLowerCase()}_${this.nodes.length}`;
    const output = Array.from({ length: outputs }, (_, i) => (i === 0 ? name : `${name}_${i}`));
    this.nodes.push({ opType, name, input, output, attribute: Object.entries(attributes).map(attribute) });
    return name;
  }

  /** An initializer; one of the same name is made once. @returns its name */
  constant(name, data, dims = []) {
    if (!this.#constants.has(name)) this.#constants.set(name, tensor(name, data, dims));
    return name;
  }

  number(name, x) {
    return this.constant(name, Float32Array.of(x));
  }

  linear(x, name, rows, columns) {
    // Products spread as much as what is multiplied: attention is neither even nor on one place alone.
    const weights = bellShaped(rows * columns, 1 / Math.sqrt(rows), seedOf(`${name} weights`));
    const shape = [rows, columns];
    const product = this.#isQuantized
      ? this.#quantizedProduct(x, name, weights, shape)
      : this.add("MatMul", [x, this.constant(`${name}.weight`, weights, shape)]);
    const bias = bellShaped(columns, BIAS_SPREAD, seedOf(`${name} bias`));
    return this.add("Add", [this.constant(`${name}.bias`, bias, [columns]), product]);
  }

  /** As onnxruntime.quantization.quantize_dynamic writes a MatMul; who reads the same x shares its codes. */
  #quantizedProduct(x, name, weights, shape) {
    if (!this.#codes.has(x)) this.#codes.set(x, this.add("DynamicQuantizeLinear", [x], {}, 3));
    const codes = this.#codes.get(x);
    const scale = weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / INT8_MOST;
    const quantized = this.constant(
      `${name}.weight_quantized`,
      Int8Array.from(weights, (w) => Math.round(w / scale)),
      shape,
    );
    const zero = this.constant(`${name}.weight_zero_point`, Int8Array.of(0));
    const sums = this.add("MatMulInteger", [codes, quantized, `${codes}_2`, zero]);
    const scales = this.add("Mul", [`${codes}_1`, this.number(`${name}.weight_scale`, scale)]);
    return this.add("Mul", [this.add("Cast", [sums], { to: FLOAT }), scales]);
  }

  norm(x, name, width) {
    const gamma = bellShaped(width, GAMMA_SPREAD, seedOf(`${name} gamma`)).map((difference) => 1 + difference);
    const beta = bellShaped(width, BIAS_SPREAD, seedOf(`${name} beta`));
    const inputs = [x, this.constant(`${name}.weight`, gamma, [width]), this.constant(`${name}.bias`, beta, [width])];
    return this.add("LayerNormalization", inputs, { axis: -1, epsilon: { f: EPSILON } });
  }

  /** @param output values, the last of which is what the last node computes */
  bytes(input, output) {
    this.nodes.at(-1).output[0] = output.at(-1).name;
    const graph = { name: "bench", node: this.nodes, input, output, initializer: [...this.#constants.values()] };
    const opsetImport = [{ domain: "", version: OPSET }];
    return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: IR_VERSION, opsetImport, graph }));
  }
}

/** An integer, a list of integers, or {f: a number}. */
function attribute([name, given]) {
  const type = AttributeProto_AttributeType;
  if (Array.isArray(given)) return { name, type: type.INTS, ints: given.map(BigInt) };
  if (typeof given === "object") return { name, type: type.FLOAT, f: given.f };
  return { name, type: type.INT, i: BigInt(given) };
}

function tensor(name, data, dims) {
  const dataType = TYPES[data.constructor.name];
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dataType, dims: dims.map(BigInt), rawData };
}

/** An input or output; text extents are symbolic. */
export function value(name, elemType, extents) {
  const dim = extents.map((extent) => ({
    value:
      typeof extent === "string" ? { case: "dimParam", value: extent } : { case: "dimValue", value: BigInt(extent) },
  }));
  return { name, type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } } };
}

/** Another seed for each name: FNV-1a. */
export function seedOf(name) {
  let hash = 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}
