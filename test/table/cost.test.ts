// What tables cost: bytes by what is stored, operations by what evaluate does.

import { describe, expect, test } from "vitest";
import { BINARY32, integerFormat } from "../../packages/lutra/src/num/index.ts";
import {
  type Index,
  type Operations,
  operationsPerValue,
  type Reduction,
  type Table,
  tableBytes,
} from "../../packages/lutra/src/table/index.ts";

const int16 = integerFormat(true, 16);

function table(count: number, index: Index, overrides: Partial<Table> = {}): Table {
  const column = new Array<number>(count).fill(1);
  return {
    spec: { fn: "x", domain: { lo: -1, hi: 1 }, input: BINARY32, output: BINARY32 },
    reductions: [],
    clamp: [-Infinity, Infinity],
    index,
    coefficients: [column, column],
    shift: 0,
    rounding: "half-up",
    ...overrides,
  };
}

const breakpoints = (count: number): Index => ({
  rule: "breakpoints",
  codes: Array.from({ length: count - 1 }, (_, i) => i),
});
const uniform: Index = { rule: "uniform", first: 0, width: 1 };
const nested = (scale: number): Index => ({
  rule: "nested",
  first: 0,
  codes: [1, 2, 3],
  scales: [1, 1, 1, scale],
  counts: [1, 1, 1, 13],
});
const integers = { spec: { fn: "x", domain: { lo: -1, hi: 1 }, input: int16, output: int16 } };

describe("bytes", () => {
  test.each([
    ["lines and breakpoints of binary32", table(16, breakpoints(16)), 16 * 8 + 15 * 4],
    ["lines alone where the index is computed", table(16, uniform), 16 * 8],
    ["sub-intervals: code, scale and first segment", table(16, nested(3)), 16 * 8 + 3 * 4 + 4 * 6],
    [
      "integers as wide as the widest coefficient, breakpoints as wide as the input",
      table(16, breakpoints(16), integers),
      16 * 2 + 15 * 2,
    ],
    ["entries instead of lines", table(16, breakpoints(16), { ...integers, entries: { count: 17, bits: 12 } }), 17 * 2],
  ])("%s", (_what, candidate, bytes) => {
    expect(tableBytes(candidate)).toBe(bytes);
  });
});

describe("operations", () => {
  const operations = (comparisons: number, multiplications: number, additions: number, shifts: number): Operations => {
    return { comparisons, multiplications, additions, shifts };
  };
  test.each([
    ["a binary search: a step per bit", table(16, breakpoints(16)), operations(4, 1, 1, 0)],
    ["17 segments take a step more", table(17, breakpoints(17)), operations(5, 1, 1, 0)],
    ["one segment needs none", table(1, breakpoints(1)), operations(0, 1, 1, 0)],
    ["uniform: subtract, shift, clamp at both ends", table(4096, uniform), operations(2, 1, 2, 1)],
    ["float-bits alike", table(256, { rule: "float-bits", first: 0, shift: 15 }), operations(2, 1, 2, 1)],
    ["nested: a search among sub-intervals, then a product", table(16, nested(3)), operations(4, 2, 3, 0)],
    ["nested with powers of two: a shift instead", table(16, nested(2)), operations(4, 1, 3, 1)],
    ["a clamp at one end", table(4, breakpoints(4), { clamp: [-1, Infinity] }), operations(3, 1, 1, 0)],
    [
      "integers: rounded, shifted, saturated",
      table(4, breakpoints(4), { ...integers, shift: 8 }),
      operations(4, 1, 2, 1),
    ],
    [
      "integers rounded down",
      table(4, breakpoints(4), { ...integers, shift: 8, rounding: "floor" }),
      operations(4, 1, 1, 1),
    ],
    [
      "one entry per code",
      table(4, { rule: "direct", first: -2 }, { ...integers, coefficients: [[1, 2, 3, 4]] }),
      operations(2, 0, 1, 0),
    ],
    [
      "entries: their difference is the slope",
      table(4, uniform, { entries: { count: 5, bits: 32 } }),
      operations(2, 1, 3, 1),
    ],
  ])("%s", (_what, candidate, expected) => {
    expect(operationsPerValue(candidate)).toEqual(expected);
  });

  const reductions: readonly (readonly [Reduction, Operations])[] = [
    [{ by: "odd" }, operations(1, 0, 0, 0)],
    [{ by: "even" }, operations(0, 0, 0, 0)],
    [{ by: "reflect" }, operations(1, 0, 1, 0)],
    [{ by: "complement" }, operations(1, 0, 1, 0)],
    [{ by: "octave", step: 2, power: -1 }, operations(2, 0, 1, 1)],
    [{ by: "logarithm", perOctave: 1 }, operations(2, 1, 1, 1)],
    [{ by: "exponential", factor: 1 }, operations(2, 1, 2, 1)],
  ];
  test.each(reductions)("the reduction %o comes on top", (reduction, extra) => {
    const plain = operationsPerValue(table(8, breakpoints(8)));
    const reduced = operationsPerValue(table(8, breakpoints(8), { reductions: [reduction] }));
    for (const kind of ["comparisons", "multiplications", "additions", "shifts"] as const) {
      expect(reduced[kind] - plain[kind]).toBe(extra[kind]);
    }
  });
});
