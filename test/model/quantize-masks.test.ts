// Masks as exporters spell them: attentions whose scores a mask leaves out, lowered and run, beside the same network on numbers.
import { describe, expect, it } from "vitest";
import { finish, LutraError, sizeOf } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { lower } from "../../packages/lutra/src/model/quantize/lower.ts";
import { prepare } from "../../packages/lutra/src/model/quantize/prepare.ts";
import { largestCodeOf } from "../../packages/lutra/src/model/quantize/sizes.ts";
import type { Constant, Network, Operator, Piece, Shape } from "../../packages/lutra/src/model/trace/network.ts";
import { type Interval, random } from "../../packages/lutra/src/num/index.ts";
import {
  decodeOutputs,
  encodeInputs,
  fromNumber,
  interpret,
  type Program,
  verify,
} from "../../packages/lutra/src/program/index.ts";
import { openProgram } from "../../packages/lutra/src/run/index.ts";
import type { Spec, Table } from "../../packages/lutra/src/table/index.ts";
import { runNetwork } from "./run-network.ts";

const source = random(5);
const shape = (...extents: number[]): Shape => extents.map(fromNumber);
const one = (x: number): Constant => ({ shape: [], data: Float64Array.of(x) });
const LOWEST = -3.4028234663852886e38;

function numbers(...extents: number[]): Constant {
  return { shape: extents, data: Float64Array.from({ length: sizeOf(extents) }, () => 4 * source.uniform() - 2) };
}

function direct(spec: Spec): Table {
  const problem = { spec, size: { segments: 256 }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
  return finish(solve(problem, "direct", { seed: 1 })).table;
}

const causal: Constant = {
  shape: [6, 6],
  data: Float64Array.from({ length: 36 }, (_, i) => Number(i % 6 <= Math.floor(i / 6))),
};
const [X, MASK] = [numbers(6, 8), Float64Array.of(1, 1, 1, 0, 1, 0)];
const CONSTANTS = {
  ...{ nothing: one(0), whole: one(1), causal, infinite: one(-Infinity), lowest: one(LOWEST), thousands: one(-1e4) },
  ...{ hundred: one(-100), ten: one(-10), bias: numbers(6, 6) },
};

type Nodes = readonly Operator[];
const binary = (fn: "add" | "sub" | "mul" | "equal" | "and" | "or", a: string, b: string, result: string): Operator => {
  return { op: "binary", fn, a, b, result };
};
const not = (input: string, result: string): Operator => ({ op: "function", fn: "1-x", input, result });
const where = (condition: string, a: string, b: string, result: string): Operator => {
  return { op: "select", condition, a, b, result };
};
/** As Cast to conditions and Unsqueeze are traced. */
const ROW: Nodes = [{ op: "reshape", input: "mask", result: "row" }, binary("equal", "row", "nothing", "isOut")];
const SHAPES = {
  ...{ x: shape(6, 8), mask: shape(6), y: shape(6, 4), k: shape(4, 6) },
  ...Object.fromEntries(["q", "f", "v"].map((name) => [name, shape(6, 4)])),
  ...Object.fromEntries(["row", "isOut", "isIn", "inverted", "added"].map((name) => [name, shape(1, 6)])),
  ...Object.fromEntries(["h", "s", "z", "both", "sum", "p"].map((name) => [name, shape(6, 6)])),
};

const TURNED: Piece = {
  from: "f",
  box: shape(4, 6),
  read: { start: fromNumber(0), strides: shape(1, 4) },
  write: { start: fromNumber(0), strides: shape(6, 1) },
};

/** Softmax(z) v, where z is of the scores s and the mask. */
function attention(nodes: Nodes): Network {
  const operators: Operator[] = [
    { op: "product", a: "x", b: "wq", result: "q" },
    { op: "product", a: "x", b: "wk", result: "f" },
    { op: "product", a: "x", b: "wv", result: "v" },
    { op: "move", pieces: [TURNED], fill: 0, result: "k" },
    { op: "product", a: "q", b: "k", result: "s" },
    ...nodes,
    { op: "softmax", input: "z", result: "p" },
    { op: "product", a: "p", b: "v", result: "y" },
  ];
  return {
    inputs: ["x", "mask"],
    integers: ["mask"],
    outputs: { y: "y" },
    shapes: SHAPES,
    constants: { ...CONSTANTS, wq: numbers(8, 4), wk: numbers(8, 4), wv: numbers(8, 4) },
    operators,
    sources: {},
  };
}

function lowered(nodes: Nodes): { program: Program; exact: Float64Array } {
  const network = attention(nodes);
  const given = { x: X, mask: { shape: [6], data: MASK } };
  const exact = runNetwork(network, given).y?.data as Float64Array;
  const prepared = prepare(network);
  const ranges = new Map<string, Interval>([["x", { lo: -2, hi: 2 }]]);
  const after = runNetwork(prepared, given, (tensor, { data }) => {
    ranges.set(tensor, { lo: Math.min(0, ...data), hi: Math.max(0, ...data) });
  });
  expect(after.y?.data).toEqual(exact);
  const program = lower(prepared, {
    range: (tensor) => ranges.get(tensor) ?? { lo: 0, hi: 0 },
    columnRanges: () => Array(8).fill({ lo: -2, hi: 2 }),
    largestCode: (input) => largestCodeOf(prepared, input),
    ...{ sizes: [], table: direct, maxRow: 64 },
  });
  verify(program);
  return { program, exact };
}

function largestError(nodes: Nodes): number {
  const { program, exact } = lowered(nodes);
  const codes = encodeInputs(program, { x: X, mask: { shape: [6], data: MASK } });
  const outputs = interpret(program, codes);
  expect(openProgram(program).runCodes(codes)).toEqual(outputs);
  const found = decodeOutputs(program, outputs).y?.data as Float32Array;
  return found.reduce((most, y, i) => Math.max(most, Math.abs(y - (exact[i] as number))), 0);
}

const isIn = not("isOut", "isIn");
const expanded: Operator = {
  op: "move",
  pieces: [
    {
      from: "added",
      box: shape(6, 6),
      read: { start: fromNumber(0), strides: shape(0, 1) },
      write: { start: fromNumber(0), strides: shape(6, 1) },
    },
  ],
  fill: 0,
  result: "both",
};

describe("an attention leaves out what its mask says", () => {
  it.each([["infinite"], ["lowest"], ["thousands"]])("by the sum with Where(mask, 0, %s)", (low) => {
    const nodes = [...ROW, isIn, where("isIn", "nothing", low, "added"), binary("add", "s", "added", "z")];
    expect(largestError(nodes)).toBeLessThan(0.5);
  });

  it("by inverted.masked_fill(inverted.bool(), lowest), as Hugging Face exports it, and expanded", () => {
    const inverted: Nodes = [
      ROW[0] as Operator,
      binary("sub", "whole", "row", "inverted"),
      binary("equal", "inverted", "nothing", "isOut"),
      isIn,
      where("isIn", "lowest", "inverted", "added"),
    ];
    expect(largestError([...inverted, binary("add", "s", "added", "z")])).toBeLessThan(0.5);
    expect(largestError([...inverted, expanded, binary("add", "s", "both", "z")])).toBeLessThan(0.5);
  });

  it("by And with a causal mask, the sum of two masks and the product of two", () => {
    const start: Nodes = [...ROW, isIn];
    const both = [...start, binary("and", "isIn", "causal", "both")];
    expect(largestError([...both, where("both", "s", "lowest", "z")])).toBeLessThan(0.5);
    expect(
      largestError([...both, where("both", "nothing", "lowest", "sum"), binary("add", "s", "sum", "z")]),
    ).toBeLessThan(0.5);
    const product = [...start, binary("mul", "isIn", "causal", "both"), binary("sub", "whole", "both", "h")];
    expect(
      largestError([...product, binary("mul", "h", "thousands", "sum"), binary("add", "s", "sum", "z")]),
    ).toBeLessThan(0.5);
  });
});

describe("a mask of other numbers", () => {
  it.each([["hundred"], ["ten"]])("is added where (1 - mask) is multiplied with minus a %s", (by) => {
    const nodes: Nodes = [
      ROW[0] as Operator,
      binary("sub", "whole", "row", "inverted"),
      binary("mul", "inverted", by, "added"),
      binary("add", "s", "added", "z"),
    ];
    expect(largestError(nodes)).toBeLessThan(0.5);
  });

  it("stops the compile where it cannot leave out what it is added to", () => {
    const nodes = [
      ...ROW,
      isIn,
      where("isIn", "nothing", "infinite", "added"),
      binary("add", "s", "bias", "h"),
      binary("add", "h", "added", "z"),
    ];
    expect(() => lowered(nodes)).toThrow(LutraError);
    expect(() => lowered(nodes)).toThrow("a mask has no integer form here");
  });
});
