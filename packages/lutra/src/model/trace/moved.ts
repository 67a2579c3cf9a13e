// What nodes that move elements share: their operands, and a value whose elements are elsewhere.

import type { Piece, Shape } from "./network.ts";
import { fromNumber, numberOf } from "./polynomial.ts";
import { type Tracer, whole } from "./tracer.ts";
import { constant, type Traced } from "./values.ts";

export const ZERO: ReturnType<typeof fromNumber> = fromNumber(0);

export function operand(tracer: Tracer, value: Traced | undefined): Traced {
  if (value === undefined) throw tracer.fault("an input is missing");
  return value;
}

/** Numbers that the model says itself. */
export function known(tracer: Tracer, value: Traced | undefined, otherwise: readonly number[]): readonly number[] {
  if (value === undefined) return otherwise;
  if (value.kind !== "constant") throw tracer.fault("a shape depends on the data");
  return Array.from(value.constant.data);
}

/** An axis counted from the first. */
export function fromFirst(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** A value's elements elsewhere: moved by a run, or here. */
export function moved(tracer: Tracer, value: Traced, to: Shape, read: Piece["read"]): Traced {
  const numbers = [...to, ...read.strides, read.start].map(numberOf);
  if (value.kind === "constant" && numbers.every((x) => x !== null)) {
    const extents = to.map((size) => numberOf(size) as number);
    return constant(
      extents,
      walk(
        value.constant.data,
        extents,
        read.strides.map((s) => numberOf(s) as number),
        numberOf(read.start) as number,
      ),
    );
  }
  return tracer.move([{ from: tracer.tensor(value), box: to, read, write: whole(to) }], to);
}

function walk(data: Float64Array, box: readonly number[], strides: readonly number[], start: number): number[] {
  let places = [start];
  for (const [axis, extent] of box.entries()) {
    places = places.flatMap((place) => Array.from({ length: extent }, (_, i) => place + i * (strides[axis] as number)));
  }
  return places.map((place) => data[place] as number);
}
