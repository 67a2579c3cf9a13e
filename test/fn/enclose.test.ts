// Enclosures: they contain what they say, they are tight where certificates need it, and the turns they rest on are all there is.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Fn, functionNames, parseFn } from "../../packages/lutra/src/fn/index.ts";
import { type Interval, iv } from "../../packages/lutra/src/num/index.ts";
import { expressionText } from "./arbitrary.ts";

const NAMES = [...functionNames(), "abs", "relu", "expm1", "log1p", "erfc"];

function withDerivatives(text: string): readonly Fn[] {
  const fn = parseFn(text);
  const first = fn.derivative();
  return [fn, first, first.derivative()];
}

/** Whether the exact value at t, known to errorAt, can lie in the interval. */
function agrees(fn: Fn, t: number, { lo, hi }: Interval): boolean {
  const y = fn.evaluate(t);
  if (Number.isNaN(y)) return true;
  const error = fn.errorAt(t);
  if (error === Infinity) return true;
  return y + error >= lo && y - error <= hi;
}

const place = fc.oneof(
  fc.double({ min: -12, max: 12, noNaN: true }),
  fc.double({ min: -800, max: 800, noNaN: true }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-3, -2, -1.5, 0, 1, 3, Math.SQRT2),
);
const stretch = fc.tuple(place, place).map(([a, b]): Interval => ({ lo: Math.min(a, b), hi: Math.max(a, b) }));
const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 });

function inside({ lo, hi }: Interval, shares: readonly number[]): readonly number[] {
  return [lo, hi, ...shares.map((share) => Math.min(hi, Math.max(lo, lo * (1 - share) + hi * share)))];
}

describe("an enclosure contains the values at random points inside", () => {
  for (const name of NAMES) {
    it(`of ${name}, its derivative and its second derivative (sampled)`, () => {
      const fns = withDerivatives(name);
      fc.assert(
        fc.property(stretch, shares, (x, s) => {
          for (const fn of fns) {
            const y = fn.enclose(x);
            for (const t of inside(x, s)) {
              if (!agrees(fn, t, y)) throw new Error(`${fn.text} at ${t} is outside [${y.lo}, ${y.hi}]`);
            }
          }
        }),
        { seed: 1, numRuns: 400 },
      );
    });
  }

  it("of random expressions and their derivatives (sampled)", () => {
    fc.assert(
      fc.property(expressionText, stretch, shares, (text, x, s) => {
        for (const fn of withDerivatives(text).slice(0, 2)) {
          const y = fn.enclose(x);
          for (const t of inside(x, s)) {
            if (!agrees(fn, t, y)) throw new Error(`${fn.text} at ${t} is outside [${y.lo}, ${y.hi}]`);
          }
        }
      }),
      { seed: 2, numRuns: 1500 },
    );
  });
});

describe("enclosures are tight", () => {
  it("at infinity: gelu below -6 lies between gelu(-6) and 0", () => {
    const { lo, hi } = parseFn("gelu").enclose({ lo: -3.4e38, hi: -6 });
    expect(lo).toBeGreaterThan(-5.92e-9);
    expect(hi).toBeLessThan(1e-300);
    expect(parseFn("tanh").enclose({ lo: -Infinity, hi: Infinity })).toEqual({ lo: -1, hi: 1 });
    expect(parseFn("sigmoid").enclose({ lo: 40, hi: Infinity }).hi).toBe(1);
  });

  it("over the whole line: gelu is never below its minimum -0.1700", () => {
    const { lo, hi } = parseFn("gelu").enclose({ lo: -Infinity, hi: Infinity });
    expect(lo).toBeCloseTo(-0.16997120747990369, 15);
    expect(hi).toBe(Infinity);
  });

  it("to a part in 10^13 of the true range for every named function and two derivatives, on short intervals (sampled)", () => {
    for (const name of functionNames()) {
      for (const fn of withDerivatives(name)) {
        for (let lo = 0.51; lo < 4; lo += 0.37) {
          const x = { lo, hi: lo + 2 ** -6 };
          const y = fn.enclose(x);
          const values = Array.from({ length: 65 }, (_, i) => fn.evaluate(lo + i * 2 ** -12));
          const size = 1e-300 + iv.magnitude(y) * 1e-13 + 2e-4 * (Math.max(...values) - Math.min(...values));
          expect(Math.min(...values) - y.lo, `${fn.text} from ${lo}`).toBeLessThanOrEqual(size);
          expect(y.hi - Math.max(...values), `${fn.text} from ${lo}`).toBeLessThanOrEqual(size);
        }
      }
    }
  });

  it("the derivative at a kink covers both sides, and only one where the interval starts there", () => {
    expect(parseFn("relu").derivative().enclose({ lo: -1, hi: 1 })).toEqual({ lo: 0, hi: 1 });
    expect(parseFn("relu").derivative().enclose({ lo: 0, hi: 1 }).lo).toBeGreaterThan(0.99);
    const slopes = parseFn("hard-swish").derivative().enclose({ lo: -3.5, hi: 3.5 });
    expect(slopes.lo).toBeCloseTo(-0.5, 14);
    expect(slopes.hi).toBeCloseTo(1.5, 14);
  });

  it("a reciprocal across its pole is everything, on one side it is not", () => {
    expect(parseFn("reciprocal").enclose({ lo: -1, hi: 1 })).toEqual({ lo: -Infinity, hi: Infinity });
    expect(parseFn("reciprocal").enclose({ lo: 0, hi: 2 }).lo).toBeCloseTo(0.5, 14);
  });

  it("x*sigmoid(1.5*x) is as tight at infinity as silu, of which it is a stretched copy", () => {
    const fn = parseFn("x*sigmoid(1.5*x)");
    expect(fn.text).toBe("silu(1.5*x)/1.5");
    const { lo, hi } = fn.enclose({ lo: -3.4e38, hi: -20 });
    expect(lo).toBeGreaterThan(-2e-12);
    expect(hi).toBeLessThan(1e-300);
  });

  it("mean-value form and monotonicity make expressions tight on short intervals", () => {
    const fn = parseFn("x*exp(-x)-x^2");
    const { lo, hi } = fn.enclose({ lo: 0.2, hi: 0.2 + 2 ** -10 });
    const slope = fn.derivative().evaluate(0.2);
    expect(hi - lo).toBeLessThan(1.02 * Math.abs(slope) * 2 ** -10);
  });
});

/** Proves by bisection that g has no root in [lo, hi]; false if pieces below 2^-20 remain undecided. */
function hasNoRoot(g: Fn, lo: number, hi: number): boolean {
  const y = g.enclose({ lo, hi });
  if (y.lo > 0 || y.hi < 0) return true;
  if (hi - lo < 2 ** -20) return false;
  const middle = (lo + hi) / 2;
  return hasNoRoot(g, lo, middle) && hasNoRoot(g, middle, hi);
}

/** Turns per order, between -9 and 9; what the rules say, found again from the signs of the next derivative. */
function turnsOf(fn: Fn): readonly number[] {
  const next = fn.derivative();
  const turns: number[] = [];
  for (let x = -9 + 2 ** -7; x < 9; x += 2 ** -6) {
    if (next.evaluate(x) * next.evaluate(x + 2 ** -6) <= 0) turns.push(x);
  }
  return turns;
}

describe("the turns that enclosures rest on", () => {
  // How many turns the function and its two derivatives have; how far from 0 nothing underflows.
  const counts = {
    gelu: { expected: [1, 2, 3], reach: 30 },
    "gelu-tanh": { expected: [1, 2, 3], reach: 20 },
    "quick-gelu": { expected: [1, 2, 3], reach: 100 },
    silu: { expected: [1, 2, 3], reach: 100 },
    mish: { expected: [1, 2, 3], reach: 100 },
    sigmoid: { expected: [0, 1, 2], reach: 100 },
    tanh: { expected: [0, 1, 2], reach: 100 },
    erf: { expected: [0, 1, 2], reach: 25 },
  };
  for (const [name, { expected, reach }] of Object.entries(counts)) {
    it(`of ${name} and its derivatives: proven between -${reach} and ${reach} that the next derivative has no other root`, () => {
      withDerivatives(name).forEach((fn, order) => {
        const turns = turnsOf(fn);
        const next = fn.derivative();
        const curvature = next.derivative();
        expect(turns.length, fn.text).toBe(expected[order]);
        let from = -reach;
        for (const turn of turns) {
          // One simple root in here: the next derivative changes sign and is itself monotone.
          expect(hasNoRoot(curvature, turn, turn + 2 ** -6), `${next.text} near ${turn}`).toBe(true);
          expect(hasNoRoot(next, from, turn), `${next.text} on [${from}, ${turn}]`).toBe(true);
          from = turn + 2 ** -6;
        }
        expect(hasNoRoot(next, from, reach), `${next.text} on [${from}, ${reach}]`).toBe(true);
      });
    });
  }
});
