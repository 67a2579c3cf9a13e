// Tables for the certificate tests that need no fit: chords through the function, rounded to where they are stored.

import { finish } from "../../packages/lutra/src/base/index.ts";
import { type Certificate, type CertifyOptions, certify } from "../../packages/lutra/src/certify/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { fill, type Kernel } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import {
  BINARY32,
  decode,
  type Format,
  firstCodeFrom,
  type IntegerFormat,
  type Interval,
  MAX_BINARY32,
} from "../../packages/lutra/src/num/index.ts";
import type { Reduction, Table } from "../../packages/lutra/src/table/index.ts";

interface ChordOptions {
  readonly fn: string;
  /** Where the chords are, in the reduced argument. */
  readonly range: Interval;
  readonly segments: number;
  /** What the table behind the reductions computes; fn itself if absent. */
  readonly inner?: (t: number) => number;
  readonly domain?: Interval;
  readonly reductions?: readonly Reduction[];
  /** Lines of their own beyond the range: slope, intercept. */
  readonly tails?: readonly [below: readonly [number, number], above: readonly [number, number]];
  readonly input?: Format;
  readonly output?: Format;
}

/** A binary32 table of chords between equally spaced points. */
export function chords(options: ChordOptions): Table {
  const { fn, range, segments, tails } = options;
  const f = options.inner ?? parseFn(fn).evaluate;
  const width = (range.hi - range.lo) / segments;
  const knots = Array.from({ length: segments + 1 }, (_, i) => Math.fround(range.lo + i * width));
  const lines = knots.slice(1).map((b, i): readonly [number, number] => {
    const a = knots[i] as number;
    const slope = Math.fround((f(b) - f(a)) / (b - a));
    return [slope, Math.fround(f(a) - slope * a)];
  });
  const all = tails === undefined ? lines : [tails[0], ...lines, tails[1]];
  return {
    spec: { fn, domain: options.domain ?? range, input: options.input ?? BINARY32, output: options.output ?? BINARY32 },
    reductions: options.reductions ?? [],
    clamp: [-MAX_BINARY32, MAX_BINARY32],
    index: { rule: "breakpoints", codes: tails === undefined ? knots.slice(1, -1) : knots },
    coefficients: [all.map(([, intercept]) => intercept), all.map(([slope]) => slope)],
    shift: 0,
    rounding: "half-even",
  };
}

/** An integer table of chords, slopes and intercepts in `fraction` bits below the output's codes. */
export function integerChords(
  fn: string,
  input: IntegerFormat,
  output: IntegerFormat,
  knots: readonly number[],
  fraction: number,
): Table {
  const f = parseFn(fn).evaluate;
  const codes = knots.slice(1, -1).map((knot) => firstCodeFrom(knot, input) as number);
  const lines = knots.slice(1).map((b, i) => {
    const a = knots[i] as number;
    const slope = (f(b) - f(a)) / (b - a);
    const perCode = Math.round((slope * input.scale * 2 ** fraction) / output.scale);
    const intercept = (f(a) - slope * a) / output.scale + output.zeroPoint;
    return { slope: perCode, intercept: Math.round(intercept * 2 ** fraction) - perCode * input.zeroPoint };
  });
  return {
    spec: { fn, domain: { lo: -Infinity, hi: Infinity }, input, output },
    reductions: [],
    clamp: [-Infinity, Infinity],
    index: { rule: "breakpoints", codes },
    coefficients: [lines.map(({ intercept }) => intercept), lines.map(({ slope }) => slope)],
    shift: fraction,
    rounding: "half-even",
  };
}

export function kernelOf(table: Table): Kernel {
  return fill(elementwise(table.spec), { f: table });
}

export function certificateOf(table: Table, options: CertifyOptions = {}): Certificate {
  return finish(certify(kernelOf(table), options));
}

/** |delivered - exact| in value, for one code. */
export function errorOf(table: Table, answer: number, code: number): number {
  const { input, output, fn } = table.spec;
  return decode(output, answer) - parseFn(fn).evaluate(decode(input, code));
}

const LOG2E = Math.fround(Math.LOG2E);
const LN2 = Math.fround(Math.LN2);
const EVERYWHERE: Interval = { lo: -Infinity, hi: Infinity };
const NORMAL: Interval = { lo: 2 ** -126, hi: Infinity };

/** 16-segment tables of the kinds that compile makes. */
export const TABLES = {
  gelu: chords({
    fn: "gelu",
    range: { lo: -8, hi: 8 },
    segments: 14,
    domain: EVERYWHERE,
    tails: [
      [0, 0],
      [1, 0],
    ],
  }),
  geluReflected: chords({
    fn: "gelu",
    range: { lo: -8, hi: 0 },
    segments: 15,
    domain: EVERYWHERE,
    reductions: [{ by: "reflect" }],
    tails: [
      [0, 0],
      [0.5, 0],
    ],
  }),
  tanh: chords({
    fn: "tanh",
    range: { lo: 0, hi: 8 },
    segments: 15,
    domain: EVERYWHERE,
    reductions: [{ by: "odd" }],
    tails: [
      [1, 0],
      [0, 1],
    ],
  }),
  sigmoid: chords({
    fn: "sigmoid",
    range: { lo: -16, hi: 0 },
    segments: 15,
    domain: EVERYWHERE,
    reductions: [{ by: "complement" }],
    tails: [
      [0, 0],
      [0, 0.5],
    ],
  }),
  exp: chords({
    fn: "exp",
    range: { lo: 0, hi: 1 },
    segments: 16,
    inner: parseFn("exp2").evaluate,
    domain: { lo: -Infinity, hi: 0 },
    reductions: [{ by: "exponential", factor: LOG2E }],
  }),
  reciprocal: chords({
    fn: "reciprocal",
    range: { lo: 1, hi: 2 },
    segments: 16,
    domain: NORMAL,
    reductions: [{ by: "octave", step: 1, power: -1 }],
  }),
  rsqrt: chords({
    fn: "rsqrt",
    range: { lo: 1, hi: 4 },
    segments: 16,
    domain: NORMAL,
    reductions: [{ by: "octave", step: 2, power: -1 }],
  }),
  log: chords({
    fn: "log",
    range: { lo: 1, hi: 2 },
    segments: 16,
    domain: NORMAL,
    reductions: [{ by: "logarithm", perOctave: LN2 }],
  }),
} as const;
