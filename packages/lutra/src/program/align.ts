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

/** How many of a tile's last two axes vary with a value. */
export function axesOver(over: Over): number {
  return over === "element" ? 2 : over === "one" ? 0 : 1;
}
