// Small networks at the edges of their formats: ranges that are symmetric, columns of weights that are nearly nothing beside their bias.
import { expect, it } from "vitest";
import { lower } from "../../packages/lutra/src/model/quantize/lower.ts";
import type { Constant, Network, Operator, Shape } from "../../packages/lutra/src/model/trace/network.ts";
import type { Interval } from "../../packages/lutra/src/num/index.ts";
import { type Codes, fromNumber, interpret, type Program, verify } from "../../packages/lutra/src/program/index.ts";

const shape = (...extents: number[]): Shape => extents.map(fromNumber);
const constant = (extents: readonly number[], ...data: number[]): Constant => ({
  shape: extents,
  data: Float64Array.from(data),
});

function lowered(network: Network, ranges: Readonly<Record<string, Interval>>): Program {
  const program = lower(network, {
    range: (tensor) => ranges[tensor] ?? { lo: 0, hi: 0 },
    columnRanges: () => [
      { lo: -1, hi: 1 },
      { lo: -1, hi: 1 },
    ],
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
