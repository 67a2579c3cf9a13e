// Softmax of 8-bit codes: its error against the exact Softmax of what the codes stand for, and what its integers promise.

import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { fill, holes, interpret, type Kernel, verify } from "../../packages/lutra/src/kernel/index.ts";
import { type SoftmaxCodesOptions, softmaxCodes, softmaxWeights } from "../../packages/lutra/src/layer/index.ts";
import { BINARY32, parseFormat, random } from "../../packages/lutra/src/num/index.ts";

/** The kernel with tables of the correctly rounded answers. */
function filled(options: SoftmaxCodesOptions): Kernel {
  return withTables(softmaxCodes(options));
}

function withTables(kernel: Kernel): Kernel {
  const tables = holes(kernel).map(({ hole, spec }) => {
    const problem = { spec, size: { segments: 16 }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
    return [hole, finish(solve(problem, "direct", { seed: 1 })).table] as const;
  });
  return fill(kernel, Object.fromEntries(tables));
}

const ROWS = 40;

/** Rows of seeded codes, one of them with a single high code. */
function rowsOf(columns: number, spread: number): Int8Array {
  const source = random(columns);
  const codes = Int8Array.from({ length: ROWS * columns }, () =>
    Math.max(-128, Math.min(127, Math.round(spread * source.normal()))),
  );
  codes.fill(-100, 0, columns);
  codes[columns - 1] = 127;
  return codes;
}

describe("softmax of codes", () => {
  test.each([
    ["int8:0.015625", 128, 30],
    ["int8:0.0625", 1, 30],
    ["int8:0.0625", 5, 30],
    ["int8:0.0625", 512, 30],
    ["int8:0.1:7", 128, 40],
    ["int8:1", 17, 3],
  ])("%s in rows of %i is within 0.0022 of the exact one, but for shares above 255/256", (input, columns, spread) => {
    const format = parseFormat(input);
    const kernel = filled({ input: format, maxRow: 1024 });
    verify(kernel);
    const x = rowsOf(columns, spread);
    const [p] = interpret(kernel, { x }, ROWS, columns) as [Float64Array];
    const scale = format.kind === "integer" ? format.scale : 1;
    let [worst, worstOfOnes] = [0, 0];
    for (let r = 0; r < ROWS; r++) {
      const row = x.subarray(r * columns, (r + 1) * columns);
      const exponentials = Array.from(row, (code) => Math.exp(scale * (code - Math.max(...row))));
      const sum = exponentials.reduce((all, e) => all + e, 0);
      exponentials.forEach((e, c) => {
        const error = Math.abs((p[r * columns + c] as number) / 256 - e / sum);
        if (e / sum > 255 / 256) worstOfOnes = Math.max(worstOfOnes, error);
        else worst = Math.max(worst, error);
      });
    }
    expect(worst).toBeLessThan(0.0022);
    expect(worstOfOnes).toBeLessThanOrEqual(1 / 256);
  });

  test("no position passes that of the maximum, in rows as long as allowed", () => {
    const columns = 65536;
    const kernel = filled({ input: parseFormat("int8:0.02"), maxRow: columns });
    const x = rowsOf(columns, 40).subarray(0, 2 * columns);
    const [p] = interpret(kernel, { x }, 2, columns) as [Float64Array];
    for (let r = 0; r < 2; r++) {
      const [row, codes] = [p, x].map((all) => Array.from(all.subarray(r * columns, (r + 1) * columns))) as [
        number[],
        number[],
      ];
      const most = row.reduce((a, b) => Math.max(a, b));
      expect(row[codes.indexOf(codes.reduce((a, b) => Math.max(a, b)))]).toBe(most);
    }
  });

  test("weights of 7 bits are within 0.51 units of the exponentials, 1 at the maximum, and come with their sum", () => {
    const [columns, scale] = [128, 1 / 32];
    const kernel = withTables(softmaxWeights({ input: parseFormat(`int8:${scale}`), maxRow: columns }));
    verify(kernel);
    const x = rowsOf(columns, 40);
    const [weights, sums] = interpret(kernel, { x }, ROWS, columns) as [Float64Array, Float64Array];
    for (let r = 0; r < ROWS; r++) {
      const row = x.subarray(r * columns, (r + 1) * columns);
      const given = Array.from(weights.subarray(r * columns, (r + 1) * columns));
      const most = Math.max(...row);
      given.forEach((weight, c) => {
        const error = Math.abs(weight - 128 * Math.exp(scale * ((row[c] as number) - most)));
        expect(error).toBeLessThanOrEqual(row[c] === most ? 1 : 0.51);
      });
      expect(sums[r]).toBe(given.reduce((all, weight) => all + weight, 0));
    }
  });

  test("takes unsigned codes and narrower ones, and nothing wider", () => {
    const kernel = filled({ input: parseFormat("u4.1"), maxRow: 16 });
    expect(Array.from(interpret(kernel, { x: [3, 3, 3, 3] }, 1, 4)[0] as Float64Array)).toEqual([64, 64, 64, 64]);
    for (const input of [BINARY32, parseFormat("s16.8")]) {
      expect(() => softmaxCodes({ input, maxRow: 4 })).toThrow(/cannot take/);
    }
    expect(() => softmaxCodes({ input: parseFormat("int8"), maxRow: 65537 })).toThrow(RangeError);
  });
});
