// The Transformer that reads a date, written over traced arrays: eight learned tokens, one per digit of YYYYMMDD, stand before
// the characters, and what becomes of them is classified into ten digits. Its non-linear layers are passed in, so that the same
// network can be trained with tables in their place. export.ts writes the same graph as ONNX.
import {
  add,
  broadcast,
  concatenate,
  divide,
  erf,
  head,
  lookup,
  matmul,
  mean,
  multiply,
  reshape,
  softmax,
  sqrt,
  subtract,
  transpose,
  type Value,
} from "./array.ts";
import { DIGITS, EPSILON, parameterShapes, type Shape } from "./shape.ts";

/** The non-linear layers. `layerNorm` only normalizes the last axis; gain and bias are the model's. */
export interface Activations {
  readonly gelu: (x: Value) => Value;
  readonly softmax: (x: Value) => Value;
  readonly layerNorm: (x: Value) => Value;
}

export const EXACT: Activations = {
  gelu: (x) => multiply(multiply(x, add(erf(multiply(x, Math.SQRT1_2)), 1)), 0.5),
  softmax,
  layerNorm: (x) => {
    const centered = subtract(x, mean(x));
    return divide(centered, sqrt(add(mean(multiply(centered, centered)), EPSILON)));
  },
};

/**
 * Scores of the ten digits at each place of YYYYMMDD.
 * @param parameters in the order of parameterShapes
 * @param ids int32 [batch, length]
 * @param mask [batch, 1, 1, DIGITS + length]: 0, or MASKED where the text is padded
 * @returns [batch, DIGITS, 10]
 */
export function logits(
  model: Shape,
  activations: Activations,
  parameters: readonly Value[],
  ids: Value,
  mask: Value,
): Value {
  const names = parameterShapes(model).map(({ name }) => name);
  const parameter = (name: string): Value => parameters[names.indexOf(name)];
  const linear = (name: string, x: Value): Value =>
    add(matmul(x, parameter(`${name}.weight`)), parameter(`${name}.bias`));
  const norm = (name: string, x: Value): Value =>
    add(multiply(activations.layerNorm(x), parameter(`${name}.gain`)), parameter(`${name}.bias`));
  const network: Network = { model, activations, linear, norm };

  const [batch] = ids.shape;
  const text = add(lookup(parameter("embedding.characters"), ids), parameter("embedding.positions"));
  const digits = broadcast(parameter("embedding.digits"), [batch, DIGITS, model.width]);
  let x = concatenate([digits, text], 1);
  for (let i = 0; i < model.layers; i++) {
    x = add(x, attention(network, `layer${i}`, norm(`layer${i}.norm1`, x), mask));
    const up = activations.gelu(linear(`layer${i}.up`, norm(`layer${i}.norm2`, x)));
    x = add(x, linear(`layer${i}.down`, up));
  }
  return linear("classifier", norm("norm", head(x, DIGITS)));
}

interface Network {
  readonly model: Shape;
  readonly activations: Activations;
  readonly linear: (name: string, x: Value) => Value;
  readonly norm: (name: string, x: Value) => Value;
}

function attention({ model, activations, linear }: Network, name: string, x: Value, mask: Value): Value {
  const [batch, tokens, width] = x.shape;
  const extent = width / model.heads;
  const split = (part: string, axes: readonly number[]): Value =>
    transpose(reshape(linear(`${name}.${part}`, x), [batch, tokens, model.heads, extent]), axes);
  const scores = matmul(split("query", [0, 2, 1, 3]), split("key", [0, 2, 3, 1]));
  const weights = activations.softmax(add(multiply(scores, 1 / Math.sqrt(extent)), mask));
  const mixed = transpose(matmul(weights, split("value", [0, 2, 1, 3])), [0, 2, 1, 3]);
  return linear(`${name}.output`, reshape(mixed, [batch, tokens, width]));
}
