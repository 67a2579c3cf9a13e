// TFLite's and CMSIS-NN's interpolated tables of 513 entries, against the tables that CMSIS-NN ships and the C lookup.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { certify } from "../../packages/lutra/src/certify/index.ts";
import { measure, prepare } from "../../packages/lutra/src/fit/index.ts";
import { fill } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { parseFormat } from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Problem, type Table, tableBytes } from "../../packages/lutra/src/table/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { type ProblemOptions, problem, solved } from "./problems.ts";

const SIZE = { size: { segments: 512 } };

/** Every code, as CMSIS-NN's tables are laid out: [-10, 0] and [0, 1] shifted to begin at the first code of an int16. */
function softmaxProblem(fn: string, scale: number): Problem {
  const int16 = { input: `int16:${scale}`, output: "s16.15" };
  return problem(fn, [-Infinity, Infinity], { ...SIZE, ...int16, tails: ["clamp", "clamp"] });
}

const EXP = softmaxProblem("exp(x-5)", 10 / 65536);
const ONE_BY_ONE = softmaxProblem("1/(1.5+x)", 2 ** -16);

/** The entries that a table's lines interpolate: the answers at every 128th code, and the last line's end. */
function entriesOf({ coefficients: [intercepts = [], slopes = []] }: Table): number[] {
  const at = (i: number, code: number) => ((intercepts[i] as number) + (slopes[i] as number) * code) / 128;
  return Array.from({ length: 513 }, (_, i) => at(Math.min(i, 511), -32768 + 128 * i));
}

/** generic_int16_table_lookup of TFLite, arm_nn_softmax_common_s16's lookup. */
function lookup(entries: readonly number[], code: number): number {
  const index = 256 + (code >> 7);
  const offset = code & 0x7f;
  const base = entries[index] as number;
  return base + ((((entries[index + 1] as number) - base) * offset + 64) >> 7);
}

describeShared("the tables of CMSIS-NN's int16 softmax", () => {
  const file = (name: string): Record<string, { values: number[] }> =>
    JSON.parse(readFileSync(sharedPath(`vectors/cmsis_nn_vectors/Common/Softmax/${name}.json`), "utf8"));

  test("exp on [-10, 0]: all 513 entries", () => {
    const { table } = solved(EXP, "interpolated-513");
    expect(entriesOf(table)).toEqual(file("exp_lut_data").softmax_s16_exp_lut?.values);
  });

  test("1 / (1 + x) on [0, 1]: all 513 entries", () => {
    const { table } = solved(ONE_BY_ONE, "interpolated-513");
    expect(entriesOf(table)).toEqual(file("one_by_one_lut_data").softmax_s16_one_by_one_lut?.values);
  });
});

/** CMSIS-NN's requantization: (value * multiplier) / 2^31, then / 2^shift, each rounded, the second half away from 0. */
function requantize(value: number, multiplier: number, shift: number): number {
  const high = Number((BigInt(value) * BigInt(multiplier) + 2n ** 30n) >> 31n);
  return Math.sign(high) * Math.floor(Math.abs(high) / 2 ** shift + 0.5);
}

const clamp16 = (code: number): number => Math.min(32767, Math.max(-32768, code));

describeShared("CMSIS-NN's int16 softmax over the two tables", () => {
  const file = (name: string): Record<string, { values: number[] }> =>
    JSON.parse(readFileSync(sharedPath(`vectors/cmsis_nn_vectors/softmax_s16/${name}.json`), "utf8"));
  const exp = solved(EXP, "interpolated-513").table;
  const oneByOne = solved(ONE_BY_ONE, "interpolated-513").table;

  function softmax(row: readonly number[]): number[] {
    const largest = Math.max(...row);
    const exps = row.map((x) => evaluate(exp, clamp16(requantize(x - largest, 1718013132, 2) + 32767)));
    const sum = exps.reduce((total, e) => total + e, 0);
    const headroom = Math.clz32(sum);
    const shifted = (sum * 2 ** (headroom - 1) + 2 ** 13) / 2 ** 14;
    const reciprocal = evaluate(oneByOne, clamp16(Math.floor(shifted) - 2 ** 15 - 2 ** 16));
    return exps.map((e) => Math.floor((e * reciprocal) / 2 ** (31 - headroom) + 0.5));
  }

  test("gives the reference output of 3 rows of 10", () => {
    const input = file("input_data").softmax_s16_input?.values as number[];
    const rows = [0, 1, 2].map((i) => input.slice(10 * i, 10 * i + 10));
    expect(rows.flatMap(softmax)).toEqual(file("output_ref_data").softmax_s16_output_ref?.values);
  });
});

describe.each([
  ["exp", EXP],
  ["1 / (1 + x)", ONE_BY_ONE],
  ["tanh with other scales", problem("tanh", [-8, 8], { ...SIZE, input: "s16.12", output: "s16.15" })],
  [
    "sigmoid with a zero point",
    problem("sigmoid", [-8, 8], { ...SIZE, input: "s16.12", output: "int16:0.00002:-32768" }),
  ],
] as const)("the table of %s", (_name, question) => {
  const { table, objective } = solved(question as Problem, "interpolated-513");

  test("answers all 65,536 codes as the C lookup does from its entries", () => {
    const entries = entriesOf(table);
    for (let code = -32768; code < 32768; code++) {
      if (evaluate(table, code) !== lookup(entries, code))
        expect([code, evaluate(table, code)]).toEqual([code, lookup(entries, code)]);
    }
  });

  test("counts its 513 entries of 16 bits as stored", () => {
    expect(table.entries).toEqual({ count: 513, bits: 16 });
    expect(tableBytes(table)).toBe(1026);
  });

  test("delivers the error it says, and a certificate proves it", () => {
    const task = prepare(question as Problem);
    expect(measure(question as Problem, table, task.samples)).toBe(objective);
    const { absolute } = finish(certify(fill(elementwise(table.spec), { f: table })));
    expect(absolute.lower).toBeCloseTo(objective, 12);
    expect(absolute.upper).toBeCloseTo(objective, 12);
  });
});

test("tanh in s16.15 is within 3 steps of the output", () => {
  const { objective } = solved(
    problem("tanh", [-8, 8], { ...SIZE, input: "s16.12", output: "s16.15" }),
    "interpolated-513",
  );
  expect(objective).toBeLessThan(2 ** -15 * 3);
});

test("where f is not defined the entries are those of the domain's nearest end", () => {
  const root = problem("sqrt", [0, 8], { ...SIZE, input: "s16.12", output: "s16.13" });
  const { table } = solved(root, "interpolated-513");
  expect([-32768, -12345, -128].map((code) => evaluate(table, code))).toEqual([0, 0, 0]);
});

describe("what such a table cannot say is refused:", () => {
  const int16: ProblemOptions = { input: "s16.12", output: "s16.12" };
  test.each([
    ["fewer segments", problem("gelu", [-8, 8], { ...int16, size: { segments: 256 } }), /has 512 segments, got 256/],
    ["8 bits", problem("gelu", [-8, 8], { ...SIZE, input: "s8.4", output: "s8.4" }), /takes 16-bit integers/],
    ["binary32", problem("gelu", [-8, 8], SIZE), /takes 16-bit integers/],
    ["reductions", problem("tanh", [-8, 8], { ...SIZE, ...int16, reductions: [{ by: "odd" }] }), /no range reductions/],
    ["coefficients", problem("gelu", [-8, 8], { ...SIZE, ...int16, stored: "s16.6" }), /stores entries/],
    [
      "lines as tails",
      problem("gelu", [-8, 8], { ...SIZE, ...int16, tails: [{ slope: 0, intercept: 0 }, "extend"] }),
      /no lines/,
    ],
  ])("%s", (_what, question, message) => {
    expect(() => solved(question, "interpolated-513")).toThrow(message);
  });
});

test("asked for an error it is the table or nothing", () => {
  const asked = (maxError: number) =>
    problem("tanh", [-8, 8], { size: { maxError }, input: "s16.12", output: "s16.15" });
  expect(solved(asked(0.001), "interpolated-513").segments).toBe(512);
  expect(() => solved(asked(0.00002), "interpolated-513")).toThrow(/512 segments leave/);
});

test("formats of 16 bits other than fixed point serve too", () => {
  const unsigned = problem("1/(1+x)", [0, 1], { ...SIZE, input: "u16.16", output: "u16.16" });
  const { table } = solved(unsigned, "interpolated-513");
  expect(parseFormat("u16.16")).toEqual(table.spec.input);
  expect(evaluate(table, 65535)).toBe(32768);
});
