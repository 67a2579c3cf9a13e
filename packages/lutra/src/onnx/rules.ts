// The decomposed layers of a row that are recognised, largest first: an earlier rule takes its nodes before a later one sees them. To add
// a form, add a row: what it computes, as a formula in pattern.ts. `x` is the data, `gamma` and `beta` parameters, "epsilon" a number,
// "share" the inverse of a row's length.

import {
  atMost,
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

const exp = (of: Pattern): Pattern => operator("Exp", [of]);
const average = (of: Pattern): Pattern => either(reduce("ReduceMean", of), product([reduce("ReduceSum", of)], "share"));
/** max(0, of): a variance that rounding may have made negative. */
const notNegative = (of: Pattern): Pattern =>
  either(of, operator("Max", [constant(0), of]), operator("Max", [of, constant(0)]), operator("Relu", [of]));

/** 1 / sqrt(of) as a factor: divided by Sqrt or Pow 0.5 (Reciprocal counts as dividing), or times Pow -0.5. */
const rootsOf = (of: Pattern): readonly Part[] => [
  over(named("deviate", either(operator("Sqrt", [of]), operator("Pow", [of, constant(0.5)])))),
  { pattern: named("deviate", operator("Pow", [of, constant(-0.5)])), inverted: false },
];

// (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon) * gamma + beta, or with mean(x^2) - mean(x)^2 under the root
const mean = named("mean", average(x));
const deviation = named("deviation", sum([x, minus(mean)]));
const variance = notNegative(
  either(average(product([deviation, deviation])), sum([average(product([x, x])), minus(product([mean, mean]))])),
);
const NORMS: readonly Rule[] = rootsOf(sum([variance], "epsilon")).flatMap((root) => [
  { kind: "layer-norm", pattern: sum([product([deviation, gamma, root]), beta]) },
  // TensorFlow: x * (gamma / deviate) + (beta - mean * (gamma / deviate))
  { kind: "layer-norm", pattern: sum([product([x, gamma, root]), beta, minus(product([mean, gamma, root]))]) },
  { kind: "layer-norm", pattern: product([deviation, gamma, root]) },
  { kind: "layer-norm", pattern: product([deviation, root]) },
]);

// x / sqrt(mean(x^2) + epsilon) * gamma
const RMS_NORMS: readonly Rule[] = rootsOf(sum([average(product([x, x]))], "epsilon")).flatMap((root) => [
  { kind: "rms-norm", pattern: product([x, gamma, root]) },
  { kind: "rms-norm", pattern: product([x, root]) },
]);

// e / sum(e) with e = exp(x - max(x)), and its logarithm
const LOWEST = -1e30;
const largest = reduce("ReduceMax", x);
const maximum = named(
  "maximum",
  either(largest, operator("Max", [atMost(LOWEST), largest]), operator("Max", [largest, atMost(LOWEST)])),
);
const exponential = named("exponential", exp(named("shifted", sum([x, minus(maximum)]))));
const SOFTMAX: readonly Rule[] = [
  { kind: "softmax", pattern: product([exponential, over(reduce("ReduceSum", exponential))]) },
  { kind: "log-softmax", pattern: operator("Log", [product([exponential, over(reduce("ReduceSum", exponential))])]) },
  {
    kind: "log-softmax",
    pattern: sum([x, minus(maximum), minus(operator("Log", [reduce("ReduceSum", exponential)]))]),
  },
];

// LogSoftmax as a logarithm of a softmax comes before the softmax in it.
export const RULES: readonly Rule[] = [...NORMS, ...RMS_NORMS, ...SOFTMAX.toReversed()];
