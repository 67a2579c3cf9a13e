// Constant values of a graph: initializers that are not inputs, Constant nodes, and simple chains of one constant (Identity, Cast,
// Unsqueeze, Sqrt, ...). Only what is asked for is decoded; nothing is folded into the model.

import type { NodeProto, TensorProto } from "onnx-buf";
import { type Numbers, sizeOf, type Tensor } from "../base/index.ts";
import { attributeOf } from "./attribute.ts";
import { decodeTensor } from "./tensor.ts";
import type { Model } from "./types.ts";

/** Longest chain of nodes followed from a value back to a constant. */
const MAX_CHAIN = 16;

/** Operators that keep a constant's elements, in order. Cast may narrow them: the readers below ask for numbers only. */
const KEEP = new Set(["Identity", "Cast", "CastLike", "Unsqueeze", "Squeeze", "Reshape", "Flatten"]);

export interface Constants {
  /** The elements of a constant value (after Cast: as first stored); null if it is not constant, or not numeric. */
  tensor(name: string): Tensor | null;
  /** The number all elements of a constant have in common; null if there is none. */
  scalar(name: string): number | null;
  /** The elements of a constant of at most `limit` elements as numbers; null otherwise. */
  numbers(name: string, limit: number): readonly number[] | null;
  /** Whether the value is a constant, without decoding it. */
  has(name: string): boolean;
  /** Number of elements and rank of a constant, without decoding it. */
  shape(name: string): readonly number[] | null;
}

/** Constants of the main graph. `producer` gives the node that computes a value. */
export function constantsOf(model: Model, producer: (name: string) => NodeProto | undefined): Constants {
  const overridable = new Set(model.graph.input.map((input) => input.name));
  const initializers = new Map(model.graph.initializer.map((proto) => [proto.name, proto]));
  const scalars = new Map<string, number | null>();

  /** The stored tensor at the start of a chain, with the operators on the way that change its numbers or shape. */
  const source = (name: string, steps = 0): { proto: TensorProto; through: readonly string[] } | null => {
    const stored = initializers.get(name);
    if (stored !== undefined) return overridable.has(name) ? null : { proto: stored, through: [] };
    const node = producer(name);
    if (node === undefined || steps > MAX_CHAIN || node.domain !== "") return null;
    const value = node.opType === "Constant" ? constantTensor(node) : null;
    if (value !== null) return { proto: value, through: [] };
    if (!KEEP.has(node.opType) && node.opType !== "Sqrt") return null;
    const before = source(node.input[0] ?? "", steps + 1);
    return before === null ? null : { proto: before.proto, through: [...before.through, node.opType] };
  };

  const tensor = (name: string): Tensor | null => {
    const found = source(name);
    const decoded = found === null ? null : decodeTensor(found.proto, model.external);
    if (found === null || decoded === null) return null;
    const roots = found.through.filter((operator) => operator === "Sqrt").length;
    return roots === 0 ? decoded : { shape: decoded.shape, data: squareRoots(decoded.data, roots) };
  };

  const numbers = (name: string, limit: number): readonly number[] | null => {
    const found = source(name);
    if (found === null || sizeOf(found.proto.dims.map(Number)) > limit) return null;
    const values = tensor(name);
    return values === null ? null : Array.from(values.data as ArrayLike<number | bigint>, Number);
  };

  const scalar = (name: string): number | null => {
    const known = scalars.get(name);
    if (known !== undefined) return known;
    const values = numbers(name, MAX_SPLAT);
    const result = values !== null && values.length > 0 && values.every((v) => v === values[0]) ? values[0] : null;
    scalars.set(name, result);
    return result;
  };

  const shape = (name: string): readonly number[] | null => {
    const found = source(name);
    if (found === null) return null;
    const dims = found.proto.dims.map(Number);
    return found.through.every((operator) => ["Identity", "Cast", "CastLike", "Sqrt"].includes(operator))
      ? dims
      : [sizeOf(dims)];
  };
  return { tensor, scalar, numbers, has: (name) => source(name) !== null, shape };
}

/** Largest constant that is looked through for one number in all places. */
const MAX_SPLAT = 2 ** 16;

function constantTensor(node: NodeProto): TensorProto | null {
  return attributeOf(node, "value")?.t ?? null;
}

function squareRoots(data: Numbers, times: number): Float64Array {
  const values = Float64Array.from(data as ArrayLike<number | bigint>, Number);
  for (let i = 0; i < times; i++)
    values.forEach((value, at) => {
      values[at] = Math.sqrt(value);
    });
  return values;
}
