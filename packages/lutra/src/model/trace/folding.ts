// Operators on numbers known beforehand: what a node gives where all its inputs are constants.

import { commonShape, repeatedPlaces } from "../../program/index.ts";
import type { Constant } from "./network.ts";

type Scalar = (a: number, b: number) => number;

export const BINARY: Readonly<Record<string, Scalar>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Equal: (a, b) => Number(a === b),
  Less: (a, b) => Number(a < b),
  LessOrEqual: (a, b) => Number(a <= b),
  Greater: (a, b) => Number(a > b),
  GreaterOrEqual: (a, b) => Number(a >= b),
  And: (a, b) => Number(a !== 0 && b !== 0),
  Or: (a, b) => Number(a !== 0 || b !== 0),
  Max: Math.max,
  Min: Math.min,
  Mod: (a, b) => a - b * Math.floor(a / b),
};

/** A constant's elements, repeated to a shape. */
export function spread({ shape, data }: Constant, to: readonly number[]): Float64Array {
  return Float64Array.from(repeatedPlaces(to, shape), (place) => data[place] as number);
}

export function combine(of: Scalar, a: Constant, b: Constant): Constant {
  const shape = commonShape(a.shape, b.shape);
  const [left, right] = [spread(a, shape), spread(b, shape)];
  return { shape, data: left.map((x, i) => of(x, right[i] as number)) };
}

export function choose(condition: Constant, a: Constant, b: Constant): Constant {
  const shape = commonShape(condition.shape, commonShape(a.shape, b.shape));
  const [which, left, right] = [spread(condition, shape), spread(a, shape), spread(b, shape)];
  return { shape, data: which.map((c, i) => (c !== 0 ? (left[i] as number) : (right[i] as number))) };
}
