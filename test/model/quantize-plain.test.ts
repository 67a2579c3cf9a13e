// Operators that belong to no pattern: each in a network of its own, lowered and run, beside the same network on numbers.
import { describe, expect, it } from "vitest";
import { finish, LutraError, sizeOf, type Tensor } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { lower } from "../../packages/lutra/src/model/quantize/lower.ts";
import type { Constant, Network, Operator, Shape } from "../../packages/lutra/src/model/trace/network.ts";
import { type Interval, random } from "../../packages/lutra/src/num/index.ts";
import {
  decodeOutputs,
  encodeInputs,
  fromNumber,
  interpret,
  numberOf,
  type Program,
  verify,
} from "../../packages/lutra/src/program/index.ts";
import { openProgram } from "../../packages/lutra/src/run/index.ts";
import type { Spec, Table } from "../../packages/lutra/src/table/index.ts";
import { FAMILIES, withoutBaselineCompiler } from "../target/wasm/forms.ts";
import { runNetwork } from "./run-network.ts";

withoutBaselineCompiler();

const source = random(11);
const shape = (...extents: number[]): Shape => extents.map(fromNumber);

function numbers(...extents: number[]): Constant {
  return { shape: extents, data: Float64Array.from({ length: sizeOf(extents) }, () => 4 * source.uniform() - 2) };
}

function direct(spec: Spec): Table {
  const problem = { spec, size: { segments: 256 }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
  return finish(solve(problem, "direct", { seed: 1 })).table;
}

interface Sample {
  readonly inputs: readonly string[];
  readonly shapes: Network["shapes"];
  readonly operators: readonly Operator[];
  readonly constants?: Network["constants"];
  /** Inputs of ids; all others are numbers. */
  readonly ids?: Readonly<Record<string, readonly number[]>>;
}

function networkOf({ inputs, shapes, operators, constants = {} }: Sample): Network {
  return { inputs, outputs: { y: "y" }, shapes, constants, operators, sources: {} };
}

/** Numbers that the network gives, and the program of what was seen. */
function lowered(
  sample: Sample,
  allowFloat = false,
): { program: Program; given: Record<string, Tensor>; exact: Float64Array } {
  const network = networkOf(sample);
  const given: Record<string, { shape: number[]; data: Float64Array }> = {};
  for (const name of sample.inputs) {
    const extents = (sample.shapes[name] as Shape).map((extent) => numberOf(extent) as number);
    const ids = sample.ids?.[name];
    given[name] = { shape: extents, data: ids === undefined ? numbers(...extents).data : Float64Array.from(ids) };
  }
  const ranges = new Map<string, Interval>();
  let exact = new Float64Array();
  runNetwork(network, given, (tensor, { data }) => {
    ranges.set(tensor, { lo: Math.min(0, ...data), hi: Math.max(0, ...data) });
    if (tensor === "y") exact = Float64Array.from(data);
  });
  for (const [name, { data }] of Object.entries(given))
    ranges.set(name, { lo: Math.min(0, ...data), hi: Math.max(0, ...data) });
  const program = lower(network, {
    range: (tensor) => ranges.get(tensor) ?? { lo: 0, hi: 0 },
    columnRanges: (input) => Array(given[input]?.shape.at(-1) ?? 0).fill({ lo: -2, hi: 2 }),
    largestCode: () => 1,
    sizes: [],
    table: direct,
    maxRow: 64,
    allowFloat,
  });
  verify(program);
  return { program, given, exact };
}

/** The program's answers: of the interpreter, which WebAssembly equals. */
function answers(program: Program, given: Readonly<Record<string, Tensor>>): Float32Array {
  const codes = encodeInputs(program, given);
  const outputs = interpret(program, codes);
  for (const form of FAMILIES) expect(openProgram(program, { form }).runCodes(codes)).toEqual(outputs);
  return decodeOutputs(program, outputs).y?.data as Float32Array;
}

function largestError(sample: Sample, allowFloat = false): number {
  const { program, given, exact } = lowered(sample, allowFloat);
  return answers(program, given).reduce((most, y, i) => Math.max(most, Math.abs(y - (exact[i] as number))), 0);
}

const linear: Operator = { op: "product", a: "x", b: "w", result: "h" };

describe("an operator that belongs to no pattern", () => {
  it("a Softmax of what a linear layer gives, as classifiers end", () => {
    const error = largestError({
      inputs: ["x"],
      shapes: { x: shape(3, 8), h: shape(3, 5), y: shape(3, 5) },
      constants: { w: numbers(8, 5) },
      operators: [linear, { op: "softmax", input: "h", result: "y" }],
    });
    expect(error).toBeLessThan(0.02);
  });

  it("a Softmax of scores with a bias of any numbers, and its product with values", () => {
    const error = largestError({
      inputs: ["x"],
      shapes: {
        x: shape(6, 8),
        ...Object.fromEntries(["q", "k", "v"].map((name) => [name, shape(6, 4)])),
        ...{ t: shape(4, 6), s: shape(6, 6), b: shape(6, 6), p: shape(6, 6), y: shape(6, 4) },
      },
      constants: { wq: numbers(8, 4), wk: numbers(8, 4), wv: numbers(8, 4), bias: numbers(6, 6) },
      operators: [
        ...["q", "k", "v"].map((name): Operator => ({ op: "product", a: "x", b: `w${name}`, result: name })),
        {
          op: "move",
          pieces: [
            {
              from: "k",
              box: shape(4, 6),
              read: { start: fromNumber(0), strides: shape(1, 4) },
              write: { start: fromNumber(0), strides: shape(6, 1) },
            },
          ],
          fill: 0,
          result: "t",
        },
        { op: "product", a: "q", b: "t", result: "s" },
        { op: "binary", fn: "add", a: "s", b: "bias", result: "b" },
        { op: "softmax", input: "b", result: "p" },
        { op: "product", a: "p", b: "v", result: "y" },
      ],
    });
    expect(error).toBeLessThan(0.7);
  });

  it("a product of two activations, one of a function", () => {
    const error = largestError({
      inputs: ["x"],
      shapes: { x: shape(5, 8), h: shape(5, 5), g: shape(5, 5), y: shape(5, 5) },
      constants: { w: numbers(8, 5) },
      operators: [
        linear,
        { op: "function", fn: "tanh", input: "h", result: "g" },
        { op: "product", a: "g", b: "h", result: "y" },
      ],
    });
    expect(error).toBeLessThan(0.6);
  });

  it.each([[[5, 8, 6]], [[6]]])("the mean of the last axis of %j", (extents) => {
    const width = extents.at(-1) as number;
    const error = largestError({
      inputs: ["x"],
      shapes: { x: shape(...extents.slice(0, -1), 4), h: shape(...extents), y: shape(...extents.slice(0, -1)) },
      constants: { w: numbers(4, width) },
      operators:
        extents.length === 1
          ? [{ op: "mean", input: "x", result: "y" }]
          : [linear, { op: "mean", input: "h", result: "y" }],
    });
    expect(error).toBeLessThan(0.05);
  });

  it("a choice between two tensors by an input of flags", () => {
    const error = largestError({
      inputs: ["x", "mask"],
      ids: { mask: [0, 1, 1, 0] },
      shapes: { x: shape(4, 8), mask: shape(4, 1), h: shape(4, 5), g: shape(4, 5), y: shape(4, 5) },
      constants: { w: numbers(8, 5) },
      operators: [
        linear,
        { op: "function", fn: "tanh", input: "h", result: "g" },
        { op: "select", condition: "mask", a: "g", b: "h", result: "y" },
      ],
    });
    expect(error).toBeLessThan(0.15);
  });

  it("a quotient of activations stops the compile, unless floats are allowed", () => {
    const sample: Sample = {
      inputs: ["x"],
      shapes: { x: shape(4, 8), h: shape(4, 5), g: shape(4, 5), y: shape(4, 5) },
      constants: { w: numbers(8, 5) },
      operators: [
        linear,
        { op: "function", fn: "exp", input: "h", result: "g" },
        { op: "binary", fn: "div", a: "h", b: "g", result: "y" },
      ],
    };
    expect(() => lowered(sample)).toThrow(LutraError);
    expect(() => lowered(sample)).toThrow("a quotient of activations has no integer form");
    const { program, given, exact } = lowered(sample, true);
    expect(answers(program, given).length).toBe(exact.length);
  });
});
