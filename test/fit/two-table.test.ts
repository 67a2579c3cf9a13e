// NVDLA's two tables: entries where the manual puts them, the dense table winning, slopes beyond the ends, storage in entries.

import { describe, expect, test } from "vitest";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { decode, encode } from "../../packages/lutra/src/num/index.ts";
import { evaluate, segmentStarts, type Table, tableBytes } from "../../packages/lutra/src/table/index.ts";
import { expectSound, fitted } from "./methods.ts";
import { problem, solved } from "./problems.ts";

const SIZE = { size: { segments: 322 } };
const int16 = { input: "s16.12", output: "s16.15" };

function startsOf(table: Table): number[] {
  return segmentStarts(table.index, (table.coefficients[0] as readonly number[]).length, table.spec.input);
}

test.each([
  ["binary32", problem("gelu", [-5, 3], SIZE), {}],
  ["int16", problem("tanh", [-8, 8], { ...SIZE, ...int16 }), {}],
  ["int8", problem("tanh", [-8, 8], { ...SIZE, input: "s8.4", output: "s8.7" }), {}],
  ["binary16", problem("sigmoid", [-8, 8], { ...SIZE, input: "binary16", output: "binary16" }), {}],
  ["a mean square", problem("sigmoid", [-8, 8], { ...SIZE, norm: "mse" }), {}],
  ["an exponential LE", problem("reciprocal", [1, 1024], SIZE), { le: "exponential" }],
  [
    "an exponential LE of integers",
    problem("rsqrt", [1, 4000], { ...SIZE, input: "u16.4", output: "u16.15" }),
    { le: "exponential" },
  ],
  ["more segments than it has", problem("tanh", [-4, 4], { size: { segments: 1000 } }), {}],
] as const)("serves %s", (_what, question, parameters) => {
  const { table } = expectSound(question, "two-table", parameters);
  expect(table.entries?.count).toBe(65 + 257);
});

test("stores 322 entries of the output's width, whatever lines they make", () => {
  expect(tableBytes(fitted(problem("tanh", [-8, 8], { ...SIZE, ...int16 }), "two-table").table)).toBe(322 * 2);
  expect(tableBytes(fitted(problem("tanh", [-8, 8], SIZE), "two-table").table)).toBe(322 * 4);
  const wide = problem("tanh", [-8, 8], { ...SIZE, input: "s16.12", output: "s32.14" });
  expect(fitted(wide, "two-table").table.entries?.bits).toBe(16);
});

describe("tanh from int16 to int16", () => {
  const { table } = fitted(problem("tanh", [-8, 8], { ...SIZE, ...int16 }), "two-table");
  const { input, output } = table.spec;
  const starts = [-32768, ...startsOf(table)];
  const widths = starts.slice(1).map((start, i) => start - (starts[i] as number));

  test("has two distances between entries, both powers of two: the coarse table around the dense one", () => {
    const [coarse, ...rest] = [...new Set(widths)].sort((a, b) => b - a) as [number, ...number[]];
    expect(rest).toHaveLength(1);
    for (const width of [coarse, ...rest]) expect(Math.log2(width) % 1).toBe(0);
    const dense = widths.map((width, i) => (width < coarse ? i : -1)).filter((i) => i >= 0);
    expect(dense).toHaveLength((dense.at(-1) as number) - (dense[0] as number) + 1);
    expect([64, 256]).toContain(dense.length);
  });

  test("answers the rounded function at every entry, and between entries the rounded interpolation", () => {
    const tanh = parseFn("tanh");
    const entry = (code: number) => encode(output, tanh.evaluate(decode(input, code)));
    starts.slice(0, -1).forEach((start, i) => {
      const width = widths[i] as number;
      const [left, right] = [entry(start), entry(start + width)];
      expect(evaluate(table, start)).toBe(left);
      for (const offset of [1, width >> 1, width - 1]) {
        const exact = left + ((right - left) * offset) / width;
        expect(evaluate(table, start + offset)).toBe(Math.floor(exact + 0.5));
      }
    });
  });

  test("is dense where tanh bends", () => {
    const finest = Math.min(...widths);
    const dense = starts.filter((_, i) => widths[i] === finest);
    expect(decode(input, dense[0] as number)).toBeLessThan(-0.5);
    expect(decode(input, dense.at(-1) as number)).toBeGreaterThan(0.5);
  });
});

test("an exponential LE has its entries at powers of two beyond the dense table", () => {
  const { table } = fitted(problem("reciprocal", [1, 1024], SIZE), "two-table", { le: "exponential" });
  const starts = startsOf(table).filter((start) => start > 64);
  expect(starts).toEqual([128, 256, 512]);
});

test("beyond the ends the answer goes on from the outermost entry along the tail's slope", () => {
  const tails = [
    { slope: 0, intercept: 0 },
    { slope: 1, intercept: 0 },
  ] as const;
  const { table } = expectSound(problem("gelu", [-Infinity, Infinity], { ...SIZE, tails }), "two-table");
  expect(evaluate(table, 1e6)).toBeCloseTo(1e6, 0);
  expect(Math.abs(evaluate(table, -1e6))).toBeLessThan(1e-6);
  const clamped = fitted(problem("tanh", [-2, 2], { ...SIZE, ...int16, tails: ["clamp", "clamp"] }), "two-table").table;
  expect(evaluate(clamped, -32768)).toBe(evaluate(clamped, -8192));
  expect(evaluate(clamped, 32767)).toBe(evaluate(clamped, 8192));
});

test("the optimum with as many bytes is better: 65 + 257 entries cost what 107 lines and breakpoints do", () => {
  const two = fitted(problem("gelu", [-5, 3], SIZE), "two-table");
  const best = solved(problem("gelu", [-5, 3], { size: { segments: 107 } }));
  expect(tableBytes(best.table)).toBeLessThanOrEqual(tableBytes(two.table));
  expect(best.objective).toBeLessThan(two.objective / 1.5);
});

describe("what it cannot do is refused:", () => {
  test.each([
    [
      "fewer segments",
      problem("gelu", [-4, 4], { size: { segments: 64 } }),
      {},
      /322 segments \(65 \+ 257 entries\), got 64/,
    ],
    ["coefficient formats", problem("gelu", [-4, 4], { ...SIZE, stored: "s16.6" }), {}, /stores entries/],
    [
      "an exponential LE from below 0",
      problem("gelu", [-4, 4], SIZE),
      { le: "exponential" },
      /arguments above 0, not from -4/,
    ],
    ["another mode", problem("gelu", [-4, 4], SIZE), { le: "cubic" }, /one of linear, exponential, got cubic/],
  ])("%s", (_what, question, parameters, message) => {
    expect(() => fitted(question, "two-table", parameters as Record<string, string>)).toThrow(message);
  });
});
