// Real factors as integers over one power of two: how fixed-point arithmetic rescales codes from one scale to another.

import { exponentOf, nextUp, powerOfTwo } from "./float.ts";

/** ratio i ~ multipliers[i] / 2^shift. */
export interface Multipliers {
  /** From 0 to 2^bits - 1. */
  readonly multipliers: readonly number[];
  /** Negative where the largest ratio has more bits than a multiplier. */
  readonly shift: number;
  /** Largest |multiplier / 2^shift - ratio| / ratio, rounded up. At most 2^-bits for the largest ratio, if the shift is not limited. */
  readonly relativeError: number;
}

/**
 * The multipliers of so many bits with the longest common shift, each nearest to its ratio, ties up.
 * @param bits 1 to 31
 * @param longest no shift is longer; small ratios have smaller multipliers then
 * @throws RangeError unless every ratio is positive and finite
 */
export function toMultipliers(ratios: readonly number[], bits: number, longest: number = Infinity): Multipliers {
  const wrong = ratios.find((ratio) => !(ratio > 0 && ratio < Infinity));
  if (wrong !== undefined || ratios.length === 0) throw new RangeError(`ratios of scales are positive, got ${wrong}`);
  const largest = ratios.reduce((most, ratio) => Math.max(most, ratio), 0);
  const full = bits - 1 - exponentOf(largest);
  // Rounding up may need one bit more than there is.
  const fits = rounded(largest, full) < 2 ** bits;
  const shift = Math.min(longest, fits ? full : full - 1);
  const multipliers = ratios.map((ratio) => rounded(ratio, shift));
  const errors = ratios.map((ratio, i) => {
    const exact = ratio * powerOfTwo(shift);
    return Math.abs((multipliers[i] as number) - exact) / exact;
  });
  const largestError = errors.reduce((most, error) => Math.max(most, error), 0);
  return { multipliers, shift, relativeError: largestError === 0 ? 0 : nextUp(largestError) };
}

function rounded(ratio: number, shift: number): number {
  return Math.floor(ratio * powerOfTwo(shift) + 0.5);
}
