// Operators that belong to no pattern: each in a network of its own, lowered and run, beside the same network on numbers.
import { describe, expect, it } from "vitest";
import { finish, LutraError, sizeOf, type Tensor } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import type { LowerOptions } from "../../packages/lutra/src/model/quantize/context.ts";
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

interface Observed {
  readonly given: Record<string, { shape: number[]; data: Float64Array }>;
  readonly exact: Float64Array;
  readonly ranges: ReadonlyMap<string, Interval>;
}

/** Numbers for the inputs, and what the network makes of them. */
function seen(sample: Sample): Observed {
  const given: Observed["given"] = {};
  for (const name of sample.inputs) {
    const extents = (sample.shapes[name] as Shape).map((extent) => numberOf(extent) as number);
    const ids = sample.ids?.[name];
    given[name] = { shape: extents, data: ids === undefined ? numbers(...extents).data : Float64Array.from(ids) };
  }
  const ranges = new Map<string, Interval>();
  let exact = new Float64Array();
  runNetwork(networkOf(sample), given, (tensor, { data }) => {
    ranges.set(tensor, { lo: Math.min(0, ...data), hi: Math.max(0, ...data) });
    if (tensor === "y") exact = Float64Array.from(data);
  });
  for (const [name, { data }] of Object.entries(given))
    ranges.set(name, { lo: Math.min(0, ...data), hi: Math.max(0, ...data) });
  return { given, exact, ranges };
}

function optionsFor(given: Observed["given"], ranges: Observed["ranges"]): LowerOptions {
  return {
    range: (tensor) => ranges.get(tensor) ?? { lo: 0, hi: 0 },
    columnRanges: (input) => Array(given[input]?.shape.at(-1) ?? 0).fill({ lo: -2, hi: 2 }),
    largestCode: () => 1,
    sizes: [],
    table: direct,
    maxRow: 64,
  };
}

/** Numbers that the network gives, and the program of what was seen. */
function lowered(
  sample: Sample,
  allowFloat = false,
): { program: Program; given: Record<string, Tensor>; exact: Float64Array } {
  const { given, exact, ranges } = seen(sample);
  const program = lower(networkOf(sample), { ...optionsFor(given, ranges), allowFloat });
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

const x: Network["shapes"] = { x: shape(3, 8), h: shape(3, 5) };
const w = { w: numbers(8, 5) };
const add = (a: string, b: string, result: string): Operator => ({ op: "binary", fn: "add", a, b, result });
const mul = (a: string, b: string, result: string): Operator => ({ op: "binary", fn: "mul", a, b, result });
const tanh = (input: string, result: string): Operator => ({ op: "function", fn: "tanh", input, result });

describe("an answer that is", () => {
  const one = (y: Operator, constants: Network["constants"] = {}): Sample => ({
    inputs: ["x"],
    shapes: { ...x, y: shape(3, 5) },
    constants: { ...w, ...constants },
    operators: [linear, y],
  });
  it.each<[string, Sample, number]>([
    ["a tensor twice", one(add("h", "h", "y")), 0.2],
    ["a difference", one({ op: "binary", fn: "sub", a: "h", b: "bias", result: "y" }, { bias: numbers(3, 5) }), 0.2],
    ["a product", one(mul("h", "h", "y")), 2],
    ["nothing of a tensor", one(mul("h", "zero", "y"), { zero: { shape: [], data: Float64Array.of(0) } }), 0.001],
    [
      "what a negative number makes of it",
      one(mul("h", "z", "y"), { z: { shape: [1], data: Float64Array.of(-3) } }),
      0.5,
    ],
    [
      "a residual sum",
      {
        inputs: ["x"],
        shapes: { ...x, g: shape(3, 5), y: shape(3, 5) },
        constants: { ...w, square: numbers(5, 5) },
        operators: [linear, { op: "product", a: "h", b: "square", result: "g" }, add("g", "h", "y")],
      },
      1,
    ],
    [
      "two tensors of different bits, one behind the other",
      {
        inputs: ["x"],
        shapes: { ...x, g: shape(3, 5), y: shape(6, 5) },
        constants: w,
        operators: [linear, add("h", "h", "g"), concatenated("g", "h")],
      },
      0.2,
    ],
  ])("%s", (_, sample, error) => {
    expect(largestError(sample)).toBeLessThan(error);
  });
});

/** The rows of two tensors [3, 5]. */
function concatenated(...names: readonly [string, string]): Operator {
  const pieces = names.map((from, i) => ({
    ...{ from, box: shape(3, 5), read: { start: fromNumber(0), strides: shape(5, 1) } },
    write: { start: fromNumber(15 * i), strides: shape(5, 1) },
  }));
  return { op: "move", pieces, fill: 0, result: "y" };
}

describe("what a move fills", () => {
  const padded = (fill: number): Sample => ({
    inputs: ["x"],
    shapes: { ...x, g: shape(3, 5), p: shape(4, 5), y: shape(4, 5) },
    constants: {
      ...w,
      identity: { shape: [5, 5], data: Float64Array.from({ length: 25 }, (_, i) => Number(i % 6 === 0)) },
    },
    operators: [
      linear,
      tanh("h", "g"),
      {
        op: "move",
        pieces: [
          {
            ...{ from: "g", box: shape(3, 5), read: { start: fromNumber(0), strides: shape(5, 1) } },
            write: { start: fromNumber(0), strides: shape(5, 1) },
          },
        ],
        fill,
        result: "p",
      },
      { op: "product", a: "p", b: "identity", result: "y" },
    ],
  });

  it.each([0, 5, -5, 1])("is %f where numbers are from -1 to 1", (fill) => {
    expect(largestError(padded(fill))).toBeLessThan(0.1);
  });

  it.each([-Infinity, Infinity, -3.4028234663852886e38])("is the last number that there is for %f", (fill) => {
    const { program, given, exact } = loweredFinite(padded(fill));
    const found = answers(program, given);
    for (const [i, y] of found.entries()) {
      if (i < 15) expect(Math.abs(y - (exact[i] as number))).toBeLessThan(0.1);
      else expect(Math.abs(y - Math.sign(fill))).toBeLessThan(0.1);
    }
  });
});

/** Ranges leave out what stands for infinity, as those seen in a tensor that is not filled do. */
function loweredFinite(sample: Sample): ReturnType<typeof lowered> {
  const clipped = (operator: Operator): Operator =>
    operator.op === "move" ? { ...operator, fill: Math.sign(operator.fill) } : operator;
  const { given, exact, ranges } = seen({ ...sample, operators: sample.operators.map(clipped) });
  const program = lower(networkOf(sample), optionsFor(given, ranges));
  verify(program);
  return { program, given, exact };
}

describe("activations of one axis", () => {
  const means: Network["shapes"] = { ...x, m: shape(3), y: shape(3) };
  const mean: Operator = { op: "mean", input: "h", result: "m" };
  const one = (y: Operator, shapes: Network["shapes"] = means, constants: Network["constants"] = {}): Sample => ({
    ...{ inputs: ["x"], shapes, constants: { ...w, ...constants }, operators: [linear, mean, y] },
  });
  it.each<[string, Sample, number]>([
    ["go through a function", one(tanh("m", "y")), 0.1],
    ["are multiplied with themselves", one(mul("m", "m", "y")), 0.2],
    ["are multiplied with a vector", one(mul("m", "c", "y"), means, { c: numbers(3) }), 0.1],
    ["are added to one number", one(add("m", "c", "y"), means, { c: { shape: [], data: Float64Array.of(0.5) } }), 0.1],
    ["are multiplied with a matrix", one(mul("m", "c", "y"), { ...means, y: shape(2, 3) }, { c: numbers(2, 3) }), 0.1],
    ["are a mean again", one({ op: "mean", input: "m", result: "y" }, { ...means, y: [] }), 0.1],
    [
      "are normalized",
      one({ op: "norm", kind: "layer-norm", epsilon: 1e-5, input: "m", gamma: null, beta: null, result: "y" }),
      0.2,
    ],
    ["are made shares", one({ op: "softmax", input: "m", result: "y" }), 0.05],
  ])("%s", (_, sample, error) => {
    expect(largestError(sample)).toBeLessThan(error);
  });

  it("are chosen between", () => {
    const error = largestError({
      ...{ inputs: ["x", "mask"], ids: { mask: [0, 1, 1] }, constants: w },
      shapes: { ...means, mask: shape(3), g: shape(3) },
      operators: [linear, mean, tanh("m", "g"), { op: "select", condition: "mask", a: "g", b: "m", result: "y" }],
    });
    expect(error).toBeLessThan(0.1);
  });
});

describe("an attention of two masks", () => {
  const far = { far: { shape: [1], data: Float64Array.of(-10000) } };
  const projections = Object.fromEntries(["wq", "wk", "wv"].map((name) => [name, numbers(8, 4)]));
  const masked = (first: Shape, second: Shape, flags: Sample["ids"]): Sample => ({
    inputs: ["x", "one", "two"],
    ...(flags === undefined ? {} : { ids: flags }),
    shapes: {
      ...{ x: shape(4, 8), one: first, two: second, far1: first, far2: second },
      ...Object.fromEntries(["q", "k", "v", "t", "s", "b", "c", "p", "y"].map((name) => [name, shape(4, 4)])),
    },
    constants: { ...projections, ...far },
    operators: [
      ...["q", "k", "v"].map((name): Operator => ({ op: "product", a: "x", b: `w${name}`, result: name })),
      {
        op: "move",
        pieces: [
          {
            ...{ from: "k", box: shape(4, 4), read: { start: fromNumber(0), strides: shape(1, 4) } },
            write: { start: fromNumber(0), strides: shape(4, 1) },
          },
        ],
        ...{ fill: 0, result: "t" },
      },
      { op: "product", a: "q", b: "t", result: "s" },
      ...[mul("one", "far", "far1"), mul("two", "far", "far2"), add("s", "far1", "b"), add("b", "far2", "c")],
      { op: "softmax", input: "c", result: "p" },
      { op: "product", a: "p", b: "v", result: "y" },
    ],
  });
  const columns = [
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ] as const;

  it.each<[string, Shape, Shape]>([
    ["[1, 4] and [4]", shape(1, 4), shape(4)],
    ["[4] and [4]", shape(4), shape(4)],
    ["[1, 4] and [1, 4]", shape(1, 4), shape(1, 4)],
  ])("%s", (_, first, second) => {
    expect(largestError(masked(first, second, { one: columns[0], two: columns[1] }))).toBeLessThan(1);
  });

  it("[1, 4] and [4, 4]", () => {
    const causal = Array.from({ length: 16 }, (_, i) => Number(i % 4 > Math.floor(i / 4)));
    expect(largestError(masked(shape(1, 4), shape(4, 4), { one: [0, 1, 0, 0], two: causal }))).toBeLessThan(1);
  });
});

it("tensors may be called as operators are: those who read an input are still products with weights alone", () => {
  const sample: Sample = {
    inputs: ["add"],
    shapes: { ...x, add: shape(3, 8), g: shape(3, 5), s: shape(3, 5), y: shape(3, 5) },
    constants: { ...w, square: numbers(5, 5) },
    operators: [
      { op: "product", a: "add", b: "w", result: "h" },
      tanh("h", "g"),
      add("g", "h", "s"),
      { op: "product", a: "s", b: "square", result: "y" },
    ],
  };
  expect(lowered(sample).program.tensors.add?.lane).toBe("i8");
  expect(largestError(sample)).toBeLessThan(1);
});
