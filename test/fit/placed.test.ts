// The methods whose segments are placed beforehand: linear mode, exponential mode, exponent-mantissa bits, DianNao's 16, and lines of
// other kinds over uniform segments.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { evaluate, segmentStarts } from "../../packages/lutra/src/table/index.ts";
import { expectSound, fitted } from "./methods.ts";
import { problem, solved } from "./problems.ts";

const GELU_TAILS = [
  { slope: 0, intercept: 0 },
  { slope: 1, intercept: 0 },
] as const;
const size = (segments: number) => ({ size: { segments } });
const int16 = { input: "s16.12", output: "s16.12" };
const int8 = { input: "s8.4", output: "s8.4" };

describe.each(["linear-mode", "exponential-mode", "float-bits", "uniform"])("%s", (method) => {
  const isFloat = method === "float-bits";
  test.each([
    ["binary32", problem("gelu", [-5, 3], size(24))],
    ["a range above 0", problem("reciprocal", [1, 1024], size(24))],
    ["a range below 0", problem("exp", [-256, -1], size(24))],
    ["a range that ends at 0", problem("exp", [-16, 0], size(24))],
    ["a mean square", problem("tanh", [-4, 4], { ...size(24), norm: "mse" })],
    [
      "octaves",
      problem("rsqrt", [0, Infinity], {
        ...size(8),
        norm: "relative",
        reductions: [{ by: "octave", step: 2, power: -1 }],
      }),
    ],
    ["tails", problem("gelu", [-Infinity, Infinity], { ...size(24), tails: GELU_TAILS })],
    ["a 16-bit input", problem("sigmoid", [-6, 6], { ...size(24), input: "binary16", output: "binary16" })],
    ...(isFloat
      ? []
      : ([
          ["int16", problem("gelu", [-8, 8], { ...size(24), ...int16 })],
          ["int8", problem("gelu", [-8, 8], { ...size(24), ...int8 })],
          ["int8 with tails", problem("gelu", [-4, 4], { ...size(10), ...int8, tails: GELU_TAILS })],
        ] as const)),
  ] as const)("serves %s", (_what, question) => {
    expectSound(question, method);
  });

  test("minimax lines have less largest error than chords, least squares less mean square", () => {
    const largest = problem("exp", [0.5, 4], size(16));
    const minimax = fitted(largest, method, { lines: "minimax" }).objective;
    expect(minimax).toBeLessThan(0.52 * fitted(largest, method).objective);
    const square = problem("exp", [0.5, 4], { ...size(16), norm: "mse" });
    const least = fitted(square, method, { lines: "least-squares" }).objective;
    expect(least).toBeLessThan(fitted(square, method).objective / 5.9);
    expect(least).toBeLessThan(fitted(square, method, { lines: "minimax" }).objective);
  });

  test("refuses other parameters and lines", () => {
    const question = problem("exp", [0.5, 4], size(16));
    expect(() => fitted(question, method, { line: "minimax" })).toThrow(/no parameter "line"/);
    expect(() => fitted(question, method, { lines: "taylor" })).toThrow(
      /one of chords, least-squares, minimax.*, got taylor/,
    );
  });
});

describe("chords of equal width (Huang et al. equations 1-4)", () => {
  test("are at most M2 h^2 / 8 off, whatever the function, range and count (property)", () => {
    // Least and greatest |f''| are computed on a fine grid, with 1 % of room; h is the width of a segment.
    const functions = ["gelu", "tanh", "sigmoid", "exp", "silu", "softplus", "sin"] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...functions),
        fc.integer({ min: -80, max: 40 }),
        fc.integer({ min: 4, max: 60 }),
        fc.integer({ min: 1, max: 200 }),
        (fn, lo, length, segments) => {
          const range = [lo / 10, (lo + length) / 10] as const;
          const { objective } = fitted(problem(fn, range, size(segments)), "linear-mode");
          const second = parseFn(fn).derivative().derivative();
          const at = (k: number) => range[0] + ((range[1] - range[0]) * k) / 500;
          const m2 = Math.max(...Array.from({ length: 501 }, (_, k) => Math.abs(second.evaluate(at(k)))));
          const h = (range[1] - range[0]) / segments;
          const rounding = 2 ** -21 * Math.max(1, Math.abs(range[0]), Math.abs(range[1])) * 60;
          expect(objective).toBeLessThanOrEqual((1.01 * m2 * h * h) / 8 + rounding);
        },
      ),
      { seed: 8, numRuns: 40 },
    );
  });

  test("uniform's power-of-two widths too", () => {
    for (const lines of ["chords", "least-squares", "minimax"]) {
      const { objective, segments } = fitted(problem("gelu", [-5, 3], size(32)), "uniform", { lines });
      expect(segments).toBe(32);
      // M2 of GELU is 2 phi(0) = 0.798; h = 1/4. Least-squares lines are up to 4/3 of a chord's error at the ends.
      expect(objective).toBeLessThanOrEqual(
        ((lines === "least-squares" ? 4 / 3 : 1) * 0.798 * (1 / 4) ** 2) / 8 + 1e-6,
      );
    }
  });
});

describe("linear-mode", () => {
  test("uses every segment, where uniform needs a power of two as width", () => {
    const question = problem("gelu", [-5, 3], size(48));
    const { table, segments, objective } = fitted(question, "linear-mode");
    expect(segments).toBe(48);
    expect(table.index).toMatchObject({ first: -5, scales: [6], counts: [48] });
    expect(objective).toBeLessThan(fitted(question, "uniform").objective / 2);
  });

  test("gives integer segments as evenly many codes as there are", () => {
    const { table } = fitted(problem("tanh", [-8, 8], { ...size(10), ...int8 }), "linear-mode");
    const starts = [-128, ...segmentStarts(table.index, 10, table.spec.input), 128];
    const widths = starts.slice(1).map((start, i) => start - (starts[i] as number));
    expect(new Set(widths)).toEqual(new Set([25, 26]));
  });

  test("has no more segments than codes", () => {
    const { segments, objective } = fitted(problem("tanh", [-1, 1], { ...size(100), ...int8 }), "linear-mode");
    expect(segments).toBe(33);
    expect(objective).toBeLessThanOrEqual(1 / 32);
  });
});

describe("exponential-mode", () => {
  const codesOf = (question: ReturnType<typeof problem>) => {
    const { index } = fitted(question, "exponential-mode").table;
    return index.rule === "breakpoints" ? index.codes : [];
  };

  test("is a geometric progression on a range above 0, mirrored below", () => {
    expect(codesOf(problem("reciprocal", [1, 1024], size(10)))).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512]);
    expect(codesOf(problem("exp", [-16, -1], size(4)))).toEqual([-8, -4, -2]);
  });

  test("halves towards 0 on a range that reaches it, on both sides where it lies inside", () => {
    expect(codesOf(problem("exp", [-256, 0], size(4)))).toEqual([-128, -64, -32]);
    expect(codesOf(problem("gelu", [-4, 4], size(8)))).toEqual([-2, -1, -0.5, 0, 0.5, 1, 2]);
  });

  test("is better than linear mode where the function bends near 0, and worse where it does not", () => {
    const reciprocal = problem("reciprocal", [1, 1024], size(16));
    expect(fitted(reciprocal, "exponential-mode").objective).toBeLessThan(
      fitted(reciprocal, "linear-mode").objective / 10,
    );
    const gelu = problem("gelu", [-5, 3], size(48));
    expect(fitted(gelu, "exponential-mode").objective).toBeGreaterThan(fitted(gelu, "linear-mode").objective * 5);
  });

  test("merges breakpoints that are one code of an integer input", () => {
    const { segments } = expectSound(problem("tanh", [-8, 8], { ...size(64), ...int8 }), "exponential-mode");
    expect(segments).toBeLessThan(20);
  });
});

describe("float-bits", () => {
  test("divides each octave evenly", () => {
    const { table, segments } = fitted(problem("reciprocal", [1, 8], size(13)), "float-bits");
    // 8 itself begins an octave: one segment more.
    expect(segments).toBe(13);
    const starts = segmentStarts(table.index, segments, table.spec.input);
    expect(starts).toEqual([1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8]);
  });

  test("across 0 holds every octave down to the smallest number", () => {
    const { objective } = fitted(problem("gelu", [-5, 3], size(512)), "float-bits");
    expect(objective).toBeGreaterThan(fitted(problem("gelu", [-5, 3], size(32)), "uniform").objective);
  });

  test("refuses integers", () => {
    expect(() => fitted(problem("gelu", [-4, 4], { ...size(64), ...int8 }), "float-bits")).toThrow(
      /bits of a floating-point input/,
    );
  });

  test("is one line where one segment is asked for, and finds how many an error takes", () => {
    expect(expectSound(problem("gelu", [-4, 4], size(1)), "float-bits").segments).toBe(1);
    const { segments, objective } = fitted(problem("reciprocal", [1, 2], { size: { maxError: 0.001 } }), "float-bits");
    expect(objective).toBeLessThanOrEqual(0.001);
    expect(segments).toBeLessThan(40);
  });
});

describe("threshold-16", () => {
  test.each([
    ["binary32", problem("sigmoid", [-8, 8], size(16))],
    ["int16", problem("sigmoid", [-8, 8], { ...size(16), input: "s16.12", output: "s16.15" })],
    ["tails, which count", problem("gelu", [-4, 4], { ...size(16), tails: GELU_TAILS })],
    ["more segments than it has", problem("tanh", [-4, 4], size(100))],
  ] as const)("serves %s", (_what, question) => {
    expect(expectSound(question, "threshold-16").segments).toBe(16);
  });

  test("stores 16 slopes and intercepts of 16 bits", () => {
    const { table } = fitted(problem("sigmoid", [-8, 8], size(16)), "threshold-16");
    for (const [degree, bits] of [
      [0, 14],
      [1, 14],
    ] as const) {
      for (const c of table.coefficients[degree] ?? []) {
        expect(Number.isInteger(c * 2 ** bits)).toBe(true);
        expect(Math.abs(c * 2 ** bits)).toBeLessThan(2 ** 15);
      }
    }
  });

  test("is DianNao's sigmoid: 16 segments are within 0.012, the optimum four times closer", () => {
    const question = problem("sigmoid", [-8, 8], size(16));
    const { objective } = fitted(question, "threshold-16");
    expect(objective).toBeLessThan(0.012);
    expect(solved(question).objective).toBeLessThan(objective / 4);
  });

  test("refuses fewer segments and scales that are no powers of two", () => {
    expect(() => fitted(problem("tanh", [-4, 4], size(8)), "threshold-16")).toThrow(/has 16 segments, got 8/);
    const affine = problem("tanh", [-4, 4], { ...size(16), input: "int8:0.05", output: "int8:0.01" });
    expect(() => fitted(affine, "threshold-16")).toThrow(/scales must be powers of two/);
  });
});

test("tables answer the same at both ends of every segment as their chords", () => {
  const { table } = fitted(problem("exp", [-16, 0], size(64)), "linear-mode");
  const exp = parseFn("exp");
  for (let x = -16; x < 0; x += 0.25) expect(evaluate(table, x)).toBeCloseTo(exp.evaluate(x), 5);
});
