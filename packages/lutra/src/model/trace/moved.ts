// What nodes that move elements share: their operands, and a value whose elements are elsewhere.

import { fromNumber, numberOf, walkPlaces } from "../../program/index.ts";
import type { Piece, Shape } from "./network.ts";
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
    const strides = read.strides.map((stride) => numberOf(stride) as number);
    const places = walkPlaces(numberOf(read.start) as number, strides, extents);
    return constant(
      extents,
      places.map((place) => value.constant.data[place] as number),
    );
  }
  return tracer.move([{ from: tracer.tensor(value), box: to, read, write: whole(to) }], to);
}
