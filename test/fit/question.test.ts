// A question as a person asks it becomes a Problem; a table is measured at its problem's points; histograms are checked.

import { describe, expect, it } from "vitest";
import { evaluate, measureTable, parseFn, parseHistogram, problemOf } from "../../packages/lutra/src/index.ts";
import { problem, solved } from "./problems.ts";

describe("a question", () => {
  it("about a function everywhere takes its reductions and tails", () => {
    expect(problemOf({ fn: "gelu", segments: 16, norm: "max" })).toMatchObject({
      reductions: [{ by: "reflect" }],
      spec: { domain: { lo: -Infinity, hi: Infinity } },
    });
  });

  it("with a range is clamped at its ends, and has no reductions where breakpoints are given", () => {
    const asked = { fn: "tanh", norm: "max", range: [-2, 2], breakpoints: [-1, 0, 1] } as const;
    expect(problemOf(asked)).toMatchObject({ tails: ["clamp", "clamp"], reductions: [], size: { segments: 4 } });
  });

  it("that contradicts itself or its function is refused", () => {
    const asked = { fn: "log", norm: "max", segments: 4 } as const;
    expect(() => problemOf({ ...asked, range: [-3, -1] })).toThrow(/not defined anywhere in \[-3, -1\]/);
    expect(() => problemOf({ ...asked, range: [3, 1] })).toThrow(/lower end first, got 3,1/);
    const grid = { lo: 1, hi: 9, step: 1 };
    expect(() => problemOf({ ...asked, grid, range: [1, 4] })).toThrow(/beyond the range/);
    expect(() => problemOf({ ...asked, reduce: "odd" })).toThrow(/no identity "odd"/);
  });
});

describe("measuring a table", () => {
  it("counts every code of its domain alike", () => {
    const asked = problem("tanh", [-1, 1], { input: "s8.5", output: "s8.5" });
    const { table } = solved(asked);
    const errors = Array.from({ length: 65 }, (_, i) =>
      Math.abs(evaluate(table, i - 32) / 32 - parseFn("tanh").evaluate((i - 32) / 32)),
    );
    const measured = measureTable(asked, table);
    expect(measured).toMatchObject({ points: 65, over: "all 65 codes of the domain", max: Math.max(...errors) });
    expect(measured.meanAbsolute).toBeCloseTo(errors.reduce((sum, error) => sum + error, 0) / 65, 12);
  });
});

describe("a histogram from JSON", () => {
  const within = { lo: -1, hi: 1 };
  it("is taken where it counts something in the domain", () => {
    const histogram = { edges: [0, 1, 2], counts: [1, 1] };
    expect(parseHistogram(histogram, within, "file.json")).toEqual(histogram);
    expect(() => parseHistogram(histogram, { lo: 3, hi: 4 }, "file.json")).toThrow(/counts nothing between 3 and 4/);
  });

  it.each([null, [], { edges: [0, 1] }, { edges: [0, "1"], counts: [1] }, { edges: [0], counts: [] }])(
    "is not %j",
    (content) => {
      expect(() => parseHistogram(content, within, "file.json")).toThrow(/n \+ 1 numbers/);
    },
  );
});
