// An integer method inside a float model: its kernel between a rounding to codes and a product with the output's scale.

import { type Kernel, KernelBuilder, laneOf, type Value } from "../kernel/index.ts";
import { BINARY32, codeRange } from "../num/index.ts";
import { symmetric } from "./codes.ts";

/**
 * The kernel as one from binary32 to binary32: x is rounded to the nearest code of its input format, ties to even, and saturated; what it
 * answers is a code times the output's scale. Only the first param changes: others stay codes.
 * @throws LutraError "unsupported" for formats with zero points and for kernels of floats
 */
export function onFloats(kernel: Kernel): Kernel {
  const input = symmetric(kernel.spec.fn, kernel.spec.input);
  const output = symmetric(kernel.spec.fn, kernel.spec.output);
  const { lo, hi } = codeRange(input);
  const build = new KernelBuilder();
  const scaled = build.binary("div", build.param("x", "element"), build.constant(input.scale));
  const inside = build.binary("min", build.binary("max", scaled, build.constant(lo)), build.constant(hi));
  const lane = laneOf(input);
  const before = build.finish(kernel.spec, build.cast(inside, lane, "half-even"));
  const offset = before.values.length - 1;
  const [, ...rest] = kernel.values.map((value) => moved(value, offset));
  const [result] = kernel.results;
  const after: readonly Value[] = [
    { op: "cast", args: [(result as number) + offset], lane: "f32", over: "element" },
    { op: "const", value: Math.fround(output.scale), lane: "f32", over: "one" },
    {
      op: "mul",
      args: [offset + kernel.values.length, offset + kernel.values.length + 1],
      lane: "f32",
      over: "element",
    },
  ];
  const values = [...before.values, ...rest, ...after];
  return { spec: { ...kernel.spec, input: BINARY32, output: BINARY32 }, values, results: [values.length - 1] };
}

/** The value with its arguments `offset` places further on. */
function moved(value: Value, offset: number): Value {
  if (!("args" in value)) return value;
  return { ...value, args: value.args.map((arg) => arg + offset) } as unknown as Value;
}
