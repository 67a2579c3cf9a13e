// Integer attention against the formula on real numbers, and what its kernels do at the ends of their ranges.
import { describe, expect, it } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { fill, interpret, type Kernel, verify } from "../../packages/lutra/src/kernel/index.ts";
import { attentionContext, attentionShares, attentionWeights } from "../../packages/lutra/src/layer/index.ts";
import { integerFormat, random } from "../../packages/lutra/src/num/index.ts";

const COLUMNS = 40;
const SCALE = 0.003;

function weights(mask: "column" | "element" | null): Kernel {
  const { kernel, exp } = attentionWeights({ scale: SCALE, mask, maxRow: 64 });
  const problem = {
    spec: exp,
    size: { segments: 256 },
    norm: "max",
    tails: ["clamp", "clamp"],
    reductions: [],
  } as const;
  const filled = fill(kernel, { exp: finish(solve(problem, "direct", { seed: 1 })).table });
  verify(filled);
  return filled;
}

const source = random(7);
const sums = Float64Array.from({ length: 3 * COLUMNS }, () => Math.round(source.normal() * 600));

describe("the weights of an attention", () => {
  it("are exponentials of the distance to the maximum within a step of 1/16 and half a code, with their sum", () => {
    const [e, total] = interpret(weights(null), { sums }, 3, COLUMNS) as [Float64Array, Float64Array];
    for (let row = 0; row < 3; row++) {
      const scores = sums.subarray(row * COLUMNS, (row + 1) * COLUMNS);
      const most = Math.max(...scores);
      scores.forEach((score, i) => {
        const exact = 127 * Math.exp(SCALE * (score - most));
        // Half a step of 1/16 of the exponent, half a code of the table, and the multiplier's 15 bits.
        expect(Math.abs((e[row * COLUMNS + i] as number) - exact)).toBeLessThan(
          exact * (Math.exp(1 / 32 + 0.001) - 1) + 0.501,
        );
      });
      expect(total[row]).toBe(e.subarray(row * COLUMNS, (row + 1) * COLUMNS).reduce((a, b) => a + b, 0));
    }
  });

  it("are 0 where a mask leaves a score out, unless it leaves out all", () => {
    const mask = Float64Array.from({ length: COLUMNS }, (_, i) => Number(i >= 25));
    const [e] = interpret(weights("column"), { sums, mask }, 3, COLUMNS) as [Float64Array];
    for (let row = 0; row < 3; row++) {
      expect(e.subarray(row * COLUMNS + 25, (row + 1) * COLUMNS).every((weight) => weight === 0)).toBe(true);
      expect(Math.max(...e.subarray(row * COLUMNS, row * COLUMNS + 25))).toBe(127);
    }
    const all = new Float64Array(COLUMNS * 3).fill(1);
    const [even] = interpret(weights("element"), { sums, mask: all }, 3, COLUMNS) as [Float64Array];
    expect(even.every((weight) => weight === 127)).toBe(true);
  });
});

describe("the context of an attention", () => {
  const values = integerFormat(true, 8, 0.02);

  it.each([8, 16])("is the mean of the values within a code of %d bits and 2^-13 of it", (bits) => {
    const output = integerFormat(true, bits, bits === 8 ? 0.02 : 0.0001);
    const kernel = attentionContext({ values, output, maxRow: 512 });
    verify(kernel);
    for (const total of [127, 128, 255, 256, 1000, 127 * 300, 127 * 512]) {
      for (const share of [-1, -0.37, 0, 0.004, 0.5, 1]) {
        const sum = Math.round(127 * total * share);
        const [y] = interpret(kernel, { sums: [sum], total: [total] }, 1, 1) as [Float64Array];
        const exact = (sum / total) * (values.scale / output.scale);
        const kept = Math.min(2 ** (bits - 1) - 1, Math.max(-(2 ** (bits - 1)), exact));
        expect(Math.abs((y[0] as number) - kept)).toBeLessThan(
          0.5 + Math.abs(exact) * 2 ** -13 + (127 / 2 ** 15) * (values.scale / output.scale),
        );
      }
    }
  });

  it("is 0 of a row without weights", () => {
    const kernel = attentionContext({ values, output: values, maxRow: 512 });
    expect(interpret(kernel, { sums: [0], total: [0] }, 1, 1)).toEqual([Float64Array.of(0)]);
  });
});

it("shares of a row are weights over their sum within a code", () => {
  const output = integerFormat(false, 8, 1 / 255);
  const kernel = attentionShares({ output, maxRow: 512 });
  verify(kernel);
  for (const total of [127, 500, 20000]) {
    for (const weight of [0, 1, 64, 127]) {
      const [y] = interpret(kernel, { weights: [weight], total: [total] }, 1, 1) as [Float64Array];
      expect(Math.abs((y[0] as number) - (255 * weight) / total)).toBeLessThan(0.51);
    }
  }
});
