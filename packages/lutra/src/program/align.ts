// How arguments align with a tile: their last axes are its own, leading axes are those of the tile, 1 or missing, which repeats them.

import type { Over } from "../kernel/index.ts";

/** The axes of a tile [...outer, rows, columns] that vary with a value. */
export function innerAxes<T>(tile: readonly T[], over: Over): readonly T[] {
  const [rows, columns] = tile.slice(-2) as [T, T];
  if (over === "element") return [rows, columns];
  return over === "row" ? [rows] : over === "column" ? [columns] : [];
}

/** The shape of what a kernel gives for a tile. */
export function resultShape<T>(tile: readonly T[], over: Over): readonly T[] {
  return [...tile.slice(0, -2), ...innerAxes(tile, over)];
}

/**
 * For each combination of the outer axes, in row-major order, which block of the argument it takes.
 * @param leading the argument's axes before those inside a block: at most as many as `outer`, each equal to it or 1
 */
export function blocks(outer: readonly number[], leading: readonly number[]): Int32Array {
  const count = outer.reduce((a, b) => a * b, 1);
  const result = new Int32Array(count);
  let repeat = 1;
  let stride = 1;
  for (let axis = 1; axis <= leading.length; axis++) {
    const extent = outer.at(-axis) as number;
    const own = leading.at(-axis) as number;
    if (own > 1)
      for (let i = 0; i < count; i++) result[i] = (result[i] as number) + (Math.floor(i / repeat) % extent) * stride;
    repeat *= extent;
    stride *= own;
  }
  return result;
}
