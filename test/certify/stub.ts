// Functions and tables for the certificate tests that need neither fn/ nor fit/: references by Math, chords through the function.

import type { Fn } from "../../packages/lutra/src/fn/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { fill, type Kernel } from "../../packages/lutra/src/kernel/index.ts";
import { BINARY32, type Format, type Interval, nextDown, nextUp } from "../../packages/lutra/src/num/index.ts";
import type { Reduction, Table } from "../../packages/lutra/src/table/index.ts";

interface Monotone {
  readonly f: (x: number) => number;
  /** Points between which f is monotone. */
  readonly turns: readonly number[];
}

/** A function and its derivatives, each given with its turning points. */
export function stub(text: string, orders: readonly Monotone[], more: Partial<Fn> = {}): Fn {
  const [{ f, turns }, ...rest] = orders as [Monotone, ...Monotone[]];
  const errorAt = (x: number): number => Math.abs(f(x)) * 2 ** -50 + Number.MIN_VALUE;
  return {
    text,
    domain: { lo: -Infinity, hi: Infinity },
    evaluate: f,
    ulps: 4,
    errorAt,
    enclose: ({ lo, hi }) => {
      const points = [lo, hi, ...turns.filter((x) => x > lo && x < hi)];
      return {
        lo: Math.min(...points.map((x) => nextDown(f(x) - errorAt(x)))),
        hi: Math.max(...points.map((x) => nextUp(f(x) + errorAt(x)))),
      };
    },
    derivative: () => stub(`${text}'`, rest.length === 0 ? [{ f: () => Number.NaN, turns: [] }] : rest),
    identities: [],
    asymptotes: [null, null],
    kinks: [],
    ...more,
  };
}

const monotone = (f: (x: number) => number): Monotone => ({ f, turns: [] });

export const EXP: Fn = stub("exp", [monotone(Math.exp), monotone(Math.exp), monotone(Math.exp)]);

export const RSQRT: Fn = stub("rsqrt", [
  monotone((x) => 1 / Math.sqrt(x)),
  monotone((x) => -0.5 / (x * Math.sqrt(x))),
  monotone((x) => 0.75 / (x * x * Math.sqrt(x))),
]);

const s = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const finite = (f: (x: number) => number, at: number): ((x: number) => number) => (x) => (Math.abs(x) > 700 ? at : f(x));

/** x * sigmoid(x), whose turning points are rounded (good enough to compare with). */
export const SILU: Fn = stub(
  "silu",
  [
    { f: (x) => (x < -700 ? 0 : x * s(x)), turns: [-1.278464542761074] },
    { f: (x) => (x < -700 ? 0 : x > 700 ? 1 : s(x) * (1 + x * s(-x))), turns: [-2.399357280520081, 2.399357280520081] },
    {
      f: finite((x) => s(x) * s(-x) * (2 + x * (s(-x) - s(x))), 0),
      turns: [-3.4357, 0, 3.4357],
    },
  ],
  { identities: [{ by: "reflect" }] },
);

/** Chords through f at equally spaced points of [lo, hi], the outermost lines given by tails if any. */
export function chords(
  fn: Fn,
  range: Interval,
  segments: number,
  more: {
    readonly domain?: Interval;
    readonly reductions?: readonly Reduction[];
    readonly tails?: readonly (readonly [slope: number, intercept: number])[];
    readonly output?: Format;
    readonly input?: Format;
  } = {},
): Table {
  const width = (range.hi - range.lo) / segments;
  const knots = Array.from({ length: segments + 1 }, (_, i) => Math.fround(range.lo + i * width));
  const slopes: number[] = [];
  const intercepts: number[] = [];
  for (let i = 0; i < segments; i++) {
    const [a, b] = [knots[i] as number, knots[i + 1] as number];
    const slope = Math.fround((fn.evaluate(b) - fn.evaluate(a)) / (b - a));
    slopes.push(slope);
    intercepts.push(Math.fround(fn.evaluate(a) - slope * a));
  }
  let codes = knots.slice(1, -1);
  if (more.tails !== undefined) {
    const [below, above] = more.tails as [readonly [number, number], readonly [number, number]];
    slopes.unshift(below[0]);
    intercepts.unshift(below[1]);
    slopes.push(above[0]);
    intercepts.push(above[1]);
    codes = knots;
  }
  return {
    spec: {
      fn: fn.text,
      domain: more.domain ?? range,
      input: more.input ?? BINARY32,
      output: more.output ?? BINARY32,
    },
    reductions: more.reductions ?? [],
    clamp: [-Infinity, Infinity],
    index: { rule: "breakpoints", codes },
    coefficients: [intercepts, slopes],
    shift: 0,
    rounding: "half-even",
  };
}

export function kernelOf(table: Table): Kernel {
  return fill(elementwise(table.spec), { f: table });
}
