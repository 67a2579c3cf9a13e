// What a comparison of methods asks and answers: plain JSON. A question is one function on one grid with a number of entries; a row is
// what one method made of it.

import type { Work } from "../base/index.ts";
import type { Problem, Table } from "../table/index.ts";

/** One function, one grid, one number of entries: what every method is asked. */
export interface Question {
  readonly fn: string;
  /** Name of the grid: "gqa", "int8", "nn-lut", "huang", or "own". */
  readonly grid: string;
  readonly segments: number;
  /** The problems to solve: one, or one per input scale. */
  readonly problems: readonly Problem[];
  /** Where there are several scales: one table for all of them, in their order; else null. */
  readonly shared: Problem | null;
}

/** What a method made of one problem. */
export interface Approximation {
  /** The points it is measured at, and the formats of its codes. */
  readonly problem: Problem;
  /** The real value it gives for an input code. */
  readonly answer: (code: number) => number;
  readonly entries: number;
  readonly operations: number;
  readonly bytes: number;
  /** Whether its coefficients are in the formats that the problem asks for: only then is it measured against their optimum. */
  readonly isStoredAsAsked: boolean;
  readonly table: Table | null;
}

export interface Candidate {
  readonly method: string;
  /** Whether its answer depends on a seed. */
  readonly drawsLots: boolean;
  /** One approximation per problem of the question. */
  find(question: Question, seed: number): Work<readonly Approximation[]>;
}

export interface CompareRow {
  readonly method: string;
  readonly fn: string;
  readonly grid: string;
  /** Entries asked for. */
  readonly segments: number;
  /** Entries that the method has: its own number where it is fixed, fewer where it needs no more; 0 for one without a table. */
  readonly entries: number;
  /** Mean over the grid of (delivered - exact)^2; over several scales, the mean of theirs. */
  readonly mse: number;
  /** Largest |delivered - exact|: the L-infinity distance of Huang et al. 2022, equation 8. */
  readonly max: number;
  /** Largest error in binary32 ulps of the exact value, which is taken as at least 2^-14. */
  readonly ulp: number;
  /** Root of the sum of squares over the grid: the L2 distance of Huang et al. 2022, equation 7. */
  readonly l2: number;
  /**
   * mse over that of the optimal table of as many entries in the same storage, of one for each scale where there are several; null where
   * that is exact, or the storage another.
   */
  readonly ratio: number | null;
  /** mse over that of the optimal table of as many entries with real lines; null where that is exact. */
  readonly realRatio: number | null;
  /** What the method must store, in bytes: for one scale, the largest; of a table for all scales, for all of them. */
  readonly bytes: number;
  /** Arithmetic, comparisons and memory reads for one value. */
  readonly operations: number;
  /** What finding it took, in seconds. */
  readonly seconds: number;
  /** Of a method that draws lots, over several seeds: the row itself is of the seed with the median mse, the lower of two. */
  readonly seeds: { readonly count: number; readonly best: number; readonly worst: number } | null;
}

/** A method that does not answer a question, and why. */
export interface CompareRefusal {
  readonly method: string;
  readonly fn: string;
  readonly grid: string;
  readonly segments: number;
  readonly reason: string;
}

/** The table of a row; of the first scale where there are several. */
export interface ComparedTable {
  readonly method: string;
  readonly fn: string;
  readonly segments: number;
  readonly table: Table;
}

export interface MethodComparison {
  readonly rows: readonly CompareRow[];
  /** Of the rows whose method has one, in their order. */
  readonly tables: readonly ComparedTable[];
  readonly refused: readonly CompareRefusal[];
}
