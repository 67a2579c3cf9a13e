// Methods beside each other: the questions that grids ask, the yardsticks, refusals, and the published optima.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { type CompareOptions, type CompareRow, compare, questionOf } from "../../packages/lutra/src/compare/index.ts";
import { parseFormat } from "../../packages/lutra/src/num/index.ts";
import { describeShared, sharedPath } from "../shared.ts";

const clock = (): number => 0;

function rowsOf(
  fn: string,
  grid: string,
  segments: number,
  methods: readonly string[],
  options: Partial<CompareOptions> = {},
): readonly CompareRow[] {
  const asked = { questions: [questionOf(fn, grid, segments)], methods, seeds: 1, seed: 1, ...options };
  return finish(compare(asked, clock)).rows;
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

  test("knows a function by whatever text says it", () => {
    expect(questionOf("1/x", "gqa", 8).problems[0]?.spec.domain).toEqual({ lo: 0.5, hi: 4 });
    expect(() => questionOf("nosuch", "gqa", 8)).toThrow('unknown function or variable "nosuch"');
  });

  test("asks besides for one table at all scales, whose outputs are not rounded", () => {
    const { shared } = questionOf("exp", "int8", 8, { scales: [0, 3] });
    expect(shared?.scales).toEqual(["int8", "s8.3"].map(parseFormat));
    expect(shared?.spec).toMatchObject({ domain: { lo: -8, hi: 0 }, output: { scale: 2 ** -9 } });
    expect(questionOf("exp", "int8", 8, { scales: [3] }).shared).toBeNull();
    expect(questionOf("exp", "gqa", 8).shared).toBeNull();
  });

  test.each([
    ["where the grid has none", "gqa", [0, 1], "no scales"],
    ["that are no powers of two", "int8", [0.5], "whole k"],
    ["that are none", "int8", [], "whole k"],
    ["beyond all sense", "int8", [2000], "whole k"],
  ])("refuses scales %s", (_what, grid, scales, message) => {
    expect(() => questionOf("gelu", grid, 8, { scales })).toThrow(message);
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

  test("reports a method that only another function has", () => {
    const questions = [questionOf("gelu", "gqa", 8), questionOf("exp", "gqa", 8)];
    const { rows, refused } = finish(compare({ questions, methods: ["h-gelu"], seeds: 1, seed: 1 }, clock));
    expect(rows.map(({ fn }) => fn)).toEqual(["gelu"]);
    expect(refused.map(({ fn, reason }) => [fn, reason])).toEqual([["exp", 'h-gelu is not for exp on the grid "gqa"']]);
  });

  test("counts a byte for a breakpoint among int8 codes, four among real numbers", () => {
    const bytes = (grid: string): unknown => rowsOf("gelu", grid, 8, ["optimal"])[0]?.bytes;
    expect(bytes("int8")).toBe(8 * 4 + 7);
    expect(bytes("gqa")).toBe(8 * 4 + 7 * 4);
  });

  test("gives parameters to the methods that have them, and to no other", () => {
    const methods = ["uniform", "optimal"];
    const mse = (parameters: CompareOptions["parameters"] = {}): readonly unknown[] =>
      rowsOf("gelu", "gqa", 8, methods, { parameters }).map((row) => row.mse);
    const [chords, optimal] = mse();
    const [squares, same] = mse({ lines: "least-squares" });
    expect(Number(squares)).toBeLessThan(Number(chords));
    expect(same).toBe(optimal);
    expect(() => mse({ le: "linear" })).toThrow('none of the methods has a parameter "le"');
    expect(() => mse({ lines: "best" })).toThrow('"lines" must be one of chords, least-squares, minimax');
    expect(() => mse({ toString: 1 })).toThrow('none of the methods has a parameter "toString"');
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

describeShared("one table for all int8 scales, as GQA-LUT deploys it", () => {
  const { int8_grid_average_over_scales: published } = JSON.parse(
    readFileSync(sharedPath("published/gqa-lut-2024.json"), "utf8"),
  );

  test.each([
    ["gelu", 8],
    ["exp", 16],
  ])("%s, %i segments: the optimum's is at or below the published search, above the scales' own", (fn, segments) => {
    const [own, shared] = rowsOf(fn, "int8", segments, ["optimal", "optimal-shared"]);
    expect(shared?.mse).toBeLessThanOrEqual(published.one_shared_table_local_search[`${fn} ${segments}`]);
    expect(shared?.ratio).toBeGreaterThanOrEqual(1);
    expect(own?.ratio).toBe(1);
    expect(shared?.entries).toBe(segments);
    // Slopes and intercepts of two bytes once; a byte for each breakpoint of each of seven scales.
    expect(shared?.bytes).toBe(4 * segments + 7 * (segments - 1));
  });

  test("breakpoints compared exactly make the same search several times better than the nearest codes", () => {
    const mse = (breakpointRounding: string): number => {
      const options = { parameters: { breakpointRounding }, seeds: 5 };
      return rowsOf("gelu", "int8", 16, ["genetic-shared"], options)[0]?.mse ?? Number.NaN;
    };
    expect(mse("nearest") / mse("exact")).toBeGreaterThan(10);
  });
});
