// Piecewise polynomials: Remez against what theory says of minimax polynomials, kernels against plain Horner in binary32.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drive, finish, LutraError } from "../../packages/lutra/src/base/index.ts";
import { certify } from "../../packages/lutra/src/certify/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { cost, interpret, type Kernel, verify } from "../../packages/lutra/src/kernel/index.ts";
import { type PolynomialOptions, polynomial } from "../../packages/lutra/src/layer/index.ts";
import { BINARY16, minimaxPolynomial, parseFormat } from "../../packages/lutra/src/num/index.ts";
import { evaluate } from "../../packages/lutra/src/table/index.ts";
import { emit } from "../../packages/lutra/src/target/onnx/index.ts";
import { problem } from "../fit/problems.ts";

const gelu = parseFn("gelu");
const exp = parseFn("exp");
const derivatives = ["gelu", "gelu'", "gelu''", "gelu'''"];

function polynomialAt(
  { centre, coefficients }: { centre: number; coefficients: readonly number[] },
  x: number,
): number {
  return coefficients.reduceRight((sum, c) => sum * (x - centre) + c, 0);
}

describe("minimaxPolynomial", () => {
  test("of a line through a convex function is the chord lowered by half its largest gap", () => {
    const line = minimaxPolynomial(exp.evaluate, -1, 0, 1);
    const slope = 1 - Math.exp(-1);
    expect(line?.coefficients[1]).toBeCloseTo(slope, 10);
    // The tangent parallel to the chord touches at ln(slope); the gap there is halved.
    const touch = Math.log(slope);
    const gap = Math.exp(-1) + slope * (touch + 1) - slope;
    expect(line?.error).toBeCloseTo(gap / 2, 12);
  });

  test("of x^4 is the Chebyshev polynomial's remainder: error 2^-3 on [-1, 1], 2^-7 on a unit interval", () => {
    expect(minimaxPolynomial((x) => x ** 4, -1, 1, 3)?.error).toBeCloseTo(2 ** -3, 10);
    expect(minimaxPolynomial((x) => x ** 4, 0, 1, 3)?.error).toBeCloseTo(2 ** -7, 10);
  });

  test("is a polynomial itself where the function is one", () => {
    const cubic = (x: number): number => 2 - x + 3 * x * x - 0.5 * x ** 3;
    const found = minimaxPolynomial(cubic, -2, 5, 3);
    expect(found?.error).toBeLessThan(1e-12);
    expect(polynomialAt(found as { centre: number; coefficients: readonly number[] }, 4)).toBeCloseTo(cubic(4), 10);
  });

  test("levels its error at degree + 2 points, and no other polynomial tried is nearer", () => {
    const intervals = fc.tuple(
      fc.double({ min: -4, max: 3, noNaN: true }),
      fc.double({ min: 0.05, max: 2, noNaN: true }),
    );
    fc.assert(
      fc.property(intervals, fc.integer({ min: 0, max: 3 }), ([lo, width], degree) => {
        const found = minimaxPolynomial(gelu.evaluate, lo, lo + width, degree);
        if (found === null) throw new Error("gelu is finite");
        const points = Array.from({ length: 2001 }, (_, i) => lo + (width * i) / 2000);
        const errors = points.map((x) => gelu.evaluate(x) - polynomialAt(found, x));
        expect(Math.max(...errors.map(Math.abs))).toBeLessThanOrEqual(found.error * (1 + 1e-6) + 1e-14);
        // De la Vallee Poussin: alternating errors of at least e at degree + 2 points mean that nothing is nearer than e.
        let [signs, last] = [0, 0];
        for (const error of errors) {
          if (Math.abs(error) < found.error * 0.999 - 1e-14 || Math.sign(error) === last) continue;
          last = Math.sign(error);
          signs++;
        }
        if (found.error > 1e-12) expect(signs).toBeGreaterThanOrEqual(degree + 2);
      }),
      { seed: 51, numRuns: 100 },
    );
  });

  test("is null where the function is not finite, and refuses other degrees and empty intervals", () => {
    expect(minimaxPolynomial((x) => 1 / x, 0, 1, 2)).toBeNull();
    expect(() => minimaxPolynomial(exp.evaluate, 0, 1, 4)).toThrow(RangeError);
    expect(() => minimaxPolynomial(exp.evaluate, 1, 1, 1)).toThrow(RangeError);
  });
});

const functions = derivatives.map((_, k) => {
  let fn = gelu;
  for (let i = 0; i < k; i++) fn = fn.derivative();
  return fn.evaluate;
});

function make(options: PolynomialOptions): Kernel {
  const kernel = polynomial("gelu", { lo: -4, hi: 4 }, functions, options);
  verify(kernel);
  return kernel;
}

function largestError(kernel: Kernel): number {
  const x = Float32Array.from({ length: 20_001 }, (_, i) => -4 + i / 2500);
  const y = interpret(kernel, { x }, 1, x.length)[0] as Float64Array;
  return y.reduce((most, value, i) => Math.max(most, Math.abs(value - gelu.evaluate(x[i] as number))), 0);
}

describe("polynomial", () => {
  test("minimax of every degree beats Taylor, and a degree more is worth more than twice the segments", () => {
    const error = (degree: 1 | 2 | 3, kind: "minimax" | "taylor", segments = 16): number =>
      largestError(make({ segments, degree, kind }));
    for (const degree of [1, 2, 3] as const)
      expect(error(degree, "minimax")).toBeLessThan(error(degree, "taylor") / 1.9);
    expect(error(2, "minimax")).toBeLessThan(error(1, "minimax", 32));
    expect(error(3, "minimax")).toBeLessThan(error(2, "minimax", 32));
    expect(error(1, "minimax")).toBeCloseTo(0.0116, 4);
    expect(error(3, "minimax")).toBeLessThan(1e-4);
  });

  test("of degree 1 agrees with the minimax lines of the method uniform", () => {
    const lines = make({ segments: 16, degree: 1, kind: "minimax" });
    const grid = { lo: -4, hi: 4, step: 2 ** -12 };
    const asked = problem("gelu", [-4, 4], { size: { segments: 16 }, norm: "max", grid });
    const { table } = finish(solve(asked, "uniform", { seed: 1, parameters: { lines: "minimax" } }));
    const x = Float32Array.from({ length: 4000 }, (_, i) => -3.999 + i / 500.1);
    const answers = interpret(lines, { x }, 1, x.length)[0] as Float64Array;
    const apart = answers.map((y, i) => Math.abs(y - evaluate(table, x[i] as number)));
    expect(Math.max(...apart)).toBeLessThan(5e-5); // what the grid of 2^-12 leaves
  });

  test("is Horner's rule about the segment's centre, each operation rounded, and clamps outside the domain", () => {
    const kernel = make({ segments: 8, degree: 2, kind: "minimax" });
    const column = (hole: string): readonly number[] => {
      const lookup = kernel.values.find((value) => value.op === "lookup" && value.hole === hole);
      return lookup?.op === "lookup" ? (lookup.table?.coefficients[0] ?? []) : [];
    };
    const [centres, c0, c1, c2] = ["centre", "c0", "c1", "c2"].map(column) as [number[], number[], number[], number[]];
    expect(centres).toEqual([-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5]);
    const x = Math.fround(0.3);
    const u = Math.fround(x - 0.5);
    const product = Math.fround((c2[4] as number) * u);
    const inner = Math.fround(product + (c1[4] as number));
    const y = Math.fround(Math.fround(inner * u) + (c0[4] as number));
    const answers = interpret(kernel, { x: [x, -9, -4, 9, 4, Number.NaN] }, 1, 6)[0] as Float64Array;
    expect(answers[0]).toBe(y);
    expect(answers[1]).toBe(answers[2]);
    expect(answers[3]).toBe(answers[4]);
    expect(answers[5]).toBeNaN();
  });

  test("rounds stored coefficients to the format asked for", () => {
    const coarse = make({ segments: 8, degree: 3, kind: "minimax", coefficients: parseFormat("s16.6") });
    for (const value of coarse.values) {
      if (value.op !== "lookup" || value.hole === "centre") continue;
      expect(value.table?.coefficients[0]?.every((c) => Number.isInteger(c * 64))).toBe(true);
    }
    expect(largestError(coarse)).toBeGreaterThan(2 ** -8);
  });

  test("becomes an ONNX function, and is certified by enumeration where the input has few codes", async () => {
    const kernel = make({ segments: 16, degree: 3, kind: "minimax" });
    expect(emit(kernel, { axes: [-1], opset: 17 }).nodes.length).toBeGreaterThan(10);
    const half = { ...kernel, spec: { ...kernel.spec, input: BINARY16 } };
    const certificate = await drive(certify(half));
    expect(certificate.shown).toBe("enumerated");
    expect(certificate.absolute.upper).toBeLessThan(1e-4);
  });

  test("costs its coefficients, its breakpoints and their search once, and two operations per degree", () => {
    const { perElement, tableBits } = cost(make({ segments: 16, degree: 3, kind: "minimax" }));
    // Two comparisons keep x inside the domain, four find one of 16 segments.
    expect(perElement).toEqual({ comparisons: 2 + 4, multiplications: 3, additions: 1 + 3, shifts: 0, divisions: 0 });
    expect(tableBits).toBe(32 * (5 * 16 + 15));
  });

  test("refuses what it cannot do", () => {
    const domain = { lo: -4, hi: 4 };
    const call = (options: Partial<PolynomialOptions>, over = domain, known = functions): Kernel =>
      polynomial("gelu", over, known, { segments: 8, degree: 2, kind: "minimax", ...options });
    expect(() => call({ segments: 0 })).toThrow(/segments must be 1 to 65536, got 0/);
    expect(() => call({ degree: 4 as 3 })).toThrow(/degree must be 1, 2 or 3, got 4/);
    expect(() => call({ kind: "taylor" }, domain, functions.slice(0, 1))).toThrow(/needs 3 functions, got 1/);
    expect(() => call({}, { lo: 0, hi: Infinity })).toThrow(/finite domain/);
    expect(() => call({ segments: 100 }, { lo: 1, hi: 1 + 2 ** -20 })).toThrow(/no 100 different segments/);
    expect(() =>
      polynomial("1/x", { lo: 0, hi: 1 }, [(x) => 1 / x], { segments: 4, degree: 2, kind: "minimax" }),
    ).toThrow(LutraError);
  });
});
