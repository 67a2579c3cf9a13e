// The decomposed forms that are recognised, largest first: an earlier rule takes its nodes before a later one sees them. To add a form,
// add a row: what it computes, as a formula in pattern.ts. `x` is the data, `gamma` and `beta` parameters, "epsilon" a number.

import {
  constant,
  either,
  minus,
  named,
  operator,
  over,
  type Part,
  type Pattern,
  parameter,
  product,
  reduce,
  sum,
  value,
} from "./pattern.ts";

export interface Rule {
  /** The function it computes. */
  readonly kind: string;
  readonly pattern: Pattern;
}

const x = value("x");
const gamma = parameter("gamma");
const beta = parameter("beta");

const sqrt = (of: Pattern): Pattern => either(operator("Sqrt", [of]), operator("Pow", [of, constant(0.5)]));
const exp = (of: Pattern): Pattern => operator("Exp", [of]);
const tanh = (of: Pattern): Pattern => operator("Tanh", [of]);
const sigmoid = (of: Pattern): Pattern => operator("Sigmoid", [of]);

// (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * gamma + beta
const mean = named("mean", reduce("ReduceMean", x));
const deviation = named("deviation", sum([x, minus(mean)]));
const variance = reduce("ReduceMean", product([deviation, deviation]));
const deviate: Part = over(named("deviate", sqrt(sum([variance], "epsilon"))));
const scaled = product([deviation, gamma, deviate]);
const NORMS: readonly Rule[] = [
  { kind: "layer-norm", pattern: sum([scaled, beta]) },
  // TensorFlow: x * (gamma / deviate) + (beta - mean * (gamma / deviate))
  {
    kind: "layer-norm",
    pattern: sum([product([x, gamma, deviate]), beta, minus(product([mean, gamma, deviate]))]),
  },
  { kind: "layer-norm", pattern: scaled },
  { kind: "layer-norm", pattern: product([deviation, deviate]) },
];

// x / sqrt(mean(x^2) + epsilon) * gamma
const rootMeanSquare: Part = over(sqrt(sum([reduce("ReduceMean", product([x, x]))], "epsilon")));
const RMS_NORMS: readonly Rule[] = [
  { kind: "rms-norm", pattern: product([x, gamma, rootMeanSquare]) },
  { kind: "rms-norm", pattern: product([x, rootMeanSquare]) },
];

// e / sum(e) with e = exp(x - max(x)), and its logarithm
const maximum = named("maximum", reduce("ReduceMax", x));
const exponential = named("exponential", exp(named("shifted", sum([x, minus(maximum)]))));
const SOFTMAX: readonly Rule[] = [
  { kind: "softmax", pattern: product([exponential, over(reduce("ReduceSum", exponential))]) },
  {
    kind: "log-softmax",
    pattern: sum([x, minus(maximum), minus(operator("Log", [reduce("ReduceSum", exponential)]))]),
  },
];

const ROOT_TWO_OVER_PI = 0.7978845608028654;
const CUBIC = 0.044715;
const erf = operator("Erf", [product([x], Math.SQRT1_2)]);
const cubic = tanh(
  either(
    product([sum([x, product([x, x, x], CUBIC)])], ROOT_TWO_OVER_PI),
    product([x, sum([product([x, x], CUBIC)], 1)], ROOT_TWO_OVER_PI),
  ),
);
const negativeExp = exp(product([x], -1));
const ELEMENTWISE: readonly Rule[] = [
  { kind: "gelu", pattern: product([x, sum([erf], 1)], 0.5) },
  { kind: "gelu", pattern: product([x, sum([product([erf], 0.5)], 0.5)]) },
  { kind: "gelu-tanh", pattern: product([x, sum([cubic], 1)], 0.5) },
  { kind: "gelu-tanh", pattern: product([x, sum([product([cubic], 0.5)], 0.5)]) },
  { kind: "quick-gelu", pattern: product([x, sigmoid(product([x], 1.702))]) },
  { kind: "mish", pattern: product([x, tanh(operator("Softplus", [x]))]) },
  { kind: "silu", pattern: product([x, sigmoid(either(x, product([x], 1)))]) },
  { kind: "silu", pattern: product([x, over(sum([negativeExp], 1))]) },
  { kind: "hard-swish", pattern: product([x, operator("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 })]) },
  { kind: "sigmoid", pattern: product([over(sum([negativeExp], 1))]) },
  { kind: "softplus", pattern: operator("Log", [sum([exp(x)], 1)]) },
  { kind: "softsign", pattern: product([x, over(sum([operator("Abs", [x])], 1))]) },
  { kind: "rsqrt", pattern: either(product([over(sqrt(x))]), operator("Pow", [x, constant(-0.5)])) },
];

export const RULES: readonly Rule[] = [...NORMS, ...RMS_NORMS, ...SOFTMAX, ...ELEMENTWISE];
