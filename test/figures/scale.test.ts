// Scales and their ticks; inputs' histograms brought onto them.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binsOn } from "../../packages/figures/src/histogram-bins.ts";
import { linearScale, logScale, shortNumber } from "../../packages/figures/src/scale.ts";
import { thinned } from "../../packages/figures/src/svg.ts";

const SEED = { seed: 7 };

describe("scales", () => {
  test("from() undoes at()", () => {
    const property = fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (value) => {
      const scale = linearScale({ lo: -3, hi: 5, start: 60, end: 700, count: 8 });
      expect(scale.from(scale.at(value))).toBeCloseTo(value, 6);
    });
    fc.assert(property, SEED);
    const log = logScale({ lo: 1e-5, hi: 100, start: 60, end: 700, count: 8 });
    for (const value of [1e-5, 0.02, 1, 99]) expect(log.from(log.at(value)) / value).toBeCloseTo(1, 9);
  });

  test("a linear scale has between 3 and 25 ticks inside its range, ascending", () => {
    const ends = fc.tuple(
      fc.double({ min: -1e4, max: 1e4, noNaN: true }),
      fc.double({ min: 1e-6, max: 1e4, noNaN: true }),
    );
    const property = fc.property(ends, fc.integer({ min: 3, max: 10 }), ([lo, width], count) => {
      fc.pre(width > Math.abs(lo) * 1e-9);
      const { ticks } = linearScale({ lo, hi: lo + width, start: 0, end: 100, count });
      expect(ticks.length).toBeGreaterThanOrEqual(3);
      expect(ticks.length).toBeLessThanOrEqual(25);
      for (const { value } of ticks) {
        expect(value).toBeGreaterThanOrEqual(lo - width * 1e-6);
        expect(value).toBeLessThanOrEqual(lo + width * (1 + 1e-6));
      }
    });
    fc.assert(property, SEED);
  });

  test("ticks are round numbers, written with no more digits than they need", () => {
    const texts = (lo: number, hi: number, count: number): string[] =>
      linearScale({ lo, hi, start: 0, end: 1, count }).ticks.map(({ text }) => text);
    expect(texts(-4, 4, 8)).toEqual(["\u22124", "\u22123", "\u22122", "\u22121", "0", "1", "2", "3", "4"]);
    expect(texts(-0.006, 0.006, 3)).toEqual(["\u22120.005", "0.000", "0.005"]);
    expect(texts(0, 4e-6, 4)).toEqual(["0", "1e\u22126", "2e\u22126", "3e\u22126", "4e\u22126"]);
    const log = logScale({ lo: 0.01, hi: 1000, start: 0, end: 1, count: 9 });
    expect(log.ticks.map(({ text }) => text)).toEqual(["0.01", "0.1", "1", "10", "100", "1000"]);
  });

  test("numbers keep three digits and a true minus sign", () => {
    expect([0.00521, 12.345, -1234.5, 5e-6, 0, 1 / 0, 0.5].map((x) => shortNumber(x))).toEqual([
      "0.00521",
      "12.3",
      "\u22121235",
      "5e\u22126",
      "0",
      "\u221e",
      "0.5",
    ]);
  });
});

describe("a thinned curve", () => {
  test("keeps the extremes of every bucket, so that fast oscillation shows as a band", () => {
    const wave = Array.from({ length: 4000 }, (_, i) => [i / 40, i % 2 === 0 ? 0 : 10] as const);
    const kept = thinned(wave, 2);
    expect(kept).toHaveLength(100);
    for (const level of [0, 10]) expect(kept.filter(([, y]) => y === level)).toHaveLength(50);
  });

  test("leaves a curve of few points, and its gaps, as they are", () => {
    const points = [
      [0, 1],
      [4, Number.NaN],
      [4.1, Number.NaN],
      [9, 2],
    ] as const;
    expect(thinned(points, 2)).toEqual(points);
  });
});

describe("a histogram on an axis", () => {
  const scale = linearScale({ lo: 0, hi: 10, start: 0, end: 100, count: 5 });

  test("keeps the mass: bars and what lies beyond sum to 1", () => {
    const { bars, outside } = binsOn(scale, { edges: [-10, 0, 10, 30], counts: [1, 2, 1] }, 20);
    expect(bars).toHaveLength(20);
    expect(bars.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(0.5, 5);
    expect(outside).toBeCloseTo(0.5, 5);
  });

  test("counts inputs on the axis's very end as seen", () => {
    const { outside, bars } = binsOn(scale, { edges: [10, 10 + 1e-40 + 2e-15], counts: [5] }, 10);
    expect(outside).toBe(0);
    expect(bars.at(-1)?.share).toBe(1);
  });
});
