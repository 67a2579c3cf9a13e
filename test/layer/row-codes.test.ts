// Means, choices and quotients of codes against the same written out on numbers; Softmax of 16-bit codes against exact probabilities.
import { describe, expect, it } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { softmax } from "../../packages/lutra/src/fn/index.ts";
import { fill, holes, interpret, type Kernel } from "../../packages/lutra/src/kernel/index.ts";
import {
  eitherFlag,
  floatQuotient,
  meanCodes,
  selectCodes,
  softmaxWideCodes,
} from "../../packages/lutra/src/layer/index.ts";
import { integerFormat, random } from "../../packages/lutra/src/num/index.ts";
import type { Spec, Table } from "../../packages/lutra/src/table/index.ts";

const source = random(3);

function codes(length: number, lo: number, hi: number): Float64Array {
  return Float64Array.from({ length }, () => Math.floor(lo + source.uniform() * (hi - lo + 1)));
}

function direct(spec: Spec): Table {
  const problem = { spec, size: { segments: 256 }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
  return finish(solve(problem, "direct", { seed: 1 })).table;
}

function withTables(kernel: Kernel): Kernel {
  return fill(kernel, Object.fromEntries(holes(kernel).map(({ hole, spec }) => [hole, direct(spec)])));
}

function outputOf(
  kernel: Kernel,
  inputs: Readonly<Record<string, Float64Array>>,
  rows: number,
  columns: number,
): number[] {
  return Array.from(interpret(kernel, inputs, rows, columns)[0] as Float64Array);
}

describe("the mean of codes", () => {
  it.each([
    [0.01, 0.01],
    [0.01, 0.0025],
    [0.01, 0.3],
  ])("of scale %f in scale %f is within its bound", (from, to) => {
    const [input, output] = [integerFormat(true, 16, from), { ...integerFormat(true, 8, to), zeroPoint: -5 }];
    const kernel = meanCodes({ input, output, maxRow: 100 });
    for (const columns of [1, 2, 7, 100]) {
      const x = codes(20 * columns, -4000, 4000).map((code) => Math.floor(code / (from / to < 1 ? 1 : 100)));
      const given = outputOf(kernel, { x }, 20, columns);
      given.forEach((code, row) => {
        const mean = x.subarray(row * columns, (row + 1) * columns).reduce((a, b) => a + b, 0) / columns;
        const exact = Math.max(-128, Math.min(127, (mean * from) / to - 5));
        expect(Math.abs(code - exact)).toBeLessThanOrEqual(0.5 + (0.5 * from) / to + Math.abs(mean) * 2 ** -15 + 1e-9);
      });
    }
  });

  it("refuses inputs with a zero point and rows that are too long", () => {
    const format = integerFormat(true, 16, 1);
    expect(() => meanCodes({ input: { ...format, zeroPoint: 1 }, output: format, maxRow: 4 })).toThrow("no mean of");
    expect(() => meanCodes({ input: format, output: format, maxRow: 40_000 })).toThrow("no mean of");
  });
});

it("a choice is one of its tensors, the flags being per row", () => {
  const kernel = selectCodes(integerFormat(true, 8, 0.1), { flag: "row", a: "element", b: "column" });
  const [a, b] = [codes(12, -128, 127), codes(4, -128, 127)];
  const given = outputOf(kernel, { flag: Float64Array.of(0, 1, 2), a, b }, 3, 4);
  expect(given).toEqual([...b, ...a.subarray(4)]);
});

it("either flag is the larger one", () => {
  const flags = { a: Float64Array.of(0, 1, 0, 1), b: Float64Array.of(0, 1) };
  expect(outputOf(eitherFlag({ a: "element", b: "row" }), flags, 2, 2)).toEqual([0, 1, 1, 1]);
});

it("a quotient is that of the numbers, saturated, also by 0", () => {
  const [a, b] = [integerFormat(true, 16, 0.5), { ...integerFormat(true, 8, 0.25), zeroPoint: 3 }];
  const output = integerFormat(true, 8, 0.125);
  const kernel = floatQuotient({ a, b, output, over: { a: "element", b: "element" } });
  const [x, y] = [codes(500, -300, 300), codes(500, -128, 127)];
  const given = outputOf(kernel, { a: x, b: y }, 1, 500);
  given.forEach((code, i) => {
    const exact = (0.5 * (x[i] as number)) / (0.25 * ((y[i] as number) - 3)) / 0.125;
    if (Number.isNaN(exact)) expect(code).toBe(0);
    else expect(Math.abs(code - Math.max(-128, Math.min(127, exact)))).toBeLessThanOrEqual(0.5001);
  });
});

describe("Softmax of 16-bit codes", () => {
  it.each([2 ** -12, 0.001, 0.02])("of scale %f is within its bound, and no place passes the maximum's", (scale) => {
    const kernel = withTables(softmaxWideCodes({ input: integerFormat(true, 16, scale), maxRow: 1000 }));
    for (const columns of [1, 2, 3, 10, 1000]) {
      const x = codes(8 * columns, -32768, 32767).map((code) => Math.floor(code / (columns > 3 ? 8 : 1)));
      const given = outputOf(kernel, { x }, 8, columns);
      for (let row = 0; row < 8; row++) {
        const numbers = Array.from(x.subarray(row * columns, (row + 1) * columns), (code) => code * scale);
        const exact = softmax(numbers);
        const answers = given.slice(row * columns, (row + 1) * columns);
        const bits = 15 + Math.ceil(Math.log2(columns + 1));
        answers.forEach((code, i) => {
          expect(Math.abs(code * 2 ** -15 - (exact[i] as number))).toBeLessThan((bits + 5) * 2 ** -13);
        });
        expect(answers[numbers.indexOf(Math.max(...numbers))]).toBe(Math.max(...answers));
      }
    }
  });

  it("takes int16 and rows of up to 65536 only", () => {
    expect(() => softmaxWideCodes({ input: integerFormat(true, 8, 1), maxRow: 4 })).toThrow("takes int16");
    expect(() => softmaxWideCodes({ input: integerFormat(true, 16, 1), maxRow: 70_000 })).toThrow("rows of 1 to 65536");
  });
});
