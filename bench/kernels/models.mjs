// ONNX models that repeat one operator, for the runtimes that Lutra is compared with. The time of one operator without the cost of a call
// is (chain of CHAIN - chain of 1) / (CHAIN - 1).
import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";

export const CHAIN = 9;

const OPSET = 20;
const ELEMENTS = { f32: 1, u8: 2, i8: 3 };
const BYTES = { f32: Float32Array, u8: Uint8Array, i8: Int8Array };

/**
 * A model x -> y of `length` operators, each on the answer of the one before, in base64.
 * @param operator {opType, domain?, attributes?, constants?, steps?}: constants are further inputs, {lane, dims, data} by name; `steps`
 * gives the nodes of one operator instead, as (x, y, at) => nodes
 */
export function chain(operator, { lane, dims }, length) {
  const steps = Array.from({ length }, (_, at) => {
    const [x, y] = [at === 0 ? "x" : `t${at}`, at === length - 1 ? "y" : `t${at + 1}`];
    return nodesOf(operator, x, y, at);
  });
  const graph = {
    name: "chain",
    node: steps.flat(),
    input: [value("x", lane, dims)],
    output: [value("y", lane, dims)],
    initializer: Object.entries(operator.constants ?? {}).map(tensor),
  };
  const opsetImport = [
    { domain: "", version: BigInt(OPSET) },
    { domain: "com.microsoft", version: 1n },
  ];
  const model = toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 9n, opsetImport, graph }));
  return Buffer.from(model).toString("base64");
}

function nodesOf({ opType, domain = "", attributes = {}, inputs, nodes }, x, y, at) {
  if (nodes !== undefined) return nodes(x, y, at);
  const attribute = Object.entries(attributes).map(([attributeName, number]) =>
    Number.isInteger(number)
      ? { name: attributeName, type: 2, i: BigInt(number) }
      : { name: attributeName, type: 1, f: number },
  );
  return [{ opType, domain, attribute, input: [x, ...(inputs?.(at) ?? [])], output: [y] }];
}

function value(name, lane, dims) {
  const dim = dims.map((extent) => ({ value: { case: "dimValue", value: BigInt(extent) } }));
  return { name, type: { value: { case: "tensorType", value: { elemType: ELEMENTS[lane], shape: { dim } } } } };
}

function tensor([name, { lane, dims, data }]) {
  const rawData = new Uint8Array(BYTES[lane].from(data).buffer);
  return { name, dataType: ELEMENTS[lane], dims: dims.map(BigInt), rawData };
}

// operators -----------------------------------------------------------------------------------------------------------

/** SiLU has no operator of its own: x Sigmoid(x), as exporters write it. */
export const SILU = {
  nodes: (x, y, at) => [
    { opType: "Sigmoid", input: [x], output: [`s${at}`] },
    { opType: "Mul", input: [x, `s${at}`], output: [y] },
  ],
};

/** LayerNormalization over the last axis with gamma 1 and beta 0. */
export function layerNormalization(columns, epsilon) {
  const constant = (number) => ({ lane: "f32", dims: [columns], data: new Array(columns).fill(number) });
  return {
    opType: "LayerNormalization",
    attributes: { epsilon },
    inputs: () => ["gamma", "beta"],
    constants: { gamma: constant(1), beta: constant(0) },
  };
}

/** An operator of onnxruntime between codes of one lane; after the first, codes come in the output's own format. */
export function quantized(opType, lane, input, output, attributes = {}) {
  const scalar = (scalarLane, number) => ({ lane: scalarLane, dims: [], data: [number] });
  return {
    opType,
    domain: "com.microsoft",
    attributes,
    inputs: (at) => [...(at === 0 ? ["x_scale", "x_zero"] : ["y_scale", "y_zero"]), "y_scale", "y_zero"],
    constants: {
      x_scale: scalar("f32", input.scale),
      x_zero: scalar(lane, input.zeroPoint),
      y_scale: scalar("f32", output.scale),
      y_zero: scalar(lane, output.zeroPoint),
    },
  };
}
