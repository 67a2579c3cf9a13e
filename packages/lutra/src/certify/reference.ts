// A function with what a proof asks about it, computed once, and what of the function's own statements a proof may lean on.

import { type Fn, functionNames, type Line } from "../fn/index.ts";

export interface Reference {
  readonly fn: Fn;
  readonly first: Fn;
  readonly second: Fn;
  /** f is continuous wherever f' has a finite enclosure. */
  readonly continuous: boolean;
  /** f.kinks is known to be complete: in between f' is continuous wherever f'' has a finite enclosure. */
  readonly smooth: boolean;
  /** Sloped lines that f approaches, its deviation shrinking monotonically beyond ANCHOR on that side; null where not known. */
  readonly sloped: readonly [below: Line | null, above: Line | null];
}

/**
 * Named functions with a sloped asymptote (GELU, SiLU, Mish, Softplus, ELU, ...) are all convex or concave beyond this on either side,
 * so their deviation from the line is monotone. A test samples that. Of expressions nothing is assumed: x + sin(x) / x has a line too.
 */
export const ANCHOR = 16;

/** What an expression with jumps contains; Fn finds their places by search, so a proof cannot count on having them all. */
const JUMPING = /(?<![a-z-])where\(/;
/** The same for kinks. */
const BENDING = /(?<![a-z-])(where|min|max|clamp|abs|relu|elu|selu|softsign|hard-[a-z]+)\(/;

export function referenceOf(fn: Fn): Reference {
  const named = functionNames().includes(fn.text);
  const first = fn.derivative();
  const sloped = (line: Line | null): Line | null => (named && line !== null && line.slope !== 0 ? line : null);
  const [below, above] = fn.asymptotes;
  return {
    fn,
    first,
    second: first.derivative(),
    continuous: named || !JUMPING.test(fn.text),
    smooth: named || !BENDING.test(fn.text),
    sloped: [sloped(below), sloped(above)],
  };
}
