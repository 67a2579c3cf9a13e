// The definition of programs, step by step: against sums written out here, and against what each step says it does. Whatever is run here is
// also run in WebAssembly, which gives the same.
import { describe, expect, it } from "vitest";
import type { Tensor } from "../../packages/lutra/src/base/index.ts";
import { type Codes, interpret, type Program, type Step, verify } from "../../packages/lutra/src/program/index.ts";
import { openProgram } from "../../packages/lutra/src/run/index.ts";
import { FAMILIES, withoutBaselineCompiler } from "../target/wasm/forms.ts";
import { classifier, plain, programOf } from "./programs.ts";

withoutBaselineCompiler();

function run(program: Program, inputs: Record<string, Tensor>): Record<string, number[]> {
  verify(program);
  const outputs = Object.entries(interpret(program, inputs));
  for (const form of FAMILIES)
    expect(openProgram(program, { form }).runCodes(inputs)).toEqual(Object.fromEntries(outputs));
  return Object.fromEntries(outputs.map(([name, { data }]) => [name, Array.from(data as Codes)]));
}

const i8 = (shape: readonly number[], data: readonly number[]): Tensor => ({ shape, data: Int8Array.from(data) });
const counting = (length: number): number[] => Array.from({ length }, (_, i) => i);

describe("a program", () => {
  it("computes a linear layer, the distances from the best class, and its place, for any number of rows", () => {
    const program = classifier();
    const weights = program.constants.weights as Int8Array;
    const bias = program.constants.bias as Int32Array;
    for (const rows of [0, 1, 7]) {
      const x = Int8Array.from({ length: rows * 12 }, (_, i) => ((i * 71) % 256) - 128);
      const { below = [], best = [] } = run(program, { x: { shape: [rows, 12], data: x } });
      expect(best.length).toBe(rows);
      for (let row = 0; row < rows; row++) {
        const logits = counting(5).map((column) => {
          const sum = counting(12).reduce(
            (s, k) => s + (x[row * 12 + k] as number) * (weights[k * 5 + column] as number),
            0,
          );
          return Math.min(127, Math.max(-128, Math.floor((sum + (bias[column] as number) + 256) / 512)));
        });
        const most = Math.max(...logits);
        expect(below.slice(row * 5, row * 5 + 5)).toEqual(logits.map((logit) => logit - most));
        expect(best[row]).toBe(logits.indexOf(most));
      }
    }
  });

  it("multiplies activations with activations, repeating what has fewer outer axes", () => {
    const step: Step = {
      op: "product",
      ...{ a: "x", b: "keys", isTransposed: true },
      ...{ kernel: plain(), arguments: {}, results: ["y"] },
    };
    const program = programOf(
      {
        x: { lane: "i8", shape: [2, 3, "n", 2] },
        keys: { lane: "i8", shape: [2, 1, 4, 2] },
        y: { lane: "i32", shape: [2, 3, "n", 4] },
      },
      [step],
      { inputs: ["x", "keys"] },
    );
    const x = counting(2 * 3 * 5 * 2).map((i) => i - 20);
    const keys = counting(16).map((i) => 7 - i);
    const { y = [] } = run(program, { x: i8([2, 3, 5, 2], x), keys: i8([2, 1, 4, 2], keys) });
    for (const [i, sum] of y.entries()) {
      const [column, row, head, batch] = [i % 4, Math.floor(i / 4) % 5, Math.floor(i / 20) % 3, Math.floor(i / 60)];
      const at = ((batch * 3 + head) * 5 + row) * 2;
      const key = (batch * 4 + column) * 2;
      expect(sum).toBe((x[at] as number) * (keys[key] as number) + (x[at + 1] as number) * (keys[key + 1] as number));
    }
  });

  it("moves parts: a transposition, a concatenation behind it, and padding", () => {
    const n = "n";
    const program = programOf(
      { x: { lane: "i8", shape: ["n", 3] }, y: { lane: "i8", shape: [4, { op: "add", args: ["n", 2] }] } },
      [
        {
          op: "move",
          parts: [
            {
              from: "x",
              box: [3, n],
              read: { start: 0, strides: [1, 3] },
              write: { start: 0, strides: [{ op: "add", args: [n, 2] }, 1] },
            },
            {
              from: "x",
              box: [n],
              read: { start: 0, strides: [3] },
              write: { start: { op: "mul", args: [3, { op: "add", args: [n, 2] }] }, strides: [1] },
            },
          ],
          fill: -7,
          result: "y",
        },
      ],
    );
    expect(run(program, { x: i8([2, 3], [1, 2, 3, 4, 5, 6]) }).y).toEqual(
      [
        [1, 4, -7, -7],
        [2, 5, -7, -7],
        [3, 6, -7, -7],
        [1, 4, -7, -7],
      ].flat(),
    );
    expect(run(program, { x: i8([0, 3], []) }).y).toEqual(new Array(8).fill(-7));
  });

  it("gathers rows, and refuses an id that the table does not have", () => {
    const program = programOf(
      { x: { lane: "u16", shape: ["n"] }, table: { lane: "i8", shape: [3, 2] }, y: { lane: "i8", shape: ["n", 2] } },
      [{ op: "gather", table: "table", ids: "x", result: "y" }],
      { constants: { table: Int8Array.of(1, 2, 3, 4, 5, 6) } },
    );
    expect(run(program, { x: { shape: [3], data: Int32Array.of(2, 0, 2) } }).y).toEqual([5, 6, 1, 2, 5, 6]);
    expect(() => run(program, { x: { shape: [1], data: Int32Array.of(3) } })).toThrow(
      "x holds 3, the table table has 3 rows",
    );
  });

  it("keeps states from one run to the next, counts positions, and exits early with other outputs", () => {
    const program = programOf(
      {
        x: { lane: "i32", shape: [2] },
        total: { lane: "i32", shape: [2] },
        both: { lane: "i32", shape: [2, 2] },
        y: { lane: "i32", shape: [2] },
      },
      [
        {
          op: "move",
          parts: [
            { from: "total", box: [2], read: { start: 0, strides: [1] }, write: { start: 0, strides: [1] } },
            { from: "x", box: [2], read: { start: 0, strides: [1] }, write: { start: 2, strides: [1] } },
          ],
          fill: 0,
          result: "both",
        },
        { op: "exit", when: "total", outputs: { y: "total" } },
        {
          op: "move",
          parts: [{ from: "x", box: [2], read: { start: 0, strides: [1] }, write: { start: 0, strides: [1] } }],
          fill: 0,
          result: "total",
        },
        { op: "count", result: "y" },
      ],
      { states: ["total"] },
    );
    verify(program);
    const states = new Map<string, Codes>();
    const seen: string[] = [];
    const step = (data: number[]): number[] => {
      const x = { shape: [2], data: Int32Array.from(data) };
      const { y } = interpret(program, { x }, { states, observe: (name) => seen.push(name) });
      return Array.from(y?.data as Codes);
    };
    expect([step([5, 0]), step([8, 9]), step([1, 1])]).toEqual([
      [0, 1],
      [0, 1],
      [8, 9],
    ]);
    expect(seen).toEqual(["both", "total", "y", "both", "total", "y", "both"]);
  });

  it("reads every shape of one count of elements as a reshape", () => {
    const program = programOf(
      { x: { lane: "i8", shape: ["n", 6] }, y: { lane: "i8", shape: [2, { op: "mul", args: [3, "n"] }] } },
      [{ op: "reshape", input: "x", result: "y" }],
    );
    expect(run(program, { x: i8([2, 6], counting(12)) }).y).toEqual(counting(12));
  });
});

describe("the inputs of a program", () => {
  const program = classifier();
  const good = i8([1, 12], counting(12));

  it("are refused with what is wrong", () => {
    const cases: readonly [Record<string, Tensor>, string][] = [
      [{}, "the input x is missing"],
      [{ x: i8([12], counting(12)) }, "the input x has 2 axes, got [12]"],
      [{ x: i8([1, 11], counting(11)) }, "the input x is [1,12], got [1,11]"],
      [{ x: i8([41, 12], counting(41 * 12)) }, "n is from 0 to 40, got 41"],
      [
        { x: { shape: [1, 12], data: Int32Array.from(counting(12), (i) => 100 * i) } },
        "holds integers from -128 to 127, got 200",
      ],
      [{ x: { shape: [1, 12], data: Float32Array.from(counting(12), (i) => i / 2) } }, "got 0.5"],
      [{ x: { shape: [1, 12], data: Int8Array.of(1) } }, "the input x has 1 codes for [1,12]"],
      [
        { x: { shape: [1.5, 12], data: new Int8Array(18) } },
        "the axes of the input x are integers from 0 on, got [1.5,12]",
      ],
      [{ x: { shape: [-1, 12], data: new Int8Array(0) } }, "are integers from 0 on, got [-1,12]"],
    ];
    for (const [inputs, message] of cases) expect(() => run(program, inputs)).toThrow(message);
    expect(run(program, { x: good }).best?.length).toBe(1);
  });
});
