// Certificate: what is proven about a Kernel, how it was shown, and where the worst input lies. Plain JSON.

import type { Spec } from "../table/index.ts";

/** The error is at most `upper` for every input; it is at least `lower`, attained at the input code `at`. 0 and null over an empty domain. */
export interface ErrorBound {
  readonly upper: number;
  readonly lower: number;
  /**
   * Input code (value, for floats) where `lower` was measured on the delivered output; null if there is none (empty domain).
   * For a function of a row: the position in `row`.
   */
  readonly at: number | null;
  /** For functions of a row: the whole row that attains `lower`. */
  readonly row?: readonly number[];
}

/** The three ways in which a certificate weighs an error. */
export type Measure = "absolute" | "relative" | "ulp";

/** What visiting every binary32 input of the domain found out. Equal on every machine, but for `seconds` and `threads`. */
export interface Exhaustive {
  /**
   * At how many inputs the table was evaluated: all of the domain, infinities and both zeros included. Where the domain has no ends
   * these are all 2^32 bit patterns, NaNs too.
   */
  readonly inputs: number;
  /** At how many of them the function itself was evaluated; at the others it was enclosed between two lines. */
  readonly evaluated: number;
  /** How many have no error: infinities and NaNs. */
  readonly unmeasured: number;
  readonly worst: Readonly<Record<Measure, ErrorBound>>;
  /** Fingerprint of all delivered outputs in order, bit for bit; every NaN counts as the same one. */
  readonly digest: string;
  readonly seconds: number;
  readonly threads: number;
}

/** Errors of one segment, signed: delivered minus exact. Bumping a live entry of the table changes it. */
export interface SegmentError {
  /** Which lookup: the hole's name. */
  readonly hole: string;
  readonly segment: number;
  /** First and last reduced argument of the segment inside the domain; null if no input reaches it. */
  readonly from: number | null;
  readonly to: number | null;
  /** Number of input codes that reach it; null where not counted (binary32). */
  readonly count: number | null;
  /** Attained where enumerated; proven bounds from outside where shown by intervals. 0 if no input reaches the segment. */
  readonly minError: number;
  readonly maxError: number;
  /** Over all codes of the segment where enumerated; an estimate from a few evenly spaced inputs per line otherwise. */
  readonly meanError: number;
  readonly meanSquare: number;
  /** Fingerprint of what the segment delivers: of all its outputs (enumerated), or of its line and its reach (interval). */
  readonly digest: string;
}

/**
 * A table entry that can be raised or lowered by one code (binary32: to the next number) without changing any output, because no input
 * reaches it or because rounding or saturation absorb the change. Listed only if that is decided for every input.
 */
export interface DeadEntry {
  readonly hole: string;
  /** Which column: coefficients[degree], or the breakpoints of the index. */
  readonly degree: number | "breakpoint";
  /** Position in that column. */
  readonly segment: number;
  /** Which changes are without effect. */
  readonly bump: "up" | "down" | "both";
}

export interface Certificate {
  readonly spec: Spec;
  /** hash() of the kernel with its tables: a certificate is about these bits and no others. */
  readonly kernelHash: string;
  readonly shown: "enumerated" | "interval" | "composed";
  /** In words, what was covered: "all 65,536 codes", "every binary32 in [-8, 8]", "rows of up to 4,096 finite values". */
  readonly over: string;
  readonly absolute: ErrorBound;
  /** |error| / max(|f|, floor). */
  readonly relative: ErrorBound & { readonly floor: number };
  /** In ulps of the output format at the exact value; output scale for integers. */
  readonly ulp: ErrorBound;
  /** Mean square error over the enumerated codes, each weighing the same; null if not enumerated. */
  readonly mse: number | null;
  /** offBy[n]: how many codes are n output codes from the correctly rounded one; null unless enumerated with an integer output. */
  readonly offBy: readonly number[] | null;
  /** How many codes of `offBy` were counted at the larger of two distances, the reference being too near to a rounding boundary. */
  readonly undecided: number;
  readonly segments: readonly SegmentError[];
  readonly dead: readonly DeadEntry[];
  /** Further proven statements, in words: "a masked position (-Infinity or 104 below the maximum) is exactly 0". */
  readonly properties: readonly string[];
  /** Where every input was visited on request. */
  readonly exhaustive?: Exhaustive;
  /** For composed certificates: those of the holes, by name. */
  readonly holes?: Readonly<Record<string, Certificate>>;
}
