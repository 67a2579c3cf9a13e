// Interval proofs against brute force: what is proven must hold for every input tried, and must not be much more than the truth.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import { locate } from "../../packages/lutra/src/certify/locate.ts";
import { piecesOf } from "../../packages/lutra/src/certify/pieces.ts";
import { functionNames, parseFn } from "../../packages/lutra/src/fn/index.ts";
import {
  allCodes,
  BFLOAT16,
  BINARY16,
  ceil32,
  floor32,
  fromOrdered32,
  MAX_BINARY32,
  toOrdered32,
  ulp32,
} from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Table } from "../../packages/lutra/src/table/index.ts";
import { certificateOf, chords, errorOf, TABLES } from "./tables.ts";

const NAMES = Object.keys(TABLES) as (keyof typeof TABLES)[];

interface Worst {
  absolute: number;
  relative: number;
  ulp: number;
}

function worstOver(table: Table, inputs: Iterable<number>): Worst {
  const { evaluate: f } = parseFn(table.spec.fn);
  const worst: Worst = { absolute: 0, relative: 0, ulp: 0 };
  for (const x of inputs) {
    const error = Math.abs(evaluate(table, x) - f(x));
    const size = Math.abs(f(x));
    worst.absolute = Math.max(worst.absolute, error);
    worst.relative = Math.max(worst.relative, error / Math.max(size, 2 ** -14));
    worst.ulp = Math.max(worst.ulp, error / ulp32(size));
  }
  return worst;
}

function* everyInput(lo: number, hi: number): Iterable<number> {
  for (let key = toOrdered32(lo); key <= toOrdered32(hi); key++) yield fromOrdered32(key);
}

describe("an interval proof", () => {
  it.each(NAMES)("of %s is never below the error of any bfloat16 input", (name) => {
    const table: Table = TABLES[name];
    const { lo, hi } = table.spec.domain;
    const truth = worstOver(
      table,
      allCodes(BFLOAT16).filter((x) => x >= lo && x <= hi),
    );
    const { absolute, relative, ulp } = certificateOf(table);
    expect(absolute.upper).toBeGreaterThanOrEqual(truth.absolute);
    expect(relative.upper).toBeGreaterThanOrEqual(truth.relative);
    expect(ulp.upper).toBeGreaterThanOrEqual(truth.ulp);
  });

  it.each(NAMES)("of %s is within 3 % of an error attained on the delivered output", (name) => {
    const table: Table = TABLES[name];
    const { absolute, relative } = certificateOf(table);
    for (const { upper, lower } of [absolute, relative]) {
      expect(lower).toBeGreaterThan(0);
      expect(upper).toBeLessThanOrEqual(1.03 * lower);
    }
    const attained = Math.abs(errorOf(table, evaluate(table, absolute.at as number), absolute.at as number));
    expect(attained / absolute.lower).toBeCloseTo(1, 9);
  });

  it.each([
    ["gelu", 1, 1.001],
    ["gelu", -0.501, -0.5],
    ["tanh", -1.001, -1],
    ["sigmoid", 2, 2.001],
    ["exp", -1.3867, -1.386],
    ["exp", -87.4, -87.3],
    ["rsqrt", 3.9995, 4.0005],
    ["log", 1.2, 1.201],
  ] as const)("of %s between %d and %d agrees with every binary32 there", (name, lo, hi) => {
    const table: Table = { ...TABLES[name], spec: { ...TABLES[name].spec, domain: { lo, hi } } };
    const truth = worstOver(table, everyInput(ceil32(lo), floor32(hi)));
    const certificate = certificateOf(table);
    for (const measure of ["absolute", "relative", "ulp"] as const) {
      expect(certificate[measure].upper).toBeGreaterThanOrEqual(truth[measure]);
      expect(certificate[measure].upper).toBeLessThanOrEqual(1.03 * truth[measure]);
      expect(certificate[measure].lower).toBeLessThanOrEqual(truth[measure] * (1 + 1e-9));
    }
  });

  it("of 4,096 segments is mostly rounding, and still bounds every input of a stretch", () => {
    const fine = chords({ fn: "gelu", range: { lo: -8, hi: 8 }, segments: 4096 });
    const { absolute } = certificateOf(fine);
    const near = absolute.at as number;
    const truth = worstOver(fine, everyInput(near - 1e-3, near + 1e-3));
    expect(absolute.upper).toBeGreaterThanOrEqual(truth.absolute);
    expect(absolute.upper).toBeLessThanOrEqual(1.1 * truth.absolute);
  });

  it("covers the tails: masks of -10000 and the largest finite numbers", () => {
    for (const name of ["gelu", "geluReflected", "tanh", "sigmoid", "exp"] as const) {
      const table: Table = TABLES[name];
      const { absolute } = certificateOf(table);
      for (const x of [-MAX_BINARY32, -10000, 10000, MAX_BINARY32]) {
        if (x > table.spec.domain.hi) continue;
        expect(Math.abs(errorOf(table, evaluate(table, x), x))).toBeLessThanOrEqual(absolute.upper);
      }
      expect(absolute.upper).toBeLessThan(0.3);
    }
  });

  it("sees what a table gets wrong beyond its range", () => {
    const extended = chords({
      fn: "gelu",
      range: { lo: -4, hi: 4 },
      segments: 16,
      domain: { lo: -1e38, hi: 1e38 },
    });
    expect(certificateOf(extended).absolute.upper).toBeGreaterThan(1e30);
  });

  it("does not take a jump for a monotone stretch", () => {
    const step = chords({ fn: "tanh(1/x)", range: { lo: -1, hi: 2 }, segments: 1, inner: () => 0 });
    expect(certificateOf(step).absolute.upper).toBeGreaterThanOrEqual(1);
    const where = chords({ fn: "where(x - 0.4, 1, 0)", range: { lo: 0, hi: 1 }, segments: 1, inner: () => 0 });
    expect(certificateOf(where).absolute.upper).toBeGreaterThanOrEqual(1);
  });

  it("adds the rounding of a narrower output format", () => {
    const narrow: Table = {
      ...TABLES.gelu,
      spec: { ...TABLES.gelu.spec, output: BINARY16, domain: { lo: -6, hi: 6 } },
    };
    const wide: Table = { ...narrow, spec: { ...narrow.spec, output: TABLES.gelu.spec.output } };
    const truth = worstOver(
      narrow,
      allCodes(BFLOAT16).filter((x) => Math.abs(x) <= 6),
    );
    const { absolute } = certificateOf(narrow);
    expect(absolute.upper).toBeGreaterThanOrEqual(truth.absolute);
    expect(absolute.upper).toBeGreaterThanOrEqual(certificateOf(wide).absolute.upper);
  });

  it.each([
    ["rsqrt at 0", { ...TABLES.rsqrt, spec: { ...TABLES.rsqrt.spec, domain: { lo: 0, hi: 1 } } }],
    ["log of negative numbers", { ...TABLES.log, spec: { ...TABLES.log.spec, domain: { lo: -1, hi: 1 } } }],
    ["exp that overflows", { ...TABLES.exp, spec: { ...TABLES.exp.spec, domain: { lo: 0, hi: 100 } } }],
    ["a pole inside", chords({ fn: "1/x", range: { lo: -1, hi: 2 }, segments: 7, inner: (t) => t })],
    ["a pole that no input meets", chords({ fn: "1/(x-1/3)", range: { lo: 0, hi: 1 }, segments: 4, inner: (t) => t })],
  ] as [string, Table][])("refuses %s instead of reporting a number", (_, table) => {
    expect(() => certificateOf(table)).toThrow(LutraError);
  });

  it("refuses coefficients that are not binary32 numbers", () => {
    const table: Table = {
      ...TABLES.gelu,
      coefficients: [TABLES.gelu.coefficients[0] as number[], Array(16).fill(0.1)],
    };
    expect(() => certificateOf(table)).toThrow(/not a finite binary32/);
  });
});

describe("the pieces of a table", () => {
  it("cover the domain without gaps and contain what the definition delivers (sampled)", () => {
    for (const name of NAMES) {
      const table: Table = TABLES[name];
      const pieces = piecesOf(table, table.spec.domain);
      pieces.slice(1).forEach((piece, i) => {
        expect(toOrdered32(piece.first)).toBe(toOrdered32(pieces[i]?.last as number) + 1);
      });
      const property = fc.property(
        fc.nat(pieces.length - 1),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (i, share) => {
          const piece = pieces[i] as (typeof pieces)[number];
          const first = toOrdered32(piece.first);
          const x = fromOrdered32(first + Math.floor(share * (toOrdered32(piece.last) - first)));
          expect(locate(table, x).segment).toBe(piece.segment);
          const line = piece.slope * x + piece.intercept;
          const doubt = (Math.abs(piece.slope * x) + Math.abs(piece.intercept)) * 2 ** -51;
          expect(Math.abs(evaluate(table, x) - line)).toBeLessThanOrEqual(piece.rounding + doubt);
        },
      );
      fc.assert(property, { seed: 7, numRuns: 2000 });
    }
  });
});

describe("answers at the end of binary32", () => {
  const lines = (above: readonly [number, number]): Table =>
    chords({
      fn: "abs",
      range: { lo: -8, hi: 8 },
      segments: 4,
      tails: [[-1, 0], above],
      domain: { lo: -Infinity, hi: Infinity },
    });

  it("are bounded where they round to the largest number, and refused where one overflows", () => {
    expect(certificateOf(lines([1, 0])).absolute.upper).toBeLessThan(3);
    expect(certificateOf(lines([1, 1])).absolute.upper).toBeLessThan(2.001);
    // The last but one times 1 + 2^-23 is 2^128 - 2^82, which rounds to 2^128.
    expect(evaluate(lines([1 + 2 ** -23, 0]), fromOrdered32(toOrdered32(MAX_BINARY32) - 1))).toBe(Infinity);
    expect(() => certificateOf(lines([1 + 2 ** -23, 0]))).toThrow(/not finite everywhere/);
  });
});

describe("the far line of a named function", () => {
  it("holds for every named function with a sloped asymptote: the deviation shrinks beyond 16 (sampled)", () => {
    for (const name of functionNames()) {
      const fn = parseFn(name);
      fn.asymptotes.forEach((line, side) => {
        if (line === null || line.slope === 0) return;
        const sign = side === 0 ? -1 : 1;
        let last = Infinity;
        for (let size = 16; size <= 2 ** 20; size *= 1.25) {
          const x = sign * size;
          const deviation = Math.abs(fn.evaluate(x) - (line.slope * x + line.intercept));
          const doubt = fn.errorAt(x) + Math.abs(x) * 2 ** -51;
          expect(Math.max(0, deviation - doubt)).toBeLessThanOrEqual(last);
          last = deviation + doubt;
        }
        expect(last).toBeLessThan(1e-8);
      });
    }
  });
});
