// Small networks at the edges of their formats: ranges that are symmetric, columns of weights that are nearly nothing beside their bias. And names.
import { describe, expect, it } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import { ProgramBuilder } from "../../packages/lutra/src/model/quantize/context.ts";
import { lower } from "../../packages/lutra/src/model/quantize/lower.ts";
import type { Constant, Network, Operator, Shape } from "../../packages/lutra/src/model/trace/network.ts";
import type { Interval } from "../../packages/lutra/src/num/index.ts";
import { type Codes, fromNumber, interpret, type Program, verify } from "../../packages/lutra/src/program/index.ts";

const shape = (...extents: number[]): Shape => extents.map(fromNumber);
const constant = (extents: readonly number[], ...data: number[]): Constant => ({
  shape: extents,
  data: Float64Array.from(data),
});

function lowered(network: Network, ranges: Readonly<Record<string, Interval>>, width = 2): Program {
  const program = lower(network, {
    range: (tensor) => ranges[tensor] ?? { lo: 0, hi: 0 },
    columnRanges: () => Array(width).fill({ lo: -1, hi: 1 }),
    largestCode: () => 1,
    sizes: [],
    table: () => {
      throw new Error("no table is needed");
    },
    maxRow: 1,
  });
  verify(program);
  return program;
}

/** What the program answers, as numbers. */
function answers(program: Program, inputs: Readonly<Record<string, { shape: number[]; data: Int32Array }>>): number[] {
  const { data } = interpret(program, inputs).y as { data: Codes };
  const { scale, zeroPoint } = program.tensors[program.outputs.y as string]?.quantization ?? { scale: 1, zeroPoint: 0 };
  return Array.from(data, (code) => (scale as number) * (code - zeroPoint));
}

function network(
  operators: readonly Operator[],
  constants: Network["constants"],
  shapes: Network["shapes"],
  input: string,
): Network {
  return { inputs: [input], outputs: { y: "y" }, shapes, constants, operators, sources: {} };
}

it("the largest number of a symmetric range keeps its sign", () => {
  const program = lowered(
    network(
      [
        { op: "gather", table: "table", ids: "ids", result: "rows" },
        { op: "product", a: "rows", b: "identity", result: "y" },
      ],
      { table: constant([2, 2], 1, 0, -1, 0.5), identity: constant([2, 2], 1, 0, 0, 1) },
      { ids: shape(2), rows: shape(2, 2), y: shape(2, 2) },
      "ids",
    ),
    { rows: { lo: -1, hi: 1 }, y: { lo: -1, hi: 1 } },
  );
  const given = answers(program, { ids: { shape: [2], data: Int32Array.of(0, 1) } });
  for (const [i, expected] of [1, 0, -1, 0.5].entries()) expect(given[i]).toBeCloseTo(expected, 1);
});

it.each([1e-3, 1e-6, 1e-8, 1e-12, 0])(
  "a column of weights of %f answers its bias, and spoils no other column",
  (tiny) => {
    const program = lowered(
      network(
        [
          { op: "product", a: "x", b: "weights", result: "sums" },
          { op: "binary", fn: "add", a: "sums", b: "bias", result: "y" },
        ],
        { weights: constant([2, 2], 1, tiny, 0.1, -tiny), bias: constant([2], 0.05, 1) },
        { x: shape(1, 2), sums: shape(1, 2), y: shape(1, 2) },
        "x",
      ),
      { y: { lo: -2, hi: 2 } },
    );
    const given = answers(program, { x: { shape: [1, 2], data: Int32Array.of(127, 64) } });
    expect(given[0]).toBeCloseTo(1.05 + (0.1 * 64) / 127, 1);
    expect(given[1]).toBeCloseTo(1, 2);
  },
);

describe("a byte that a function reads", () => {
  const weights = [2, 1, 0.5, -1, 1.5, -2, 0.25, 1];
  // The weights of the last column are 0 and tiny ones.
  it.each([
    [0, 1.5],
    [1e-4, 1.5],
    [1e-8, 1.5],
    [1e-4, -1.5],
    [1e-8, 0.01],
    [0, 0],
  ])("is right to a code and a half beside a column of weights of %f and a bias of %f", (tiny, bias) => {
    const matrix = weights.flatMap((w, i) => (i % 4 === 3 ? [w, tiny] : [w])).slice(0, 10);
    const biases = [0, 0.1, -0.1, 0, bias];
    const program = lowered(
      network(
        [
          { op: "product", a: "x", b: "weights", result: "sums" },
          { op: "binary", fn: "add", a: "sums", b: "bias", result: "h" },
          { op: "product", a: "h", b: "identity", result: "y" },
        ],
        {
          weights: constant([2, 5], ...matrix),
          bias: constant([5], ...biases),
          identity: constant([5, 5], ...Array.from({ length: 25 }, (_, i) => Number(i % 6 === 0))),
        },
        { x: shape(1, 2), sums: shape(1, 5), h: shape(1, 5), y: shape(1, 5) },
        "x",
      ),
      { h: { lo: -2, hi: 2 }, y: { lo: -2, hi: 2 } },
    );
    for (const x of [
      [127, 64],
      [-20, 90],
      [3, -5],
    ]) {
      const given = answers(program, { x: { shape: [1, 2], data: Int32Array.from(x) } });
      for (const [j, y] of given.entries()) {
        const sum = x.reduce(
          (total, code, i) => total + (code / 127) * (matrix[5 * i + j] as number),
          biases[j] as number,
        );
        expect(Math.abs(y - Math.max(-2, Math.min(2, sum)))).toBeLessThan(1.5 * (4 / 255));
      }
    }
  });
});

it.each(["v0", "v3", "v7"])("an input may be called %s", (input) => {
  const program = lowered(
    network(
      [
        { op: "product", a: input, b: "weights", result: "sums" },
        { op: "binary", fn: "add", a: "sums", b: "bias", result: "h" },
        { op: "product", a: "h", b: "weights", result: "y" },
      ],
      { weights: constant([2, 2], 1, 0, 0, 1), bias: constant([2], 0.5, -0.5) },
      { [input]: shape(1, 2), sums: shape(1, 2), h: shape(1, 2), y: shape(1, 2) },
      input,
    ),
    { h: { lo: -2, hi: 2 }, y: { lo: -2, hi: 2 } },
  );
  expect(program.inputs).toEqual([input]);
  const given = answers(program, { [input]: { shape: [1, 2], data: Int32Array.of(127, 0) } });
  expect(given[0]).toBeCloseTo(1.5, 1);
  expect(given[1]).toBeCloseTo(-0.5, 1);
});

it("a tensor is declared once", () => {
  const builder = new ProgramBuilder(["v0"]);
  builder.declare("i8", [], {}, "v0");
  expect(() => builder.declare("i8", [], {}, "v0")).toThrow("declared twice");
  expect(builder.declare("i8", [])).toBe("v1");
});

it("what has no integer form is named by the value of the model behind it", () => {
  const quotient: Operator = { op: "binary", fn: "div", a: "x", b: "x", result: "q" };
  const square: Operator = { op: "binary", fn: "mul", a: "q", b: "q", result: "y" };
  const shapes = { x: shape(1, 2), q: shape(1, 2), y: shape(1, 2) };
  const own = { ...network([quotient, square], {}, shapes, "x"), sources: { y: "/model/Mul_output_0" } };
  const attempt = (): Program => lowered(own, { x: { lo: -1, hi: 1 } });
  expect(attempt).toThrow(LutraError);
  expect(attempt).toThrow(expect.objectContaining({ where: "/model/Mul_output_0" }));
});

it("an error of a kernel is named by what was being made", () => {
  const sum: Operator = { op: "binary", fn: "add", a: "x", b: "z", result: "s" };
  const identity: Operator = { op: "product", a: "s", b: "w", result: "y" };
  const shapes = { x: shape(1, 2), z: shape(1, 2), s: shape(1, 2), y: shape(1, 2) };
  const own = {
    ...network([sum, identity], { w: constant([2, 2], 1, 0, 0, 1) }, shapes, "x"),
    ...{ inputs: ["x", "z"], sources: { s: "/model/Add_output_0" } },
  };
  const attempt = (): Program =>
    lowered(own, { x: { lo: -1e6, hi: 1e6 }, z: { lo: -1, hi: 1 }, s: { lo: -1e-3, hi: 1e-3 } });
  expect(attempt).toThrow(expect.objectContaining({ where: "/model/Add_output_0" }));
});
