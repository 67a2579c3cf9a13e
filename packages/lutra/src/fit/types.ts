// What a method is and what it returns.

import type { Work } from "../base/index.ts";
import type { Problem, Table } from "../table/index.ts";

export interface FitResult {
  readonly table: Table;
  /** The problem's norm over its points, of the delivered table: every rounding included. */
  readonly objective: number;
  /** No table of this size, degree and storage can have less. At most `objective`; 0 where nothing is known. */
  readonly bound: number;
  /** In words: which tables and which points the bound is about. */
  readonly boundHolds: string;
  /** What the same problem without `keep` costs, so that a constraint's price can be read; null if nothing is to be kept. */
  readonly unconstrained: Unconstrained | null;
  /** Lines of the table, tails that are lines included. At most what was asked for. */
  readonly segments: number;
}

/** Of the best table found without constraints: its objective, and what no table can go below. */
export interface Unconstrained {
  readonly objective: number;
  readonly bound: number;
}

export interface MethodOptions {
  readonly seed: number;
  /** What the method leaves open, by name (see PARAMETERS in solve.ts); its defaults where absent. */
  readonly parameters?: Readonly<Record<string, string | number>>;
}

/** Searches a table for a problem that asks for a number of segments. `solve` checks the problem and handles errors asked for. */
export type Method = (problem: Problem, options: MethodOptions) => Work<FitResult>;
