// What functions say about themselves holds: identities, asymptotes, limits; and the functions of a row.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Fn,
  functionNames,
  type Identity,
  layerNorm,
  logSoftmax,
  parseFn,
  ROW_FUNCTIONS,
  rmsNorm,
  softmax,
} from "../../packages/lutra/src/fn/index.ts";

/** Both sides of the identity at x. */
function sides(fn: Fn, identity: Identity, x: number): readonly [number, number] {
  const { evaluate } = fn;
  switch (identity.by) {
    case "odd":
      return [evaluate(-x), -evaluate(x)];
    case "even":
      return [evaluate(-x), evaluate(x)];
    case "reflect":
      return [evaluate(x), x + evaluate(-x)];
    case "complement":
      return [evaluate(x), 1 - evaluate(-x)];
    case "octave":
      return [evaluate(x * 2 ** (3 * identity.step)), evaluate(x) * 2 ** (3 * identity.power)];
    case "logarithm":
      return [evaluate(8 * x), evaluate(x) + 3 * identity.perOctave];
    case "exponential":
      return [evaluate(x), parseFn("exp2").evaluate(identity.factor * x)];
    default:
      return identity satisfies never;
  }
}

describe("identities hold numerically", () => {
  for (const name of functionNames()) {
    for (const fn of [parseFn(name), parseFn(name).derivative()]) {
      for (const identity of fn.identities) {
        it(`${fn.text}: ${identity.by}`, () => {
          for (let x = 0.013; x < 9; x *= 1.07) {
            const [left, right] = sides(fn, identity, x);
            expect(Math.abs(left - right), `at ${x}`).toBeLessThanOrEqual(1e-14 * (1 + Math.abs(left)) * (1 + x));
          }
        });
      }
    }
  }

  it("exp, reciprocal, rsqrt, log and gelu have the reductions that layers use", () => {
    const by = (name: string): readonly string[] => parseFn(name).identities.map((identity) => identity.by);
    expect(by("exp")).toContain("exponential");
    expect(by("reciprocal")).toContain("octave");
    expect(by("rsqrt")).toContain("octave");
    expect(by("log")).toContain("logarithm");
    expect(by("gelu")).toContain("reflect");
    expect(by("sigmoid")).toContain("complement");
  });
});

describe("asymptotes and limits", () => {
  for (const name of functionNames()) {
    it(`${name} approaches its asymptotes, and has its limits at infinity`, () => {
      const fn = parseFn(name);
      fn.asymptotes.forEach((line, i) => {
        if (line === null) return;
        for (const size of [1e9, 1e15]) {
          const x = i === 0 ? -size : size;
          const gap = Math.abs(fn.evaluate(x) - (line.slope * x + line.intercept));
          expect(gap, `at ${x}`).toBeLessThanOrEqual(Math.max(4e-16 * size, 5e-5));
        }
        const limit = fn.evaluate(i === 0 ? -Infinity : Infinity);
        expect(limit).toBe(line.slope === 0 ? line.intercept : line.slope * (i === 0 ? -Infinity : Infinity));
      });
    });
  }

  it("expressions have the asymptotes that follow from their parts", () => {
    type Numbers = readonly [slope: number, intercept: number] | null;
    const cases: readonly (readonly [text: string, below: Numbers, above: Numbers])[] = [
      ["x*sigmoid(1.5*x)", [0, 0], [1, 0]],
      ["2*gelu(3*x)+1", [0, 1], [6, 1]],
      ["x*(1+tanh(x+1))", [0, 0], [2, 0]],
      ["softplus(1-x)", [-1, 1], [0, 0]],
      ["x*clamp(x/6+0.5,0,1)", [0, 0], [1, 0]],
      ["1/(1+x^2)", null, null],
      ["3/(x-1)", [0, 0], [0, 0]],
      ["min(x,1)-abs(x)", [2, 0], [-1, 1]],
      ["where(x-1,x,tanh(x))", [0, -1], [1, 0]],
      ["x*softsign(x)", null, null],
      ["exp(x)", [0, 0], null],
      ["sin(x)", null, null],
    ];
    const line = (of: Numbers): unknown => (of === null ? null : { slope: of[0], intercept: of[1] });
    for (const [text, below, above] of cases) {
      expect(parseFn(text).asymptotes, text).toEqual([line(below), line(above)]);
    }
  });

  it("gelu is 0 at -Infinity and x at Infinity; NaN stays NaN", () => {
    const fn = parseFn("gelu");
    expect(fn.evaluate(-Infinity)).toBe(0);
    expect(fn.evaluate(Infinity)).toBe(Infinity);
    expect(fn.asymptotes).toEqual([
      { slope: 0, intercept: 0 },
      { slope: 1, intercept: 0 },
    ]);
    for (const name of functionNames()) expect(parseFn(name).evaluate(Number.NaN), name).toBeNaN();
  });
});

describe("functions of a row", () => {
  const row = fc.array(fc.double({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 40 });

  it("are four", () => expect(ROW_FUNCTIONS).toEqual(["softmax", "log-softmax", "layer-norm", "rms-norm"]));

  it("softmax sums to 1, keeps order, and does not move with a shift of the row", () => {
    fc.assert(
      fc.property(row, (x) => {
        const p = softmax(x);
        expect(p.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 13);
        x.forEach((a, i) => {
          x.forEach((b, j) => {
            if (a < b) expect(p[i]).toBeLessThanOrEqual(p[j]);
          });
        });
        const shifted = softmax(x.map((a) => a + 1024));
        for (const [i, value] of shifted.entries()) expect(Math.abs(value - p[i])).toBeLessThan(1e-11);
      }),
      { seed: 6, numRuns: 200 },
    );
  });

  it("softmax of masked entries is 0; of nothing but masked entries, NaN", () => {
    expect([...softmax([1, -Infinity, 1])]).toEqual([0.5, 0, 0.5]);
    expect([...softmax([-Infinity, -Infinity])]).toEqual([Number.NaN, Number.NaN]);
    expect([...softmax([Number.NaN, 1])]).toEqual([Number.NaN, Number.NaN]);
    expect([...logSoftmax([0, -Infinity])]).toEqual([0, -Infinity]);
  });

  it("log-softmax is the logarithm of softmax, and stays finite where softmax underflows", () => {
    const x = [3, -2, 0.5, -1000];
    const p = softmax(x);
    const logP = logSoftmax(x);
    for (let i = 0; i < 3; i++) expect(logP[i]).toBeCloseTo(Math.log(p[i]), 13);
    expect(logP[3]).toBeCloseTo(-1003.0850972463643, 10);
  });

  it("norms have mean 0 and mean square 1, then gamma and beta; sums keep small terms beside large ones", () => {
    const y = layerNorm([1, 2, 3, 4], null, null, 0);
    expect(y.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 15);
    expect(y.reduce((a, b) => a + b * b, 0)).toBeCloseTo(4, 14);
    expect([...layerNorm([1, 3], [2, 2], [10, 20], 0)]).toEqual([8, 22]);
    expect([...rmsNorm([3, 3], [1, 2], 0)]).toEqual([1, 2]);
    expect([...rmsNorm([0, 0], null, 1e-6)]).toEqual([0, 0]);
    expect(layerNorm([1e16, 1, -1e16, 3], null, null, 0)[1]).toBe(0);
    expect(() => layerNorm([1, 2], [1], null, 0)).toThrow(RangeError);
  });
});

describe("a function that approaches y = x", () => {
  const approaching = functionNames().filter((name) => {
    const above = parseFn(name).asymptotes[1];
    return above?.slope === 1 && above.intercept === 0;
  });
  it.each(approaching)("%s is x from 64 on, to within 64 exp(-64)", (name) => {
    const fn = parseFn(name);
    for (const x of [64, 65.3, 1000, 1e10, 3e38, 1e300]) {
      expect(fn.evaluate(x)).toBe(x);
      expect(fn.errorAt(x)).toBeLessThanOrEqual(2 ** -86);
    }
    expect(fn.errorAt(63)).toBeGreaterThan(2 ** -60);
  });
});
