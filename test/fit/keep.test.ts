// What a table is asked to keep, it keeps; and what that costs is the least possible, or comes with a bound.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromJson, LutraError, toJson } from "../../packages/lutra/src/base/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { decode, encode, nextDown32, parseFormat, random } from "../../packages/lutra/src/num/index.ts";
import { type Constraint, evaluate, parseTable, type Table } from "../../packages/lutra/src/table/index.ts";
import { bestCut, leastSquares, minimax, type Points, type SegmentCost, storedPairs } from "./brute-force.ts";
import { type ProblemOptions, problem, solved } from "./problems.ts";

const SEED = { seed: 20240301 };
const sum = (a: number, b: number): number => a + b;
const squares = (errors: readonly number[]): number => errors.reduce((total, e) => total + e * e, 0);
const largest = (errors: readonly number[]): number => Math.max(...errors.map(Math.abs));

const tinyGrids = fc.record({
  fn: fc.constantFrom("gelu", "tanh", "hard-swish", "sin"),
  before: fc.integer({ min: 1, max: 4 }),
  after: fc.integer({ min: 2, max: 5 }),
  segments: fc.integer({ min: 1, max: 4 }),
});

/** A grid of quarters with 0 on it, and its points. */
function gridOf(
  fn: string,
  before: number,
  after: number,
): { readonly points: Points; readonly options: ProblemOptions } {
  const f = parseFn(fn);
  const x = Array.from({ length: before + after }, (_, i) => (i - before) / 4);
  const grid = { lo: -before / 4, hi: after / 4, step: 1 / 4 };
  return { points: { x, y: x.map((value) => f.evaluate(value)) }, options: { grid } };
}

/** The cost of a segment whose line must pass (0, 0) where the segment has that point: slopes are tried finely. */
function throughOrigin(free: SegmentCost, measure: (errors: readonly number[]) => number): SegmentCost {
  return (points, from, to) => {
    const zero = points.x.indexOf(0);
    if (zero < from || zero >= to) return free(points, from, to);
    const cost = (slope: number): number =>
      measure(points.x.slice(from, to).map((x, i) => slope * x - (points.y[from + i] as number)));
    let [low, high] = [-4, 4];
    for (let k = 0; k < 100; k++) {
      const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
      if (cost(a) < cost(b)) high = b;
      else low = a;
    }
    return cost((low + high) / 2);
  };
}

/** Only runs that begin at allowed places. */
function beginningAt(allowed: (x: number) => boolean, cost: SegmentCost): SegmentCost {
  return (points, from, to) => (from === 0 || allowed(points.x[from] as number) ? cost(points, from, to) : Infinity);
}

/** The best cut into at most so many segments. */
function atMost(
  points: Points,
  segments: number,
  cost: SegmentCost,
  combine: (a: number, b: number) => number,
): number {
  const counts = Array.from({ length: Math.min(segments, points.x.length) }, (_, i) => i + 1);
  return Math.min(...counts.map((count) => bestCut(points, count, cost, combine)));
}

const isPower = (x: number): boolean => x === 0 || Number.isInteger(Math.log2(Math.abs(x)));

describe("on tiny grids the optimum with constraints equals brute force", () => {
  test.each([
    ["max", "zero", throughOrigin(minimax, largest), Math.max],
    ["mse", "zero", throughOrigin(leastSquares, squares), sum],
    ["max", "power-of-two-breakpoints", beginningAt(isPower, minimax), Math.max],
    ["mse", "power-of-two-breakpoints", beginningAt(isPower, leastSquares), sum],
  ] as const)("%s, real lines, %s", (norm, kept, cost, combine) => {
    fc.assert(
      fc.property(tinyGrids, ({ fn, before, after, segments }) => {
        const { points, options } = gridOf(fn, before, after);
        const whole = atMost(points, segments, cost, combine);
        const expected = norm === "mse" ? Math.sqrt(whole / points.x.length) : whole;
        const result = solved(problem(fn, [-10, 10], { ...options, norm, size: { segments }, keep: [kept] }));
        const [objective, bound] = [result.objective, result.bound].map(norm === "mse" ? Math.sqrt : (e) => e);
        expect(objective).toBeLessThanOrEqual(expected + 2 ** -20);
        expect(bound).toBeLessThanOrEqual(expected * (1 + 1e-6) + 1e-9);
        if (expected > 1e-4) expect(bound).toBeGreaterThan(expected * (1 - 1e-3));
      }),
      { ...SEED, numRuns: 40 },
    );
  });

  test.each([
    ["mse", 4, 2, squares, sum],
    ["max", 4, 2, largest, Math.max],
  ] as const)("%s, stored pairs of s%i.%i, zero", (norm, bits, fraction, measure, combine) => {
    const values = Array.from({ length: 2 ** bits }, (_, k) => (k - 2 ** (bits - 1)) * 2 ** -fraction);
    const free = storedPairs(bits, fraction, measure);
    const cost: SegmentCost = (points, from, to) => {
      const zero = points.x.indexOf(0);
      if (zero < from || zero >= to) return free(points, from, to);
      const costs = values.map((slope) =>
        measure(points.x.slice(from, to).map((x, i) => slope * x - (points.y[from + i] as number))),
      );
      return Math.min(...costs);
    };
    fc.assert(
      fc.property(tinyGrids, ({ fn, before, after, segments }) => {
        const { points, options } = gridOf(fn, before, after);
        const whole = atMost(points, segments, cost, combine);
        const expected = norm === "mse" ? whole / points.x.length : whole;
        const stored = `s${bits}.${fraction}`;
        const { objective, table } = solved(
          problem(fn, [-10, 10], { ...options, norm, size: { segments }, stored, keep: ["zero"] }),
        );
        expect(objective).toBeGreaterThan(expected * (1 - 1e-6));
        expect(objective).toBeLessThan(expected * (1 + 1e-6) + 1e-12);
        expect(evaluate(table, 0)).toBe(0);
      }),
      { ...SEED, numRuns: 12 },
    );
  });

  test.each([
    ["max", minimax, Math.max],
    ["mse", leastSquares, sum],
  ] as const)("%s, given breakpoints: each segment has its best line", (norm, cost, combine) => {
    fc.assert(
      fc.property(tinyGrids, fc.integer({ min: 1, max: 3 }), ({ fn, before, after }, split) => {
        const { points, options } = gridOf(fn, before, after);
        const at = Math.min(split, points.x.length - 1);
        const whole = combine(cost(points, 0, at), cost(points, at, points.x.length));
        const expected = norm === "mse" ? whole / points.x.length : whole;
        const breakpoints = [points.x[at] as number];
        const result = solved(
          problem(fn, [-10, 10], { ...options, norm, size: { segments: 2 }, keep: [{ breakpoints }] }),
        );
        expect(result.objective).toBeLessThanOrEqual(expected + 2 ** -20);
        expect(result.bound).toBeLessThanOrEqual(expected * (1 + 1e-6) + 1e-12);
        expect(result.table.index).toEqual({ rule: "breakpoints", codes: breakpoints });
      }),
      { ...SEED, numRuns: 30 },
    );
  });
});

/** Every constraint on its own and some together, over integers and floats and both kinds of norm. */
const FORMATS = [
  ["s12.8", "s12.8"],
  ["int8:0.05:3", "int8:0.04"],
  ["binary32", "binary32"],
  ["binary32", "binary16"],
] as const;
const NORMS = ["max", "mse"] as const;
const CASES = FORMATS.flatMap(([input, output]) => NORMS.map((norm) => [input, output, norm] as const));

describe.each(CASES)("%s to %s, %s", (input, output, norm) => {
  const ask = (fn: string, keep: readonly Constraint[], options: ProblemOptions = {}) =>
    solved(
      problem(fn, [-5, 5], { input, output, norm, size: { segments: 8 }, tails: ["clamp", "clamp"], keep, ...options }),
    );
  const zeroCode = encode(parseFormat(input), 0);

  test("f(0) is kept exactly, and costs little", () => {
    const { table, objective, unconstrained } = ask("gelu", ["zero"]);
    expect(decode(parseFormat(output), evaluate(table, zeroCode))).toBe(0);
    expect(objective).toBeLessThanOrEqual((unconstrained?.objective ?? 0) * 1.3);
    expect(objective).toBeGreaterThanOrEqual(unconstrained?.bound ?? Infinity);
  });

  test("breakpoints are powers of two", () => {
    const { table } = ask("gelu", ["power-of-two-breakpoints"]);
    const codes = table.index.rule === "breakpoints" ? table.index.codes : [];
    expect(codes.length).toBeGreaterThan(2);
    for (const code of codes) expect(isPower(code - (input === "binary32" ? 0 : zeroCode))).toBe(true);
  });

  test("lines meet at breakpoints, f(0) kept as well, and the bound is at most what it costs", () => {
    const { table, objective, bound, boundHolds } = ask("gelu", ["zero", "continuous"]);
    expect(widestJump(table)).toBeLessThanOrEqual(input === "binary32" ? 2 ** -21 : 0);
    expect(decode(parseFormat(output), evaluate(table, zeroCode))).toBe(0);
    expect(bound).toBeLessThanOrEqual(objective);
    expect(boundHolds).toContain("lower bound");
  });

  test("answers of a monotone table never fall", () => {
    const { table } = ask("sigmoid", ["monotone"], { output: input === "binary32" ? output : "s12.9" });
    const codes = input === "binary32" ? bordersAndNeighbours(table) : codesOf(input);
    let before = -Infinity;
    for (const code of codes) {
      const answer = evaluate(table, code);
      expect(answer).toBeGreaterThanOrEqual(before);
      before = answer;
    }
  });
});

/** Where neighbouring lines differ most at the first code of the right one, in output values before rounding. */
function widestJump({ coefficients: [intercepts = [], slopes = []], index, shift, spec }: Table): number {
  const unit = spec.output.kind === "integer" ? spec.output.scale / 2 ** shift : 1;
  const codes = index.rule === "breakpoints" ? index.codes : [];
  const jumps = codes.map((code, s) => {
    const line = (k: number): number => (slopes[k] as number) * code + (intercepts[k] as number);
    return Math.abs(line(s) - line(s + 1)) * unit;
  });
  return Math.max(0, ...jumps);
}

function bordersAndNeighbours({ index }: Table): readonly number[] {
  const borders = index.rule === "breakpoints" ? index.codes : [];
  return [-5, ...borders.flatMap((b) => [nextDown32(b), b]), 5];
}

function codesOf(format: string): readonly number[] {
  const input = parseFormat(format);
  return Array.from({ length: 4096 }, (_, i) => i - 2048).filter((code) => Math.abs(decode(input, code)) <= 5);
}

describe("how near linked lines come to their bound", () => {
  test.each([
    ["max", "s16.12", 1.05],
    ["max", "binary32", 1.01],
    ["mse", "binary32", 1.01],
  ] as const)("%s over %s: at most %f times", (norm, format, ratio) => {
    const { objective, bound } = solved(
      problem("gelu", [-8, 7], {
        input: format,
        output: format,
        norm,
        size: { segments: 16 },
        tails: ["clamp", "clamp"],
        keep: ["zero", "continuous"],
      }),
    );
    expect(objective).toBeLessThanOrEqual(bound * ratio);
  });
});

test("linked lines moved at random do not come below the bound (sampled)", () => {
  const grid = { lo: -2, hi: 2, step: 0.0625 };
  const { bound, table, objective } = solved(
    problem("gelu", [-2, 2], { grid, size: { segments: 4 }, keep: ["continuous"] }),
  );
  const f = parseFn("gelu");
  const x = Array.from({ length: 64 }, (_, i) => -2 + i / 16);
  const y = x.map((value) => f.evaluate(value));
  const inner = table.index.rule === "breakpoints" ? table.index.codes : [];
  let knots = [-2, ...inner, x[63] as number].map((at) => [at, evaluate(table, at)] as const);
  const errorOf = (form: typeof knots): number =>
    largest(
      x.map((at, i) => {
        const k = Math.max(
          1,
          form.findIndex(([knot]) => knot >= at),
        );
        const [[x0, y0], [x1, y1]] = [form[k - 1], form[k]] as [readonly [number, number], readonly [number, number]];
        return y0 + ((y1 - y0) * (at - x0)) / (x1 - x0) - (y[i] as number);
      }),
    );
  let least = objective;
  const source = random(11);
  for (let k = 0; k < 5000; k++) {
    const step = 0.05 * 0.5 ** (k % 8);
    const moved = knots.map(([at, value], i): readonly [number, number] => {
      const isEnd = i === 0 || i === knots.length - 1;
      return [isEnd ? at : at + step * source.normal(), value + 0.1 * step * source.normal()];
    });
    if (moved.some(([at], i) => i > 0 && at <= (moved[i - 1] as readonly [number, number])[0])) continue;
    const error = errorOf(moved);
    if (error < least) [least, knots] = [error, moved];
  }
  expect(least).toBeGreaterThanOrEqual(bound);
  expect(least).toBeLessThan(bound * 1.2);
});

describe("symmetric tables", () => {
  test.each(["tanh", "gelu", "sigmoid"])("%s takes its own symmetry as a reduction", (fn) => {
    const { table } = solved(problem(fn, [-8, 8], { keep: ["symmetric"], tails: ["clamp", "clamp"] }));
    const { identities } = parseFn(fn);
    expect(identities.map(({ by }) => by)).toContain(table.reductions[0]?.by);
  });

  test("with integers odd and even functions only", () => {
    const tanh = solved(problem("tanh", [-4, 4], { input: "s8.5", output: "s8.6", keep: ["symmetric", "monotone"] }));
    for (let code = 1; code < 128; code++) expect(evaluate(tanh.table, -code)).toBe(-evaluate(tanh.table, code) + 0);
    expect(refusal("gelu", [-4, 4], { input: "s8.5", output: "s8.5", keep: ["symmetric"] }).code).toBe("unsupported");
  });
});

function refusal(fn: string, domain: readonly [number, number], options: ProblemOptions): LutraError {
  try {
    solved(problem(fn, domain, options));
  } catch (error) {
    if (error instanceof LutraError) return error;
    throw error;
  }
  throw new Error("not refused");
}

describe("what cannot be kept is refused", () => {
  test.each<[string, string, readonly [number, number], ProblemOptions, string, RegExp]>([
    ["f(0) outside the domain", "gelu", [1, 4], { keep: ["zero"] }, "infeasible", /0 is not in the domain \[1, 4\]/],
    ["f(0) that the output lacks", "softplus", [-4, 4], { keep: ["zero"] }, "infeasible", /0\.693/],
    [
      "f(0) off the grid",
      "gelu",
      [-4, 4],
      { grid: { lo: -1.1, hi: 1, step: 0.5 }, keep: ["zero"] },
      "bad-argument",
      /grid/,
    ],
    ["a symmetry it lacks", "exp", [-1, 1], { keep: ["symmetric"] }, "infeasible", /not symmetric/],
    ["a function that turns", "gelu", [-4, 4], { keep: ["monotone"] }, "infeasible", /gelu is not monotone: it turns/],
    ["breakpoints that fall", "gelu", [-4, 4], { keep: [{ breakpoints: [1, 0] }] }, "bad-argument", /must increase/],
    [
      "breakpoints for other segments",
      "gelu",
      [-4, 4],
      { keep: [{ breakpoints: [0] }] },
      "bad-argument",
      /2 segments, got 8/,
    ],
    [
      "breakpoints outside the domain",
      "gelu",
      [-4, 4],
      { size: { segments: 2 }, keep: [{ breakpoints: [9] }] },
      "infeasible",
      /no input that counts/,
    ],
    [
      "given breakpoints that are no powers of two",
      "gelu",
      [-4, 4],
      { size: { segments: 2 }, keep: ["power-of-two-breakpoints", { breakpoints: [3] }] },
      "infeasible",
      /3 is not 0 or plus or minus a power of two/,
    ],
    [
      "linked lines across octaves",
      "rsqrt",
      [1, 100],
      { reductions: [{ by: "octave", step: 2, power: -1 }], tails: ["clamp", "clamp"], keep: ["continuous"] },
      "unsupported",
      /continuous table behind the reductions octave/,
    ],
    [
      "a symmetry about a zero point",
      "tanh",
      [-4, 4],
      { input: "int8:0.05:3", output: "int8:0.01", keep: ["symmetric"] },
      "unsupported",
      /"odd" needs zero points of 0/,
    ],
    ["linked stored pairs", "gelu", [-4, 4], { stored: "s16.6", keep: ["continuous"] }, "unsupported", /fixed-point/],
    [
      "an error out of reach of given breakpoints",
      "gelu",
      [-4, 4],
      { size: { maxError: 0.01 }, keep: [{ breakpoints: [0] }] },
      "infeasible",
      /2 segments leave/,
    ],
  ])("%s", (_what, fn, domain, options, code, message) => {
    const error = refusal(fn, domain, options);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  test("by a method that keeps nothing", () => {
    const question = problem("gelu", [-4, 4], { keep: ["zero"] });
    expect(() => solved(question, "uniform")).toThrow(/"uniform" keeps no constraints/);
  });
});

test("behind an odd reduction the halves of a continuous table meet at 0", () => {
  const { table } = solved(problem("tanh", [-8, 8], { keep: ["symmetric", "continuous"], tails: ["clamp", "clamp"] }));
  expect(evaluate(table, 0)).toBe(0);
});

test("an error near the rounding of binary32 is refused with that reason", () => {
  // Answers above 1024 have an ulp of 1.2e-4: the product and the sum of a line cost up to half of it each.
  const error = refusal("0.7*x + sigmoid(x)", [-8, 2000], { size: { maxError: 8e-5 } });
  expect(error.message).toMatch(/rounding makes it/);
});

test("tables with every rule of storage come back from JSON as they were", () => {
  const lines = [
    { slope: 0, intercept: 0 },
    { slope: 1, intercept: 0 },
  ] as const;
  const tables = [
    solved(problem("gelu", [-Infinity, Infinity], { tails: lines })),
    solved(problem("tanh", [-4, 4], { input: "s8.5", output: "s8.6", keep: ["symmetric", "zero", "continuous"] })),
    solved(problem("gelu", [-4, 4], { grid: { lo: -4, hi: 4, step: 0.125 }, stored: "s16.6" })),
    solved(
      problem("rsqrt", [1, 1e6], { reductions: [{ by: "octave", step: 2, power: -1 }], tails: ["clamp", "clamp"] }),
    ),
  ].map(({ table }) => table);
  for (const table of tables) expect(parseTable(fromJson(toJson(table)))).toEqual(table);
});
