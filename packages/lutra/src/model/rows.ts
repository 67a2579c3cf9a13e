// A tensor as the tile of rows that a layer's kernel works on: rows along the normalised axes, of which evenly spaced ones may be taken.

import { LutraError, type Tensor } from "../base/index.ts";

export interface Tile {
  readonly rows: number;
  readonly columns: number;
  /** rows * columns, row-major. */
  readonly data: ArrayLike<number>;
}

/** How a tensor's elements fall into rows: element c of row (o, i) is at (o * columns + c) * inner + i, with 0 <= i < inner. */
interface RowLayout {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
}

/**
 * About `maxValues` values of a tensor in whole rows, evenly spaced; all rows if there are fewer, always at least one.
 * @param axes negative, ascending and neighbouring; null for an elementwise function, whose rows are the last axis
 * @throws LutraError "unsupported" if the axes are not neighbours; "bad-data" if the tensor is not binary32 or binary64
 */
export function sampleRows(
  { data, shape }: Tensor,
  axes: readonly number[] | null,
  maxValues: number,
  where: string,
): Tile {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw new LutraError("unsupported", "the layer's input is not a float tensor", { where });
  }
  const { rows, columns, inner } = rowLayout(shape, axes, where);
  const wanted = Math.max(1, Math.floor(maxValues / columns));
  if (wanted >= rows && inner === 1) return { rows, columns, data };
  const taken = Math.min(rows, wanted);
  const out = new Float64Array(taken * columns);
  for (let k = 0; k < taken; k++) {
    // The middle of the k-th of `taken` equal parts. The step is seldom whole, so positions that repeat are not always the same.
    const row = Math.floor(((k + 0.5) * rows) / taken);
    const start = Math.floor(row / inner) * columns * inner + (row % inner);
    for (let c = 0; c < columns; c++) out[k * columns + c] = data[start + c * inner];
  }
  return { rows: taken, columns, data: out };
}

function rowLayout(shape: readonly number[], axes: readonly number[] | null, where: string): RowLayout {
  const along = axes ?? [-1];
  const first = shape.length + along[0];
  const last = shape.length + along[along.length - 1];
  if (shape.length === 0 && axes === null) return { rows: 1, columns: 1, inner: 1 };
  if (first < 0 || last >= shape.length || last - first !== along.length - 1) {
    throw new LutraError("unsupported", `rows along axes [${along.join(", ")}] of shape [${shape.join(", ")}]`, {
      where,
    });
  }
  const product = (from: number, to: number): number =>
    shape.slice(from, to).reduce((size, extent) => size * extent, 1);
  const inner = product(last + 1, shape.length);
  return { rows: product(0, first) * inner, columns: product(first, last + 1), inner };
}
