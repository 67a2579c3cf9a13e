// Where ranges end, by histograms whose best range is known.
import { describe, expect, it } from "vitest";
import { quantile, rangeFor, type Seen } from "../../packages/lutra/src/model/quantize/ranges.ts";
import { histogramRecorder } from "../../packages/lutra/src/num/index.ts";

function seen(...parts: readonly ArrayLike<number>[]): Seen {
  const recorder = histogramRecorder();
  for (const part of parts) recorder.add(part);
  const all = parts.flatMap((part) => Array.from(part));
  return {
    lo: all.reduce((a, b) => Math.min(a, b)),
    hi: all.reduce((a, b) => Math.max(a, b)),
    histogram: recorder.histogram(),
  };
}

const even = (count: number, lo: number, hi: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => lo + ((hi - lo) * (i + 0.5)) / count);

/** 100,000 numbers within 1, and one at 100. */
const OUTLIER = seen(even(100_000, -1, 1), [100]);

describe("rangeFor", () => {
  it("keeps everything by min-max, and in 16 bits by every method; 0 is always in it", () => {
    expect(rangeFor(OUTLIER, "byte", "min-max")).toEqual({ lo: OUTLIER.lo, hi: 100 });
    for (const method of ["percentile", "mse"] as const)
      for (const role of ["wide", "long", "twelve"] as const)
        expect(rangeFor(OUTLIER, role, method)).toEqual({ lo: OUTLIER.lo, hi: 100 });
    expect(rangeFor(seen(even(100, 2, 3)), "byte", "min-max").lo).toBe(0);
  });

  it("cuts one number in 100,000 by percentile, wherever it is", () => {
    const { lo, hi } = rangeFor(OUTLIER, "byte", "percentile");
    expect(hi).toBeCloseTo(1, 1);
    expect(lo).toBeCloseTo(-1, 1);
  });

  it("cuts by mse where the finer step gains more than the cut costs", () => {
    // Kept: 100,000 (101/255)^2 / 12 = 1307. Cut to 20: 80^2 = 6400 for the one, less than 60 for the rest: not worth it.
    expect(rangeFor(OUTLIER, "byte", "mse").hi).toBeGreaterThan(80);
    const many = seen(even(2 ** 22, -1, 1), [100]);
    // Kept: 2^22 (101/255)^2 / 12 = 54,800. Cut to 20 it is 2^22 (21/255)^2 / 12 + 6400 = 8,800, the least of all.
    expect(rangeFor(many, "byte", "mse").hi).toBeCloseTo(20, 5);
  });

  it("cuts the ends apart with a zero point, together without", () => {
    const skewed = seen(even(2 ** 20, -4, 4), [50]);
    const byte = rangeFor(skewed, "byte", "mse");
    expect(byte.lo).toBeLessThan(-3.7);
    expect(byte.hi).toBeLessThan(40);
    const symmetric = rangeFor(skewed, "even", "mse");
    expect(symmetric.lo).toBe(skewed.lo);
    expect(symmetric.hi).toBeLessThan(40);
  });

  it("cuts nothing of numbers that are evenly spread", () => {
    const flat = seen(even(10_000, -1, 1));
    for (const role of ["byte", "even", "seven"] as const) {
      const { lo, hi } = rangeFor(flat, role, "mse");
      expect(hi - lo).toBeGreaterThan(1.89);
    }
  });

  it("is that of what was seen without a histogram, and of nothing but zeros", () => {
    expect(rangeFor({ lo: -3, hi: 5, histogram: null }, "byte", "mse")).toEqual({ lo: -3, hi: 5 });
    const { lo, hi } = rangeFor(seen([0, 0, 0]), "byte", "mse");
    expect([Math.abs(lo), Math.abs(hi)]).toEqual([0, 0]);
  });
});

it("quantile finds the number below which a share lies, bins filled evenly", () => {
  const histogram = { edges: [0, 1, 2, 4], counts: [10, 0, 30] };
  expect(quantile(histogram, 0.125)).toBe(0.5);
  expect(quantile(histogram, 0.25)).toBe(1);
  expect(quantile(histogram, 0.625)).toBe(3);
  expect(quantile(histogram, 1)).toBe(4);
});
