// Softermax against a transcription in BigInt, in one pass with a running maximum as published and with the whole row's maximum.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { softmax } from "../../packages/lutra/src/fn/index.ts";
import { interpret, verify } from "../../packages/lutra/src/kernel/index.ts";
import { softermax } from "../../packages/lutra/src/layer/index.ts";
import { random } from "../../packages/lutra/src/num/index.ts";

const kernel = softermax(128);
const powers = [0, 1, 2, 3].map((i) => BigInt(Math.round(2 ** (15 + i / 4))));

/** 2^(q/4 - top) in Q(1,15), truncated. */
function unnormed(q: number, top: number): bigint {
  const difference = q - 4 * top;
  const octave = Math.floor(difference / 4);
  return (powers[difference - 4 * octave] as bigint) >> BigInt(-octave);
}

/** 1 / m in Q(1,7) for a mantissa of 16 bits, chords on four pieces. */
function reciprocal(mantissa: number): number {
  const piece = Math.floor((mantissa - 32768) / 8192);
  const [y0, y1] = [512 / (4 + piece), 512 / (5 + piece)];
  const slope = Math.round(((y1 - y0) / 8192) * 2 ** 20);
  const start = 32768 + piece * 8192;
  return Number((BigInt(Math.round(y0 * 2 ** 20)) + BigInt(slope) * BigInt(mantissa - start)) >> 20n);
}

function transcribed(row: readonly number[]): number[] {
  const top = Math.ceil(Math.max(...row) / 4);
  const u = row.map((q) => unnormed(q, top));
  const sum = Number(u.reduce((a, b) => a + b) >> 9n);
  const length = sum.toString(2).length;
  const inverse = reciprocal(sum * 2 ** (16 - length));
  return u.map((x) => Number((x * BigInt(inverse)) >> BigInt(length + 8)));
}

/** The sum of algorithm 1: when the running maximum rises, the sum so far is shifted down. Exact, before truncation to Q(10,6). */
function onlineSum(row: readonly number[]): bigint {
  let top = -Infinity;
  let sum = 0n;
  for (const q of row) {
    const next = Math.max(top, Math.ceil(q / 4));
    if (next > top && sum > 0n) sum >>= BigInt(next - top);
    top = next;
    sum += unnormed(q, top);
  }
  return sum;
}

const rows = fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 1, maxLength: 128 });

describe("softermax", () => {
  test("is the published computation on every row tried", () => {
    verify(kernel);
    fc.assert(
      fc.property(rows, (row) => {
        expect([...(interpret(kernel, { x: row }, 1, row.length)[0] ?? [])]).toEqual(transcribed(row));
      }),
      { seed: 41, numRuns: 500 },
    );
  });

  test("the online sum differs from the whole row's by what shifts drop: less than a unit of 2^-15 for each rise and each share", () => {
    fc.assert(
      fc.property(rows, (row) => {
        const top = Math.ceil(Math.max(...row) / 4);
        const whole = row.reduce((sum, q) => sum + unnormed(q, top), 0n);
        const difference = onlineSum(row) - whole;
        const rises = row.filter(
          (q, i) => Math.ceil(q / 4) > Math.max(-33, ...row.slice(0, i).map((p) => Math.ceil(p / 4))),
        );
        expect(difference >= -BigInt(rises.length) && difference <= BigInt(row.length)).toBe(true);
      }),
      { seed: 42, numRuns: 500 },
    );
  });

  test("reads its codes as quarters of an octave: on seeded rows it is softmax within 2 of its codes of 2^-7", () => {
    const source = random(9);
    const scale = Math.LN2 / 4;
    let worst: readonly [number, number] = [0, 0];
    for (let i = 0; i < 100; i++) {
      const row = Array.from({ length: 24 }, () => Math.max(-128, Math.min(127, Math.round(12 * source.normal()))));
      const exact = softmax(row.map((q) => q * scale));
      const off = (interpret(kernel, { x: row }, 1, 24)[0] as Float64Array).map(
        (p, at) => 128 * (exact[at] as number) - p,
      );
      worst = [Math.min(worst[0], ...off), Math.max(worst[1], ...off)];
    }
    expect(worst[0]).toBeGreaterThan(-2);
    expect(worst[1]).toBeLessThan(2);
  });
});
