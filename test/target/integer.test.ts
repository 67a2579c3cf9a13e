// Integer tables in onnxruntime: every code of the input format gives evaluate()'s code.

import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { drive } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { fill } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { allCodes, type IntegerFormat, integerFormat, random, valuesOf } from "../../packages/lutra/src/num/index.ts";
import { concatenate, writeModel } from "../../packages/lutra/src/onnx/index.ts";
import { evaluate, type Rounding, type Table } from "../../packages/lutra/src/table/index.ts";
import { emit } from "../../packages/lutra/src/target/onnx/index.ts";
import { model } from "../onnx/models.ts";
import { codesArray, codesInfo } from "../onnx/quantize.ts";

const INT8 = integerFormat(true, 8, 0.05, 3);
const UINT8 = integerFormat(false, 8, 0.02, 10);
const INT16 = integerFormat(true, 16, 2 ** -12);
const UINT16 = integerFormat(false, 16, 2 ** -13, 30000);

/** What the table's operators answer to every code, in onnxruntime. */
async function answers(table: Table, opset = 13): Promise<number[]> {
  const input = table.spec.input as IntegerFormat;
  const { nodes } = emit(fill(elementwise(table.spec), { f: table }), { axes: [-1], opset });
  const inputs = [codesInfo("x", input)];
  const built = model({ nodes, inputs, outputs: [codesInfo("y", table.spec.output as IntegerFormat)], opset });
  const session = await openSession(ort, concatenate(writeModel(built)), { threads: 1 });
  const data = codesArray(input, [...allCodes(input)]);
  const { y } = await session.run({ x: { shape: [data.length], data } });
  await session.release();
  return Array.from(y?.data ?? [], Number);
}

const expected = (table: Table): number[] =>
  Array.from(allCodes(table.spec.input), (code) => evaluate(table, code) + 0);

const solved = async (method: string, segments: number, fn: string, input: IntegerFormat, output: IntegerFormat) => {
  const spec = { fn, domain: valuesOf(input), input, output };
  const problem = { spec, size: { segments }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
  return (await drive(solve(problem, method, { seed: 1 }))).table;
};

describe("a solved table answers in onnxruntime as evaluate() does, at every code:", () => {
  it.each([
    ["direct", 256, "gelu", INT8, UINT8],
    ["direct", 256, "sigmoid", UINT8, INT8],
    ["direct", 256, "tanh", INT8, INT16],
    ["optimal", 8, "gelu", INT8, INT8],
    ["uniform", 8, "silu", UINT8, UINT8],
    ["direct", 65536, "gelu", INT16, INT8],
    ["optimal", 16, "gelu", INT16, INT16],
    ["optimal", 16, "sigmoid", UINT16, UINT16],
    ["uniform", 16, "silu", INT16, UINT8],
  ] as const)("%s, %i segments of %s", async (method, segments, fn, input, output) => {
    const table = await solved(method, segments, fn, input, output);
    expect(await answers(table)).toEqual(expected(table));
  });
});

describe("the arithmetic of 16-bit tables is evaluate()'s at every code:", () => {
  const { below } = random(23);
  const signed = (size: number): number => below(2 * size) - size;
  const many = (count: number, size: number): number[] => Array.from({ length: count }, () => signed(size));
  const breakpoints = (count: number): number[] => [...new Set(many(count, 30000))].sort((a, b) => a - b);
  const codes = breakpoints(11);
  const base: Table = {
    spec: { fn: "x", domain: { lo: -8, hi: 8 }, input: INT16, output: INT16 },
    reductions: [],
    clamp: [-Infinity, Infinity],
    index: { rule: "breakpoints", codes },
    coefficients: [many(codes.length + 1, 2 ** 28), many(codes.length + 1, 2 ** 14)],
    shift: 14,
    rounding: "half-up",
  };
  const cases: Readonly<Record<string, Partial<Table>>> = {
    ...Object.fromEntries(
      (["floor", "half-up", "half-even"] as Rounding[]).map((rounding) => [rounding, { rounding }]),
    ),
    "ties, to even": { rounding: "half-even", shift: 1, coefficients: [many(12, 2 ** 10), many(12, 2)] },
    "no shift": { shift: 0, coefficients: [many(12, 2 ** 15), many(12, 2)] },
    "the largest shift": { shift: 62 },
    "constant segments": { coefficients: [many(12, 2 ** 29)] },
    clamped: { clamp: [-20000, 12345] },
    odd: { reductions: [{ by: "odd" }] },
    even: { reductions: [{ by: "even" }] },
    "one segment": { index: { rule: "breakpoints", codes: [] }, coefficients: [many(1, 2 ** 28), many(1, 2 ** 14)] },
    uniform: { index: { rule: "uniform", first: -24000, width: 4096 } },
    "unsigned answers": { spec: { ...base.spec, output: UINT16 } },
    "answers of 8 bits": { spec: { ...base.spec, output: INT8 }, shift: 22 },
    "unsigned codes": { spec: { ...base.spec, input: UINT16 } },
    direct: {
      index: { rule: "direct", first: 0 },
      reductions: [{ by: "odd" }],
      clamp: [0, 4095],
      coefficients: [many(4096, 2 ** 15)],
      shift: 0,
    },
  };
  it.each(Object.entries(cases))("%s", async (_name, fields) => {
    const table: Table = { ...base, ...fields };
    expect(await answers(table)).toEqual(expected(table));
  });
  it("in opset 12, the first that is emitted for", async () => {
    expect(await answers(base, 12)).toEqual(expected(base));
  });
});

describe("emit", () => {
  it("refuses integers of more than 16 bits", () => {
    const wide = integerFormat(true, 24, 2 ** -20);
    const spec = { fn: "x", domain: { lo: -1, hi: 1 }, input: wide, output: wide };
    const index = { rule: "breakpoints", codes: [] } as const;
    const coefficients = [[0], [1]];
    const rest = { reductions: [], clamp: [-1, 1] as const, index, coefficients, shift: 0, rounding: "floor" as const };
    expect(() => emit(fill(elementwise(spec), { f: { spec, ...rest } }), { axes: [-1], opset: 13 })).toThrow(
      "integer tables of up to 16 bits",
    );
  });
});
