// What lowering does in one step where a network has several: a function or a residual sum in a product's kernel, a norm in two formats at once.
import { expect, it } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { lower } from "../../packages/lutra/src/model/quantize/lower.ts";
import type { Constant, Network, Operator, Shape } from "../../packages/lutra/src/model/trace/network.ts";
import { type Interval, random } from "../../packages/lutra/src/num/index.ts";
import {
  type Codes,
  fromNumber,
  interpret,
  type Program,
  type Step,
  verify,
} from "../../packages/lutra/src/program/index.ts";
import { runNetwork } from "./run-network.ts";

const TOKENS = 12;
const WIDTH = 16;
const INNER = 24;
const source = random(5);

function constant(...shape: number[]): Constant {
  const count = shape.reduce((a, b) => a * b, 1);
  const scale = shape.length === 2 ? 1.5 / Math.sqrt(shape[0] as number) : 0.3;
  return { shape, data: Float64Array.from({ length: count }, () => scale * source.normal()) };
}

const size = (columns: number): Shape => [fromNumber(TOKENS), fromNumber(columns)];
const linear = (x: string, name: string): Operator[] => [
  { op: "product", a: x, b: `${name} weights`, result: `${name} sums` },
  { op: "binary", fn: "add", a: `${name} sums`, b: `${name} bias`, result: name },
];
const add = (a: string, b: string, result: string): Operator => ({ op: "binary", fn: "add", a, b, result });

/** What follows an attention in an encoder layer, and its like once more. */
const NETWORK: Network = {
  inputs: ["ids"],
  outputs: { y: "y" },
  sources: {},
  constants: {
    table: { ...constant(TOKENS, WIDTH), data: Float64Array.from({ length: TOKENS * WIDTH }, () => source.normal()) },
    gamma: { shape: [WIDTH], data: Float64Array.from({ length: WIDTH }, () => 1 + 0.3 * source.normal()) },
    beta: constant(WIDTH),
    "up weights": constant(WIDTH, INNER),
    "up bias": constant(INNER),
    "down weights": constant(INNER, WIDTH),
    "down bias": constant(WIDTH),
    "next weights": constant(WIDTH, WIDTH),
    "next bias": constant(WIDTH),
    "last weights": constant(WIDTH, 3),
    "last bias": constant(3),
  },
  shapes: Object.fromEntries([
    ["ids", [fromNumber(TOKENS)]],
    ...["up sums", "up", "gelu"].map((name) => [name, size(INNER)]),
    ...["rows", "down sums", "down", "sum", "norm", "next sums", "next", "other"].map((name) => [name, size(WIDTH)]),
    ...["last sums", "y"].map((name) => [name, size(3)]),
  ]),
  operators: [
    { op: "gather", table: "table", ids: "ids", result: "rows" },
    ...linear("rows", "up"),
    { op: "function", fn: "gelu", input: "up", result: "gelu" },
    ...linear("gelu", "down"),
    add("down", "rows", "sum"),
    { op: "norm", kind: "layer-norm", epsilon: 1e-5, input: "sum", gamma: "gamma", beta: "beta", result: "norm" },
    ...linear("norm", "next"),
    add("norm", "next", "other"),
    ...linear("other", "last").map((operator) =>
      operator.result === "last" ? { ...operator, result: "y" } : operator,
    ),
  ],
};

const ids = { shape: [TOKENS], data: Float64Array.from({ length: TOKENS }, (_, i) => i) };
const seen = new Map<string, Interval>();
const meant = runNetwork(NETWORK, { ids }, (tensor, { data }) => {
  seen.set(tensor, { lo: Math.min(0, ...data), hi: Math.max(0, ...data) });
});

const program: Program = lower(NETWORK, {
  range: (tensor) => seen.get(tensor) ?? { lo: 0, hi: 0 },
  columnRanges: () => [],
  largestCode: () => TOKENS - 1,
  sizes: [],
  table: (spec) => {
    const problem = { spec, size: { segments: 256 }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
    return finish(solve(problem, "direct", { seed: 1 })).table;
  },
  maxRow: 1,
});

const steps: readonly Step[] = program.blocks.flatMap((block) => block.steps);
const products = steps.flatMap((step) => (step.op === "product" ? [step] : []));
const paramsOf = ({ kernel }: (typeof products)[0]): string[] =>
  kernel.values.flatMap((value) => (value.op === "param" ? [value.name] : []));

it("four products end in what follows them", () => {
  verify(program);
  expect(products).toHaveLength(4);
  const [up, down, next, last] = products as [(typeof products)[0], ...typeof products];
  expect(up.kernel.values.some(({ op }) => op === "lookup")).toBe(true);
  expect([down, next].every((step) => paramsOf(step as typeof up).includes("residual"))).toBe(true);
  expect(paramsOf(last as typeof up)).not.toContain("residual");
});

it("the norm has a result for the product behind it and one for the sum", () => {
  const norms = steps.flatMap((step) => (step.op === "kernel" && step.kernel.spec.fn === "layer-norm" ? [step] : []));
  expect(norms).toHaveLength(1);
  const lanes = norms[0]?.results.map((name) => program.tensors[name]?.lane);
  expect(lanes).toEqual(["i16", "i8"]);
  expect(norms[0]?.results[1]).toBe(products[2]?.a);
  expect(norms[0]?.results[0]).toBe(products[2]?.arguments.residual);
});

it("the answers are near those on real numbers", () => {
  const { data } = interpret(program, { ids: { shape: [TOKENS], data: Int32Array.from(ids.data) } }).y as {
    data: Codes;
  };
  const { scale } = program.tensors[program.outputs.y as string]?.quantization ?? { scale: 1 };
  const exact = (meant.y as { data: Float64Array }).data;
  const largest = exact.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
  Array.from(data).forEach((code, i) => {
    expect(Math.abs(code * (scale as number) - (exact[i] as number))).toBeLessThan(0.04 * largest);
  });
});
