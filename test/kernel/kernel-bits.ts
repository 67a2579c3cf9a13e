// What tests of equivalent kernels share: comparing results bit by bit.
import { expect } from "vitest";

function spelled(x: number | undefined): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/** Bit for bit, NaN being one value. */
export function expectSameBits(actual: readonly Float64Array[], expected: readonly Float64Array[], about = ""): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((numbers, k) => {
    const other = expected[k] as Float64Array;
    expect(numbers.length).toBe(other.length);
    const wrong = numbers.findIndex((x, i) => !Object.is(x, other[i]));
    if (wrong >= 0)
      throw new Error(`result ${k}[${wrong}]: ${spelled(numbers[wrong])} for ${spelled(other[wrong])} ${about}`);
  });
}
