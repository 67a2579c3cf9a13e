// What happens to a network before it is lowered: it answers as before, and is easier to quantize. And what is found in it: sizes, ids, columns.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  balancedColumns,
  migratable,
  migrate,
  seenBehind,
  weighedInputs,
} from "../../packages/lutra/src/model/quantize/migration.ts";
import { prepare } from "../../packages/lutra/src/model/quantize/prepare.ts";
import { attentionsOf } from "../../packages/lutra/src/model/quantize/scheme.ts";
import { largestCodeOf, longestRow, sizesOf } from "../../packages/lutra/src/model/quantize/sizes.ts";
import type { Constant, Network, Shape } from "../../packages/lutra/src/model/trace/network.ts";
import { trace } from "../../packages/lutra/src/model/trace/trace.ts";
import { type Interval, random } from "../../packages/lutra/src/num/index.ts";
import { readModel } from "../../packages/lutra/src/onnx/index.ts";
import { fromNumber } from "../../packages/lutra/src/program/index.ts";
import { describeShared, ROOT, sharedPath } from "../shared.ts";
import { runNetwork } from "./run-network.ts";

const traced = (path: string): Network => trace(readModel(readFileSync(sharedPath(path))));

function seeded(shape: readonly number[], seed: number): Constant {
  const { below } = random(seed);
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float64Array.from({ length: count }, () => below(2000) / 500 - 2) };
}

function expectSame(a: Constant, b: Constant): void {
  expect(b.shape).toEqual(a.shape);
  a.data.forEach((x, i) => {
    if (Math.abs(x - (b.data[i] as number)) > 1e-9 * Math.max(1, Math.abs(x))) expect(b.data[i]).toBe(x);
  });
}

const products = (network: Network): number => network.operators.filter(({ op }) => op === "product").length;

describeShared("prepare", () => {
  it("makes three products of queries, keys and values in one matrix, and answers as before", () => {
    const network = traced("models/gpt_nano_sort/gpt_nano_sort.onnx");
    const prepared = prepare(network);
    expect(products(prepared)).toBe(products(network) + 3 * 2);
    expect(prepared.operators.filter(({ op }) => op === "move").length).toBeLessThan(
      network.operators.filter(({ op }) => op === "move").length,
    );
    const idx = { shape: [2, 11], data: Float64Array.from({ length: 22 }, (_, i) => i % 3) };
    expectSame(runNetwork(network, { idx }).logits as Constant, runNetwork(prepared, { idx }).logits as Constant);
  });

  it("takes the factors behind a norm into its gamma, and answers as before", () => {
    const network = traced("models/stories260k/stories260k.onnx");
    const prepared = prepare(network);
    const norms = prepared.operators.filter(({ op }) => op === "norm");
    expect(norms.length).toBe(11);
    for (const norm of norms) expect(norm.op === "norm" && prepared.constants[norm.gamma ?? ""]?.data.length).toBe(64);
    expect(products(prepared)).toBe(products(network));
    const idx = { shape: [1, 12], data: Float64Array.from({ length: 12 }, (_, i) => (i * 37) % 512) };
    expectSame(runNetwork(network, { idx }).logits as Constant, runNetwork(prepared, { idx }).logits as Constant);
  });

  it("finds the attentions of a model that reshapes its probabilities", () => {
    const network = traced("models/kwt1/kwt1_mfcc_decomposed.onnx");
    const prepared = prepare(network);
    const softmaxes = prepared.operators.filter(({ op }) => op === "softmax").map(({ result }) => result);
    const read = prepared.operators.flatMap((operator) => (operator.op === "product" ? [operator.a] : []));
    expect(softmaxes.length).toBe(12);
    for (const softmax of softmaxes) expect(read).toContain(softmax);
    expect(attentionsOf(prepared).length).toBe(12);
    const mfcc = seeded([98, 40], 3);
    expectSame(runNetwork(network, { mfcc }).logits as Constant, runNetwork(prepared, { mfcc }).logits as Constant);
  });

  it("leaves every operator of a network without such places as it is", () => {
    const network = traced("models/kwt1/kwt1_mfcc.onnx");
    expect(prepare(network).operators).toEqual(network.operators);
  });
});

describeShared("sizes and ids", () => {
  it.each([
    ["models/gpt_nano_sort/gpt_nano_sort.onnx", { batch: 1024, seq: 11 }, { idx: 2 }, 11],
    [
      "models/sst2_bert_tiny/sst2_bert_tiny.onnx",
      { batch: 1024, seq: 512 },
      { input_ids: 11_600, attention_mask: 1 },
      512,
    ],
    ["models/stories260k/stories260k.onnx", { batch: 1024, seq: 512 }, { idx: 511 }, 512],
    ["models/kwt1/kwt1_mfcc.onnx", { batch: 1024 }, {}, 99],
  ])("of %s come from its tables, masks and rows", (path, sizes, codes, row) => {
    const network = traced(path);
    const found = sizesOf(network);
    expect(Object.fromEntries(found.map(({ name, most }) => [name, most]))).toEqual(sizes);
    expect(found.every(({ least }) => least === 1)).toBe(true);
    expect(longestRow(network, found)).toBe(row);
    for (const [input, code] of Object.entries(codes)) expect(largestCodeOf(network, input)).toBe(code);
  });

  it("of the demo leave room for the tokens that the model adds itself", () => {
    const network = trace(readModel(readFileSync(`${ROOT}/models/demo/dates.onnx`)));
    const found = sizesOf(network);
    expect(found.find(({ name }) => name === "length")?.most).toBe(40);
    expect(longestRow(network, found)).toBe(48);
  });
});

const shape = (...extents: number[]): Shape => extents.map(fromNumber);

/** A norm whose second column is a hundred times the first, and a product that reads it. */
function normed(): Network {
  return {
    inputs: ["x"],
    outputs: { y: "y" },
    shapes: { x: shape(1, 2), n: shape(1, 2), y: shape(1, 2) },
    constants: {
      gamma: { shape: [2], data: Float64Array.of(0.1, 10) },
      beta: { shape: [2], data: Float64Array.of(0.05, -3) },
      weights: { shape: [2, 2], data: Float64Array.of(1, 0.5, -1, 0.25) },
    },
    operators: [
      { op: "norm", kind: "layer-norm", epsilon: 1e-5, input: "x", gamma: "gamma", beta: "beta", result: "n" },
      { op: "product", a: "n", b: "weights", result: "y" },
    ],
    sources: { x: "x", n: "n", y: "y" },
  };
}

describe("scale migration", () => {
  const columns = [
    { lo: -0.1, hi: 0.1 },
    { lo: -10, hi: 7 },
  ];
  const observed = { seen: new Map(), columns: new Map([["n", columns]]), samples: 1 };

  it("moves the columns' differences into the weights, and the network answers as before", () => {
    const network = normed();
    expect([...migratable(network)]).toEqual(["n"]);
    const migrated = migrate(network, observed, 1);
    const factors = migrated.factors.get("n") as Float64Array;
    expect((factors[1] as number) / (factors[0] as number)).toBeCloseTo(100, 6);
    const x = { shape: [1, 2], data: Float64Array.of(3, -1) };
    expectSame(runNetwork(network, { x }).y as Constant, runNetwork(migrated.network, { x }).y as Constant);
    const behind = seenBehind(columns, factors);
    expect(behind.lo).toBeCloseTo(-1, 6);
    expect(behind.hi).toBeCloseTo(1, 6);
  });

  it("leaves norms alone that others than weights read, and weights that several layers share", () => {
    const network = normed();
    const skip: Network = {
      ...network,
      operators: [...network.operators, { op: "binary", fn: "add", a: "n", b: "y", result: "z" }],
      outputs: { z: "z" },
    };
    expect(migratable(skip).size).toBe(0);
    const shared: Network = {
      ...network,
      constants: { ...network.constants, again: network.constants.weights as Constant },
      operators: [...network.operators, { op: "product", a: "y", b: "again", result: "z" }],
      outputs: { z: "z" },
    };
    expect(migratable(shared).size).toBe(0);
  });
});

describe("columns of an input", () => {
  const network: Network = {
    ...normed(),
    operators: [{ op: "product", a: "x", b: "weights", result: "y" }],
  };
  const columns = [
    { lo: -1, hi: 1 },
    { lo: -100, hi: 20 },
  ];

  it("are balanced between what was seen and the weights, and hold what was seen", () => {
    expect(weighedInputs(network)).toEqual(["x"]);
    const [first, second] = balancedColumns(network, "x", columns, 0.5) as readonly [Interval, Interval];
    expect(second.hi).toBeCloseTo(100, 6);
    expect(first.hi).toBeCloseTo(10, 6);
    const [own] = balancedColumns(network, "x", columns, 1) as readonly [Interval];
    expect(own.hi).toBeCloseTo(1, 6);
  });
});
