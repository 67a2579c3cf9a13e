// Operands that a tile repeats: one call of a kernel computes a whole tile, unless an operand is another row or column for each of its blocks.

import { areSame, fromNumber, type Polynomial, times } from "../../program/index.ts";
import type { Shape } from "../trace/network.ts";
import { type Aligned, type Held, type Lowering, partOf } from "./context.ts";

const ONE = fromNumber(1);

/** An operand as an argument of a kernel over a tile; written out in full where its leading axes vary and its last two do not. */
export function alignedOperand({ builder }: Lowering, { tensor, format }: Held, tile: Shape): Aligned {
  const own = builder.shapeOf(tensor);
  const isVaried = own.slice(0, -2).some((extent) => !areSame(extent, ONE));
  const last = own.slice(-2);
  const isFull = last.every((extent, i) => areSame(extent, tile.at(i - last.length) as Polynomial));
  if (!isVaried || isFull) return builder.aligned(tensor, tile);
  const shape = [...own.slice(0, -2), ...tile.slice(-2)];
  const whole = builder.codes(format, shape);
  const reads = stridesOf(own).map((stride, axis) => (areSame(own[axis] as Polynomial, ONE) ? fromNumber(0) : stride));
  const piece = {
    from: tensor,
    box: shape,
    read: { start: fromNumber(0), strides: reads },
    write: { start: fromNumber(0), strides: stridesOf(shape) },
  };
  builder.emit({ op: "move", parts: [partOf(piece, tensor)], fill: 0, result: whole.tensor });
  return builder.aligned(whole.tensor, tile);
}

/** Of a row-major tensor. */
function stridesOf(shape: Shape): Polynomial[] {
  const strides: Polynomial[] = [];
  let stride: Polynomial = ONE;
  for (const extent of [...shape].reverse()) {
    strides.unshift(stride);
    stride = times(stride, extent);
  }
  return strides;
}
