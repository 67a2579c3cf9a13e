// What a model's graph says about its inputs, in the words of data/: so that a dataset can be fitted to a model before any session exists.

import type { DeclaredInput, DeclaredInputs } from "../data/index.ts";
import type { Model } from "../onnx/index.ts";

/** TensorProto.DataType numbers (onnx.proto) to element types. */
const ELEMENT_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "float32"],
  [2, "uint8"],
  [3, "int8"],
  [4, "uint16"],
  [5, "int16"],
  [6, "int32"],
  [7, "int64"],
  [9, "bool"],
  [10, "float16"],
  [11, "float64"],
  [12, "uint32"],
  [13, "uint64"],
  [16, "bfloat16"],
]);

/** The inputs a model must be given: initializers that are listed as inputs too (IR below 4) have a value already. */
export function declaredInputs(model: Model): DeclaredInputs {
  const given = new Set(model.graph.initializer.map(({ name }) => name));
  const needed = model.graph.input.filter(({ name }) => !given.has(name));
  return Object.fromEntries(needed.map((info) => [info.name, declaredInput(info)]));
}

function declaredInput({ type }: Model["graph"]["input"][number]): DeclaredInput {
  if (type?.value.case !== "tensorType") return { type: null, shape: null };
  const { elemType, shape } = type.value.value;
  const extents = shape?.dim.map(({ value }) =>
    value.case === "dimValue" && value.value > 0n ? Number(value.value) : null,
  );
  return { type: ELEMENT_NAMES.get(elemType) ?? null, shape: extents ?? null };
}
