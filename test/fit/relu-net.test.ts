// NN-LUT: a net becomes its table exactly, whatever the net; training is short here (`npm run bench -- methods` has the published length).

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { linesOf, solve } from "../../packages/lutra/src/fit/index.ts";
import { type Histogram, histogramRecorder, integerFormat, random } from "../../packages/lutra/src/num/index.ts";
import { atScale, evaluate, type Problem, type Table } from "../../packages/lutra/src/table/index.ts";
import { problem, solved } from "./problems.ts";

const SHORT = { steps: 2000, batch: 256, samples: 20_000 };

function trained(question: Problem, parameters: Record<string, string | number> = SHORT, seed = 1): Table {
  return finish(solve(question, "relu-net", { seed, parameters })).table;
}

const onGrid = (fn: string, lo: number, hi: number, segments = 8): Problem =>
  problem(fn, [lo, hi], { size: { segments }, norm: "mse", grid: { lo, hi, step: 0.01 } });

/** Any weight, 0 and duplicates often. */
const weight = fc.oneof(
  fc.double({ min: -4, max: 4, noNaN: true }),
  fc.constantFrom(0, 1, -1, 0.5, -2),
  fc.double({ min: -1e-12, max: 1e-12, noNaN: true }),
);
const unit = fc.tuple(weight, weight, weight);

describe("a net and its table", () => {
  const netAt = (units: readonly (readonly [number, number, number])[], x: number): number =>
    units.reduce((sum, [n, b, m]) => sum + m * Math.max(0, n * x + b), 0);
  const scaleAt = (units: readonly (readonly [number, number, number])[], x: number): number =>
    units.reduce((sum, [n, b, m]) => sum + Math.abs(m) * (Math.abs(n * x) + Math.abs(b)), 1e-30);

  test("agree to 1e-6 of the net's scale everywhere: both signs of n, dead units, n = 0, equal breakpoints", () => {
    fc.assert(
      fc.property(
        fc.array(unit, { maxLength: 15 }),
        fc.array(fc.double({ min: -300, max: 300, noNaN: true })),
        (units, more) => {
          const column = (k: 0 | 1 | 2): Float64Array => Float64Array.from(units, (one) => one[k]);
          const { breakpoints, pieces } = linesOf({ n: column(0), b: column(1), m: column(2) });
          const codes = Array.from(breakpoints, Math.fround);
          const table: Table = {
            spec: problem("gelu", [-1, 1]).spec,
            reductions: [],
            clamp: [-Infinity, Infinity],
            index: { rule: "breakpoints", codes },
            coefficients: [pieces.map(({ y }) => Math.fround(y)), pieces.map(({ slope }) => Math.fround(slope))],
            shift: 0,
            rounding: "half-up",
          };
          expect(pieces).toHaveLength(breakpoints.length + 1);
          for (const at of [...more, ...codes.filter((d) => Math.abs(d) < 1e6), 0, 1e4, -1e4]) {
            const x = Math.fround(at);
            const scale = Math.max(scaleAt(units, x), 2 ** -100);
            expect(Math.abs(evaluate(table, x) - netAt(units, x)) / scale).toBeLessThan(1e-6);
          }
        },
      ),
      { seed: 3, numRuns: 500 },
    );
  });

  test("a unit of negative n counts left of its breakpoint, a constant one everywhere or nowhere", () => {
    const { breakpoints, pieces } = linesOf({
      n: Float64Array.of(-2, 1, 0, 0),
      b: Float64Array.of(2, 1, 3, -3),
      m: Float64Array.of(1, 10, 100, 1000),
    });
    expect(Array.from(breakpoints)).toEqual([-1, 1]);
    expect(pieces.map(({ slope, y }) => [slope, y])).toEqual([
      [-2, 302],
      [8, 312],
      [10, 310],
    ]);
  });
});

describe("training", () => {
  test("N segments come from N - 1 units: at most N entries, and an error that falls with the steps", () => {
    const objective = (steps: number): number =>
      finish(solve(onGrid("exp", -8, 0), "relu-net", { seed: 1, parameters: { ...SHORT, steps } })).objective;
    expect(trained(onGrid("exp", -8, 0)).coefficients[0]?.length).toBeLessThanOrEqual(8);
    expect(objective(4000)).toBeLessThan(objective(1) / 20);
  });

  test("the same seed gives the same table, another seed another", () => {
    const question = onGrid("gelu", -4, 4);
    expect(trained(question)).toEqual(trained(question));
    expect(trained(question, SHORT, 2)).not.toEqual(trained(question));
  });

  test("the published length on exp: within 3 of the re-run's median of 1.04e-5, above the optimum", () => {
    const question = onGrid("exp", -8, 0);
    const { objective } = finish(solve(question, "relu-net", { seed: 1 }));
    expect(objective).toBeLessThan(3 * 1.04e-5);
    expect(objective).toBeGreaterThan(solved(question).bound);
  });

  test("with a histogram it learns from inputs as they occur: better there, worse elsewhere", () => {
    const source = random(4);
    const seen = histogramRecorder();
    seen.add(Float32Array.from({ length: 5000 }, () => -1 + 0.3 * source.normal()));
    const histogram = seen.histogram() as Histogram;
    const weighed: Problem = { ...onGrid("gelu", -4, 4), histogram };
    const near = (table: Table): number =>
      [-1.3, -1.1, -0.9, -0.7].reduce((sum, x) => {
        const code = Math.fround(x);
        return sum + Math.abs(evaluate(table, code) - evaluate(solved(onGrid("gelu", -4, 4, 64)).table, code));
      }, 0);
    expect(near(trained(weighed))).toBeLessThan(near(trained(onGrid("gelu", -4, 4))));
  });
});

describe("forms", () => {
  test("FP16: coefficients are binary16 values", () => {
    const { coefficients } = trained({
      ...onGrid("gelu", -4, 4),
      coefficients: { slope: { kind: "float", name: "binary16" }, intercept: { kind: "float", name: "binary16" } },
    });
    for (const c of coefficients.flat().filter((one) => Math.abs(one) >= 2 ** -14)) {
      const exponent = Math.floor(Math.log2(Math.abs(c)));
      expect(Number.isInteger(c * 2 ** (10 - exponent))).toBe(true);
    }
  });

  test("INT32: an integer table, whose answers differ from the net's by rounding alone", () => {
    const grid = { lo: -4, hi: 4, step: 1 / 64 };
    const real = trained(problem("gelu", [-4, 4], { norm: "mse", grid }));
    const parameters = { ...SHORT, breakpointRounding: "exact" };
    const table = trained(
      problem("gelu", [-4, 4], { norm: "mse", grid, input: "s16.12", output: "s32.16" }),
      parameters,
    );
    for (let q = -4 * 4096; q <= 4 * 4096; q++) {
      expect(Math.abs(evaluate(table, q) / 65536 - evaluate(real, q / 4096))).toBeLessThan(2 ** -12);
    }
  });

  test("octaves scale the input by powers of two: 1/sqrt far outside what the net has seen", () => {
    const question = problem("rsqrt", [2 ** -20, 2 ** 20], {
      norm: "mse",
      grid: { lo: 1, hi: 4, step: 0.01 },
      reductions: [{ by: "octave", step: 2, power: -1 }],
      size: { segments: 16 },
    });
    const table = trained(question, { ...SHORT, steps: 8000 });
    for (const x of [2 ** -19, 0.001, 3, 777, 2 ** 19]) {
      expect(Math.abs(evaluate(table, x) * Math.sqrt(x) - 1)).toBeLessThan(0.1);
    }
  });

  test("tails that are lines count and hold beyond the domain", () => {
    const tails = [
      { slope: 0, intercept: 0 },
      { slope: 1, intercept: 0 },
    ] as const;
    const table = trained({ ...onGrid("gelu", -4, 4), tails });
    expect(table.coefficients[0]?.length).toBeLessThanOrEqual(8);
    expect([evaluate(table, -50), evaluate(table, 50)]).toEqual([0, 50]);
    expect(() => trained({ ...onGrid("gelu", -4, 4, 2), tails })).toThrow(/a segment besides its tails, got 2 with 2/);
  });

  test("several scales: coefficients stored once, breakpoints for each", () => {
    const scales = [0, 3, 6].map((k) => integerFormat(true, 8, 2 ** -k));
    const question = problem("exp", [-8, 0], { norm: "mse", input: "int8", output: "s24.12", stored: "s16.6" });
    const table = trained({ ...question, scales });
    expect(table.scales).toHaveLength(3);
    expect(evaluate(atScale(table, 2), -64) / 4096).toBeCloseTo(0.3679, 1);
  });
});
