#!/usr/bin/env node
// Makes test/vectors/mpfr.json: named functions and their first two derivatives from MPFR (npm gmp-wasm), at points chosen to hurt.
//   node scripts/mpfr-vectors.mjs            writes the vectors
//   node scripts/mpfr-vectors.mjs --turns    prints the roots of third derivatives that rules/activations.ts needs
// Derivatives come from Taylor arithmetic on the definitions, so they share no formula with the library. Per point: x as the 16
// hexadecimal digits of its bits; per order the nearest binary64 likewise, and two digits for the distance from it to the exact value,
// in ulp / 256, plus 128.

import { writeFileSync } from "node:fs";
import { init } from "gmp-wasm";

const PRECISION_BITS = 1600; // 1 + 2^-1074 and 1 - tanh(350) keep over 400 bits
const POINTS = 220;
const { calculate } = await init();

// Taylor polynomials as arrays [f, f', f''/2, f'''/6] of MPFR floats, `g` the context that makes them.
const ops = (g, length) => {
  const constant = (c) => Array.from({ length }, (_, i) => g.Float(i === 0 ? c : 0));
  const add = (a, b) => a.map((c, i) => c.add(b[i]));
  const scale = (a, s) => a.map((c) => c.mul(s));
  const mul = (a, b) =>
    a.map((_, n) => {
      let sum = g.Float(0);
      for (let k = 0; k <= n; k++) sum = sum.add(a[k].mul(b[n - k]));
      return sum;
    });
  const div = (a, b) => {
    const q = [];
    for (let n = 0; n < length; n++) {
      let sum = a[n];
      for (let k = 0; k < n; k++) sum = sum.sub(q[k].mul(b[n - k]));
      q.push(sum.div(b[0]));
    }
    return q;
  };
  /** y with y' = a' * slope(y so far): integrates n y_n = sum of k a_k slope_(n-k). */
  const integrate = (a, first, slopeOf) => {
    const y = [first];
    for (let n = 1; n < length; n++) {
      const slope = slopeOf(y);
      let sum = g.Float(0);
      for (let k = 1; k <= n; k++) sum = sum.add(a[k].mul(k).mul(slope[n - k]));
      y.push(sum.div(n));
    }
    return y;
  };
  const exp = (a) => integrate(a, a[0].exp(), (y) => y);
  const gauss = (a) => scale(exp(scale(mul(a, a), -1)), g.Float(2).div(g.Pi().sqrt()));
  return {
    constant,
    add,
    scale,
    mul,
    div,
    exp,
    log: (a) => integrate(a, a[0].ln(), () => div(constant(1), a)),
    sqrt: (a) => {
      const y = [a[0].sqrt()];
      for (let n = 1; n < length; n++) {
        let sum = a[n];
        for (let k = 1; k < n; k++) sum = sum.sub(y[k].mul(y[n - k]));
        y.push(sum.div(y[0].mul(2)));
      }
      return y;
    },
    erf: (a) => integrate(a, a[0].erf(), () => gauss(a)),
    erfc: (a) => integrate(a, a[0].erfc(), () => scale(gauss(a), -1)),
    sin: (a) => [a[0].sin(), ...constant(0).slice(1)],
    cos: (a) => [a[0].cos(), ...constant(0).slice(1)],
  };
};

const one = (t) => t.constant(1);
const neg = (t, a) => t.scale(a, -1);
const sigmoid = (t, a) => t.div(one(t), t.add(one(t), t.exp(neg(t, a))));
const tanh = (t, a) => t.add(t.scale(sigmoid(t, t.scale(a, 2)), 2), t.constant(-1));
const softplus = (t, a) => t.log(t.add(one(t), t.exp(a)));
const fromMinusThree = (x) => (x < -3 ? -1 : x >= 3 ? 1 : 0);

/** Each: the definition on Taylor polynomials (t: operations, x: the variable, g: context, v: the number), how far points reach, and points of interest. */
const FUNCTIONS = {
  gelu: {
    f: (t, x, g) => t.scale(t.mul(x, t.erfc(t.scale(x, g.Float(-1).div(g.Float(2).sqrt())))), 0.5),
    to: [-38.6, 40],
    at: [-0.7517915246935645, Math.SQRT2, -Math.SQRT2, 2, -2, -0.6267915, -11.313708498984761],
  },
  "gelu-tanh": {
    f: (t, x, g) =>
      t.mul(
        x,
        sigmoid(t, t.scale(t.add(x, t.scale(t.mul(x, t.mul(x, x)), 0.044715)), g.Float(2).div(g.Pi()).sqrt().mul(2))),
      ),
    to: [-21.5, 25],
    at: [-0.7524614220710163, 1.4185040087908283, -1.4185040087908283, 2.013480724624258, -2.013480724624258],
  },
  "quick-gelu": {
    f: (t, x) => t.mul(x, sigmoid(t, t.scale(x, 1.702))),
    to: [-420, 430],
    at: [-0.7511541378147907, 1.4097282, -1.4097282, 2.018708],
  },
  silu: {
    f: (t, x) => t.mul(x, sigmoid(t, x)),
    to: [-720, 720],
    at: [-1.2784645427610737, 2.3993572805154675, -2.3993572805154675, 3.435840993535111],
  },
  mish: {
    f: (t, x) => t.mul(x, tanh(t, softplus(t, x))),
    to: [-715, 360],
    at: [-1.1924312145154952, -2.256376396360793, 1.4905711794854284, -0.08793443131491421, -40],
  },
  sigmoid: { f: sigmoid, to: [-708, 708], at: [0, 1.3169578969248166, -1.3169578969248166] },
  tanh: { f: tanh, to: [-353, 353], at: [0, 0.6584789484624083, -0.6584789484624083, 20, -20] },
  softplus: { f: softplus, orders: 1, to: [-708, 760], at: [0] },
  exp: {
    f: (t, x) => t.exp(x),
    orders: 1,
    to: [-708, 709.7],
    at: [0, 0.010830424696249145, 709.782712893384, -708.3964185322641],
  },
  exp2: { f: (t, x, g) => t.exp(t.scale(x, g.Float(2).ln())), to: [-1022, 1023.9], at: [0, 1, -1022, 0.015625] },
  expm1: {
    f: (t, x) => t.add(t.exp(x), t.constant(-1)),
    orders: 1,
    to: [-60, 709.7],
    at: [0, 0.010830424696249145, -0.010830424696249145, 0.0216608],
  },
  log: { f: (t, x) => t.log(x), to: [0, Infinity], at: [1, Math.SQRT2, Math.SQRT1_2, 2, 0.5, Math.E] },
  log1p: { f: (t, x) => t.log(t.add(one(t), x)), orders: 1, to: [-1, Infinity], at: [0, -0.29, 0.41, -0.9999999999] },
  reciprocal: { f: (t, x) => t.div(one(t), x), to: [-Infinity, Infinity], at: [1, -1] },
  sqrt: { f: (t, x) => t.sqrt(x), to: [0, Infinity], at: [1] },
  rsqrt: { f: (t, x) => t.div(one(t), t.sqrt(x)), to: [0, Infinity], at: [1] },
  sin: {
    f: (t, x) => t.sin(x),
    orders: 1,
    to: [-Infinity, Infinity],
    at: [Math.PI, 2 * Math.PI, Math.PI / 2, 22, 355, 104348, 131072, -131073, 1e5, 6381956970095103],
  },
  cos: {
    f: (t, x) => t.cos(x),
    orders: 1,
    to: [-Infinity, Infinity],
    at: [
      Math.PI,
      Math.PI / 2,
      1.5 * Math.PI,
      11,
      (573204 * Math.PI) / 2,
      52174 * Math.PI,
      131072,
      1e5,
      5.319372648326541e255,
    ],
  },
  erf: { f: (t, x) => t.erf(x), to: [-26.5, 26.5], at: [0, 0.5, -0.5, Math.SQRT1_2, -Math.SQRT1_2, 6] },
  erfc: { f: (t, x) => t.erfc(x), orders: 1, to: [-7, 26.5], at: [0, 0.5, 8, 2, 4] },
  elu: { f: (t, x, _, v) => (v >= 0 ? x : t.add(t.exp(x), t.constant(-1))), to: [-60, 60], at: [0] },
  selu: {
    f: (t, x, g, v) =>
      v >= 0
        ? t.scale(x, g.Float("1.0507009873554804934193349852946"))
        : t.scale(
            t.add(t.exp(x), t.constant(-1)),
            g.Float("1.0507009873554804934193349852946").mul(g.Float("1.6732632423543772848170429916717")),
          ),
    to: [-60, 60],
    at: [0],
  },
  "hard-swish": {
    f: (t, x, _, v) =>
      [t.constant(0), t.div(t.mul(x, t.add(x, t.constant(3))), t.constant(6)), x].at(1 + fromMinusThree(v)),
    to: [-1e3, 1e3],
    at: [-3, 3, -1.5, 0],
  },
  "hard-sigmoid": {
    f: (t, x, _, v) =>
      [t.constant(0), t.div(t.add(x, t.constant(3)), t.constant(6)), t.constant(1)].at(1 + fromMinusThree(v)),
    orders: 1,
    to: [-10, 10],
    at: [-3, 3],
  },
  softsign: { f: (t, x, _, v) => t.div(x, t.add(one(t), v >= 0 ? x : neg(t, x))), to: [-Infinity, Infinity], at: [0] },
};

const FACTORIALS = [1, 1, 2, 6];
const view = new DataView(new ArrayBuffer(8));

function hex(x) {
  view.setFloat64(0, x);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

function ulp(y) {
  view.setFloat64(0, Math.abs(y));
  const exponent = Math.max((view.getUint32(0) >>> 20) - 1075, -1074);
  return exponent < -1022 ? 2 ** (exponent + 52) * 2 ** -52 : 2 ** exponent;
}

/** The derivative of an order at x, as MPFR float in the context of `use`. */
function derivative(rule, order, x, use) {
  return calculate(
    (g) => {
      const t = ops(g, order + 1);
      const variable = Array.from({ length: order + 1 }, (_, i) => g.Float(i === 0 ? x : i === 1 ? 1 : 0));
      const value = rule.f(t, variable, g, x)[order].mul(FACTORIALS[order]);
      return use(value, g);
    },
    { precisionBits: PRECISION_BITS },
  );
}

/** calculate() gives text back; `use` leaves the answer here instead. */
function measure(rule, order, x) {
  let answer = "";
  derivative(rule, order, x, (value, g) => {
    const y = value.toNumber();
    const off = Number.isFinite(y)
      ? Math.round(
          value
            .sub(g.Float(y))
            .div(g.Float(ulp(y)))
            .mul(256)
            .toNumber(),
        )
      : 0;
    answer =
      hex(y) +
      Math.min(off + 128, 255)
        .toString(16)
        .padStart(2, "0");
    return g.Float(0);
  });
  return answer;
}

/** A fixed sequence in [0, 1): x -> 1664525 x + 1013904223 mod 2^32. */
function sequence(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Points of interest with neighbours near and nearer, tiny and huge ones, then half the rest near 0, half over the whole reach by magnitude. */
function pointsOf({ to: [lo, hi], at }) {
  const next = sequence(7);
  const points = new Set();
  const offer = (x) => {
    if (x >= lo && x <= hi && Number.isFinite(x) && x !== 0 && (lo !== 0 || x > 0) && x !== -1) points.add(x);
  };
  for (const c of at) {
    for (const d of [0, 2 ** -52, -(2 ** -52), 2 ** -40, -(2 ** -40), 2 ** -20, -(2 ** -20), 2 ** -8, -(2 ** -8)])
      offer(c === 0 ? d : c * (1 + d));
  }
  for (const x of [5e-324, 1e-310, 2 ** -1022, 1e-200, 1e-20, 1e-8, 1e30, 1e200, Number.MAX_VALUE, lo, hi]) {
    offer(x);
    offer(-x);
  }
  while (points.size < POINTS * 0.6) offer((next() - 0.5) * 16);
  const top = Math.min(Math.log2(Math.max(-lo, hi)), 300);
  while (points.size < POINTS) offer((next() < 0.5 ? -1 : 1) * 2 ** (-12 + next() * (top + 12)));
  return [...points].slice(0, POINTS).sort((a, b) => a - b);
}

function makeVectors() {
  const vectors = {};
  for (const [name, rule] of Object.entries(FUNCTIONS)) {
    const points = pointsOf(rule);
    const orders = Array.from({ length: rule.orders ?? 3 }, (_, order) =>
      points.map((x) => measure(rule, order, x)).join(""),
    );
    vectors[name] = { x: points.map(hex).join(""), orders };
    console.error(name);
  }
  const about = "Made by scripts/mpfr-vectors.mjs, which says what the digits mean.";
  const text = JSON.stringify({ about, vectors }, null, 1);
  writeFileSync(new URL("../test/vectors/mpfr.json", import.meta.url), `${text}\n`);
}

/** Roots of the third derivative between -8 and 8, by sign changes at steps of 1/32 and bisection to neighbouring doubles. */
function printTurns() {
  for (const name of ["silu", "gelu-tanh", "mish"]) {
    const sign = (x) => {
      let answer = 0;
      derivative(FUNCTIONS[name], 3, x, (value, g) => {
        answer = Math.sign(value.toNumber());
        return g.Float(0);
      });
      return answer;
    };
    const roots = [];
    for (let x = -8.01; x < 8; x += 1 / 32) {
      let [a, b] = [x, x + 1 / 32];
      const from = sign(a);
      if (from === sign(b)) continue;
      for (let m = (a + b) / 2; m > a && m < b; m = (a + b) / 2) {
        if (sign(m) === from) a = m;
        else b = m;
      }
      roots.push(b);
    }
    console.log(name, roots.join(" "));
  }
}

if (process.argv.includes("--turns")) printTurns();
else makeVectors();
