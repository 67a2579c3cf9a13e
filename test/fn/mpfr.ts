// Functions by their definitions in MPFR (npm gmp-wasm), at a precision that tells 1 from tanh(400): shares nothing with the library.

import { init } from "gmp-wasm";

/** 1 - tanh(v) is e^-2v: 1,600 bits hold v up to 550, and 2^128 beside 2^-1400. */
const PRECISION_BITS = 1600;
const { getContext } = await init();

/** An MPFR number; the package's own type is circular and says nothing. Compared with its like only. */
export interface Real {
  add(other: Real | number): Real;
  sub(other: Real | number): Real;
  mul(other: Real | number): Real;
  div(other: Real | number): Real;
  pow(exponent: number): Real;
  sqrt(): Real;
  exp(): Real;
  ln(): Real;
  tanh(): Real;
  erf(): Real;
  neg(): Real;
  abs(): Real;
  lessThan(other: Real): boolean;
  lessOrEqual(other: Real): boolean;
  greaterThan(other: Real): boolean;
  greaterOrEqual(other: Real): boolean;
  toNumber(): number;
}

/** A function of one variable. */
export type Definition = (x: Real) => Real;

export interface Mpfr {
  real(value: number): Real;
  exp(v: Real): Real;
  sigmoid(v: Real): Real;
  tanh(v: Real): Real;
  erf(v: Real): Real;
  softplus(v: Real): Real;
  elu(v: Real): Real;
  clamp(v: Real, lo: number, hi: number): Real;
  pi(): Real;
  destroy(): void;
}

export function mpfr(): Mpfr {
  const g = getContext({ precisionBits: PRECISION_BITS });
  const real = (value: number): Real => g.Float(value) as unknown as Real;
  const isPositive = (v: Real): boolean => v.greaterThan(real(0));
  return {
    real,
    exp: (v) => v.exp(),
    sigmoid: (v) => real(1).div(v.neg().exp().add(1)),
    tanh: (v) => v.tanh(),
    erf: (v) => v.erf(),
    softplus: (v) => (isPositive(v) ? v.neg().exp().add(1).ln().add(v) : v.exp().add(1).ln()),
    elu: (v) => (isPositive(v) ? v : v.exp().sub(1)),
    clamp: (v, lo, hi) => (v.lessThan(real(lo)) ? real(lo) : v.greaterThan(real(hi)) ? real(hi) : v),
    pi: () => g.Pi() as unknown as Real,
    destroy: () => g.destroy(),
  };
}

/** Expressions as users and exporters write them, and what they mean. */
export function expressionsOf(e: Mpfr): Readonly<Record<string, Definition>> {
  const positive: Definition = (x) => e.clamp(x, 0, Infinity);
  const negative: Definition = (x) => e.clamp(x, -Infinity, 0);
  const half: Definition = (x) => x.div(2);
  return {
    "2*elu(x/2)": (x) => e.elu(x.div(2)).mul(2),
    "3*elu(x/3)": (x) => e.elu(x.div(3)).mul(3),
    "max(x,0)+min(0,2*(exp(x/2)-1))": (x) => e.elu(x.div(2)).mul(2),
    "max(x,0)+1.5*elu(min(x,0))": (x) => positive(x).add(e.elu(negative(x)).mul(1.5)),
    "1.0625*(max(x,0)+1.75*elu(min(x,0)))": (x) =>
      positive(x)
        .add(e.elu(negative(x)).mul(1.75))
        .mul(1.0625),
    "x*sigmoid(1.5*x)": (x) => x.mul(e.sigmoid(x.mul(1.5))),
    "sigmoid(1.7*x)*x": (x) => x.mul(e.sigmoid(x.mul(1.7))),
    "x/(1+exp(-1.5*x))": (x) => x.mul(e.sigmoid(x.mul(1.5))),
    "x*sigmoid(x/20)": (x) => x.mul(e.sigmoid(x.div(20))),
    "0.5*x*(1+erf(0.7*x))": (x) => half(x).mul(e.erf(x.mul(0.7)).add(1)),
    "0.5*x*(1+tanh(0.7978845608*(x+0.044715*x^3)))": (x) =>
      half(x).mul(e.tanh(x.add(x.mul(x).mul(x).mul(0.044715)).mul(0.7978845608)).add(1)),
    "x*tanh(log(1+exp(x/2)))": (x) => x.mul(e.tanh(e.softplus(half(x)))),
    "log(1+exp(2*x))/2": (x) => half(e.softplus(x.mul(2))),
    "2*softplus(x)-x": (x) => e.softplus(x).mul(2).sub(x),
    "x*clamp(x/6+0.5,0,1)": (x) => x.mul(e.clamp(x.div(6).add(0.5), 0, 1)),
    "max(x,0)+0.01*min(x,0)": (x) => positive(x).add(negative(x).mul(0.01)),
    "where(x,x,0.25*(exp(x)-1))": (x) => (x.lessThan(e.real(0)) ? x.exp().sub(1).div(4) : x),
    "x*exp(-x^2)": (x) => x.mul(x.mul(x).neg().exp()),
    "tanh(x)*(x+1)": (x) => e.tanh(x).mul(x.add(1)),
    "x*tanh(1)": (x) => x.mul(e.tanh(e.real(1))),
    "0.1*x+0.9*x*sigmoid(x)": (x) => x.mul(0.1).add(x.mul(0.9).mul(e.sigmoid(x))),
    "x+1/x": (x) => x.add(e.real(1).div(x)),
    "pi*x-softsign(x)": (x) => x.mul(e.pi()).sub(x.div(x.abs().add(1))),
  };
}
