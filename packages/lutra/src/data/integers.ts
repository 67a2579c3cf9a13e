// Checks that loading shares: arrays that count the same samples, and whole numbers in a range.

import { LutraError, type Numbers } from "../base/index.ts";

/** @throws LutraError "bad-data" if an array counts other samples than the first one does */
export function checkCount(found: number, name: string, count: number, first: string): void {
  if (found !== count) throw new LutraError("bad-data", `${found} samples, but ${count} in ${first}`, { where: name });
}

/** Whole numbers between lo and hi, one per sample. @throws LutraError "bad-data", naming the sample */
export function toIntegers(data: Numbers, lo: number, hi: number, name: string): Int32Array {
  return Int32Array.from({ length: data.length }, (_, i) => {
    const value = Number(data[i]);
    if (Number.isInteger(value) && value >= lo && value <= hi) return value;
    throw new LutraError("bad-data", `must be a whole number between ${lo} and ${hi}, got ${value}`, {
      where: `${name}: sample ${i}`,
    });
  });
}
