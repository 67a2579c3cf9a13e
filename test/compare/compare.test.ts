// Methods beside each other: the questions that grids ask, the yardsticks, refusals, and the published optima.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { type CompareRow, compare, questionOf } from "../../packages/lutra/src/compare/index.ts";
import { describeShared, sharedPath } from "../shared.ts";

const clock = (): number => 0;

function rowsOf(fn: string, grid: string, segments: number, methods?: readonly string[]): readonly CompareRow[] {
  const options = { questions: [questionOf(fn, grid, segments)], seeds: 1, seed: 1 };
  return finish(compare(methods === undefined ? options : { ...options, methods }, clock)).rows;
}

describe("a grid's question", () => {
  test("has a problem per scale where there are scales, and only codes of int8 as points", () => {
    const { problems } = questionOf("gelu", "int8", 8, { scales: [0, 6] });
    expect(problems.map(({ grid }) => grid)).toEqual([
      { lo: -4, hi: 5, step: 1 },
      { lo: -2, hi: 2, step: 2 ** -6 },
    ]);
  });

  test("takes a range of one's own where the grid has none", () => {
    expect(() => questionOf("tanh", "gqa", 8)).toThrow('the grid "gqa" has no range for tanh');
    const { problems } = questionOf("tanh", "gqa", 8, { range: { lo: -1, hi: 1 } });
    expect(problems[0]?.spec.domain).toEqual({ lo: -1, hi: 1 });
  });

  test("is refused for a grid that does not exist", () => {
    expect(() => questionOf("gelu", "toString", 8)).toThrow('unknown grid "toString"');
  });

  test("is refused where no code lies in the range", () => {
    expect(() => questionOf("gelu", "int8", 8, { range: { lo: 0.2, hi: 0.4 }, scales: [0] })).toThrow(/no int8 code/);
  });
});

describe("a comparison", () => {
  test("has the optimum at ratio 1, and nothing below it in the same storage", () => {
    const rows = rowsOf("gelu", "gqa", 8, ["optimal", "uniform"]);
    expect(rows.find(({ method }) => method === "optimal")?.ratio).toBe(1);
    for (const { ratio, realRatio } of rows) {
      expect(ratio).toBeGreaterThanOrEqual(1);
      expect(realRatio).toBeGreaterThanOrEqual(ratio ?? 0);
    }
  });

  test("measures a method beside the optimum of as many entries as it used, not as it was given", () => {
    const [row] = rowsOf("reciprocal", "gqa", 8, ["uniform"]);
    expect(row?.entries).toBe(7);
    expect(row?.ratio).toBeGreaterThan(1);
  });

  test("reports who does not take part, and why", () => {
    const { rows, refused } = finish(
      compare({ questions: [questionOf("gelu", "gqa", 8)], methods: ["direct"], seeds: 1, seed: 1 }, clock),
    );
    expect(rows).toEqual([]);
    expect(refused).toEqual([
      { method: "direct", fn: "gelu", grid: "gqa", segments: 8, reason: expect.stringMatching(/integer/) },
    ]);
  });

  test("names the methods there are when one is misspelt", () => {
    expect(() => rowsOf("gelu", "gqa", 8, ["optimum"])).toThrow('unknown method "optimum"');
  });

  test("states the distances of Huang et al.: L2 is the root of the summed squares", () => {
    const [row] = rowsOf("exp", "gqa", 8, ["uniform"]);
    expect(row?.l2).toBeCloseTo(Math.sqrt((row?.mse ?? 0) * 800), 12);
  });
});

describeShared("the optima computed before the project began", () => {
  const { int8_grid_average_over_scales: published } = JSON.parse(
    readFileSync(sharedPath("published/gqa-lut-2024.json"), "utf8"),
  );
  const wanted = Object.entries<number>(published.per_scale_optimum_6_bits);

  test.each(wanted)("are those of the int8 grid, averaged over its scales: %s", (key, mse) => {
    const [fn, segments] = key.split(" ");
    const [row] = rowsOf(fn === "hswish" ? "hard-swish" : (fn ?? ""), "int8", Number(segments), ["optimal"]);
    expect(Math.abs((row?.mse ?? 0) / mse - 1)).toBeLessThan(0.01);
  });
});
