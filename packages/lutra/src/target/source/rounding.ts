// How a quotient is rounded once it has been rounded down: the same in every dialect, but for how it spells two tests.

import type { Helper } from "./dialect.ts";

/** Helpers that round, by what they do and how. */
export type RoundingHelper = Extract<Helper, `${string}-${"floor" | "half-up" | "half-even"}`>;

interface Spelling {
  readonly equals: string;
  /** Whether `down` is. */
  readonly isOdd: string;
}

/** What leads from `down` to the integer nearest to down + rest / unit; "" where that is `down`. Twice the rest might not fit. */
export function roundedUp(helper: RoundingHelper, { equals, isOdd }: Spelling): string {
  if (helper.endsWith("floor")) return "";
  const test = helper.endsWith("half-up")
    ? "rest >= unit - rest"
    : `rest > unit - rest || (rest ${equals} unit - rest && ${isOdd})`;
  return ` + (${test} ? 1 : 0)`;
}
