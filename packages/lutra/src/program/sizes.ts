// Sizes: their value in a run, their largest value, and whether two are equal in every run (as polynomials in the named sizes).

import { areSame, fromName, fromNumber, numberOf, type Polynomial, plus, times } from "./polynomial.ts";
import type { NamedSize, Size } from "./types.ts";

/** Of a size as a polynomial: what a file says costs no more than this. Products of all axes of a tensor are far below. */
const MOST_TERMS = 64;
const MOST_DEGREE = 8;

/** Values of the named sizes in one run. */
export type Extents = Readonly<Record<string, number>>;

/** @throws RangeError for a name without a value, and for what is no integer from 0 to 2^53 - 1 or has factors beyond that, even beside a 0 */
export function sizeIn(size: Size, extents: Extents): number {
  if (typeof size === "number") return checked(size);
  if (typeof size === "string") {
    if (!Object.hasOwn(extents, size)) throw new RangeError(`the size ${size} has no value`);
    return checked(extents[size] as number);
  }
  const values = size.args.map((arg) => sizeIn(arg, extents));
  if (size.op === "add") return checked(values.reduce((a, b) => a + b, 0));
  const whole = checked(values.reduce((a, b) => a * Math.max(1, b), 1));
  return values.includes(0) ? 0 : whole;
}

function checked(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`a size is an integer from 0 to 2^53 - 1, got ${value}`);
}

export function shapeIn(shape: readonly Size[], extents: Extents): number[] {
  return shape.map((size) => sizeIn(size, extents));
}

/** The value when every named size is largest. Sizes grow with each other, so it is the largest. */
export function largest(size: Size, sizes: readonly NamedSize[]): number {
  return sizeIn(size, ends(sizes).most);
}

/** The value when every named size is smallest, likewise. */
export function smallest(size: Size, sizes: readonly NamedSize[]): number {
  return sizeIn(size, ends(sizes).least);
}

interface Ends {
  readonly least: Extents;
  readonly most: Extents;
}

const knownEnds = new WeakMap<readonly NamedSize[], Ends>();

function ends(sizes: readonly NamedSize[]): Ends {
  const known = knownEnds.get(sizes);
  if (known !== undefined) return known;
  const made = {
    least: Object.fromEntries(sizes.map(({ name, least }) => [name, least])),
    most: Object.fromEntries(sizes.map(({ name, most }) => [name, most])),
  };
  knownEnds.set(sizes, made);
  return made;
}

export function product(shape: readonly Size[]): Size {
  return { op: "mul", args: shape };
}

export function namesIn(size: Size): readonly string[] {
  if (typeof size === "number") return [];
  return typeof size === "string" ? [size] : size.args.flatMap(namesIn);
}

/** Whether two sizes are equal whatever the named ones are. @throws RangeError for sizes of too many terms or too high a degree */
export function areEqual(a: Size, b: Size): boolean {
  if (typeof a !== "object" && typeof b !== "object") return a === b;
  return areSame(polynomial(a), polynomial(b));
}

/** Whether a size is 1 in every run. */
export function isOne(size: Size): boolean {
  return areEqual(size, 1);
}

const knownPolynomials = new WeakMap<Size & object, Polynomial>();

function polynomial(size: Size): Polynomial {
  if (typeof size === "number") return fromNumber(size);
  if (typeof size === "string") return fromName(size);
  const known = knownPolynomials.get(size);
  if (known !== undefined) return known;
  const args = size.args.map(polynomial);
  const made =
    size.op === "add"
      ? args.reduce((a, b) => limited(plus(a, b)), fromNumber(0))
      : args.reduce(limitedProduct, fromNumber(1));
  knownPolynomials.set(size, made);
  return made;
}

/** Term by term, so that no more is made than is allowed: no size subtracts, so that terms never become fewer. */
function limitedProduct(a: Polynomial, b: Polynomial): Polynomial {
  if (numberOf(a) === 1) return b;
  const sum = new Map<string, number>();
  for (const left of a) {
    for (const right of b) {
      for (const [names, factor] of times(new Map([left]), new Map([right]))) {
        sum.set(names, (sum.get(names) ?? 0) + factor);
      }
      if (sum.size > MOST_TERMS) return limited(sum);
    }
  }
  return limited(sum);
}

function limited(polynomial: Polynomial): Polynomial {
  const degrees = [...polynomial.keys()].map((names) => (names === "" ? 0 : names.split("*").length));
  if (degrees.length <= MOST_TERMS && degrees.every((degree) => degree <= MOST_DEGREE)) return polynomial;
  throw new RangeError(`a size has more than ${MOST_TERMS} terms or a degree over ${MOST_DEGREE}`);
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
