// A function with what a proof asks about it, computed once, and what of the function's own statements a proof may lean on.

import { type Fn, functionNames } from "../fn/index.ts";

export interface Reference {
  readonly fn: Fn;
  readonly first: Fn;
  readonly second: Fn;
  /** f is continuous wherever f' has a finite enclosure. */
  readonly continuous: boolean;
  /** f.kinks is known to be complete: in between f' is continuous wherever f'' has a finite enclosure. */
  readonly smooth: boolean;
}

/** What an expression with jumps contains; Fn finds their places by search, so a proof cannot count on having them all. */
const JUMPING = /(?<![a-z-])where\(/;
/** The same for kinks. */
const BENDING = /(?<![a-z-])(where|min|max|clamp|abs|relu|elu|selu|softsign|hard-[a-z]+)\(/;

export function referenceOf(fn: Fn): Reference {
  const named = functionNames().includes(fn.text);
  const first = fn.derivative();
  return {
    fn,
    first,
    second: first.derivative(),
    continuous: named || !JUMPING.test(fn.text),
    smooth: named || !BENDING.test(fn.text),
  };
}
