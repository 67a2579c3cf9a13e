// One table for several scales: the optimum search against exhaustive search where that is possible, and against its own bound.

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finish, fromJson, toJson } from "../../packages/lutra/src/base/index.ts";
import { certify } from "../../packages/lutra/src/certify/index.ts";
import { type FitResult, solve } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { fill } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { decode, type IntegerFormat, integerFormat } from "../../packages/lutra/src/num/index.ts";
import {
  atScale,
  evaluate,
  type Problem,
  parseTable,
  type Table,
  tableBytes,
} from "../../packages/lutra/src/table/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { problem, solved } from "./problems.ts";

function atScales(
  fn: string,
  lo: number,
  hi: number,
  bits: readonly number[],
  segments: number,
  stored = "s16.6",
): Problem {
  const scales = bits.map((k) => integerFormat(true, 8, 2 ** -k));
  const size = { segments };
  return {
    ...problem(fn, [lo, hi], {
      norm: "mse",
      input: `int8:${2 ** -(bits[0] as number)}`,
      output: "s24.12",
      stored,
      size,
    }),
    scales,
  };
}

/** Mean over the scales of the mean square over their codes in the domain, by `evaluate` alone. */
function meanSquare({ spec, scales = [] }: Problem, { table }: FitResult): number {
  const f = parseFn(spec.fn);
  const errors = scales.map((format, k) => {
    const { scale } = format as IntegerFormat;
    const codes = Array.from({ length: 256 }, (_, i) => i - 128).filter(
      (q) => spec.domain.lo <= q * scale && q * scale <= spec.domain.hi,
    );
    const plain = atScale(table, k);
    const squares = codes.map((q) => (decode(spec.output, evaluate(plain, q)) - f.evaluate(q * scale)) ** 2);
    return squares.reduce((sum, e) => sum + e, 0) / codes.length;
  });
  return errors.reduce((sum, e) => sum + e, 0) / errors.length;
}

test("the objective is the mean over the scales of what the delivered tables have; the bound is below it", () => {
  const question = atScales("gelu", -4, 4, [0, 1, 2, 3, 4, 5, 6], 8);
  const found = solved(question);
  expect(found.objective).toBeCloseTo(meanSquare(question, found), 15);
  expect(found.bound).toBeLessThanOrEqual(found.objective);
  expect(found.segments).toBe(8);
});

test("one scale is the ordinary problem: the optimum, proven", () => {
  const question = atScales("rsqrt", 0.25, 4, [4], 8);
  const { scales: _, ...plain } = question;
  const found = solved(question);
  expect(found.objective).toBeCloseTo(solved(plain).objective, 12);
  expect(found.objective / found.bound).toBeLessThan(1.000001);
});

test("two lines for two scales of few codes: the best of all pairs of lines and breakpoints", () => {
  const stored = "s4.2";
  const question = atScales("exp", -2, 0, [0, 1], 2, stored);
  const values = Array.from({ length: 16 }, (_, i) => (i - 8) / 4);
  const lines = values.flatMap((slope) => values.map((intercept) => ({ slope, intercept })));
  const grids = [
    [-2, -1, 0],
    [-2, -1.5, -1, -0.5, 0],
  ];
  const exp = parseFn("exp");
  const square = (line: { slope: number; intercept: number }, x: number): number =>
    (line.slope * x + line.intercept - exp.evaluate(x)) ** 2;
  // By line, grid and number of points: errors of the first points, and of the rest.
  const sums = lines.map((line) =>
    grids.map((grid) => {
      const errors = grid.map((x) => square(line, x) / grid.length);
      return Array.from({ length: grid.length + 1 }, (_, j) => ({
        first: errors.slice(0, j).reduce((a, b) => a + b, 0),
        rest: errors.slice(j).reduce((a, b) => a + b, 0),
      }));
    }),
  );
  let best = Infinity;
  for (const left of sums) {
    for (const right of sums) {
      let cost = 0;
      for (let g = 0; g < 2; g++) {
        const splits = (left[g] ?? []).map(({ first }, j) => first + (right[g]?.[j]?.rest ?? 0));
        cost += Math.min(...splits) / 2;
      }
      best = Math.min(best, cost);
    }
  }
  expect(solved(question).objective).toBeCloseTo(best, 12);
});

test("tails that are lines hold at every scale, on both sides of the domain", () => {
  const tails = [
    { slope: 0, intercept: 0 },
    { slope: 1, intercept: 0 },
  ] as const;
  const { table } = solved({ ...atScales("gelu", -4, 4, [0, 2, 4], 8), tails });
  for (const [k, scale] of [1, 1 / 4, 1 / 16].entries()) {
    const plain = atScale(table, k);
    expect([evaluate(plain, -128), evaluate(plain, 127)]).toEqual(
      scale === 1 / 16 ? [0, 127 * 256] : [0, 127 * scale * 4096],
    );
  }
});

test("behind a symmetry and clamped, -128 is 128 at every scale", () => {
  const question = atScales("tanh", -4, 4, [0, 2, 4, 6], 8);
  const found = solved({ ...question, tails: ["clamp", "clamp"], reductions: [{ by: "odd" }] });
  const tanh = parseFn("tanh");
  for (let k = 0; k < 4; k++) {
    const plain = atScale(found.table, k);
    for (let q = 1; q < 128; q++) expect(evaluate(plain, -q) + 0).toBe(-evaluate(plain, q) + 0);
    const x = (-128 * [1, 1 / 4, 1 / 16, 1 / 64][k]) as number;
    if (x >= -4) expect(evaluate(plain, -128) / 4096).toBeCloseTo(tanh.evaluate(x), 2);
  }
  expect(atScale(found.table, 3).clamp).toEqual([0, 128]);
});

describe("the table", () => {
  const { table } = solved(atScales("exp", -8, 0, [0, 3, 6], 16));

  test("stores coefficients once and breakpoints for every scale", () => {
    const width = table.coefficients.flat().every((c) => c >= -32768 && c < 32768) ? 2 : 4;
    expect(tableBytes(table)).toBe(2 * 16 * width + 3 * 15);
  });

  test("is itself the table of the first scale, survives JSON, and leaves unused segments out of a coarse scale", () => {
    for (let q = -128; q < 128; q++) expect(evaluate(table, q)).toBe(evaluate(atScale(table, 0), q));
    expect(parseTable(fromJson(toJson(table)))).toEqual(table);
    expect(atScale(table, 0).coefficients[0]?.length).toBeLessThan(16);
  });

  test("has a certificate at every scale, none as a whole", () => {
    const proven = (plain: Table): number =>
      finish(certify(fill(elementwise(plain.spec), { f: plain }))).absolute.upper;
    expect([0, 1, 2].map((k) => proven(atScale(table, k))).every((error) => error < 0.03)).toBe(true);
    expect(() => proven(table)).toThrow(/certified one scale at a time/);
  });

  test("is refused when the breakpoints of a scale fall, or their number is wrong", () => {
    const scales = table.scales ?? [];
    const wrong = (codes: readonly number[]): unknown => ({
      ...table,
      clamp: [-1000, 1000],
      scales: scales.map((scale) => ({ ...scale, clamp: [-1000, 1000], index: { rule: "breakpoints", codes } })),
    });
    expect(() => parseTable(wrong([3, 2, ...new Array(13).fill(9)]) as never)).toThrow(/must not fall/);
    expect(() => parseTable(wrong([1, 2]) as never)).toThrow(/need 15 breakpoints/);
  });
});

test("the same seed gives the same table; other norms are refused", () => {
  const question = atScales("hard-swish", -4, 4, [0, 2, 4], 8);
  expect(solved(question)).toEqual(solved(question));
  expect(() => solved({ ...question, norm: "max" })).toThrow(/norm "mse", got "max"/);
});

test("two more segments never cost more (6 samples)", () => {
  fc.assert(
    fc.property(fc.constantFrom("gelu", "exp", "sigmoid"), fc.integer({ min: 4, max: 9 }), (fn, segments) => {
      const cost = (n: number): number => solved(atScales(fn, -4, 0, [1, 3, 5], n, "s16.8")).objective;
      expect(cost(segments + 2)).toBeLessThanOrEqual(cost(segments));
    }),
    { seed: 9, numRuns: 6 },
  );
});

describeShared("the published local search", () => {
  test("is met or beaten, and the bound is the published mean of the scales' optima (three rows; all in the bench)", () => {
    const published = JSON.parse(
      readFileSync(sharedPath("published/gqa-lut-2024.json"), "utf8"),
    ).int8_grid_average_over_scales;
    for (const [key, question] of [
      ["exp 8", atScales("exp", -8, 0, [0, 1, 2, 3, 4, 5, 6], 8)],
      ["reciprocal 16", atScales("reciprocal", 0.5, 4, [5], 16)],
      ["rsqrt 16", atScales("rsqrt", 0.25, 4, [0, 1, 2, 3, 4, 5], 16)],
    ] as const) {
      const { objective, bound } = finish(solve(question, "optimal", { seed: 1 }));
      expect(objective).toBeLessThanOrEqual(published.one_shared_table_local_search[key]);
      expect(Math.abs(bound / published.per_scale_optimum_6_bits[key] - 1)).toBeLessThan(0.01);
    }
  });
});
