// Fn: the specification of a real function of one variable. It knows nothing of bits or tables.

import type { Interval } from "../num/index.ts";

/** The line y = slope * x + intercept. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
}

/**
 * A line that a function keeps to far out on one side: f(x) - (slope x + intercept) lies in `deviation`, give or take slopeError |x|, for
 * every finite x of that side with |x| >= from.
 */
export interface FarLine extends Line {
  /** Positive. */
  readonly from: number;
  /** 0 where the slope is exact, as it is unless an irrational number goes into it. */
  readonly slopeError: number;
  readonly deviation: Interval;
}

/**
 * A fact about a function that lets a table hold less of it. Same shape as the table's Reduction by design
 * (fn may not import table): the identity belongs to the function, the bits to the table, and model/plan.ts turns one into the other.
 *   odd         f(-x) = -f(x)
 *   even        f(-x) = f(x)
 *   reflect     f(x) = x + f(-x)
 *   complement  f(x) = 1 - f(-x)
 *   octave      f(x 2^(step j)) = f(x) 2^(power j) for every integer j, x > 0
 *   logarithm   f(x 2^j) = f(x) + perOctave j, x > 0
 *   exponential f(x) = 2^(factor x)
 */
export type Identity =
  | { readonly by: "odd" }
  | { readonly by: "even" }
  | { readonly by: "reflect" }
  | { readonly by: "complement" }
  | { readonly by: "octave"; readonly step: 1 | 2; readonly power: -1 | 1 }
  | { readonly by: "logarithm"; readonly perOctave: number }
  | { readonly by: "exponential"; readonly factor: number };

export interface Fn {
  /** Canonical: parseFn(text) gives this function back. */
  readonly text: string;
  /** Where it is defined, ends included as limits (log: [0, Infinity], evaluate(0) = -Infinity). */
  readonly domain: Interval;
  /** The value, in binary64; NaN outside the domain; the limit at +-Infinity (gelu(-Infinity) = 0). */
  evaluate(x: number): number;
  /**
   * |evaluate(x) - f(x)| <= ulps * ulp(f(x)) wherever f(x) is a normal binary64. Named functions and their two derivatives: stated,
   * checked against MPFR. Expressions: measured from errorAt over a fixed set of points, so use errorAt where a proof is wanted.
   */
  readonly ulps: number;
  /** Proven bound on |evaluate(x) - f(x)| at a finite x of the domain; Infinity if nothing can be said. */
  errorAt(x: number): number;
  /** Contains f(t) for every t of x in the domain. Rounded outward; infinite ends allowed. Tight for named functions. */
  enclose(x: Interval): Interval;
  /** Whether it is known not to jump within x; it may still have a pole or an undefined point where its derivative has no bound. */
  continuousOn(x: Interval): boolean;
  /** The derivative; at a kink the one from the right for named functions, one of the two for expressions. */
  derivative(): Fn;
  readonly identities: readonly Identity[];
  /** Lines the function approaches towards -Infinity and Infinity; null where there is none. */
  readonly asymptotes: readonly [below: Line | null, above: Line | null];
  /**
   * Proven lines far out. Named functions: their sloped asymptotes; flat ones need none, enclosures do as well. Expressions: wherever
   * the rules of far/ find one.
   */
  readonly farLines: readonly [below: FarLine | null, above: FarLine | null];
  /** Points where the derivative jumps, increasing. */
  readonly kinks: readonly number[];
}
