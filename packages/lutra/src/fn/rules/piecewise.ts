// Functions made of pieces: their derivatives jump, which the jumps of the derivatives' Shapes say.

import * as pieces from "../reference/piecewise.ts";
import { FROM_ZERO, IDENTITY, REALS, type Rule, range, shape } from "./rule.ts";

const POSITIVE = FROM_ZERO;

export const PIECEWISE: Readonly<Record<string, Rule>> = {
  elu: {
    domain: REALS,
    shape: shape(pieces.elu, [-1, Infinity], 1, { range: range(-1, Infinity) }),
    derivatives: [
      shape(pieces.elu1, [0, 1], 1, { range: range(0, 1) }),
      shape(pieces.elu2, [0, 0], 1, { range: range(0, 1), jumps: [{ at: 0, left: 1 }] }),
      "elu''(x)",
    ],
    identities: [],
    asymptotes: [null, IDENTITY],
  },
  selu: {
    domain: REALS,
    shape: shape(pieces.selu, [-pieces.SELU_LAMBDA_ALPHA, Infinity], 2),
    derivatives: [
      shape(pieces.selu1, [0, pieces.SELU_LAMBDA], 2, {
        range: POSITIVE,
        jumps: [{ at: 0, left: pieces.SELU_LAMBDA_ALPHA }],
      }),
      shape(pieces.selu2, [0, 0], 2, { range: POSITIVE, jumps: [{ at: 0, left: pieces.SELU_LAMBDA_ALPHA }] }),
      "selu''(x)",
    ],
    identities: [],
    asymptotes: [null, { slope: pieces.SELU_LAMBDA, intercept: 0 }],
  },
  "hard-swish": {
    domain: REALS,
    // x (x + 3) / 6 between -3 and 3.
    shape: shape(pieces.hardSwish, [0, Infinity], 2, { turns: [-1.5] }),
    derivatives: [
      shape(pieces.hardSwish1, [0, 1], 2, {
        jumps: [
          { at: -3, left: 0 },
          { at: 3, left: 1.5 },
        ],
      }),
      shape(pieces.hardSwish2, [0, 0], 1, {
        jumps: [
          { at: -3, left: 0 },
          { at: 3, left: 1 / 3 },
        ],
      }),
      "0",
    ],
    identities: [{ by: "reflect" }],
    asymptotes: [null, IDENTITY],
    definition: "x*hard-sigmoid(x)",
  },
  "hard-sigmoid": {
    domain: REALS,
    shape: shape(pieces.hardSigmoid, [0, 1], 1, { range: range(0, 1) }),
    derivatives: [
      shape(pieces.hardSigmoid1, [0, 0], 1, {
        range: POSITIVE,
        jumps: [
          { at: -3, left: 0 },
          { at: 3, left: 1 / 6 },
        ],
      }),
      "0",
    ],
    identities: [{ by: "complement" }],
  },
  softsign: {
    domain: REALS,
    shape: shape(pieces.softsign, [-1, 1], 2, { range: range(-1, 1) }),
    derivatives: [
      shape(pieces.softsign1, [0, 0], 4, { turns: [0], range: range(0, 1) }),
      shape(pieces.softsign2, [0, 0], 4, { range: range(-2, 2), jumps: [{ at: 0, left: 2 }] }),
      "6*softsign'(x)/(1+abs(x))^2",
    ],
    identities: [{ by: "odd" }],
    spellings: ["x/(1+abs(x))"],
  },
  relu: {
    domain: REALS,
    shape: shape(pieces.relu, [0, Infinity], 0, { range: POSITIVE }),
    derivatives: [shape(pieces.step, [0, 1], 0, { range: range(0, 1), jumps: [{ at: 0, left: 0 }] }), "0"],
    identities: [{ by: "reflect" }],
    asymptotes: [null, IDENTITY],
    spellings: ["max(x,0)", "max(0,x)"],
  },
  abs: {
    domain: REALS,
    shape: shape(Math.abs, [Infinity, Infinity], 0, { range: POSITIVE, turns: [0] }),
    derivatives: [shape(pieces.sign, [-1, 1], 0, { range: range(-1, 1), jumps: [{ at: 0, left: -1 }] }), "0"],
    identities: [{ by: "even" }],
    asymptotes: [{ slope: -1, intercept: 0 }, IDENTITY],
  },
};
