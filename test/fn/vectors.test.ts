// The references against MPFR (test/vectors/mpfr.json, made by scripts/mpfr-vectors.mjs): every stated error bound holds at every vector.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { functionNames, parseFn } from "../../packages/lutra/src/fn/index.ts";
import { ulpAt } from "../../packages/lutra/src/num/index.ts";

interface Vectors {
  readonly x: string;
  readonly orders: readonly string[];
}

const file = readFileSync(new URL("../vectors/mpfr.json", import.meta.url), "utf8");
const { vectors } = JSON.parse(file) as { vectors: Readonly<Record<string, Vectors>> };

const view = new DataView(new ArrayBuffer(8));
function fromHex(digits: string): number {
  view.setBigUint64(0, BigInt(`0x${digits}`));
  return view.getFloat64(0);
}

function points(x: string): number[] {
  return Array.from({ length: x.length / 16 }, (_, i) => fromHex(x.slice(16 * i, 16 * i + 16)));
}

/** The nearest binary64, and the exact value's distance from it in ulps (known to 1/256). */
function exact(order: string, i: number): { readonly nearest: number; readonly rest: number } {
  const at = 18 * i;
  return {
    nearest: fromHex(order.slice(at, at + 16)),
    rest: (Number.parseInt(order.slice(at + 16, at + 18), 16) - 128) / 256,
  };
}

describe("references against MPFR", () => {
  it("covers every named function", () => {
    expect(functionNames().filter((name) => !(name in vectors))).toEqual([]);
  });

  for (const [name, { x, orders }] of Object.entries(vectors)) {
    orders.forEach((order, derivatives) => {
      let fn = parseFn(name);
      for (let i = 0; i < derivatives; i++) fn = fn.derivative();

      it(`${fn.text} is within ${fn.ulps} ulp at ${x.length / 16} vectors, and within ${fn.ulps} + 1 steps where subnormal`, () => {
        points(x).forEach((at, i) => {
          const { nearest, rest } = exact(order, i);
          const y = fn.evaluate(at);
          if (y === nearest && !Number.isFinite(y)) return;
          const errorUlp = Math.abs((y - nearest) / ulpAt(nearest, 52, -1022) - rest);
          const bound = Math.abs(nearest) >= 2 ** -1022 ? fn.ulps : fn.ulps + 1;
          expect(errorUlp, `at ${at}: ${y} instead of ${nearest}`).toBeLessThanOrEqual(bound + 2 ** -8);
        });
      });

      it(`${fn.text}'s point enclosures hold the exact value at every vector`, () => {
        points(x).forEach((at, i) => {
          const { nearest, rest } = exact(order, i);
          const { lo, hi } = fn.enclose({ lo: at, hi: at });
          // The exact value lies beyond `nearest` on the side of `rest`.
          if (
            rest > 2 ** -8
              ? !(lo <= nearest && nearest < hi)
              : rest < -(2 ** -8)
                ? !(lo < nearest && nearest <= hi)
                : !(lo <= nearest && nearest <= hi)
          ) {
            throw new Error(`[${lo}, ${hi}] at ${at} misses ${nearest} + ${rest} ulp`);
          }
        });
      });
    });
  }
});
