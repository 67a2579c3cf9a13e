// A function with what a proof asks about it, computed once.

import type { Fn } from "../fn/index.ts";
import type { Interval } from "../num/index.ts";

export interface Reference {
  readonly fn: Fn;
  readonly first: Fn;
  readonly second: Fn;
}

export function referenceOf(fn: Fn): Reference {
  const first = fn.derivative();
  return { fn, first, second: first.derivative() };
}

/** Whether f' is continuous over x, wherever the enclosure of f'' is bounded. Both may jump where the other does not. */
export function isSmooth({ fn, first }: Reference, x: Interval): boolean {
  return fn.continuousOn(x) && first.continuousOn(x);
}
