// Huang et al.'s uniform segments, one test per defect of algorithm 1 as printed.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { evaluate, segmentOf } from "../../packages/lutra/src/table/index.ts";
import { problem, solved } from "./problems.ts";

const gelu = parseFn("gelu");

describe("defects of algorithm 1 as printed", () => {
  const { table } = solved(problem("gelu", [-5, 3], { size: { segments: 16 } }), "uniform");

  test("x = 2.99999976 with a = -5: x - a rounds to 8, and the index is clamped instead of wrapping to 0", () => {
    const x = Math.fround(2.99999976);
    expect(Math.fround(x + 5)).toBe(8);
    expect(segmentOf(table.index, 16, x)).toBe(15);
    expect(evaluate(table, x)).toBeCloseTo(2.996, 3);
  });

  test("at and beyond the right edge the line is pk[2^n - 1], not pk[n - 1]", () => {
    expect(segmentOf(table.index, 16, 3.5)).toBe(15);
    expect(Math.abs(evaluate(table, 3.5) - gelu.evaluate(3.5))).toBeLessThan(0.01);
  });

  test("a shift beyond 31: with a = 0 the smallest inputs belong to segment 0", () => {
    const result = solved(problem("sigmoid", [0, 8], { size: { segments: 16 } }), "uniform");
    for (const x of [2 ** -149, 2 ** -126, 2 ** -40, 0]) {
      expect(segmentOf(result.table.index, 16, x)).toBe(0);
      expect(evaluate(result.table, x)).toBeCloseTo(0.5, 2);
    }
  });

  test("edge lines outside [a, b]: imposed tails hold, so a masked score gives exactly 0", () => {
    const tails = [{ slope: 0, intercept: 0 }, "clamp"] as const;
    const result = solved(problem("exp", [-16, 0], { size: { segments: 17 }, tails }), "uniform");
    expect(result.segments).toBe(17);
    for (const x of [-10000, -17, -3.4e38, -Infinity]) expect(evaluate(result.table, x)).toBe(0);
    expect(evaluate(result.table, 5)).toBe(evaluate(result.table, 0));
  });
});

test("a domain of 2^m and 2^n segments has the paper's width 2^(m - n), and chords through f", () => {
  const { table } = solved(problem("tanh", [-4, 4], { size: { segments: 64 } }), "uniform");
  expect(table.index).toEqual({ rule: "uniform", first: -4, width: 1 / 8 });
  const tanh = parseFn("tanh");
  for (let x = -4; x < 4; x += 1 / 8) expect(evaluate(table, x)).toBeCloseTo(tanh.evaluate(x), 6);
});

test("other sizes use the least power of two that fits: never more segments than asked for, at least half", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 90 }), (segments, length) => {
      const result = solved(
        problem("tanh", [-1, length / 10], { size: { segments }, grid: { lo: -1, hi: length / 10, step: 0.01 } }),
        "uniform",
      );
      expect(result.segments).toBeLessThanOrEqual(segments);
      // The grid leaves its end out, hence the 1.
      expect(2 * result.segments + 1).toBeGreaterThanOrEqual(segments);
    }),
    { seed: 5, numRuns: 60 },
  );
});

test("the error is at most M2 h^2 / 8 (equation 4 at degree 1)", () => {
  for (const segments of [8, 16, 64, 256]) {
    const { objective } = solved(problem("exp", [-8, 0], { size: { segments } }), "uniform");
    const h = 8 / segments;
    expect(objective).toBeLessThanOrEqual((h * h) / 8 + 2 ** -22);
  }
});

test("integer tables have a width of 2^k codes", () => {
  const { table } = solved(
    problem("gelu", [-Infinity, Infinity], { input: "int8:0.05", output: "int8:0.05", size: { segments: 16 } }),
    "uniform",
  );
  expect(table.index).toEqual({ rule: "uniform", first: -128, width: 16 });
});

test("on an unbounded domain the segments lie where the error is least", () => {
  const tails = [
    { slope: 0, intercept: 0 },
    { slope: 1, intercept: 0 },
  ] as const;
  const { table, objective } = solved(
    problem("gelu", [-Infinity, Infinity], { size: { segments: 18 }, tails }),
    "uniform",
  );
  expect(table.index).toMatchObject({ width: 0.5 });
  expect(objective).toBeLessThan(0.03);
});
