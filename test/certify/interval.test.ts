import { describe, expect, it } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { certifyAgainst } from "../../packages/lutra/src/certify/elementwise.ts";
import { chords, EXP, kernelOf, RSQRT, SILU } from "./stub.ts";

const LOG2E = Math.fround(Math.LOG2E);
const EVERYWHERE = { lo: -Infinity, hi: Infinity };

describe("speed (printed)", () => {
  it.each([
    ["silu 16", SILU, chords(SILU, { lo: -8, hi: 8 }, 14, { domain: EVERYWHERE, tails: [[0, 0], [1, 0]] })],
    ["exp 16 exponential", EXP, chords({ ...EXP, evaluate: (x) => 2 ** x }, { lo: 0, hi: 1 }, 16, { domain: { lo: -Infinity, hi: 0 }, reductions: [{ by: "exponential", factor: LOG2E }] })],
    ["rsqrt 16 octave", RSQRT, chords(RSQRT, { lo: 1, hi: 4 }, 16, { domain: { lo: 2 ** -126, hi: Infinity }, reductions: [{ by: "octave", step: 2, power: -1 }] })],
    ["silu 4096", SILU, chords(SILU, { lo: -8, hi: 8 }, 4096)],
  ])("%s", (name, fn, table) => {
    const start = performance.now();
    const c = finish(certifyAgainst(kernelOf(table), fn));
    console.log(name, performance.now() - start, c.absolute, c.relative, c.ulp, c.dead.length);
    expect(c.absolute.upper).toBeGreaterThanOrEqual(c.absolute.lower);
  });
});
