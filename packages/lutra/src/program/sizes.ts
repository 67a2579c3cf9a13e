// Sizes: their value in a run, their largest value, and whether two are equal in every run (as polynomials in the named sizes).

import { areSame, fromName, fromNumber, type Polynomial, plus, times } from "./polynomial.ts";
import type { NamedSize, Size } from "./types.ts";

/** Values of the named sizes in one run. */
export type Extents = Readonly<Record<string, number>>;

/** @throws RangeError for a name without a value */
export function sizeIn(size: Size, extents: Extents): number {
  if (typeof size === "number") return size;
  if (typeof size === "string") {
    const value = extents[size];
    if (value === undefined) throw new RangeError(`the size ${size} has no value`);
    return value;
  }
  const values = size.args.map((arg) => sizeIn(arg, extents));
  return size.op === "add" ? values.reduce((a, b) => a + b, 0) : values.reduce((a, b) => a * b, 1);
}

export function shapeIn(shape: readonly Size[], extents: Extents): number[] {
  return shape.map((size) => sizeIn(size, extents));
}

/** The value when every named size is largest. Sizes grow with each other, so it is the largest. */
export function largest(size: Size, sizes: readonly NamedSize[]): number {
  if (typeof size === "number") return size;
  return sizeIn(size, Object.fromEntries(sizes.map(({ name, most }) => [name, most])));
}

/** The value when every named size is smallest, likewise. */
export function smallest(size: Size, sizes: readonly NamedSize[]): number {
  return sizeIn(size, Object.fromEntries(sizes.map(({ name, least }) => [name, least])));
}

export function product(shape: readonly Size[]): Size {
  return { op: "mul", args: shape };
}

export function namesIn(size: Size): readonly string[] {
  if (typeof size === "number") return [];
  return typeof size === "string" ? [size] : size.args.flatMap(namesIn);
}

/** Whether two sizes are equal whatever the named ones are. */
export function areEqual(a: Size, b: Size): boolean {
  if (typeof a !== "object" && typeof b !== "object") return a === b;
  return areSame(polynomial(a), polynomial(b));
}

/** Whether a size is 1 in every run. */
export function isOne(size: Size): boolean {
  return areEqual(size, 1);
}

function polynomial(size: Size): Polynomial {
  if (typeof size === "number") return fromNumber(size);
  if (typeof size === "string") return fromName(size);
  const args = size.args.map(polynomial);
  return size.op === "add" ? args.reduce((a, b) => plus(a, b), fromNumber(0)) : args.reduce(times, fromNumber(1));
}

/** A complaint where shapes differ in some run. */
export function sameShape(wanted: readonly Size[], given: readonly Size[]): string | null {
  const isSame = wanted.length === given.length && wanted.every((size, i) => areEqual(size, given[i] as Size));
  return isSame ? null : `the shape is ${show(wanted)}, not ${show(given)}`;
}

export function show(shape: readonly Size[]): string {
  const text = (size: Size): string =>
    typeof size === "object" ? size.args.map(text).join(size.op === "add" ? " + " : " ") : `${size}`;
  return `[${shape.map(text).join(", ")}]`;
}
