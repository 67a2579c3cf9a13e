// GQA-LUT: the published settings on the published grid (few seeds here; `npm run bench -- methods` has ten), and its deployment.

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { ceilQuotient, integerFormat, roundHalfEven } from "../../packages/lutra/src/num/index.ts";
import { atScale, evaluate, type Problem, type Table, type Tail } from "../../packages/lutra/src/table/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { problem, solved } from "./problems.ts";

const QUICK = { generations: 20, population: 20 };

function evolved(question: Problem, parameters: Record<string, string | number> = QUICK, seed = 1): Table {
  return finish(solve(question, "genetic", { seed, parameters })).table;
}

const onGrid = (fn: string, lo: number, hi: number, segments = 8): Problem =>
  problem(fn, [lo, hi], { size: { segments }, norm: "mse", grid: { lo, hi, step: 0.01 }, stored: "s16.6" });

const atScales = (fn: string, lo: number, hi: number, bits: readonly number[]): Problem => ({
  ...problem(fn, [lo, hi], { norm: "mse", input: `s8.${bits[0]}`, output: "s24.12", stored: "s16.6" }),
  scales: bits.map((k) => integerFormat(true, 8, 2 ** -k)),
});

describe("as published", () => {
  test("every slope and intercept is a chord's, rounded to the stored step", () => {
    const { index, coefficients } = evolved(onGrid("exp", -8, 0));
    const exp = parseFn("exp");
    const [intercepts = [], slopes = []] = coefficients;
    const codes = index.rule === "breakpoints" ? [-16, ...index.codes, 0] : [];
    expect(codes).toHaveLength(9);
    slopes.forEach((slope, i) => {
      const [a, b] = [codes[i] as number, codes[i + 1] as number];
      const chord = (exp.evaluate(b) - exp.evaluate(a)) / (b - a);
      // Breakpoints are stored in binary32, hence the 1e-5 around the half step.
      expect(Math.abs(slope - chord)).toBeLessThanOrEqual(2 ** -7 + 1e-5);
      const intercept = exp.evaluate(a) - a * chord;
      expect(Math.abs((intercepts[i] as number) - intercept)).toBeLessThanOrEqual(2 ** -7 + 1e-5);
      expect(Number.isInteger(slope * 64) && Number.isInteger((intercepts[i] as number) * 64)).toBe(true);
    });
  });

  test("the outermost chords of GELU end so far out that they become its asymptotes' slopes", () => {
    const { coefficients } = evolved(onGrid("gelu", -4, 4));
    expect(coefficients[1]?.[0]).toBe(0);
    expect(coefficients[1]?.[7]).toBe(1);
  });

  test("breakpoints stay where the published Makefile lets them: [0.625, 3.875] for 1/x, above -6.5 for 16 of exp", () => {
    const inside = (table: Table, lo: number, hi: number): boolean =>
      table.index.rule === "breakpoints" && table.index.codes.every((p) => lo <= p && p <= hi);
    expect(inside(evolved(onGrid("reciprocal", 0.5, 4)), 0.625, 3.875)).toBe(true);
    expect(inside(evolved(onGrid("exp", -8, 0, 16)), -6.5, 0)).toBe(true);
  });

  test("the same seed gives the same table, another seed another", () => {
    const question = onGrid("gelu", -4, 4);
    expect(evolved(question)).toEqual(evolved(question));
    expect(evolved(question, QUICK, 2)).not.toEqual(evolved(question));
  });

  test("more generations do better", () => {
    const objective = (generations: number): number =>
      finish(solve(onGrid("gelu", -4, 4), "genetic", { seed: 1, parameters: { generations } })).objective;
    expect(objective(300)).toBeLessThan(objective(1) / 4);
  });

  test("no table of as many segments in the same storage is better than the optimum", () => {
    for (const [fn, lo, hi] of [
      ["gelu", -4, 4],
      ["exp", -8, 0],
      ["rsqrt", 0.25, 4],
    ] as const) {
      const question = onGrid(fn, lo, hi);
      const { objective } = finish(solve(question, "genetic", { seed: 3, parameters: QUICK }));
      expect(objective).toBeGreaterThanOrEqual(solved(question).bound);
    }
  });
});

describeShared("the published trainer", () => {
  test("three seeds of gelu 8 and rsqrt 16 lie about its own ten-seed range", () => {
    const published = JSON.parse(readFileSync(sharedPath("published/gqa-lut-2024.json"), "utf8"));
    for (const [key, question] of [
      ["gelu 8", onGrid("gelu", -4, 4)],
      ["rsqrt 16", onGrid("rsqrt", 0.25, 4, 16)],
    ] as const) {
      const [, best, , worst] = published.ten_seeds_own_fitness[key];
      const found = [1, 2, 3].map((seed) => finish(solve(question, "genetic", { seed })).objective);
      const median = found.toSorted((a, b) => a - b)[1] as number;
      expect(median).toBeGreaterThanOrEqual(best);
      expect(median).toBeLessThanOrEqual(worst);
    }
  });
});

describe("breakpoints of an integer input", () => {
  const scale = 0.0840035693274327;
  const question = (p: number): Problem => ({
    ...problem("gelu", [-4, 4], { input: `int8:${scale}`, output: "s24.12", norm: "mse" }),
    size: { segments: Math.max(2, p) },
  });
  const codesOf = (parameters: Record<string, string | number>, segments: number): readonly number[] => {
    const { index } = evolved(question(segments), { ...QUICK, ...parameters });
    return index.rule === "breakpoints" ? index.codes : [];
  };

  test("exact ones are never below the nearest, and at most one code above", () => {
    const nearest = codesOf({ breakpointRounding: "nearest" }, 6);
    const exact = codesOf({ breakpointRounding: "exact" }, 6);
    expect(exact).toHaveLength(nearest.length);
    for (const [i, code] of exact.entries()) expect([0, 1]).toContain(code - (nearest[i] as number));
    expect(exact).not.toEqual(nearest);
  });

  test("S q >= p exactly when q >= ceil(p / S), in exact arithmetic; rounding to nearest breaks it", () => {
    const p = 3.6961570504070393;
    expect(roundHalfEven(p / scale)).toBe(44);
    expect(Math.ceil(p / scale)).toBe(44);
    expect(ceilQuotient(p, scale)).toBe(45n);
  });

  test("another word for the rounding is refused", () => {
    expect(() => evolved(onGrid("gelu", -4, 4), { breakpointRounding: "up" })).toThrow(/nearest, exact, got up/);
    expect(() => evolved(onGrid("gelu", -4, 4), { generation: 3 })).toThrow(/no parameter "generation"/);
  });
});

describe("one table for several scales", () => {
  test("each scale's answers are those of the real lines, for every code, with exact breakpoints", () => {
    const bits = [0, 2, 4, 6];
    const question = atScales("gelu", -4, 4, bits);
    const shared = evolved(question, { ...QUICK, breakpointRounding: "exact" });
    const finest = atScale(shared, 3);
    for (let k = 0; k < 3; k++) {
      const table = atScale(shared, k);
      const ratio = 2 ** ((bits[3] as number) - (bits[k] as number));
      for (let q = -128 / ratio; q < 128 / ratio; q++) {
        if (Number.isInteger(q)) expect(evaluate(table, q)).toBe(evaluate(finest, q * ratio));
      }
    }
  });

  test("rounded to nearest, an input near a breakpoint meets its neighbour's line at a coarse scale", () => {
    const question = atScales("gelu", -4, 4, [0, 1, 2, 3, 4, 5, 6]);
    const error = (breakpointRounding: string): number =>
      finish(solve(question, "genetic", { seed: 1, parameters: { breakpointRounding } })).objective;
    expect(error("nearest")).toBeGreaterThan(2 * error("exact"));
  });

  test("a largest error, a grid, a scale between powers of two and real coefficients are refused", () => {
    const question = atScales("gelu", -4, 4, [0, 1]);
    const refused =
      (change: Partial<Problem>): (() => Table) =>
      () =>
        evolved({ ...question, ...change });
    expect(refused({ size: { maxError: 0.1 } })).toThrow(/by its number of segments/);
    expect(refused({ grid: { lo: -4, hi: 4, step: 0.01 } })).toThrow(/no common grid/);
    expect(refused({ scales: [integerFormat(true, 8, 1), integerFormat(true, 8, 0.3)] })).toThrow(/powers of two/);
    expect(refused({ scales: [integerFormat(true, 8, 0.5)] })).toThrow(/the input must be the first of the scales/);
    expect(refused({ scales: [] })).toThrow(/1 to 32 scales, got 0/);
    const { coefficients: _, ...real } = question;
    expect(() => evolved(real)).toThrow(/fixed-point coefficient formats/);
    expect(() => solved(question, "uniform")).toThrow(/one input scale/);
  });
});

test("reductions extend the range: 1/x in every octave as good as in one", () => {
  const question = problem("reciprocal", [2 ** -10, 2 ** 10], {
    norm: "mse",
    grid: { lo: 1, hi: 2, step: 0.001 },
    reductions: [{ by: "octave", step: 1, power: -1 }],
  });
  const table = evolved(question);
  for (const x of [2 ** -9, 0.3, 5, 700]) expect(Math.abs(evaluate(table, x) * x - 1)).toBeLessThan(0.02);
});

test("any number of segments from 1, any tails: the objective is what the delivered table has", () => {
  const line = { slope: 1, intercept: 0 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.constantFrom<Tail>("extend", "clamp", line), (segments, tail) => {
      const question: Problem = { ...onGrid("gelu", -4, 4, segments), tails: ["extend", tail] };
      const { table, objective } = finish(solve(question, "genetic", { seed: 1, parameters: QUICK }));
      const gelu = parseFn("gelu");
      let sum = 0;
      for (let i = 0; i < 800; i++) {
        const x = Math.fround(-4 + 0.01 * i);
        sum += (evaluate(table, x) - gelu.evaluate(x)) ** 2 / 800;
      }
      expect(objective).toBeCloseTo(sum, 12);
      if (typeof tail === "object") expect(evaluate(table, 100)).toBe(100);
    }),
    { seed: 11, numRuns: 20 },
  );
});

test("a function without a value where the last chord ends is refused", () => {
  expect(() => evolved(onGrid("1/(4-x)", 0, 4))).toThrow(/not finite at x = 4/);
});

test("asked for another norm, it searches by the mean square all the same, over values evenly spaced", () => {
  const tails = [{ slope: 0, intercept: 0 }, "clamp"] as const;
  const question = problem("gelu", [-Infinity, Infinity], { reductions: [{ by: "reflect" }], tails });
  const { table, objective } = finish(solve(question, "genetic", { seed: 1 }));
  expect(objective).toBeLessThan(0.05);
  expect(objective).toBeGreaterThan(solved(question).objective);
  expect([evaluate(table, -1e30), evaluate(table, 1e30)]).toEqual([0, Math.fround(1e30)]);
});
