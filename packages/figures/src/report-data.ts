// What the report is made from: the same plain data that `lutra compile --json` prints, so that a report can be drawn again from a
// stored compile.json.

import type { Certificate, CompiledAllocation, Histogram, Problem, Table } from "lutra";

export interface ReportSite {
  readonly id: string;
  /** Named like the functions: gelu, softmax, layer-norm. */
  readonly kind: string;
  readonly form: "operator" | "decomposed";
  readonly nodes: readonly string[];
  /** Names of its tables. */
  readonly tables: readonly string[];
  readonly certificate: Certificate;
}

export interface ReportTable {
  readonly name: string;
  /** The lookup it fills in its layer: "f", "exp", "reciprocal". */
  readonly hole: string;
  readonly table: Table;
  readonly certificate: Certificate;
  readonly problem: Problem;
  readonly method: string;
  /** Inputs seen in calibration. */
  readonly histogram: Histogram | null;
  /** The problem's norm over its points, and what no table of this size can go below. */
  readonly objective: number;
  readonly bound: number;
}

/** By name: accuracy and flips are shares 0..1. */
export type Metrics = Readonly<Record<string, number>>;

/** An input as a reader would write it, and the answers of both models to it. */
export interface ReportExample {
  readonly input: string;
  readonly before: string;
  readonly after: string;
}

/** What compiling changed, on the samples of the report. */
export interface ReportChange {
  readonly dataset: string;
  /** Samples that before and after were measured on. */
  readonly samples: number;
  readonly before: Metrics;
  readonly after: Metrics;
  /** Share of predictions that changed. */
  readonly flips: number;
  readonly logitError: { readonly max: number; readonly mean: number };
}

export interface ReportData extends ReportChange {
  readonly model: string;
  readonly sites: readonly ReportSite[];
  readonly tables: readonly ReportTable[];
  /** How a budget was kept, if there was one. */
  readonly allocation?: CompiledAllocation | null;
  /** Inputs to show with their answers; at least one, or absent. */
  readonly examples?: readonly ReportExample[];
}
