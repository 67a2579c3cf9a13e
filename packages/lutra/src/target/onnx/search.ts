// Finding a segment and its entries: comparisons and Gathers in a balanced tree, the same for binary32 values and for integer codes.

import { type FunctionBuilder, INT32 } from "./builder.ts";

/** How constants of the argument's type are written, and a value of it that no argument reaches. */
export interface Constants {
  of(values: number | readonly number[]): string;
  readonly beyond: number;
}

/**
 * The number of thresholds (ascending) that are <= t, as an int32 tensor of t's shape: a balanced tree, one level per bit.
 * With less than a full tree the missing thresholds lie beyond and `gatherFrom` repeats its last entry for what lies behind them.
 */
export function searchAmong(
  build: FunctionBuilder,
  t: string,
  thresholds: readonly number[],
  constants: Constants,
): string {
  const levels = levelsFor(thresholds.length + 1);
  const at = (i: number): number => thresholds[i] ?? constants.beyond;
  let segment: string | null = null;
  for (let level = 0; level < levels; level++) {
    const stride = 2 ** (levels - 1 - level);
    const nodes = Array.from({ length: 2 ** level }, (_, k) => at((2 * k + 1) * stride - 1));
    const threshold: string =
      segment === null ? constants.of(nodes[0] as number) : build.op("Gather", [constants.of(nodes), segment]);
    const bit = build.op("Cast", [build.op("GreaterOrEqual", [t, threshold])], { to: INT32 });
    segment = segment === null ? bit : build.op("Add", [build.op("Add", [segment, segment]), bit]);
  }
  return segment ?? build.op("Cast", [build.op("Less", [t, t])], { to: INT32 });
}

function levelsFor(count: number): number {
  return Math.max(0, 32 - Math.clz32(count - 1));
}

/** Entries by position, the last repeated up to the next power of two (see searchAmong). */
export function gatherFrom(
  build: FunctionBuilder,
  entries: readonly number[],
  position: string,
  constants: Pick<Constants, "of">,
): string {
  const padded = 2 ** levelsFor(entries.length);
  const last = entries.at(-1) as number;
  return build.op("Gather", [
    constants.of([...entries, ...new Array<number>(padded - entries.length).fill(last)]),
    position,
  ]);
}
