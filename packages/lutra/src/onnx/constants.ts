// Constant values of a graph: initializers that are not inputs, Constant nodes, and simple chains of one constant (Identity, Cast,
// Unsqueeze, Sqrt, ...). Only what is asked for is decoded; nothing is folded into the model.

import { type NodeProto, type TensorProto, TensorProto_DataType } from "onnx-buf";
import { type Numbers, sizeOf, type Tensor } from "../base/index.ts";
import { numberAttribute } from "./attribute.ts";
import { tensor } from "./build.ts";
import { decodeTensor } from "./tensor.ts";
import type { Model } from "./types.ts";

/** Longest chain of nodes followed from a value back to a constant. */
const MAX_CHAIN = 16;

/** Operators that keep a constant's elements and their order, and whether they keep its shape too. */
const KEEPS_SHAPE: ReadonlyMap<string, boolean> = new Map([
  ["Identity", true],
  ["Cast", true],
  ["CastLike", true],
  ["Sqrt", true],
  ["Unsqueeze", false],
  ["Squeeze", false],
  ["Reshape", false],
  ["Flatten", false],
]);

export interface Constants {
  /** The elements of a constant value, in the type they are stored in; null if it is not constant, or not numeric. */
  tensor(name: string): Tensor | null;
  /** The number in a constant of one element; null otherwise. */
  scalar(name: string): number | null;
  /** The elements of a constant of at most `limit` elements as numbers; null otherwise. */
  numbers(name: string, limit: number): readonly number[] | null;
  /** Whether the value is a constant, without decoding it. */
  has(name: string): boolean;
  /** Extents of a constant, without decoding it; where a chain changes the shape, one axis of all elements. */
  shape(name: string): readonly number[] | null;
}

/** A stored tensor at the start of a chain, how many square roots follow, and whether its shape stays. */
interface Source {
  readonly proto: TensorProto;
  readonly roots: number;
  readonly keepsShape: boolean;
}

/** Constants of the main graph. `producer` gives the node that computes a value. */
export function constantsOf(model: Model, producer: (name: string) => NodeProto | undefined): Constants {
  const source = sourceFinder(model, producer);
  const decoded = (found: Source | null): Tensor | null => {
    const stored = found === null ? null : decodeTensor(found.proto, model.external);
    if (found === null || stored === null || found.roots === 0) return stored;
    return { shape: stored.shape, data: squareRoots(stored.data, found.roots) };
  };

  const numbers = (name: string, limit: number): readonly number[] | null => {
    const found = source(name);
    if (found === null || sizeOf(found.proto.dims.map(Number)) > limit) return null;
    const values = decoded(found);
    return values === null ? null : Array.from(values.data as ArrayLike<number | bigint>, Number);
  };

  const scalars = new Map<string, number | null>();
  const scalar = (name: string): number | null => {
    let known = scalars.get(name);
    if (known === undefined) {
      known = numbers(name, 1)?.[0] ?? null;
      scalars.set(name, known);
    }
    return known;
  };

  return {
    tensor: (name) => decoded(source(name)),
    scalar,
    numbers,
    has: (name) => source(name) !== null,
    shape: (name) => {
      const found = source(name);
      const dims = found?.proto.dims.map(Number) ?? null;
      return dims === null || found?.keepsShape === true ? dims : [sizeOf(dims)];
    },
  };
}

/** Follows a value back to the stored tensor it comes from; null if it is not constant. */
function sourceFinder(
  model: Model,
  producer: (name: string) => NodeProto | undefined,
): (name: string, steps?: number) => Source | null {
  const overridable = new Set(model.graph.input.map((input) => input.name));
  const initializers = new Map(model.graph.initializer.map((proto) => [proto.name, proto]));
  return function source(name: string, steps = 0): Source | null {
    const stored = initializers.get(name);
    if (stored !== undefined) return overridable.has(name) ? null : { proto: stored, roots: 0, keepsShape: true };
    const node = producer(name);
    if (node === undefined || steps > MAX_CHAIN || node.domain !== "") return null;
    const value = node.opType === "Constant" ? constantTensor(node) : null;
    if (value !== null) return { proto: value, roots: 0, keepsShape: true };
    const keepsShape = KEEPS_SHAPE.get(node.opType);
    const before = keepsShape === undefined ? null : source(node.input[0] ?? "", steps + 1);
    if (before === null || (node.opType === "Cast" && !keepsNumbers(before.proto, node))) return null;
    return {
      proto: before.proto,
      roots: before.roots + (node.opType === "Sqrt" ? 1 : 0),
      keepsShape: before.keepsShape && keepsShape === true,
    };
  };
}

/** What a Constant node holds, as a tensor; null for texts and sparse tensors. */
export function constantTensor(node: NodeProto): TensorProto | null {
  const [attribute] = node.attribute;
  if (attribute === undefined) return null;
  if (attribute.name === "value") return attribute.t ?? null;
  if (attribute.name === "value_float") return tensor(attribute.f);
  if (attribute.name === "value_floats") return tensor(Float32Array.from(attribute.floats));
  if (attribute.name === "value_int") return tensor(BigInt64Array.of(attribute.i), []);
  return attribute.name === "value_ints" ? tensor(BigInt64Array.from(attribute.ints)) : null;
}

/** Whether a Cast leaves the numbers as stored: to binary32 or wider, or between the usual integers. */
function keepsNumbers(proto: TensorProto, cast: NodeProto): boolean {
  const { FLOAT, DOUBLE, INT32, INT64 } = TensorProto_DataType;
  const to = numberAttribute(cast, "to", 0);
  if (to === FLOAT || to === DOUBLE) return true;
  return [INT32, INT64].includes(to) && [INT32, INT64].includes(proto.dataType);
}

function squareRoots(data: Numbers, times: number): Float64Array {
  const values = Float64Array.from(data as ArrayLike<number | bigint>, Number);
  for (let i = 0; i < times; i++)
    values.forEach((value, at) => {
      values[at] = Math.sqrt(value);
    });
  return values;
}
