// How fast named functions settle: |g(v) - (the line g approaches)| <= factor exp(-rate |v|) for |v| >= from. Each bound is derived here
// from |v| exp(-a |v|) <= 1 / (a e) and (|v| - a)^2 >= 0; test/fn/far-line.test.ts compares them with the functions.

export interface Decay {
  readonly from: number;
  readonly factor: number;
  readonly rate: number;
}

/** On the line from here on. */
function onLine(from: number): Decay {
  return { from, factor: 0, rate: 1 };
}

function decay(factor: number, rate: number): Decay {
  return { from: 0, factor, rate };
}

/** e^v; sigmoid and 1 - sigmoid; log(1 + e^v) <= e^v. */
const PLAIN = decay(1, 1);
/** erfc(v) <= exp(-v^2) and v^2 >= 8 v - 16; exp(16) < 9e6. */
const ERF = decay(9e6, 8);
/** 1 - tanh v = 2 / (exp(2 v) + 1). */
const TANH = decay(2, 2);
/** v (1 - sigmoid v) <= v exp(-v), v exp(-v / 16) <= 16 / e < 6. */
const SILU = decay(6, 15 / 16);
/** v exp(-1.702 v), v exp(-0.1 v) <= 10 / e < 4. */
const QUICK_GELU = decay(4, 1.6);
/** v exp(-K0 v) with K0 = 2 sqrt(2 / pi) > 1.595, the cubic term besides; v exp(-0.095 v) < 4. */
const GELU_TANH = decay(4, 1.5);
/** v erfc(v / sqrt 2) / 2 <= exp(v - v^2 / 2) / 2, and v^2 / 2 - v >= 4 v - 12.5; exp(12.5) < 3e5. */
const GELU = decay(1.5e5, 4);

/** By name: towards -Infinity, towards Infinity; null where it approaches no line, or more slowly than any exponential. */
export const DECAY: Readonly<Record<string, readonly [below: Decay | null, above: Decay | null]>> = {
  exp: [PLAIN, null],
  expm1: [PLAIN, null],
  // 2^v = exp(v log 2), log 2 > 0.69.
  exp2: [decay(1, 0.69), null],
  sigmoid: [PLAIN, PLAIN],
  softplus: [PLAIN, PLAIN],
  tanh: [TANH, TANH],
  erf: [ERF, ERF],
  erfc: [ERF, ERF],
  silu: [SILU, SILU],
  "quick-gelu": [QUICK_GELU, QUICK_GELU],
  "gelu-tanh": [GELU_TANH, GELU_TANH],
  gelu: [GELU, GELU],
  // mish = v n / (n + 2), n = e^v (e^v + 2). Above: 2 v / n <= 2 v exp(-2 v), 2 v exp(-v / 10) < 8. Below: n <= 3 e^v, times |v| / 2.
  mish: [decay(9, 15 / 16), decay(8, 1.9)],
  elu: [PLAIN, onLine(0)],
  // lambda alpha e^v, 1.76.
  selu: [decay(1.8, 1), onLine(0)],
  relu: [onLine(0), onLine(0)],
  abs: [onLine(0), onLine(0)],
  "hard-sigmoid": [onLine(3), onLine(3)],
  "hard-swish": [onLine(3), onLine(3)],
};
