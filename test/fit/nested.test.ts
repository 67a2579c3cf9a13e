// Nested segments against an exact search, the proven optimum of any lines, and the paper's own table 13.

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { evaluate, type NestedIndex, segmentOf, type Table } from "../../packages/lutra/src/table/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { expectSound, fitted, proven } from "./methods.ts";
import { problem, solved } from "./problems.ts";

const RANGE = [-5, 3] as const;
const gelu = (segments: number) => problem("gelu", RANGE, { size: { segments } });

function indexOf({ index }: Table): NestedIndex {
  if (index.rule !== "nested") throw new TypeError(`the index is ${index.rule}`);
  return index;
}

/** Borders of the exact search: every 2^-7. */
const STEP = 2 ** -7;
const CELLS = (RANGE[1] - RANGE[0]) / STEP;
const { evaluate: f } = parseFn("gelu");
const VALUES = Float64Array.from({ length: CELLS + 1 }, (_, i) => f(RANGE[0] + STEP * i));

/** Chords with a larger error are none of the best 48. */
const HOPELESS = 0.01;

function chordError(from: number, to: number): number {
  const slope = ((VALUES[to] as number) - (VALUES[from] as number)) / (to - from);
  let worst = 0;
  for (let i = from + 1; i < to; i++) {
    worst = Math.max(worst, Math.abs((VALUES[i] as number) - (VALUES[from] as number) - slope * (i - from)));
  }
  return worst;
}

/** By first and last border: errors of all chords up to the first hopeless one. */
const ERRORS: readonly (readonly number[])[] = Array.from({ length: CELLS }, (_, from) => {
  const errors = [0];
  while (from + errors.length < CELLS && (errors.at(-1) as number) < HOPELESS) {
    errors.push(chordError(from, from + errors.length + 1));
  }
  return errors;
});

/**
 * The least largest error of nested chords with borders on the grid, whatever their sub-intervals: of any chain of so many chords, by
 * dynamic programming. No restriction to sub-intervals can go below it.
 */
function bestNested(segments: number): number {
  let least = new Float64Array(CELLS + 1).fill(Infinity);
  least[0] = 0;
  for (let s = 0; s < segments; s++) {
    const next = Float64Array.from(least);
    for (let from = 0; from < CELLS; from++) {
      const before = least[from] as number;
      if (before === Infinity) continue;
      ERRORS[from]?.forEach((chord, k) => {
        const error = Math.max(before, chord);
        if (error < (next[from + k + 1] as number)) next[from + k + 1] = error;
      });
    }
    least = next;
  }
  return least[CELLS] as number;
}

describe.each([48, 96])("%i segments on GELU [-5, 3]", (segments) => {
  const { objective, table } = expectSound(gelu(segments), "nested");

  test("are within 1.3x of the best nested table, found by exact search", () => {
    expect(objective / bestNested(segments)).toBeLessThan(1.3);
  });

  test("with minimax lines are within 1.3x of the optimum, below which no lines whatever come", () => {
    const minimax = fitted(gelu(segments), "nested", { lines: "minimax" });
    expect(minimax.objective / solved(gelu(segments)).bound).toBeLessThan(1.3);
  });

  test("are equalised: half of the sub-intervals have four fifths of the largest error, none less than a third", () => {
    const { counts, first, codes } = indexOf(table);
    const starts = [first, ...codes, RANGE[1]];
    const worst = counts.map((_, p) => {
      const [from, to] = [starts[p] as number, starts[p + 1] as number];
      const at = (k: number) => Math.fround(from + ((to - from) * k) / 2000);
      return Math.max(...Array.from({ length: 2000 }, (_, k) => Math.abs(evaluate(table, at(k)) - f(at(k)))));
    });
    const shares = worst.map((error) => error / objective).sort((a, b) => a - b);
    expect(shares[0]).toBeGreaterThan(1 / 3);
    expect(shares[Math.floor(shares.length / 2)]).toBeGreaterThan(0.8);
  });
});

describeShared("table 13 of the paper", () => {
  const published = JSON.parse(readFileSync(sharedPath("published/multi-segment-2022.json"), "utf8"));
  const [first, second] = published.table13_nonuniform_gelu;

  test("has 48 segments at 0.0069, which 32 uniform ones reach", () => {
    expect(first).toMatchObject({ segments: 48, linf: 0.0069 });
    expect(fitted(gelu(32), "uniform").objective).toBeLessThan(first.linf);
    expect(fitted(gelu(48), "nested").objective).toBeLessThan(first.linf / 10);
  });

  test("is far from what 96 nested segments are proven to leave: 1.23e-4 with chords, 6.15e-5 with minimax lines", () => {
    expect(proven(fitted(gelu(96), "nested").table).absolute.upper).toBeCloseTo(1.23e-4, 6);
    expect(proven(fitted(gelu(96), "nested", { lines: "minimax" }).table).absolute.upper).toBeCloseTo(6.15e-5, 7);
  });

  test("has 96 segments at 1.9e-6, where no 96 lines come below 5.03e-5", () => {
    expect(second).toMatchObject({ segments: 96, linf: 1.9e-6 });
    expect(solved(gelu(96)).bound).toBeGreaterThan(5.03e-5);
    expect(second.linf).toBeLessThan(solved(gelu(96)).bound / 26);
  });
});

describe("parameters", () => {
  test("powers of two as widths, as published: every scale is one", () => {
    const { table, objective } = expectSound(gelu(48), "nested", { widths: "powers-of-two" });
    for (const scale of indexOf(table).scales) expect(Math.log2(scale) % 1).toBe(0);
    expect(objective).toBeLessThan(1e-3);
  });

  test("at most so many sub-intervals, and more never hurt", () => {
    const errors = [1, 2, 4, 8, 16].map((intervals) => {
      const { table, objective } = fitted(gelu(48), "nested", { intervals });
      expect(indexOf(table).counts.length).toBeLessThanOrEqual(intervals);
      return objective;
    });
    for (let i = 1; i < errors.length; i++) expect(errors[i]).toBeLessThanOrEqual((errors[i - 1] as number) * 1.01);
  });

  test("one sub-interval is linear mode", () => {
    const one = fitted(gelu(48), "nested", { intervals: 1 });
    expect(one.objective).toBeCloseTo(fitted(gelu(48), "linear-mode").objective, 6);
  });

  test("others are refused", () => {
    expect(() => fitted(gelu(8), "nested", { width: "any" })).toThrow(/no parameter "width"/);
    expect(() => fitted(gelu(8), "nested", { widths: "odd" })).toThrow(/one of any, powers-of-two, got odd/);
    expect(() => fitted(gelu(8), "nested", { intervals: 0 })).toThrow(/an integer from 1 to 64, got 0/);
  });
});

test.each([
  ["int16", problem("gelu", [-8, 8], { input: "s16.12", output: "s16.12", size: { segments: 32 } })],
  ["int8", problem("silu", [-8, 8], { input: "s8.4", output: "s8.4", size: { segments: 16 } })],
  ["a kink", problem("hard-swish", [-4, 4], { size: { segments: 12 } })],
  ["the relative norm", problem("exp", [-16, 0], { size: { segments: 24 }, norm: "relative", floor: 1e-6 })],
  ["a mean square", problem("tanh", [-4, 4], { size: { segments: 24 }, norm: "mse" })],
  ["one segment", problem("exp", [-1, 0], { size: { segments: 1 } })],
  ["a line", problem("2*x+1", [-4, 4], { size: { segments: 8 } })],
  ["one code", problem("gelu", [1, 1], { input: "s8.4", output: "s8.4", size: { segments: 8 } })],
] as const)("serves %s", (_what, question) => {
  expectSound(question, "nested");
});

test("finds where little of a long range bends: 1/sqrt on [0.1, 1024]", () => {
  const question = problem("rsqrt", [0.1, 1024], { size: { segments: 16 } });
  const [own, other] = ["nested", "exponential-mode"].map((method) => fitted(question, method).objective);
  expect(own).toBeLessThan((other as number) / 2);
});

test("given lines as tails are segments of their own", () => {
  const tails = [
    { slope: 0, intercept: 0 },
    { slope: 1, intercept: 0 },
  ] as const;
  const { table } = expectSound(problem("gelu", [-Infinity, Infinity], { size: { segments: 18 }, tails }), "nested");
  expect([evaluate(table, -1e30), evaluate(table, 1e30), evaluate(table, -Infinity)]).toEqual([
    0,
    Math.fround(1e30),
    0,
  ]);
  expect(indexOf(table).counts.at(0)).toBe(1);
  expect(() => fitted(problem("gelu", [-Infinity, Infinity], { size: { segments: 2 }, tails }), "nested")).toThrow(
    /besides its tails/,
  );
});

test("the segment never falls as the argument grows (property)", () => {
  const { table, segments } = fitted(gelu(48), "nested");
  fc.assert(
    fc.property(fc.float({ noNaN: true }), fc.float({ noNaN: true }), (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      expect(segmentOf(table.index, segments, low)).toBeLessThanOrEqual(segmentOf(table.index, segments, high));
    }),
    { seed: 3, numRuns: 2000 },
  );
});
