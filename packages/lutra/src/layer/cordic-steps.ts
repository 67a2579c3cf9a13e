// The three CORDIC iterations (Walther 1971) as kernel values: hyperbolic rotation and vectoring, linear vectoring. Numbers are i32 with
// UNIT_BITS fraction bits; a step's shift drops what it shifts out.

import type { KernelBuilder } from "../kernel/index.ts";

/** Fraction bits of every internal number. */
export const UNIT_BITS = 26;
export const UNIT: number = 2 ** UNIT_BITS;

/** Shifts of hyperbolic steps: 1, 2, 3, 4, 4, 5, ... Repeating 4 and 13 makes every angle at most the sum of the later ones. */
export function hyperbolicShifts(iterations: number): readonly number[] {
  const shifts: number[] = [];
  for (let shift = 1; shifts.length < iterations; shift++) {
    shifts.push(shift);
    if (shift === 4 || shift === 13) shifts.push(shift);
  }
  return shifts.slice(0, iterations);
}

/** artanh(2^-shift), by its series: the terms beyond 2^-60 are left out. */
export function stepAngle(shift: number): number {
  const t = 2 ** -shift;
  let sum = 0;
  for (let power = t, n = 1; power / n > 2 ** -60 * t; power *= t * t, n += 2) sum += power / n;
  return sum;
}

/** By what the steps scale a hyperbolic vector: the product of sqrt(1 - 2^-2s). */
export function gain(shifts: readonly number[]): number {
  return shifts.reduce((product, shift) => product * Math.sqrt(1 - 2 ** (-2 * shift)), 1);
}

/** (a, b) -> (a + d b 2^-shift, b + d a 2^-shift) with d = 1 where `isNegative` fails, -1 where it holds. */
type Vector = readonly [x: number, y: number];

function step(build: KernelBuilder, [x, y]: Vector, shift: number, turn: (up: number, down: number) => number): Vector {
  const amount = build.integer(shift);
  const dx = build.shiftRight(y, amount, "floor");
  const dy = build.shiftRight(x, amount, "floor");
  const next = (a: number, d: number): number => turn(build.binary("add", a, d), build.binary("sub", a, d));
  return [next(x, dx), next(y, dy)];
}

/** exp(z) = cosh z + sinh z for |z| <= 1.1, rotation mode: (1 / gain, 0) turned by z. */
export function exponential(build: KernelBuilder, z: number, iterations: number): number {
  const zero = build.integer(0);
  const shifts = hyperbolicShifts(iterations);
  let vector: Vector = [build.integer(Math.round(UNIT / gain(shifts))), zero];
  let rest = z;
  for (const shift of shifts) {
    const turn = (up: number, down: number): number => build.select(rest, zero, down, up);
    const angle = build.integer(Math.round(UNIT * stepAngle(shift)));
    const turned = step(build, vector, shift, turn);
    rest = build.select(rest, zero, build.binary("add", rest, angle), build.binary("sub", rest, angle));
    vector = turned;
  }
  return build.binary("add", ...vector);
}

/** gain * sqrt(w) for w in [1/2, 2), vectoring mode: (w + 1/4, w - 1/4) turned until its second part is 0. */
export function scaledRoot(build: KernelBuilder, w: number, shifts: readonly number[]): number {
  const zero = build.integer(0);
  const quarter = build.integer(UNIT / 4);
  let vector: Vector = [build.binary("add", w, quarter), build.binary("sub", w, quarter)];
  for (const shift of shifts) {
    const y = vector[1];
    vector = step(build, vector, shift, (up, down) => build.select(y, zero, up, down));
  }
  return vector[0];
}

/** y / x for 0 <= y <= x, linear vectoring. */
export function quotient(build: KernelBuilder, y: number, x: number, iterations: number): number {
  const zero = build.integer(0);
  let rest = y;
  let result = zero;
  for (let shift = 1; shift <= iterations; shift++) {
    const part = build.shiftRight(x, build.integer(shift), "floor");
    const digit = build.integer(2 ** (UNIT_BITS - shift));
    const isBelow = [rest, zero] as const;
    const sum = build.binary("add", rest, part);
    const difference = build.binary("sub", rest, part);
    result = build.select(...isBelow, build.binary("sub", result, digit), build.binary("add", result, digit));
    rest = build.select(...isBelow, sum, difference);
  }
  return result;
}
