// slope x + intercept + rest(x) on one ray |x| >= START, and its algebra. Bounds on the rest are rounded up throughout.

import { iv } from "../../num/index.ts";
import { type Coefficient, coefficient, inverse, isZero, opposite, plus, times } from "./coefficient.ts";

/** Upper bounds on |rest|, |x rest|, |x^2 rest|. Infinity where nothing is known. */
export type Rest = readonly [number, number, number];

export interface Form {
  readonly slope: Coefficient;
  readonly intercept: Coefficient;
  readonly rest: Rest;
}

export const NO_REST: Rest = [0, 0, 0];

/** An upper bound, whatever few roundings went into x >= 0; 0 stays, for it came of nothing. */
export function raised(x: number): number {
  return x === 0 ? 0 : x * (1 + 2 ** -48) + Number.MIN_VALUE;
}

/** A lower bound likewise. */
export function lowered(x: number): number {
  return x * (1 - 2 ** -48) - Number.MIN_VALUE;
}

export function constant(intercept: Coefficient, rest: Rest = NO_REST): Form {
  return { slope: coefficient(0), intercept, rest };
}

export function negated({ slope, intercept, rest }: Form): Form {
  return { slope: opposite(slope), intercept: opposite(intercept), rest };
}

export function sum(a: Form, b: Form): Form {
  const rest = a.rest.map((each, p) => raised(each + (b.rest[p] as number)));
  return { slope: plus(a.slope, b.slope), intercept: plus(a.intercept, b.intercept), rest: toRest(rest) };
}

/** Null where both have a slope: no line then. (s x + i) r costs a power of x from the rest r. */
export function product(a: Form, b: Form): Form | null {
  if (!isZero(a.slope) && !isZero(b.slope)) return null;
  const rest = a.rest.map((own, p) => {
    const other = b.rest[p] as number;
    const both = Math.min(scaled(a.rest[0], other), scaled(b.rest[0], own));
    return raised(lineTimesRest(a, b.rest, p) + lineTimesRest(b, a.rest, p) + both);
  });
  return {
    slope: plus(times(a.slope, b.intercept), times(b.slope, a.intercept)),
    intercept: times(a.intercept, b.intercept),
    rest: toRest(rest),
  };
}

function lineTimesRest({ slope, intercept }: Form, rest: Rest, p: number): number {
  const next = rest[p + 1] ?? (rest[0] === 0 ? 0 : Infinity);
  return scaled(iv.magnitude(slope.range), next) + scaled(iv.magnitude(intercept.range), rest[p] as number);
}

/** 1 / (i + r) = 1 / i - r / (i (i + r)); null unless |r| stays below |i| / 2. */
export function reciprocal({ slope, intercept, rest }: Form): Form | null {
  const least = iv.mignitude(intercept.range);
  if (!isZero(slope) || !(rest[0] < least / 2)) return null;
  const factor = raised(1 / (least * (least - rest[0])));
  return constant(inverse(intercept), scaledRest(rest, factor));
}

export function scaledRest(rest: Rest, factor: number): Rest {
  return toRest(rest.map((each) => raised(scaled(each, factor))));
}

/** A bound of 0 stays 0 beside an infinite one. */
function scaled(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

function toRest([first, second, third]: readonly number[]): Rest {
  return [first as number, second as number, third as number];
}
