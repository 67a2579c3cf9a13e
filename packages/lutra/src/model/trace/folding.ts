// Operators on numbers known beforehand: what a node gives where all its inputs are constants.

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

/** The common shape of two, axes of 1 repeated. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a.at(i - rank) ?? 1, b.at(i - rank) ?? 1];
    return x === 1 ? y : x;
  });
}

/** For each element of a shape, the element of a constant that is repeated there. */
export function spread({ shape, data }: Constant, to: readonly number[]): Float64Array {
  const count = to.reduce((x, y) => x * y, 1);
  const result = new Float64Array(count);
  let [repeat, stride] = [1, 1];
  const places = new Int32Array(count);
  for (let axis = 1; axis <= to.length; axis++) {
    const [extent, own] = [to.at(-axis) as number, shape.at(-axis) ?? 1];
    if (axis <= shape.length && own > 1) {
      for (let i = 0; i < count; i++) places[i] = (places[i] as number) + (Math.floor(i / repeat) % extent) * stride;
    }
    repeat *= extent;
    stride *= own;
  }
  for (let i = 0; i < count; i++) result[i] = data[places[i] as number] as number;
  return result;
}

export function combine(of: Scalar, a: Constant, b: Constant): Constant {
  const shape = broadcast(a.shape, b.shape);
  const [left, right] = [spread(a, shape), spread(b, shape)];
  return { shape, data: left.map((x, i) => of(x, right[i] as number)) };
}

export function choose(condition: Constant, a: Constant, b: Constant): Constant {
  const shape = broadcast(condition.shape, broadcast(a.shape, b.shape));
  const [which, left, right] = [spread(condition, shape), spread(a, shape), spread(b, shape)];
  return { shape, data: which.map((c, i) => (c !== 0 ? (left[i] as number) : (right[i] as number))) };
}
