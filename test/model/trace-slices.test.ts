// Slices and casts as ONNX means them: bounds beyond an axis, behind its end, and of an axis that a run decides.
import { expect, it } from "vitest";
import { PARTS } from "../../packages/lutra/src/model/trace/part-nodes.ts";
import { Tracer } from "../../packages/lutra/src/model/trace/tracer.ts";
import { constant, shapeOf, type Traced } from "../../packages/lutra/src/model/trace/values.ts";
import { node } from "../../packages/lutra/src/onnx/index.ts";
import { fromName, fromNumber, type Polynomial, plus } from "../../packages/lutra/src/program/index.ts";

const tracer = new Tracer(
  () => false,
  () => false,
);
const numbers = (...data: number[]): Traced => constant([data.length], data);

function sliced(value: Traced, from: number, to: number): Traced {
  const [result] =
    PARTS.Slice?.(tracer, [value, numbers(from), numbers(to), numbers(0), numbers(1)], node("Slice", [], [])) ?? [];
  if (result === undefined) throw new Error("a slice gives a value");
  return result;
}

it.each([
  [-5, 2 ** 40, [1, 2, 3]],
  [2, 1, []],
  [1, -1, [2]],
  [-2, 2, [2]],
  [0, 100, [1, 2, 3]],
  [7, 9, []],
])("[1, 2, 3] from %d to %d is what NumPy gives", (from, to, expected) => {
  const result = sliced(numbers(1, 2, 3), from, to);
  expect(result.kind === "constant" && Array.from(result.constant.data)).toEqual(expected);
});

it("of an axis that a run decides has a known end, is counted from the end, or is refused", () => {
  const tensor = (extent: Polynomial): Traced => ({ kind: "tensor", name: "x", shape: [extent] });
  const length = fromName("length");
  const shape = (value: Traced): string => JSON.stringify(shapeOf(value).map((size) => [...size]));
  expect(shape(sliced(tensor(length), 0, 1))).toBe(JSON.stringify([[["", 1]]]));
  expect(shape(sliced(tensor(length), 0, 2 ** 40))).toBe(JSON.stringify([[["length", 1]]]));
  expect(shape(sliced(tensor(plus(fromNumber(8), length)), 0, 8))).toBe(JSON.stringify([[["", 8]]]));
  expect(() => sliced(tensor(length), 0, 512)).toThrow("a slice up to 512 of an axis that a run decides");
});
