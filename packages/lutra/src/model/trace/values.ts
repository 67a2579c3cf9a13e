// Values of a model while it is traced: numbers known beforehand, sizes of a run, or tensors that a run computes.

import { fromNumber, numberOf, type Polynomial } from "../../program/index.ts";
import type { Constant, Shape } from "./network.ts";

export type Traced =
  | { readonly kind: "constant"; readonly constant: Constant }
  /** Integers about shapes: one, or a list. */
  | { readonly kind: "sizes"; readonly sizes: readonly Polynomial[]; readonly isList: boolean }
  | { readonly kind: "tensor"; readonly name: string; readonly shape: Shape };

export function constant(shape: readonly number[], data: ArrayLike<number>): Traced {
  return { kind: "constant", constant: { shape, data: Float64Array.from(data) } };
}

/** The value as sizes: a constant list of integers is one too. Null for others. */
export function asSizes(value: Traced): readonly Polynomial[] | null {
  if (value.kind === "sizes") return value.sizes;
  if (value.kind !== "constant" || value.constant.shape.length > 1) return null;
  const { data } = value.constant;
  return data.every(Number.isInteger) ? Array.from(data, fromNumber) : null;
}

/** Sizes as a constant where all of them are numbers. */
export function sizes(all: readonly Polynomial[], isList: boolean): Traced {
  const numbers = all.map(numberOf);
  const known = numbers.filter((x) => x !== null);
  if (known.length < numbers.length) return { kind: "sizes", sizes: all, isList };
  return constant(isList ? [all.length] : [], known);
}

export function shapeOf(value: Traced): Shape {
  if (value.kind === "constant") return value.constant.shape.map(fromNumber);
  if (value.kind === "sizes") return value.isList ? [fromNumber(value.sizes.length)] : [];
  return value.shape;
}
