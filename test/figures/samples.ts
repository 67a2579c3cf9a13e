// Small tables with certificates written by hand, so that the figures' golden files depend on nothing but the figures.

import type { Certificate, CompiledAllocation, FrontPoint, Histogram, Table } from "lutra";
import type { ReportData } from "../../packages/figures/src/index.ts";

const BINARY32 = { kind: "float", name: "binary32" } as const;

/** |x| on two lines that miss the corner by 1/4. */
export const BENT: Table = {
  spec: { fn: "abs", domain: { lo: -2, hi: 2 }, input: BINARY32, output: BINARY32 },
  reductions: [],
  clamp: [-2, 2],
  index: { rule: "breakpoints", codes: [0.25] },
  coefficients: [
    [0, 0],
    [-1, 1],
  ],
  shift: 0,
  rounding: "half-even",
};

export const BENT_HISTOGRAM: Histogram = { edges: [-3, -1, 0, 1, 2], counts: [10, 40, 40, 10] };

/** 1 / x with two lines per octave. */
export const RECIPROCAL: Table = {
  spec: { fn: "reciprocal", domain: { lo: 1, hi: 100 }, input: BINARY32, output: BINARY32 },
  reductions: [{ by: "octave", step: 1, power: -1 }],
  clamp: [1, 2],
  index: { rule: "uniform", first: 1, width: 0.5 },
  coefficients: [
    [1.625, 1.125],
    [-0.65625, -0.3125],
  ],
  shift: 0,
  rounding: "half-even",
};

/** max(x, 0) of 4-bit codes. */
export const INTEGER: Table = {
  spec: {
    fn: "relu",
    domain: { lo: -4, hi: 3.5 },
    input: { kind: "integer", signed: true, bits: 4, scale: 0.5, zeroPoint: 0 },
    output: { kind: "integer", signed: true, bits: 4, scale: 0.5, zeroPoint: 0 },
  },
  reductions: [],
  clamp: [-8, 7],
  index: { rule: "breakpoints", codes: [1] },
  coefficients: [
    [0, 0],
    [0, 1],
  ],
  shift: 0,
  rounding: "half-even",
};

/** A certificate with the given largest error at the given input code. */
export function certificateOf(table: Table, largest: number, at: number): Certificate {
  return {
    spec: table.spec,
    kernelHash: "00112233445566aa",
    shown: "interval",
    over: `every binary32 in [${table.spec.domain.lo}, ${table.spec.domain.hi}]`,
    absolute: { upper: largest, lower: largest, at },
    relative: { upper: largest, lower: largest, at, floor: 1e-6 },
    ulp: { upper: 1000, lower: 1000, at },
    mse: null,
    offBy: null,
    undecided: 0,
    segments: [0, 1].map((segment) => ({
      hole: "f",
      segment,
      from: segment,
      to: segment + 1,
      count: null,
      minError: -largest,
      maxError: largest,
      meanError: 0,
      meanSquare: 0,
      digest: "0",
    })),
    dead: [],
    properties: ["never above 1"],
  };
}

/** A report on a model with two layers; `fn` of the tables is one that the library knows. */
export function reportData(): ReportData {
  const gelu: Table = { ...BENT, spec: { ...BENT.spec, fn: "gelu" } };
  const tables = [
    tableEntry("gelu-1", "f", gelu, BENT_HISTOGRAM, "max"),
    tableEntry("softmax-1-reciprocal", "reciprocal", RECIPROCAL, null, "relative"),
  ];
  return {
    model: "tiny <model> & co",
    dataset: "made up",
    samples: 1234,
    tables,
    sites: [
      { ...siteEntry("h0/gelu", "gelu", "operator"), tables: ["gelu-1"] },
      { ...siteEntry("h0/softmax", "softmax", "decomposed"), tables: ["softmax-1-reciprocal"] },
    ],
    before: { accuracy: 0.9327, nll: 0.2741 },
    after: { accuracy: 0.9321, nll: 0.2744 },
    flips: 0.0017,
    logitError: { max: 0.131, mean: 0.0042 },
  };
}

/** A plan of one table that was tried on 100 samples. */
function tried(segments: number, drop: number, isInside: boolean): FrontPoint {
  const margins = { flipsMargin: 0.01, dropMargin: 0.01 };
  const trial = { samples: 100, metrics: {}, drop, flips: 2 * drop, ...margins, logitError: { max: 1, mean: drop } };
  return { segments: { "gelu-1": segments }, bytes: 12 * segments, trial, isInside };
}

/** How a drop of at most half a point was kept with 8 segments. */
export function allocationData(): CompiledAllocation {
  const [chosen, uniform] = [tried(8, 0.003, true), tried(16, 0.001, true)];
  return {
    budget: { maxDrop: 0.005 },
    metric: "accuracy",
    front: [tried(2, 0.6, false), tried(4, 0.01, false), chosen, tried(12, 0.004, true), uniform],
    chosen,
    uniform,
    why: "48 bytes lose more",
    segments: 16,
    chosenOn: "100 samples <of the selection split>",
  };
}

type Entry = ReportData["tables"][number];

function tableEntry(
  name: string,
  hole: string,
  table: Table,
  histogram: Histogram | null,
  norm: "max" | "relative",
): Entry {
  const certificate = certificateOf(table, 0.25, 1);
  const { spec, reductions } = table;
  const problem = { spec, size: { segments: 2 }, norm, tails: ["clamp", "clamp"], reductions } as const;
  return { name, hole, table, certificate, problem, method: "optimal", histogram, objective: 0.25, bound: 0.24 };
}

function siteEntry(
  id: string,
  kind: string,
  form: "operator" | "decomposed",
): Omit<ReportData["sites"][number], "tables"> {
  return { id, kind, form, nodes: [`${id}/out`], certificate: certificateOf(BENT, 0.25, 1) };
}
