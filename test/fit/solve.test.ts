// What solve refuses, and how it says so; reductions around a method; exact breakpoints.

import { describe, expect, test } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import { toBreakpoint } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { integerFormat } from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Problem } from "../../packages/lutra/src/table/index.ts";
import { problem, solved } from "./problems.ts";

function refusal(question: Problem, method = "optimal"): LutraError {
  try {
    solved(question, method);
  } catch (error) {
    if (error instanceof LutraError) return error;
    throw error;
  }
  throw new Error("not refused");
}

describe("bad problems are refused with the value", () => {
  test.each([0, -3, 2.5, Number.NaN])("%d segments", (segments) => {
    expect(refusal(problem("gelu", [-4, 4], { size: { segments } })).message).toBe(
      `segments must be a positive integer, got ${segments}`,
    );
  });

  test("10^9 segments", () => {
    expect(refusal(problem("gelu", [-4, 4], { size: { segments: 1e9 } })).message).toBe(
      "segments must be at most 65536, got 1000000000",
    );
  });

  test.each(["foo", "toString"])("the unknown method %s names the known ones", (method) => {
    expect(refusal(problem("gelu", [-4, 4]), method).note).toMatch(/known methods: uniform, optimal, .*nested/);
  });

  test.each<[string, Problem, string]>([
    ["an empty domain", problem("gelu", [4, -4]), "the domain is empty: [4, -4]"],
    ["a domain of NaN", problem("gelu", [Number.NaN, 4]), "the domain is empty: [NaN, 4]"],
    ["a domain outside the function's", problem("log", [-4, -1]), "no input of log lies in the domain [-4, -1]"],
    [
      "a grid step of 0",
      problem("gelu", [-4, 4], { grid: { lo: -4, hi: 4, step: 0 } }),
      "a grid step must be positive, got 0",
    ],
    [
      "a grid without points",
      problem("gelu", [-4, 4], { grid: { lo: 4, hi: 4, step: 1 } }),
      "the grid 4:4:1 has no points",
    ],
    [
      "a grid beyond limits",
      problem("gelu", [-4, 4], { grid: { lo: -4, hi: 4, step: 1e-9 } }),
      "a grid has at most 1048576 points, got 8000000000",
    ],
    [
      "weights that are NaN",
      problem("gelu", [-4, 4], { norm: "mse", histogram: { edges: [0, 1, 2], counts: [1, Number.NaN] } }),
      "counts must be finite and not negative, got NaN",
    ],
    [
      "weights that are all 0",
      problem("gelu", [-4, 4], { norm: "mse", histogram: { edges: [0, 1], counts: [0] } }),
      "the histogram is empty: its counts sum to 0",
    ],
    ["an error of 0", problem("gelu", [-4, 4], { size: { maxError: 0 } }), "the largest error must be positive, got 0"],
    ["a pole", problem("reciprocal", [-1, 1], { input: "s8.6", output: "s8.6" }), "reciprocal is not finite at x = 0"],
    ["integers to floats", problem("gelu", [-1, 1], { input: "s8.6" }), "an integer input needs an integer output"],
    [
      "floats to integers",
      problem("gelu", [-1, 1], { output: "s8.6" }),
      "a floating-point input needs a floating-point output",
    ],
    [
      "a floor of 0",
      problem("gelu", [-1, 1], { norm: "relative", floor: 0 }),
      "the floor of the relative norm must be positive, got 0",
    ],
    [
      "tails alone too many",
      problem("gelu", [-1, 1], {
        size: { segments: 1 },
        tails: [
          { slope: 0, intercept: 0 },
          { slope: 1, intercept: 0 },
        ],
      }),
      "the 2 tails alone take more than 1 segments",
    ],
    [
      "an identity it lacks",
      problem("gelu", [-4, 4], { reductions: [{ by: "odd" }] }),
      'gelu has no identity "odd" to reduce its range by',
    ],
    [
      "a tail against a reduction",
      problem("gelu", [-4, 4], {
        reductions: [{ by: "reflect" }],
        tails: [
          { slope: 0, intercept: 0 },
          { slope: 2, intercept: 0 },
        ],
      }),
      'the two tails contradict the reduction "reflect"',
    ],
    [
      "a tail that storage lacks",
      problem("gelu", [-4, 4], { stored: "s8.6", tails: [{ slope: 0.3, intercept: 0 }, "clamp"] }),
      "the tail 0.3 x + 0 is not a multiple of the coefficient formats' steps",
    ],
  ])("%s", (_name, question, message) => {
    expect(refusal(question).message).toBe(message);
  });

  test("an unbounded domain without a tail to follow", () => {
    expect(refusal(problem("exp", [0, Infinity])).code).toBe("infeasible");
    expect(refusal(problem("sin", [-Infinity, Infinity], { tails: ["clamp", "clamp"] })).code).toBe("infeasible");
  });

  test("an error that rounding alone exceeds", () => {
    const error = refusal(problem("gelu", [-4, 4], { size: { maxError: 1e-12 } }));
    expect(error.code).toBe("infeasible");
    expect(error.message).toContain("1e-12");
  });
});

describe("reductions", () => {
  const exponential = { by: "exponential", factor: Math.fround(Math.LOG2E) } as const;
  const clamp = ["clamp", "clamp"] as const;
  const lines = [
    { slope: 0, intercept: 0 },
    { slope: 1, intercept: 0 },
  ] as const;

  test.each<[string, Problem, number, readonly number[]]>([
    [
      "gelu by reflection",
      problem("gelu", [-Infinity, Infinity], { reductions: [{ by: "reflect" }], tails: lines, size: { segments: 16 } }),
      5.1e-4,
      [-30, -1, 0, 0.3, 2, 50],
    ],
    [
      "sigmoid by complement",
      problem("sigmoid", [-Infinity, Infinity], {
        reductions: [{ by: "complement" }],
        tails: clamp,
        size: { segments: 16 },
      }),
      4e-4,
      [-60, -1, 0, 1, 60],
    ],
    [
      "tanh as an odd function",
      problem("tanh", [-Infinity, Infinity], { reductions: [{ by: "odd" }], tails: clamp, size: { segments: 16 } }),
      8e-4,
      [-9, -1, 0, 1, 9],
    ],
  ])("%s: the same error on both sides", (_name, question, limit, inputs) => {
    const { table, objective } = solved(question);
    const f = parseFn(question.spec.fn);
    expect(objective).toBeLessThan(limit);
    for (const x of inputs) expect(Math.abs(evaluate(table, x) - f.evaluate(x))).toBeLessThanOrEqual(objective * 1.001);
  });

  test.each<[string, Problem, readonly number[]]>([
    [
      "exp",
      problem("exp", [-80, 0], { reductions: [exponential], tails: clamp, norm: "relative", floor: 1e-37 }),
      [-79, -20.3, -1, -1e-9, 0],
    ],
    [
      "reciprocal",
      problem("reciprocal", [2 ** -120, 2 ** 120], {
        reductions: [{ by: "octave", step: 1, power: -1 }],
        tails: clamp,
        norm: "relative",
        floor: 1e-37,
      }),
      [1e-30, 0.7, 3, 1e30],
    ],
    [
      "rsqrt",
      problem("rsqrt", [2 ** -120, 2 ** 120], {
        reductions: [{ by: "octave", step: 2, power: -1 }],
        tails: clamp,
        norm: "relative",
      }),
      [1e-30, 0.7, 3, 1e20],
    ],
  ])("%s: the relative error of one octave holds in all", (_name, question, inputs) => {
    const { table, objective } = solved(question);
    const f = parseFn(question.spec.fn);
    expect(objective).toBeLessThan(2e-3);
    for (const input of inputs) {
      const x = Math.fround(input);
      // exp: the product factor * x rounds, which costs up to |factor x| ulps.
      expect(Math.abs(evaluate(table, x) / f.evaluate(x) - 1)).toBeLessThanOrEqual(objective * 1.001 + 1e-5);
    }
  });
});

test("a breakpoint is the exact ceiling: p = 3.6961570504070393 at S = 0.0840035693274327 is code 45, not 44", () => {
  expect(toBreakpoint(3.6961570504070393, integerFormat(true, 8, 0.0840035693274327))).toBe(45);
});

test("a breakpoint beyond the last code has no code", () => {
  expect(toBreakpoint(13, integerFormat(true, 8, 0.1))).toBeNull();
});
