// The smooth activation functions. Turns that are not derived here are derived beside their references.

import * as gated from "../reference/gated.ts";
import * as normal from "../reference/gelu.ts";
import { log } from "../reference/log.ts";
import * as logistic from "../reference/logistic.ts";
import { FROM_ZERO, IDENTITY, REALS, type Rule, range, shape } from "./rule.ts";

const [SILU_LEAST, SILU_STEEPEST] = gated.SILU_TURNS;
const [GELU_TANH_LEAST, GELU_TANH_STEEPEST] = gated.GELU_TANH_TURNS;
const [MISH_LEAST, MISH_STEEPEST] = gated.MISH_TURNS;
/** Positive roots of the third derivatives, from `node scripts/mpfr-vectors.mjs --turns`. */
const SILU_CURVIEST = 3.435840993535111;
const GELU_TANH_CURVIEST = 2.0134807246242583;
/** The roots of mish''', likewise. */
const MISH_CURVIEST: readonly number[] = [-3.2673378465204044, -0.0879344313149142, 2.1148425630208774];
/** tanh'' = -2 t (1 - t^2), t = tanh x, turns where t^2 = 1/3: at ln(2 + sqrt 3) / 2; sigmoid'' at twice that. */
const SIGMOID_CURVIEST = log(2 + Math.sqrt(3));

const POSITIVE = FROM_ZERO;

function both(turn: number, scale = 1): readonly number[] {
  return [-turn / scale, turn / scale];
}

function around(turn: number, scale = 1): readonly number[] {
  return [-turn / scale, 0, turn / scale];
}

export const ACTIVATIONS: Readonly<Record<string, Rule>> = {
  gelu: {
    domain: REALS,
    shape: shape(normal.gelu, [0, Infinity], 4, { turns: [normal.GELU_TURN] }),
    derivatives: [
      // gelu'' = (2 - x^2) phi, gelu''' = (x^3 - 4 x) phi.
      shape(normal.gelu1, [0, 1], 8, { turns: both(Math.SQRT2) }),
      shape(normal.gelu2, [0, 0], 4, { turns: around(2) }),
    ],
    identities: [{ by: "reflect" }],
    asymptotes: [null, IDENTITY],
    definition: "0.5*x*(1+erf(x/sqrt(2)))",
    spellings: ["x*(1+erf(x/sqrt(2)))/2", "x/2*(1+erf(x/sqrt(2)))"],
  },
  "gelu-tanh": {
    domain: REALS,
    shape: shape(gated.geluTanh, [0, Infinity], 4, { turns: [GELU_TANH_LEAST] }),
    derivatives: [
      shape(gated.geluTanh1, [0, 1], 10, { turns: both(GELU_TANH_STEEPEST) }),
      shape(gated.geluTanh2, [0, 0], 16, { turns: around(GELU_TANH_CURVIEST) }),
    ],
    identities: [{ by: "reflect" }],
    asymptotes: [null, IDENTITY],
    definition: "0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))",
  },
  "quick-gelu": {
    domain: REALS,
    shape: shape(gated.quickGelu, [0, Infinity], 4, { turns: [SILU_LEAST / gated.QUICK] }),
    derivatives: [
      shape(gated.quickGelu1, [0, 1], 8, { turns: both(SILU_STEEPEST, gated.QUICK) }),
      shape(gated.quickGelu2, [0, 0], 12, { turns: around(SILU_CURVIEST, gated.QUICK) }),
    ],
    identities: [{ by: "reflect" }],
    asymptotes: [null, IDENTITY],
    definition: "x*sigmoid(1.702*x)",
  },
  silu: {
    domain: REALS,
    shape: shape(gated.silu, [0, Infinity], 4, { turns: [SILU_LEAST] }),
    derivatives: [
      shape(gated.silu1, [0, 1], 8, { turns: both(SILU_STEEPEST) }),
      shape(gated.silu2, [0, 0], 12, { turns: around(SILU_CURVIEST) }),
    ],
    identities: [{ by: "reflect" }],
    asymptotes: [null, IDENTITY],
    definition: "x*sigmoid(x)",
    spellings: ["x/(1+exp(-x))"],
  },
  mish: {
    domain: REALS,
    shape: shape(gated.mish, [0, Infinity], 4, { turns: [MISH_LEAST] }),
    derivatives: [
      shape(gated.mish1, [0, 1], 10, { turns: MISH_STEEPEST }),
      shape(gated.mish2, [0, 0], 16, { turns: MISH_CURVIEST }),
    ],
    identities: [],
    asymptotes: [null, IDENTITY],
    definition: "x*tanh(softplus(x))",
  },
  sigmoid: {
    domain: REALS,
    shape: shape(logistic.sigmoid, [0, 1], 3, { range: range(0, 1) }),
    derivatives: [
      shape(logistic.sigmoid1, [0, 0], 5, { turns: [0], range: POSITIVE }),
      shape(logistic.sigmoid2, [0, 0], 7, { turns: both(SIGMOID_CURVIEST) }),
      "sigmoid'(x)*(1-6*sigmoid'(x))",
    ],
    identities: [{ by: "complement" }],
    spellings: ["1/(1+exp(-x))"],
  },
  tanh: {
    domain: REALS,
    shape: shape(logistic.tanh, [-1, 1], 3, { range: range(-1, 1) }),
    derivatives: [
      shape(logistic.tanh1, [0, 0], 5, { turns: [0], range: POSITIVE }),
      shape(logistic.tanh2, [0, 0], 7, { turns: both(SIGMOID_CURVIEST, 2) }),
      "tanh'(x)*(6*tanh(x)^2-2)",
    ],
    identities: [{ by: "odd" }],
  },
  softplus: {
    domain: REALS,
    shape: shape(logistic.softplus, [0, Infinity], 2, { range: POSITIVE }),
    derivatives: ["sigmoid(x)"],
    identities: [{ by: "reflect" }],
    asymptotes: [null, IDENTITY],
    spellings: ["log(1+exp(x))", "log1p(exp(x))"],
  },
};
