// Far lines against MPFR: functions keep to them as near as they say, and the values, errors and enclosures that lean on them hold.

import { afterAll, describe, expect, it } from "vitest";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { DECAY } from "../../packages/lutra/src/fn/rules/decay.ts";
import { MAX_BINARY32, nextUp, random, ulp32 } from "../../packages/lutra/src/num/index.ts";
import { type Definition, expressionsOf, mpfr, type Real } from "./mpfr.ts";

const e = mpfr();
const EXPRESSIONS = expressionsOf(e);
afterAll(() => e.destroy());

const half: Definition = (x) => x.div(2);

/** Some binary32 numbers from 2^10 on: ends, powers of two and random ones, evenly by order of magnitude. */
function sizes(): readonly number[] {
  const { uniform } = random(11);
  const spread = Array.from({ length: 60 }, () => Math.fround(2 ** Math.floor(10 + 118 * uniform()) * (1 + uniform())));
  return [1024, 1025, 2 ** 20, 2 ** 24 + 2, 2 ** 60, 3e38, MAX_BINARY32, ...spread.filter(Number.isFinite)];
}

const SIZES = sizes();

describe("far lines of expressions", () => {
  it.each(Object.entries(EXPRESSIONS))("%s keeps to its lines (sampled)", (text, exact) => {
    const fn = parseFn(text);
    fn.farLines.forEach((line, side) => {
      expect(line, `side ${side}`).not.toBeNull();
      if (line === null) return;
      for (const size of SIZES.filter((each) => each >= line.from)) {
        const x = e.real(side === 0 ? -size : size);
        const away = exact(x).sub(x.mul(line.slope).add(line.intercept));
        const doubt = x.abs().mul(line.slopeError);
        expect(away.add(doubt).greaterOrEqual(e.real(line.deviation.lo))).toBe(true);
        expect(away.sub(doubt).lessOrEqual(e.real(line.deviation.hi))).toBe(true);
      }
    });
  });

  it.each(Object.entries(EXPRESSIONS))(
    "%s: values and enclosures hold far out, and are near (sampled)",
    (text, exact) => {
      const fn = parseFn(text);
      for (const x of SIZES.flatMap((size) => [-size, size])) {
        const value = exact(e.real(x));
        const error = fn.errorAt(x);
        expect(value.sub(fn.evaluate(x)).abs().lessOrEqual(e.real(error))).toBe(true);
        expect(error).toBeLessThanOrEqual(ulp32(x) * 2 ** -20);
        const { lo, hi } = fn.enclose({ lo: x, hi: nextUp(x) });
        expect(value.greaterOrEqual(e.real(lo)) && value.lessOrEqual(e.real(hi))).toBe(true);
      }
    },
  );

  it("of a whole multiple of x has an exact slope, however it came about", () => {
    for (const text of ["3*elu(x/3)", "x*sigmoid(1.7*x)", "7*(x/7)+tanh(x)", "x/3+x/3+x/3+exp(-abs(x))"]) {
      expect(parseFn(text).farLines[1], text).toMatchObject({ slope: 1, slopeError: 0 });
    }
  });

  it("are not claimed where a pole, a jump or a second power may lie ahead", () => {
    for (const text of ["x*x", "x*reciprocal(x-2000)*x", "exp(x)", "x*sin(x)", "sqrt(1+x^2)", "x+log(x^2)"]) {
      expect(parseFn(text).farLines[1], text).toBeNull();
    }
    // The argument of tanh runs away to either side of the pole at 2000000.
    expect(parseFn("tanh(x+1/(x-2000000))").farLines[1]?.deviation.hi).toBeGreaterThanOrEqual(1);
  });

  it("also settle which line a function approaches, where its parts alone do not", () => {
    expect(parseFn("0.5*x*(1+tanh(0.79788*(x+0.044715*x^3)))").asymptotes).toEqual([
      { slope: 0, intercept: 0 },
      { slope: 1, intercept: 0 },
    ]);
  });
});

describe("how fast named functions settle", () => {
  const silu: Definition = (v) => v.mul(e.sigmoid(v));
  const selu = (v: Real): Real =>
    v.greaterThan(e.real(0)) ? v.mul(1.0507009873554805) : v.exp().sub(1).mul(1.7580993408473768);
  const DEFINITIONS: Readonly<Record<string, Definition>> = {
    exp: (v) => v.exp(),
    expm1: (v) => v.exp().sub(1),
    exp2: (v) => e.real(2).pow(v.toNumber()),
    sigmoid: e.sigmoid,
    softplus: e.softplus,
    tanh: e.tanh,
    erf: e.erf,
    erfc: (v) => e.real(1).sub(e.erf(v)),
    silu,
    "quick-gelu": (v) => v.mul(e.sigmoid(v.mul(1.702))),
    "gelu-tanh": EXPRESSIONS["0.5*x*(1+tanh(0.7978845608*(x+0.044715*x^3)))"] as Definition,
    gelu: (v) => half(v).mul(e.erf(v.div(e.real(2).sqrt())).add(1)),
    mish: (v) => v.mul(e.tanh(e.softplus(v))),
    elu: e.elu,
    selu,
    relu: (v) => e.clamp(v, 0, Infinity),
    abs: (v) => v.abs(),
    "hard-sigmoid": (v) => e.clamp(v.div(6).add(0.5), 0, 1),
    "hard-swish": (v) => v.mul(e.clamp(v.div(6).add(0.5), 0, 1)),
  };

  it("has a definition here for every function in the table", () => {
    expect(Object.keys(DEFINITIONS).sort()).toEqual(Object.keys(DECAY).sort());
  });

  it.each(Object.entries(DECAY))("%s is within its bound of its line (sampled)", (name, decays) => {
    decays.forEach((decay, side) => {
      if (decay === null) return;
      const line = parseFn(name).asymptotes[side] ?? { slope: 0, intercept: Number.NaN };
      for (let size = decay.from; size <= 500; size = size < 20 ? size + 0.25 : size * 1.25) {
        const v = e.real(side === 0 ? -size : size);
        const away = (DEFINITIONS[name] as Definition)(v).sub(v.mul(line.slope).add(line.intercept)).abs();
        const bound = e.real(-decay.rate).mul(size).exp().mul(decay.factor);
        expect(away.lessOrEqual(bound.add(e.real(2).pow(-1590))), `${name} at ${v}`).toBe(true);
      }
    });
  });
});
