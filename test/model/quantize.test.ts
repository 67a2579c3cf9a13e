// A whole Transformer in integers: every sequence that the float model sorts, the program's interpreter sorts too, and its file runs alike.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { finish, LutraError, type Tensor } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { lower } from "../../packages/lutra/src/model/quantize/lower.ts";
import type { Network } from "../../packages/lutra/src/model/trace/network.ts";
import { trace } from "../../packages/lutra/src/model/trace/trace.ts";
import type { Interval } from "../../packages/lutra/src/num/index.ts";
import { readModel } from "../../packages/lutra/src/onnx/index.ts";
import {
  type Codes,
  interpret,
  type Program,
  readProgram,
  verify,
  writeProgram,
} from "../../packages/lutra/src/program/index.ts";
import type { Spec, Table } from "../../packages/lutra/src/table/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { runNetwork } from "./run-network.ts";

const DIGITS = 6;
const LENGTH = 2 * DIGITS - 1;
const CLASSES = 3;

/** Six digits of 0 to 2 and the first five of them sorted: the model answers with the sorted six at the last six places. */
const SEQUENCES = Array.from({ length: CLASSES ** DIGITS }, (_, i) => {
  const digits = Array.from({ length: DIGITS }, (_unused, at) => Math.floor(i / CLASSES ** at) % CLASSES);
  return { input: [...digits, ...digits.toSorted().slice(0, DIGITS - 1)], sorted: digits.toSorted() };
});

const tables = new Map<string, Table>();

/** Every answer of an 8-bit input, correctly rounded. */
function direct(spec: Spec): Table {
  const key = JSON.stringify(spec);
  const problem = { spec, size: { segments: 256 }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
  const table = tables.get(key) ?? finish(solve(problem, "direct", { seed: 1 })).table;
  tables.set(key, table);
  return table;
}

function quantized(network: Network, inputs: readonly (readonly number[])[]): Program {
  const ranges = new Map<string, Interval>();
  const idx = { shape: [inputs.length, LENGTH], data: Float64Array.from(inputs.flat()) };
  runNetwork(network, { idx }, (tensor, { data }) => {
    const [lo, hi] = [data.reduce((a, b) => Math.min(a, b), 0), data.reduce((a, b) => Math.max(a, b), 0)];
    ranges.set(tensor, { lo, hi });
  });
  return lower(network, {
    range: (tensor) => ranges.get(tensor) ?? { lo: 0, hi: 0 },
    columnRanges: () => [],
    largestCode: () => CLASSES - 1,
    sizes: [
      { name: "batch", least: 1, most: 64 },
      { name: "seq", least: 1, most: LENGTH },
    ],
    table: direct,
    maxRow: LENGTH,
  });
}

function answers(program: Program, inputs: readonly (readonly number[])[]): number[][] {
  const idx: Tensor = { shape: [inputs.length, LENGTH], data: Int32Array.from(inputs.flat()) };
  const logits = interpret(program, { idx }).logits?.data as Codes;
  return inputs.map((_, i) =>
    Array.from({ length: DIGITS }, (_unused, at) => {
      const start = (i * LENGTH + DIGITS - 1 + at) * CLASSES;
      const [a, b, c] = logits.subarray(start, start + CLASSES) as unknown as [number, number, number];
      return a >= b && a >= c ? 0 : b >= c ? 1 : 2;
    }),
  );
}

describeShared("a Transformer as an integer program", () => {
  const model = readModel(readFileSync(sharedPath("models/gpt_nano_sort/gpt_nano_sort.onnx")));

  it("sorts what the float model sorts, read back from its file", { timeout: 120_000 }, () => {
    const program = quantized(
      trace(model),
      SEQUENCES.filter((_, i) => i % 12 === 0).map(({ input }) => input),
    );
    verify(program);
    const read = readProgram(writeProgram(program));
    const tried = SEQUENCES.filter((_, i) => i % 12 === 5);
    expect(
      answers(
        read,
        tried.map(({ input }) => input),
      ),
    ).toEqual(tried.map(({ sorted }) => sorted));
  });

  it("names the operator that has no integer form", () => {
    const network = trace(model);
    const broken: Network = {
      ...network,
      operators: network.operators.map((operator) =>
        operator.op === "softmax" ? { op: "mean", input: operator.input, result: operator.result } : operator,
      ),
    };
    const inputs = [SEQUENCES[5]?.input ?? []];
    expect(() => quantized(broken, inputs)).toThrow();
    try {
      quantized(broken, inputs);
    } catch (error) {
      if (error instanceof LutraError) expect(error.where).toContain("Softmax");
    }
  });
});
