// What a named function is described by. The rules themselves stand in the files beside this one.

import type { Interval } from "../../num/index.ts";
import type { Jump, Shape } from "../shape.ts";
import type { Identity, Line } from "../types.ts";

export interface Rule {
  readonly domain: Interval;
  readonly shape: Shape;
  /**
   * Successive derivatives: a Shape, written with primes in text (gelu'(x)), or an expression in x, where nothing is lost by it. After
   * the last: an expression is differentiated further; after a Shape, the definition is differentiated from the start.
   */
  readonly derivatives: readonly (Shape | string)[];
  readonly identities: readonly Identity[];
  /** Lines approached where the limit is infinite. Finite limits are horizontal asymptotes by themselves. */
  readonly asymptotes?: readonly [below: Line | null, above: Line | null];
  /** The function in terms of others; exactly this text, or one of the spellings, is recognised as the function. */
  readonly definition?: string;
  readonly spellings?: readonly string[];
}

export const REALS: Interval = { lo: -Infinity, hi: Infinity };
export const FROM_ZERO: Interval = { lo: 0, hi: Infinity };
export const IDENTITY: Line = { slope: 1, intercept: 0 };

interface Details {
  readonly turns?: readonly number[];
  readonly jumps?: readonly Jump[];
  readonly range?: Interval;
  readonly enclose?: (x: Interval) => Interval;
}

/**
 * A Shape; without details it is monotone and continuous. The error bounds of the rules are half as large again as the largest error
 * seen at 4,000 points each (scripts/mpfr-vectors.mjs with more points); test/fn/vectors.test.ts holds them to 220.
 */
export function shape(
  evaluate: (x: number) => number,
  limits: readonly [number, number],
  ulps: number,
  details: Details = {},
): Shape {
  return { evaluate, limits, ulps, turns: [], jumps: [], range: REALS, ...details };
}

export function range(lo: number, hi: number): Interval {
  return { lo, hi };
}
