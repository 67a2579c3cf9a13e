// The tables behind the drop-in's kernels, each solved when it is first asked for, and kept. Even segments with best lines,
// behind no reduction where an absolute error is what counts; behind that of the exponent where a relative one is.

import { finish } from "../../base/index.ts";
import { solve } from "../../fit/index.ts";
import { BINARY32, type Interval, MAX_BINARY32, MIN_NORMAL_BINARY32 } from "../../num/index.ts";
import {
  type Line,
  type Problem,
  type Reduction,
  type Spec,
  segmentCount,
  segmentOf,
  type Table,
} from "../../table/index.ts";

/** The function's name as its table is asked for. */
export type TableName = "tanh" | "sigmoid" | "erf" | "erf-slope" | "elu" | "softplus" | "exp" | "rsqrt" | "reciprocal";

interface Question {
  /** As fn/ spells it. */
  readonly fn: string;
  readonly segments: number;
  /** Where the segments lie. */
  readonly range: Interval;
  /** The lines below and above the range. */
  readonly tails?: readonly [below: Line, above: Line];
  /** f(0), where the best line of its segment is some 1e-8 beside it. */
  readonly atZero?: number;
  /** What the segments are of, if the function comes of it by a reduction. */
  readonly inner?: { readonly fn: string; readonly reduction: Reduction };
}

const NOTHING: Line = { slope: 0, intercept: 0 };
const ONE: Line = { slope: 0, intercept: 1 };
const MINUS_ONE: Line = { slope: 0, intercept: -1 };
const IDENTITY: Line = { slope: 1, intercept: 0 };

/**
 * Beyond its range each function is its tail to within 3e-7. Index rules that WebAssembly finds faster have a line for each pattern of the input's
 * upper bits: a megabyte of the backend's memory for each function, and ten times as long to load.
 */
const QUESTIONS: Readonly<Record<TableName, Question>> = {
  tanh: { fn: "tanh", segments: 4096, range: { lo: -8, hi: 8 }, tails: [MINUS_ONE, ONE], atZero: 0 },
  sigmoid: { fn: "sigmoid", segments: 4096, range: { lo: -16, hi: 16 }, tails: [NOTHING, ONE] },
  erf: { fn: "erf", segments: 4096, range: { lo: -4, hi: 4 }, tails: [MINUS_ONE, ONE], atZero: 0 },
  "erf-slope": {
    fn: `${2 / Math.sqrt(Math.PI)}*exp(-x*x)`,
    segments: 4096,
    range: { lo: -4, hi: 4 },
    tails: [NOTHING, NOTHING],
  },
  elu: { fn: "elu", segments: 4096, range: { lo: -16, hi: 0 }, tails: [MINUS_ONE, IDENTITY] },
  softplus: { fn: "softplus", segments: 4096, range: { lo: -16, hi: 16 }, tails: [NOTHING, IDENTITY] },
  exp: {
    fn: "exp",
    segments: 512,
    range: { lo: 0, hi: 1 },
    atZero: 1,
    inner: { fn: "exp2", reduction: { by: "exponential", factor: Math.fround(Math.LOG2E) } },
  },
  rsqrt: {
    fn: "rsqrt",
    segments: 3072,
    range: { lo: 1, hi: 4 },
    inner: { fn: "rsqrt", reduction: { by: "octave", step: 2, power: -1 } },
  },
  reciprocal: {
    fn: "reciprocal",
    segments: 1024,
    range: { lo: 1, hi: 2 },
    inner: { fn: "reciprocal", reduction: { by: "octave", step: 1, power: -1 } },
  },
};

/** Inputs of each segment over which its line is best. */
const INPUTS_PER_SEGMENT = 8;
const EVERYWHERE: Interval = { lo: -Infinity, hi: Infinity };
/** Where e^x is a normal number. */
const EXP_DOMAIN: Interval = { lo: -87.33, hi: 88.72 };
const NORMAL: Interval = { lo: MIN_NORMAL_BINARY32, hi: MAX_BINARY32 };

const solved = new Map<TableName, Table>();

export function tableOf(name: TableName): Table {
  const known = solved.get(name);
  if (known !== undefined) return known;
  const table = tableFor(QUESTIONS[name]);
  solved.set(name, table);
  return table;
}

function tableFor(question: Question): Table {
  const { fn, tails, inner, atZero } = question;
  const even = evenSegments(question);
  const table = atZero === undefined ? even : answeringAtZero(even, atZero);
  if (inner !== undefined) {
    const domain = inner.reduction.by === "octave" ? NORMAL : EXP_DOMAIN;
    return { ...table, spec: specOf(fn, domain), reductions: [inner.reduction] };
  }
  // The identity holds at infinity too; elsewhere the clamp keeps 0 * infinity away.
  const clamp = [table.clamp[0], tails?.[1] === IDENTITY ? Infinity : table.clamp[1]] as const;
  return { ...table, spec: specOf(fn, EVERYWHERE), clamp };
}

function evenSegments({ fn, segments, range, tails, inner }: Question): Table {
  const width = (range.hi - range.lo) / segments;
  const step = width / INPUTS_PER_SEGMENT;
  const problem: Problem = {
    spec: specOf(inner?.fn ?? fn, range),
    size: { segments: segments + (tails?.length ?? 0) },
    norm: inner === undefined ? "max" : "relative",
    grid: { lo: range.lo + step / 2, hi: range.hi, step },
    tails: tails ?? ["extend", "extend"],
    reductions: [],
  };
  const { table } = finish(solve(problem, "uniform", { seed: 0, parameters: { lines: "minimax" } }));
  // The method's segments begin at inputs: half a step too far right for lines that are best around the middles.
  const first = range.lo - (tails === undefined ? 0 : width);
  return { ...table, index: { rule: "uniform", first, width } };
}

function answeringAtZero(table: Table, y: number): Table {
  const atZero = segmentOf(table.index, segmentCount(table), 0);
  const [intercepts = [], slopes = []] = table.coefficients;
  return { ...table, coefficients: [intercepts.map((intercept, i) => (i === atZero ? y : intercept)), slopes] };
}

function specOf(fn: string, domain: Interval): Spec {
  return { fn, domain, input: BINARY32, output: BINARY32 };
}
