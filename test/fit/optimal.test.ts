// The optimum is the optimum: against brute force, against other tables, and against the published figures.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finish, toJson } from "../../packages/lutra/src/base/index.ts";
import { measure, prepare, solve } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { BINARY32, encode, integerFormat, random } from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Table } from "../../packages/lutra/src/table/index.ts";
import { bestCut, leastSquares, minimax, type Points, storedPairs } from "./brute-force.ts";
import { problem, solved } from "./problems.ts";

const SEED = { seed: 20240101 };
const sum = (a: number, b: number): number => a + b;
const squares = (errors: readonly number[]): number => errors.reduce((total, e) => total + e * e, 0);
const largest = (errors: readonly number[]): number => Math.max(...errors.map(Math.abs));

/** Points of a grid of dyadic numbers, exact in binary32. */
function dyadicPoints(fn: string, lo: number, step: number, count: number): Points {
  const f = parseFn(fn);
  const x = Array.from({ length: count }, (_, i) => lo + step * i);
  return { x, y: x.map((value) => f.evaluate(value)) };
}

const functions = fc.constantFrom("gelu", "tanh", "hard-swish", "sin", "exp");
const tinyGrids = fc.record({
  fn: functions,
  lo: fc.integer({ min: -24, max: 8 }),
  count: fc.integer({ min: 4, max: 9 }),
  segments: fc.integer({ min: 1, max: 4 }),
});

describe("on tiny grids the optimum equals brute force over all breakpoints", () => {
  const grid = (lo: number, count: number) => ({ lo: lo / 8, hi: lo / 8 + count / 4, step: 1 / 4 });

  test("mean square, real lines", () => {
    fc.assert(
      fc.property(tinyGrids, ({ fn, lo, count, segments }) => {
        const points = dyadicPoints(fn, lo / 8, 1 / 4, count);
        const expected = bestCut(points, Math.min(segments, count), leastSquares, sum) / count;
        const { bound } = solved(problem(fn, [-10, 10], { grid: grid(lo, count), norm: "mse", size: { segments } }));
        expect(bound).toBeLessThanOrEqual(expected * (1 + 1e-9) + 1e-25);
        const { objective } = solved(
          problem(fn, [-10, 10], { grid: grid(lo, count), norm: "mse", size: { segments } }),
        );
        // Delivered in binary32: 2^-22 of the values on top.
        expect(Math.sqrt(objective)).toBeLessThanOrEqual(Math.sqrt(expected) + 2 ** -20);
        // The bound is never above what is delivered, which rounding may put below the real optimum by chance.
        expect(bound).toBeGreaterThanOrEqual(expected * (1 - 1e-9) - 2 ** -20 * Math.sqrt(expected) - 1e-25);
      }),
      { ...SEED, numRuns: 60 },
    );
  });

  test("largest error, real lines", () => {
    fc.assert(
      fc.property(tinyGrids, ({ fn, lo, count, segments }) => {
        const points = dyadicPoints(fn, lo / 8, 1 / 4, count);
        const expected = bestCut(points, Math.min(segments, count), minimax, Math.max);
        const { bound, objective } = solved(problem(fn, [-10, 10], { grid: grid(lo, count), size: { segments } }));
        expect(bound).toBeLessThanOrEqual(expected * (1 + 1e-9) + 1e-15);
        expect(objective).toBeLessThanOrEqual(expected + 2 ** -20);
        if (expected > 1e-4) expect(bound).toBeGreaterThan(expected * (1 - 1e-3));
      }),
      { ...SEED, numRuns: 60 },
    );
  });

  test.each([
    ["mse", 4, 2, squares, sum],
    ["max", 4, 2, largest, Math.max],
    ["max", 5, 3, largest, Math.max],
  ] as const)("%s, stored pairs of s%i.%i", (norm, bits, fraction, cost, combine) => {
    fc.assert(
      fc.property(tinyGrids, ({ fn, lo, count, segments }) => {
        const points = dyadicPoints(fn, lo / 8, 1 / 4, count);
        const pieces = Math.min(segments, count);
        const whole = bestCut(points, pieces, storedPairs(bits, fraction, cost), combine);
        const expected = norm === "mse" ? whole / count : whole;
        const stored = `s${bits}.${fraction}`;
        const result = solved(problem(fn, [-10, 10], { grid: grid(lo, count), norm, size: { segments }, stored }));
        // binary32 evaluates these small dyadic numbers exactly, but for the final comparison with f.
        expect(result.objective).toBeGreaterThan(expected * (1 - 1e-6));
        expect(result.objective).toBeLessThan(expected * (1 + 1e-6) + 1e-12);
        expect(result.bound).toBeGreaterThan(expected * (1 - 1e-6));
      }),
      { ...SEED, numRuns: 12 },
    );
  });
});

describe("no other table is better", () => {
  test.each(["max", "relative", "mse"] as const)("optimal is never worse than uniform (%s)", (norm) => {
    fc.assert(
      fc.property(fc.constantFrom("gelu", "tanh", "exp", "silu"), fc.integer({ min: 1, max: 24 }), (fn, segments) => {
        const question = problem(fn, [-4, 3], {
          grid: { lo: -4, hi: 3, step: 0.03125 },
          norm,
          size: { segments },
          floor: 0.01,
        });
        const best = solved(question).objective;
        expect(best).toBeLessThanOrEqual(solved(question, "uniform").objective * (1 + 1e-5) + 1e-12);
      }),
      { ...SEED, numRuns: 15 },
    );
  });

  test("random tables are not below the bound (sampled)", () => {
    const question = problem("gelu", [-4, 4], {
      grid: { lo: -4, hi: 4, step: 0.0625 },
      norm: "mse",
      size: { segments: 5 },
    });
    const { bound, table } = solved(question);
    const { samples } = prepare(question);
    const source = random(7);
    for (let k = 0; k < 300; k++) {
      const nudge = (value: number): number => Math.fround(value + 0.02 * source.normal());
      const codes = table.index.rule === "breakpoints" ? table.index.codes.map(nudge).sort((a, b) => a - b) : [];
      const other: Table = {
        ...table,
        index: { rule: "breakpoints", codes },
        coefficients: table.coefficients.map((c) => c.map(nudge)),
      };
      expect(measure(question, other, samples)).toBeGreaterThan(bound);
    }
  });

  test.each(["max", "mse"] as const)("more segments never hurt (%s)", (norm) => {
    const errors = Array.from({ length: 20 }, (_, i) => {
      return solved(problem("silu", [-6, 6], { grid: { lo: -6, hi: 6, step: 0.05 }, norm, size: { segments: i + 1 } }))
        .objective;
    });
    for (let i = 1; i < errors.length; i++)
      expect(errors[i]).toBeLessThanOrEqual((errors[i - 1] as number) * (1 + 1e-6));
  });
});

// ../shared/published/gqa-lut-2024.json: mean square on the grid lo + 0.01 i, stored pairs of s16.6 and real lines.
const PUBLISHED = [
  ["gelu", -4, 4, 8, 2.77e-5, 1.172e-5],
  ["gelu", -4, 4, 16, 3.2e-6, 8.29e-7],
  ["hard-swish", -4, 4, 16, 8e-6, 3.86e-6],
  ["exp", -8, 0, 16, 4.76e-6, 2.079e-7],
  ["reciprocal", 0.5, 4, 16, 3.13e-6, 6.87e-7],
  ["rsqrt", 0.25, 4, 8, 1.16e-5, 8.48e-6],
] as const;

test.each(PUBLISHED)(
  "published optimum of %s on [%f, %f] with %i entries, to 1 %%",
  (fn, lo, hi, segments, stored, real) => {
    const question = { grid: { lo, hi, step: 0.01 }, norm: "mse", size: { segments } } as const;
    const inStorage = solved(problem(fn, [lo, hi], { ...question, stored: "s16.6" })).objective;
    const inReals = solved(problem(fn, [lo, hi], question)).objective;
    expect(Math.abs(inStorage / stored - 1)).toBeLessThan(0.01);
    expect(Math.abs(inReals / real - 1)).toBeLessThan(0.01);
  },
);

test("96 real lines cannot come below 5.03e-5 on gelu over [-5, 3], and the table found is within 1 % of that", () => {
  const { objective, bound } = solved(problem("gelu", [-5, 3], { size: { segments: 96 } }));
  expect(bound).toBeGreaterThan(5.02e-5);
  expect(objective).toBeLessThan(5.09e-5);
});

describe("integer tables", () => {
  test.each([
    ["int8:0.05:3", "int8:0.04:-100", 6],
    ["s8.5", "s8.5", 8],
    ["s12.8", "s12.9", 12],
  ] as const)(
    "%s to %s with %i segments: the delivered table attains the bound over real lines",
    (input, output, segments) => {
      const { objective, bound } = solved(
        problem("gelu", [-Infinity, Infinity], { input, output, size: { segments }, tails: ["clamp", "clamp"] }),
      );
      expect(objective).toBeLessThanOrEqual(bound * (1 + 1e-6));
    },
  );

  test("with a segment per code every output is correctly rounded", () => {
    const question = problem("gelu", [-Infinity, Infinity], {
      input: "s8.5",
      output: "s8.5",
      size: { segments: 256 },
      tails: ["clamp", "clamp"],
    });
    const { table } = solved(question);
    const f = parseFn("gelu");
    for (let code = -128; code < 128; code++)
      expect(evaluate(table, code)).toBe(Math.round(f.evaluate(code / 32) * 32) + 0);
  });

  test("the binary16 and bfloat16 optima hold over every code of the domain", () => {
    for (const format of ["binary16", "bfloat16"]) {
      const { objective, bound } = solved(
        problem("gelu", [-8, 8], { input: format, output: format, size: { segments: 16 } }),
      );
      expect(objective).toBeLessThanOrEqual(bound * 1.001);
    }
  });
});

describe("tails", () => {
  test.each(["max", "mse"] as const)("lines given as tails are met exactly (%s)", (norm) => {
    const tails = [
      { slope: 0, intercept: 0 },
      { slope: 1, intercept: 0 },
    ] as const;
    const { table, segments } = solved(problem("gelu", [-Infinity, Infinity], { norm, tails, size: { segments: 16 } }));
    expect(segments).toBe(16);
    for (const x of [-3.4e38, -1e4, -20]) expect(evaluate(table, x)).toBe(0);
    for (const x of [20, 1e4, 3.4e38]) expect(evaluate(table, Math.fround(x))).toBe(Math.fround(x));
  });

  test("a clamp answers as at the end of the domain", () => {
    const { table } = solved(problem("gelu", [-2, 2], { tails: ["clamp", "clamp"] }));
    expect(evaluate(table, -100)).toBe(evaluate(table, -2));
    expect(evaluate(table, 100)).toBe(evaluate(table, 2));
  });
});

describe("a histogram", () => {
  // Counts of an input that is nearly always in [1, 2].
  const histogram = { edges: [-8, 1, 2, 8], counts: [1, 1000, 1] };

  test("moves segments to where the inputs are", () => {
    const grid = { lo: -8, hi: 8, step: 0.0625 };
    const breakpointsInside = (options: object): number => {
      const { index } = solved(problem("gelu", [-8, 8], { grid, norm: "mse", ...options })).table;
      return index.rule === "breakpoints" ? index.codes.filter((p) => p > 1 && p < 2).length : 0;
    };
    expect(breakpointsInside({ histogram })).toBeGreaterThan(breakpointsInside({}));
  });

  test("that saw only part of the domain leaves the rest sensible", () => {
    const seen = { edges: [1, 2], counts: [1000] };
    const { table } = solved(
      problem("gelu", [-8, 8], { input: "s12.8", output: "s16.12", norm: "mse", histogram: seen }),
    );
    for (const code of [-2047, -1024, -256, 0, 1000, 2047]) {
      expect(Math.abs(evaluate(table, code) / 4096 - parseFn("gelu").evaluate(code / 256))).toBeLessThan(0.6);
    }
  });

  test("restricts nothing for a largest error", () => {
    const question = problem("gelu", [-8, 8], { grid: { lo: -8, hi: 8, step: 0.0625 } });
    expect(toJson(solved({ ...question, histogram }).table)).toBe(toJson(solved(question).table));
  });
});

describe("more codes than 4,096", () => {
  test.each([
    ["s14.10", 8],
    ["bfloat16", 8],
  ] as const)("mean square over %s with %i segments: not below its bound, not above uniform", (input, segments) => {
    const output = input === "bfloat16" ? input : "s16.12";
    const question = problem("gelu", [-8, 8], {
      input,
      output,
      norm: "mse",
      size: { segments },
      tails: ["clamp", "clamp"],
    });
    const { objective, bound } = solved(question);
    expect(bound).toBeGreaterThan(0);
    expect(bound).toBeLessThanOrEqual(objective);
    expect(objective).toBeLessThan(solved(question, "uniform").objective / 10);
  });

  test("stored pairs over 16-bit codes attain the largest-error optimum", () => {
    const question = problem("gelu", [-8, 8], {
      input: "s16.12",
      output: "s16.12",
      stored: "s16.8",
      size: { segments: 8 },
      tails: ["clamp", "clamp"],
    });
    const { objective, bound } = solved(question);
    expect(objective).toBeLessThanOrEqual(bound * (1 + 1e-6));
  });
});

describe("an error asked for", () => {
  test.each([
    ["gelu", "max", 1e-3],
    ["tanh", "mse", 1e-6],
  ] as const)("gives the fewest segments: %s, %s at most %f", (fn, norm, maxError) => {
    const question = problem(fn, [-4, 4], { norm, size: { maxError }, grid: { lo: -4, hi: 4, step: 0.015625 } });
    const { segments, objective } = solved(question);
    expect(objective).toBeLessThanOrEqual(maxError);
    const fewer = solved({ ...question, size: { segments: segments - 1 } });
    expect(fewer.bound).toBeGreaterThan(maxError);
  });
});

test("the same problem gives the same bytes", () => {
  const question = problem("silu", [-Infinity, Infinity], {
    size: { segments: 24 },
    reductions: [{ by: "reflect" }],
    tails: [
      { slope: 0, intercept: 0 },
      { slope: 1, intercept: 0 },
    ],
  });
  expect(toJson(solved(question))).toBe(toJson(solved(question)));
});

test("800 points, 16 segments, stored pairs: every run reports progress", () => {
  const work = solve(
    problem("gelu", [-4, 4], {
      grid: { lo: -4, hi: 4, step: 0.01 },
      norm: "mse",
      size: { segments: 16 },
      stored: "s16.6",
    }),
    "optimal",
    { seed: 1 },
  );
  const steps: number[] = [];
  for (let step = work.next(); step.done !== true; step = work.next()) steps.push(step.value.done / step.value.total);
  expect(steps.length).toBeGreaterThan(5);
  expect(steps.every((share) => share >= 0 && share <= 1)).toBe(true);
});

test("keeps a given tail when it is the table's only line, though another would be closer", () => {
  const everything = { lo: -Infinity, hi: Infinity };
  const { table, objective, bound } = finish(
    solve(
      {
        spec: { fn: "tanh", domain: everything, input: BINARY32, output: BINARY32 },
        size: { segments: 1 },
        norm: "max",
        tails: ["clamp", { slope: 0, intercept: 1 }],
        reductions: [{ by: "odd" }],
      },
      "optimal",
      { seed: 1 },
    ),
  );
  expect(table.coefficients).toEqual([[1], [0]]);
  expect(objective).toBe(1);
  expect(bound).toBeGreaterThan(0.999);
});

test("a value that the output format cannot reach does not spoil the others: exp on int8 is right or one code off everywhere", () => {
  const int8 = integerFormat(true, 8, 0.05);
  const spec = { fn: "exp", domain: { lo: -6.4, hi: 6.4 }, input: int8, output: int8 };
  const { table, objective, bound } = finish(
    solve({ spec, size: { segments: 8 }, norm: "max", tails: ["clamp", "clamp"], reductions: [] }, "optimal", {
      seed: 1,
    }),
  );
  const { evaluate: exact } = parseFn("exp");
  const off = Array.from({ length: 256 }, (_, i) => i - 128).map((q) =>
    Math.abs(evaluate(table, q) - encode(int8, exact(q * 0.05))),
  );
  expect(Math.max(...off)).toBeLessThanOrEqual(1);
  expect(off.filter((n) => n === 0).length).toBeGreaterThan(200);
  const unreachable = exact(6.35) - 6.35;
  expect(objective).toBeCloseTo(unreachable, 6);
  expect(bound).toBeCloseTo(unreachable, 6);
});
