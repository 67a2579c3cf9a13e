// exp, log, powers, trigonometric functions and erf. Error bounds are checked in test/fn/vectors.test.ts.

import * as normal from "../reference/erf.ts";
import { exp, exp2Times, expm1 } from "../reference/exp.ts";
import { LN2_DOUBLE, LOG2_E, log, log1p } from "../reference/log.ts";
import { cos, sin } from "../reference/trig.ts";
import { encloseWave } from "../wave.ts";
import { FROM_ZERO, REALS, type Rule, range, shape } from "./rule.ts";

const ROOT_HALF = Math.sqrt(0.5);
const POSITIVE = FROM_ZERO;
const NEGATIVE = range(-Infinity, 0);

/** 1/x, and its limit from the right at 0. */
function reciprocal(x: number): number {
  return x === 0 ? Infinity : 1 / x;
}

function rsqrt(x: number): number {
  return x === 0 ? Infinity : 1 / Math.sqrt(x);
}

export const ELEMENTARY: Readonly<Record<string, Rule>> = {
  exp: {
    domain: REALS,
    shape: shape(exp, [0, Infinity], 1, { range: POSITIVE }),
    derivatives: ["exp(x)"],
    identities: [{ by: "exponential", factor: LOG2_E }],
  },
  exp2: {
    domain: REALS,
    shape: shape((x) => exp2Times(1, x), [0, Infinity], 1, { range: POSITIVE }),
    derivatives: [
      shape((x) => exp2Times(LN2_DOUBLE, x), [0, Infinity], 2, { range: POSITIVE }),
      shape((x) => exp2Times(LN2_DOUBLE * LN2_DOUBLE, x), [0, Infinity], 3, { range: POSITIVE }),
      "log(2)*exp2''(x)",
    ],
    identities: [{ by: "exponential", factor: 1 }],
  },
  expm1: {
    domain: REALS,
    shape: shape(expm1, [-1, Infinity], 1, { range: range(-1, Infinity) }),
    derivatives: ["exp(x)"],
    identities: [],
  },
  log: {
    domain: FROM_ZERO,
    shape: shape(log, [Number.NaN, Infinity], 1),
    derivatives: [
      shape((x) => (x < 0 ? Number.NaN : reciprocal(x)), [Number.NaN, 0], 0.5, { range: POSITIVE }),
      shape((x) => (x < 0 ? Number.NaN : -reciprocal(x) / x), [Number.NaN, 0], 1.5, { range: NEGATIVE }),
      "2/x^3",
    ],
    identities: [{ by: "logarithm", perOctave: LN2_DOUBLE }],
  },
  log1p: {
    domain: range(-1, Infinity),
    shape: shape(log1p, [Number.NaN, Infinity], 1),
    derivatives: ["1/(1+x)"],
    identities: [],
  },
  reciprocal: {
    domain: REALS,
    shape: shape(reciprocal, [0, 0], 0.5, { jumps: [{ at: 0, left: -Infinity }] }),
    derivatives: [
      shape((x) => -Math.abs(reciprocal(x) / x), [0, 0], 1.5, {
        range: NEGATIVE,
        jumps: [{ at: 0, left: -Infinity }],
      }),
      shape((x) => ((reciprocal(x) / x) * 2) / x, [0, 0], 2.5, { jumps: [{ at: 0, left: -Infinity }] }),
      "-6/x^4",
    ],
    identities: [{ by: "octave", step: 1, power: -1 }, { by: "odd" }],
    spellings: ["1/x"],
  },
  sqrt: {
    domain: FROM_ZERO,
    shape: shape(Math.sqrt, [Number.NaN, Infinity], 0.5, { range: POSITIVE }),
    derivatives: [
      shape((x) => 0.5 * rsqrt(x), [Number.NaN, 0], 1.5, { range: POSITIVE }),
      shape((x) => (-0.25 * rsqrt(x)) / x, [Number.NaN, 0], 2.5, { range: NEGATIVE }),
      "0.375*rsqrt(x)/x^2",
    ],
    identities: [{ by: "octave", step: 2, power: 1 }],
  },
  rsqrt: {
    domain: FROM_ZERO,
    shape: shape(rsqrt, [Number.NaN, 0], 1.5, { range: POSITIVE }),
    derivatives: [
      shape((x) => (-0.5 * rsqrt(x)) / x, [Number.NaN, 0], 2.5, { range: NEGATIVE }),
      shape((x) => (0.75 * rsqrt(x)) / x / x, [Number.NaN, 0], 4, { range: POSITIVE }),
      "-1.875*rsqrt(x)/x^3",
    ],
    identities: [{ by: "octave", step: 2, power: -1 }],
    spellings: ["1/sqrt(x)"],
  },
  sin: {
    domain: REALS,
    shape: shape(sin, [Number.NaN, Number.NaN], 1, { range: range(-1, 1), enclose: (x) => encloseWave("sin", x, 1) }),
    derivatives: ["cos(x)"],
    identities: [{ by: "odd" }],
  },
  cos: {
    domain: REALS,
    shape: shape(cos, [Number.NaN, Number.NaN], 1, { range: range(-1, 1), enclose: (x) => encloseWave("cos", x, 1) }),
    derivatives: ["-sin(x)"],
    identities: [{ by: "even" }],
  },
  erf: {
    domain: REALS,
    shape: shape(normal.erf, [-1, 1], 2, { range: range(-1, 1) }),
    derivatives: [
      shape((x) => normal.gaussTimes(normal.ERF_SLOPE_DOUBLE, x, 1), [0, 0], 2, { turns: [0], range: POSITIVE }),
      // -2 x erf'(x) turns where 2 x^2 = 1.
      shape((x) => normal.gaussTimes(-2 * normal.ERF_SLOPE_DOUBLE * x, x, 1), [0, 0], 3, {
        turns: [-ROOT_HALF, ROOT_HALF],
      }),
      "(4*x^2-2)*erf'(x)",
    ],
    identities: [{ by: "odd" }],
  },
  erfc: {
    domain: REALS,
    shape: shape(normal.erfc, [2, 0], 3, { range: range(0, 2) }),
    derivatives: ["-erf'(x)"],
    identities: [],
  },
};
