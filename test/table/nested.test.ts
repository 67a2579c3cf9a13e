// The index rule "nested", segment starts of every rule, and tables that store entries.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromJson, LutraError, toJson } from "../../packages/lutra/src/base/index.ts";
import { BINARY32, type Format, integerFormat, nextDown32 } from "../../packages/lutra/src/num/index.ts";
import {
  evaluate,
  type Index,
  parseTable,
  segmentOf,
  segmentStarts,
  type Table,
} from "../../packages/lutra/src/table/index.ts";

const int8 = integerFormat(true, 8);

/** Each segment answers its own number. */
function numbered(index: Index, count: number, input: Format): Table {
  return {
    spec: { fn: "x", domain: { lo: -Infinity, hi: Infinity }, input, output: input },
    reductions: [],
    clamp: [-Infinity, Infinity],
    index,
    coefficients: [Array.from({ length: count }, (_, i) => i)],
    shift: 0,
    rounding: "half-up",
  };
}

const NESTED: Index = { rule: "nested", first: -4, codes: [0, 1], scales: [0.5, 8, 3], counts: [2, 8, 3] };

describe("the rule nested", () => {
  const table = numbered(NESTED, 13, BINARY32);

  test("finds the sub-interval, then the segment in it", () => {
    expect([-4, -2.01, -2, -0.01].map((x) => evaluate(table, x))).toEqual([0, 0, 1, 1]);
    expect([0, 0.124, 0.125, 0.99].map((x) => evaluate(table, x))).toEqual([2, 2, 3, 9]);
    expect([1, 1.33, 1.34, 1.67, 1.99].map((x) => evaluate(table, x))).toEqual([10, 10, 11, 12, 12]);
  });

  test("clamps to the segments of the sub-interval, beyond both ends too", () => {
    expect([-5, -1e30, -Infinity].map((x) => evaluate(table, x))).toEqual([0, 0, 0]);
    expect([2, 50, Infinity].map((x) => evaluate(table, x))).toEqual([12, 12, 12]);
    const coarse = numbered({ rule: "nested", first: 0, codes: [8], scales: [1, 1], counts: [2, 2] }, 4, BINARY32);
    expect([7.5, 8, 9.5].map((x) => evaluate(coarse, x))).toEqual([1, 2, 3]);
  });

  test("works on integer codes", () => {
    const codes = numbered(
      { rule: "nested", first: -128, codes: [0], scales: [1 / 64, 1 / 16], counts: [2, 8] },
      10,
      int8,
    );
    expect([-128, -65, -64, -1, 0, 15, 16, 127].map((code) => evaluate(codes, code))).toEqual([0, 0, 1, 1, 2, 2, 3, 9]);
  });

  test("reads back what was written", () => {
    expect(parseTable(fromJson(toJson(table)))).toEqual(table);
  });

  test.each([
    ["too few scales", { ...NESTED, scales: [1, 1] }, "index.scales"],
    ["too many counts", { ...NESTED, counts: [2, 8, 2, 1] }, "index.counts"],
    ["counts that sum to another number", { ...NESTED, counts: [2, 8, 2] }, "index.counts"],
    ["an empty sub-interval", { ...NESTED, counts: [2, 11, 0] }, "index.counts[2]"],
    ["codes out of order", { ...NESTED, codes: [1, 1] }, "index.codes[1]"],
    ["a start that is no code", { ...NESTED, first: 0.1 }, "index.first"],
    ["an infinite code", { ...NESTED, codes: [0, Infinity] }, "index.codes[1]"],
    ["a scale of 0", { ...NESTED, scales: [0, 8, 3] }, "index.scales[0]"],
    ["a scale between binary32 values", { ...NESTED, scales: [0.5, 0.1, 3] }, "index.scales[1]"],
  ])("refuses %s", (_what, index, where) => {
    const json = fromJson(toJson({ ...table, index: index as Index }));
    expect(() => parseTable(json)).toThrow(LutraError);
    expect(() => parseTable(json)).toThrow(expect.objectContaining({ code: "bad-table", where }));
  });
});

const INDICES: readonly (readonly [string, Index, number, Format])[] = [
  ["breakpoints", { rule: "breakpoints", codes: [-3, 0.5, 7] }, 4, BINARY32],
  ["uniform", { rule: "uniform", first: -5, width: 0.5 }, 16, BINARY32],
  ["float-bits", { rule: "float-bits", first: 127 * 8 + 4, shift: 20 }, 9, BINARY32],
  ["nested", NESTED, 13, BINARY32],
  ["nested with a rounded scale", { ...NESTED, scales: [0.5, 8, Math.fround(3.1)] } as Index, 13, BINARY32],
  ["uniform codes", { rule: "uniform", first: -100, width: 32 }, 6, int8],
  ["direct", { rule: "direct", first: -3 }, 7, int8],
  [
    "nested codes",
    { rule: "nested", first: -128, codes: [10], scales: [Math.fround(0.01), 0.5], counts: [2, 50] },
    52,
    int8,
  ],
];

describe.each(INDICES)("segment starts of %s", (_name, index, count, input) => {
  const starts = segmentStarts(index, count, input);

  test("are the first codes of their segments", () => {
    expect(starts).toHaveLength(count - 1);
    starts.forEach((start, i) => {
      if (start > 127 && input.kind === "integer") return;
      expect(segmentOf(index, count, start)).toBeGreaterThan(i);
      const before = input.kind === "integer" ? start - 1 : nextDown32(start);
      expect(segmentOf(index, count, before)).toBeLessThanOrEqual(i);
    });
  });

  test("give the segment as how many of them are at most the argument (property)", () => {
    const code = input.kind === "integer" ? fc.integer({ min: -128, max: 127 }) : fc.float({ noNaN: true });
    const near = fc.constantFrom(...starts.filter((start) => input.kind === "float" || start <= 127));
    fc.assert(
      fc.property(fc.oneof(code, near), (t) => {
        expect(starts.filter((start) => start <= t).length).toBe(segmentOf(index, count, t));
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe("a table that stores entries", () => {
  const table: Table = {
    ...numbered({ rule: "uniform", first: 0, width: 1 }, 4, BINARY32),
    entries: { count: 5, bits: 16 },
  };

  test("reads back what was written", () => {
    expect(parseTable(fromJson(toJson(table)))).toEqual(table);
  });

  test.each([
    ["fewer entries than lines", { count: 3, bits: 16 }, "entries.count"],
    ["half an entry", { count: 4.5, bits: 16 }, "entries.count"],
    ["entries without bits", { count: 5, bits: 0 }, "entries.bits"],
  ])("refuses %s", (_what, entries, where) => {
    const json = fromJson(toJson({ ...table, entries }));
    expect(() => parseTable(json)).toThrow(expect.objectContaining({ code: "bad-table", where }));
  });
});
