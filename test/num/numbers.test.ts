import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ceil32,
  ceilQuotient,
  exponentOf,
  firstCodeFrom,
  floor32,
  fromOrdered32,
  type Histogram,
  histogramRecorder,
  integerFormat,
  iv,
  massBetween,
  nextDown32,
  nextUp,
  nextUp32,
  powerOfTwo,
  random,
  roundHalfEven,
  toDyadic,
  toOrdered32,
  ulp32,
} from "../../packages/lutra/src/num/index.ts";

const anyDouble = fc.double({ noNaN: true, noDefaultInfinity: true });
const anyFloat = fc.float({ noNaN: true, noDefaultInfinity: true });

describe("binary32 neighbours", () => {
  test("ordered keys are a monotone bijection", () => {
    fc.assert(
      fc.property(anyFloat, anyFloat, (x, y) => {
        expect(fromOrdered32(toOrdered32(x)) === x).toBe(true);
        expect(toOrdered32(x) < toOrdered32(y)).toBe(x < y);
      }),
      { seed: 1, numRuns: 2000 },
    );
    expect(nextUp32(0)).toBe(2 ** -149);
    expect(nextDown32(0)).toBe(-(2 ** -149));
    expect(nextUp32(1)).toBe(1 + 2 ** -23);
    expect(nextUp32(3.4028234663852886e38)).toBe(Infinity);
  });

  test("floor32 and ceil32 bracket every real", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e38, max: 1e38, noNaN: true }), (x) => {
        expect(floor32(x)).toBeLessThanOrEqual(x);
        expect(ceil32(x)).toBeGreaterThanOrEqual(x);
        expect(ceil32(x) - floor32(x)).toBeLessThanOrEqual(ulp32(x));
      }),
      { seed: 1 },
    );
  });

  test("exponentOf and powerOfTwo are exact down to the subnormals", () => {
    for (let n = -1074; n <= 1023; n++) {
      expect(exponentOf(powerOfTwo(n))).toBe(n);
      expect(powerOfTwo(n)).toBe(2 ** n);
    }
    expect(exponentOf(nextUp(1) * 2)).toBe(1);
  });

  test("roundHalfEven", () => {
    expect([0.5, 1.5, -0.5, -1.5, 2.4, -2.6].map((x) => roundHalfEven(x) + 0)).toEqual([0, 2, 0, -2, 2, -3]);
  });
});

describe("exact breakpoints", () => {
  test("p / S in doubles rounds to 44 where the true ceiling is 45", () => {
    const p = 3.6961570504070393;
    const scale = 0.0840035693274327;
    expect(Math.ceil(p / scale)).toBe(44);
    expect(ceilQuotient(p, scale)).toBe(45n);
  });

  test("ceilQuotient agrees with products of bigints", () => {
    fc.assert(
      fc.property(anyDouble, fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (p, s) => {
        const q = ceilQuotient(p, s);
        const [a, b] = [toDyadic(p), toDyadic(s)];
        const low = Math.min(a.exponent, b.exponent);
        const left = a.mantissa << BigInt(a.exponent - low);
        const right = b.mantissa << BigInt(b.exponent - low);
        expect(q * right >= left && (q - 1n) * right < left).toBe(true);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test("toDyadic is exact for subnormals", () => {
    expect(toDyadic(Number.MIN_VALUE)).toEqual({ mantissa: 1n, exponent: -1074 });
    expect(toDyadic(0.75)).toEqual({ mantissa: 3n << 51n, exponent: -53 });
  });

  test("the first code at or above a breakpoint; a breakpoint beyond the last code has none", () => {
    const format = integerFormat(true, 8, 0.5, 10);
    for (let p = -70; p < 70; p += 0.13) {
      const code = firstCodeFrom(p, format);
      const expected = Array.from({ length: 256 }, (_, i) => i - 128).find((q) => 0.5 * (q - 10) >= p) ?? null;
      expect(code).toBe(expected);
    }
    expect(firstCodeFrom(Infinity, format)).toBe(null);
    expect(firstCodeFrom(-Infinity, format)).toBe(-128);
  });
});

describe("interval arithmetic contains every exact result", () => {
  const pair = fc.tuple(
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  );
  const operations = [
    ["add", iv.add, (x: number, y: number) => x + y],
    ["subtract", iv.subtract, (x: number, y: number) => x - y],
    ["multiply", iv.multiply, (x: number, y: number) => x * y],
    ["divide", iv.divide, (x: number, y: number) => x / y],
  ] as const;
  for (const [name, onIntervals, onNumbers] of operations) {
    test(`${name} (sampled)`, () => {
      fc.assert(
        fc.property(pair, pair, fc.double({ min: 0, max: 1, noNaN: true }), ([a, b], [c, d], t) => {
          const x = iv.interval(Math.min(a, b), Math.max(a, b));
          const y = iv.interval(Math.min(c, d), Math.max(c, d));
          const u = Math.min(x.hi, Math.max(x.lo, x.lo + t * (x.hi - x.lo)));
          const v = Math.min(y.hi, Math.max(y.lo, y.lo + t * (y.hi - y.lo)));
          const value = onNumbers(u, v);
          if (!Number.isNaN(value)) expect(iv.contains(onIntervals(x, y), value)).toBe(true);
        }),
        { seed: 1, numRuns: 2000 },
      );
    });
  }

  test("dividing by an interval around 0 gives everything", () => {
    expect(iv.divide(iv.interval(1), iv.interval(-1, 1))).toEqual({ lo: -Infinity, hi: Infinity });
  });
});

describe("random", () => {
  test("the same seed gives the same numbers, another seed others", () => {
    const take = (seed: number) => {
      const source = random(seed);
      return Array.from({ length: 8 }, () => source.uniform());
    };
    expect(take(1)).toEqual(take(1));
    expect(take(1)).not.toEqual(take(2));
  });

  test("uniform and normal have the right mean and variance (100,000 samples)", () => {
    const source = random(7);
    const moments = (draw: () => number) => {
      const x = Array.from({ length: 100_000 }, draw);
      const mean = x.reduce((a, b) => a + b) / x.length;
      return [mean, x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length];
    };
    const [uniformMean, uniformVariance] = moments(source.uniform) as [number, number];
    expect(uniformMean).toBeCloseTo(0.5, 2);
    expect(uniformVariance).toBeCloseTo(1 / 12, 2);
    const [normalMean, normalVariance] = moments(source.normal) as [number, number];
    expect(Math.abs(normalMean)).toBeLessThan(0.02);
    expect(normalVariance).toBeCloseTo(1, 1);
  });
});

describe("histogramRecorder", () => {
  test("counts every finite value once, between ascending edges, whatever the range", () => {
    const recorder = histogramRecorder();
    recorder.add([-3, -3, -1e-30, 0, 1e30, Number.NaN, Infinity, 2.5]);
    const histogram = recorder.histogram();
    expect(recorder.notFinite).toBe(2);
    expect(recorder.total).toBe(6);
    expect(histogram?.counts.reduce((a, b) => a + b)).toBe(6);
    expect(histogram?.edges.every((edge, i, all) => i === 0 || (all[i - 1] as number) < edge)).toBe(true);
  });

  test("puts a value between the edges of its bin (sampled)", () => {
    fc.assert(
      fc.property(anyFloat, (x) => {
        const recorder = histogramRecorder();
        recorder.add([x]);
        const histogram = recorder.histogram();
        expect(histogram?.counts).toEqual([1]);
        const [low, high] = (histogram as Histogram).edges as readonly [number, number];
        expect(low <= x && x <= high).toBe(true);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  test("massBetween spreads a bin evenly", () => {
    expect(massBetween({ edges: [0, 1, 3], counts: [1, 3] }, 0.5, 2)).toBeCloseTo((0.5 + 1.5) / 4, 12);
  });
});
