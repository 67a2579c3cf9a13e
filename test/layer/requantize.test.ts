// Requantization, its epilogues, sums and products of codes: against exact arithmetic, within the bounds that their comments state.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { fill, holes, ideal, interpret, type Kernel, verify } from "../../packages/lutra/src/kernel/index.ts";
import {
  addCodes,
  longestWith,
  mulCodes,
  planRescaling,
  type Rescaling,
  requantize,
  requantizeResidual,
} from "../../packages/lutra/src/layer/index.ts";
import { planProblem } from "../../packages/lutra/src/model/index.ts";
import {
  allCodes,
  codeRange,
  encode,
  type IntegerFormat,
  integerFormat,
  random,
  toMultipliers,
} from "../../packages/lutra/src/num/index.ts";

const COLUMNS = 24;
const ROWS = 40;
const sumScale = 1e-4;
const sums = integerFormat(true, 32, sumScale);
const int8 = integerFormat(true, 8, 0.05, -7);
const uint8 = integerFormat(false, 8, 0.05, 128);
const int16 = integerFormat(true, 16, 0.0005);

function clamp(format: IntegerFormat, code: number): number {
  const { lo, hi } = codeRange(format);
  return Math.min(hi, Math.max(lo, code));
}

/** Per-column ratios that spread by 6, biases, and sums that fill the output. */
function layer(output: IntegerFormat, seed: number) {
  const source = random(seed);
  const ratios = Array.from(
    { length: COLUMNS },
    (_, c) => (sumScale / output.scale) * (c === 0 ? 6 : 1 + 2 * source.uniform()),
  );
  const span = 2 ** output.bits;
  const largest = span / Math.min(...ratios);
  const bias = Array.from({ length: COLUMNS }, () => Math.round(0.1 * largest * source.normal()));
  const codes = Array.from({ length: ROWS * COLUMNS }, (_, i) =>
    Math.round((0.3 * span * source.normal()) / (ratios[i % COLUMNS] as number)),
  );
  return { ratios, largest, bias, codes };
}

interface Run {
  readonly kernel: Kernel;
  readonly rescaling: Rescaling;
  readonly y: Float64Array;
  readonly real: Float64Array;
  /** (sum + bias) times the ratio. */
  readonly exact: readonly number[];
  readonly relativeError: number;
}

function requantized(output: IntegerFormat, bits: 15 | 31, seed = 1): Run {
  const { ratios, largest, bias, codes } = layer(output, seed);
  const { multipliers, relativeError, ...rescaling } = planRescaling(ratios, { largest, bits });
  const kernel = requantize({ input: sums, output, rescaling, bias: true, multiplier: "column" });
  verify(kernel);
  const inputs = { sums: codes, bias, multiplier: multipliers };
  const [y] = interpret(kernel, inputs, ROWS, COLUMNS) as [Float64Array];
  const [real] = ideal(kernel, () => (x) => x, inputs, ROWS, COLUMNS) as [Float64Array];
  const exact = codes.map((code, i) => (code + (bias[i % COLUMNS] as number)) * (ratios[i % COLUMNS] as number));
  return { kernel, rescaling, y, real, exact, relativeError };
}

describe("multipliers", () => {
  const ratio = fc.double({ min: 1e-12, max: 1e6, noNaN: true });
  test("are within half a unit of their ratios, the largest with every bit in use", () => {
    fc.assert(
      fc.property(fc.array(ratio, { minLength: 1, maxLength: 8 }), fc.constantFrom(7, 15, 31), (ratios, bits) => {
        const { multipliers, shift, relativeError } = toMultipliers(ratios, bits);
        const largest = Math.max(...multipliers);
        expect(largest >= 2 ** (bits - 1) && largest < 2 ** bits).toBe(true);
        ratios.forEach((each, i) => {
          const error = Math.abs((multipliers[i] as number) - each * 2 ** shift);
          expect(error).toBeLessThanOrEqual(largest === 2 ** (bits - 1) ? 1 : 0.5);
          expect(error / (each * 2 ** shift)).toBeLessThanOrEqual(relativeError);
        });
      }),
      { seed: 91, numRuns: 500 },
    );
  });

  test("of one ratio are within 2^-bits of it", () => {
    fc.assert(
      fc.property(ratio, fc.constantFrom(15, 31), (each, bits) => {
        expect(toMultipliers([each], bits).relativeError).toBeLessThanOrEqual(2 ** -bits * (1 + 2 ** -40));
      }),
      { seed: 92, numRuns: 500 },
    );
  });

  test("keep to a longest shift", () => {
    expect(toMultipliers([2 ** -20], 15, 31)).toEqual({ multipliers: [2 ** 11], shift: 31, relativeError: 0 });
    expect(() => toMultipliers([1, 0], 15)).toThrow(/positive, got 0/);
  });
});

describe("requantize", () => {
  for (const [name, output] of [
    ["int8", int8],
    ["uint8", uint8],
    ["int16", int16],
  ] as const) {
    for (const bits of [15, 31] as const) {
      test(`to ${name} by multipliers of ${bits} bits keeps its bound`, () => {
        const { rescaling, y, real, exact, relativeError } = requantized(output, bits);
        const { before, between, after } = rescaling;
        const total = before + between + after;
        const r = bits === 15 ? 2 ** 15 / 2 ** total : 2 ** 31 / 2 ** total;
        const bound = 0.5 + (after > 0 ? 2 ** -after / 2 : 0) + (before > 0 ? (r * 2 ** before) / 2 : 0);
        exact.forEach((value, i) => {
          const meant = clamp(output, value + output.zeroPoint);
          const slack = Math.abs(value) * relativeError + 1e-9;
          expect(Math.abs((y[i] as number) - meant)).toBeLessThanOrEqual(bound + slack);
          expect(Math.abs((real[i] as number) - meant)).toBeLessThanOrEqual(slack);
        });
      });
    }
  }

  test("gives the nearest code nearly always, and never one further", () => {
    const nearest = (bits: 15 | 31): number[] => {
      const { y, exact } = requantized(int8, bits, 4);
      return exact.map((value, i) =>
        Math.abs((y[i] as number) - clamp(int8, Math.floor(value + 0.5) + int8.zeroPoint)),
      );
    };
    expect(Math.max(...nearest(15))).toBeLessThanOrEqual(1);
    expect(nearest(15).filter((off) => off === 1).length / (ROWS * COLUMNS)).toBeLessThan(0.05);
    expect(Math.max(...nearest(31))).toBe(0);
  });

  test("with one multiplier and no bias is plain rounding half up where no bit is dropped before", () => {
    const rescaling = { bits: 15, before: 0, between: 15, after: 0 } as const;
    const plain = integerFormat(true, 8, 0.05);
    const kernel = requantize({ input: sums, output: plain, rescaling, bias: false, multiplier: "one" });
    const x = Array.from({ length: 2000 }, (_, i) => 7 * i - 7000);
    const [y] = interpret(kernel, { sums: x, multiplier: [300] }, 1, x.length) as [Float64Array];
    expect(Array.from(y)).toEqual(x.map((sum) => clamp(plain, Math.floor((sum * 300) / 2 ** 15 + 0.5))));
  });

  test("refuses sums that a multiplier's bits cannot bring down", () => {
    expect(() => planRescaling([1], { largest: 2 ** 31 })).toThrow(/sums of 2147483648 times 1 pass/);
    expect(() => planRescaling([-1], { largest: 100 })).toThrow(/positive, got -1/);
  });
});

describe("requantize with GELU behind it", () => {
  const hidden = integerFormat(true, 8, 0.05, 20);
  const output = integerFormat(true, 8, 0.03, -110);
  const { ratios, largest, bias, codes } = layer(hidden, 6);
  const { multipliers, relativeError: _, ...rescaling } = planRescaling(ratios, { largest });
  const options = { input: sums, rescaling, bias: true, multiplier: "column" } as const;
  const kernel = requantize({ ...options, output, activation: { fn: "gelu", input: hidden } });
  const [hole] = holes(kernel);
  const inputs = { sums: codes, bias, multiplier: multipliers };

  test("is the correctly rounded GELU of the requantized code", () => {
    verify(kernel);
    const spec = hole?.spec ?? kernel.spec;
    const { table } = finish(solve(planProblem(spec, { segments: 256, norm: "max" }), "direct", { seed: 1 }));
    const [y] = interpret(fill(kernel, { activation: table }), inputs, ROWS, COLUMNS) as [Float64Array];
    const [before] = interpret(requantize({ ...options, output: hidden }), inputs, ROWS, COLUMNS) as [Float64Array];
    const gelu = parseFn("gelu").evaluate;
    expect(Array.from(y)).toEqual(Array.from(before, (code) => encode(output, gelu(0.05 * (code - 20)))));
  });

  test("has an ideal that shows its hole real numbers and answers in codes", () => {
    const gelu = parseFn("gelu").evaluate;
    const seen: number[] = [];
    const [real] = ideal(
      kernel,
      () => gelu,
      inputs,
      ROWS,
      COLUMNS,
      (_, values) => seen.push(...values),
    ) as [Float64Array];
    codes.forEach((code, i) => {
      const x =
        0.05 * (clamp(hidden, (code + (bias[i % COLUMNS] as number)) * (ratios[i % COLUMNS] as number) + 20) - 20);
      expect(Math.abs((seen[i] as number) - x)).toBeLessThan(1e-2);
      expect(Math.abs((real[i] as number) - clamp(output, gelu(x) / 0.03 - 110))).toBeLessThan(0.4);
    });
  });
});

describe("requantize with a residual sum", () => {
  const residual = integerFormat(true, 16, 0.0007);
  const branch = integerFormat(true, 8, 0.05);
  const { ratios, bias, codes } = layer(branch, 7);
  const into16 = ratios.map((ratio) => (ratio * branch.scale) / int16.scale);
  const largest = Math.max(...codes.map((code, i) => Math.abs(code + (bias[i % COLUMNS] as number))));
  const { multipliers, relativeError, ...rescaling } = planRescaling(into16, { largest });
  const source = random(8);
  const skip = Array.from({ length: ROWS * COLUMNS }, () =>
    Math.max(-32768, Math.min(32767, Math.round(9000 * source.normal()))),
  );

  test("is within its bound of both parts' sum", () => {
    const kernel = requantizeResidual({
      input: sums,
      output: int16,
      rescaling,
      bias: true,
      multiplier: "column",
      residual,
    });
    verify(kernel);
    const inputs = { sums: codes, bias, multiplier: multipliers, residual: skip };
    const [y] = interpret(kernel, inputs, ROWS, COLUMNS) as [Float64Array];
    const { before, between, after } = rescaling;
    const first = 0.5 + (after > 0 ? 2 ** -after / 2 : 0) + 2 ** (15 - between - after) / 2;
    expect(before).toBeGreaterThan(0);
    codes.forEach((code, i) => {
      const part = (code + (bias[i % COLUMNS] as number)) * (into16[i % COLUMNS] as number);
      const meant = clamp(int16, part + ((skip[i] as number) * residual.scale) / int16.scale);
      const slack = Math.abs(part) * relativeError + 0.5 + Math.abs(skip[i] as number) * 2 ** -15;
      expect(Math.abs((y[i] as number) - meant)).toBeLessThanOrEqual(first + slack);
    });
  });

  test("is rounded once where both products fit together", () => {
    const ratio = residual.scale / int16.scale;
    const {
      multipliers: own,
      relativeError: slack,
      ...once
    } = planRescaling(into16, {
      largest,
      longest: longestWith(ratio),
    });
    const shift = once.between + once.after;
    expect(shift).toBeLessThanOrEqual(longestWith(ratio));
    const options = {
      input: sums,
      output: int16,
      rescaling: once,
      bias: true,
      multiplier: "column",
      residual,
    } as const;
    const kernel = requantizeResidual(options);
    verify(kernel);
    const inputs = { sums: codes, bias, multiplier: own, residual: skip };
    const [y] = interpret(kernel, inputs, ROWS, COLUMNS) as [Float64Array];
    codes.forEach((code, i) => {
      const part = (code + (bias[i % COLUMNS] as number)) * (into16[i % COLUMNS] as number);
      const meant = clamp(int16, part + (skip[i] as number) * ratio);
      const first = (into16[i % COLUMNS] as number) * 2 ** once.before;
      const bound = 0.5 + first / 2 + Math.abs(part) * slack + Math.abs(skip[i] as number) * 2 ** (-shift - 1);
      expect(Math.abs((y[i] as number) - meant)).toBeLessThanOrEqual(bound + 1e-9);
    });
  });

  test("of the output's scale is added as it is", () => {
    const kernel = requantizeResidual({
      input: sums,
      output: int16,
      rescaling,
      bias: false,
      multiplier: "column",
      residual: int16,
    });
    const [y] = interpret(
      kernel,
      { sums: codes.map(() => 0), multiplier: multipliers, residual: skip },
      ROWS,
      COLUMNS,
    ) as [Float64Array];
    expect(Array.from(y)).toEqual(skip);
  });

  test("refuses residuals it has no room for", () => {
    const options = { input: sums, output: int16, rescaling, bias: true, multiplier: "column" } as const;
    expect(() => requantizeResidual({ ...options, residual: sums })).toThrow(/at most 16 bits/);
    expect(() => requantizeResidual({ ...options, residual: integerFormat(true, 8, 100) })).toThrow(/always saturates/);
  });
});

/** Every pair of 8-bit codes, or the ends and seeded pairs of wider ones. */
function pairs(a: IntegerFormat, b: IntegerFormat): readonly [number[], number[]] {
  if (a.bits === 8 && b.bits === 8) {
    const [as, bs] = [a, b].map((format) => Array.from(allCodes(format))) as [number[], number[]];
    return [as.flatMap((code) => bs.map(() => code)), as.flatMap(() => bs)];
  }
  const source = random(10);
  const draw = (format: IntegerFormat): number[] => {
    const { lo, hi } = codeRange(format);
    return [lo, lo, hi, hi, ...Array.from({ length: 20000 }, () => lo + source.below(hi - lo + 1))];
  };
  const [as, bs] = [draw(a), draw(b)];
  return [as, [bs[2] as number, ...bs.slice(1)]];
}

const FORMATS: readonly (readonly [IntegerFormat, IntegerFormat, IntegerFormat])[] = [
  [integerFormat(true, 8, 0.05, -7), integerFormat(true, 8, 0.031, 20), integerFormat(true, 8, 0.06, 3)],
  [integerFormat(false, 8, 0.004), integerFormat(true, 8, 0.7), integerFormat(true, 8, 0.7)],
  [integerFormat(true, 16, 0.0004), integerFormat(true, 16, 0.0003), integerFormat(true, 16, 0.0005)],
  [integerFormat(true, 16, 0.0004), integerFormat(true, 8, 0.05, 7), integerFormat(true, 16, 0.0006)],
  [integerFormat(false, 16, 0.0004, 30000), integerFormat(true, 16, 0.0003), integerFormat(false, 8, 0.1, 128)],
];

describe("codes of different scales", () => {
  test.each(FORMATS)("are added within the stated bound (case %#)", (a, b, output) => {
    const kernel = addCodes({ a, b, output });
    verify(kernel);
    const [as, bs] = pairs(a, b);
    const [y] = interpret(kernel, { a: as, b: bs }, 1, as.length) as [Float64Array];
    const { shift } = toMultipliers([a.scale / output.scale, b.scale / output.scale], 15, 31);
    const excess = as.map((code, i) => {
      const [xa, xb] = [code - a.zeroPoint, (bs[i] as number) - b.zeroPoint];
      const meant = clamp(output, (xa * a.scale + xb * b.scale) / output.scale + output.zeroPoint);
      return Math.abs((y[i] as number) - meant) - 0.5 - (Math.abs(xa) + Math.abs(xb)) * 2 ** -(shift + 1);
    });
    expect(excess.reduce((most, each) => Math.max(most, each), -1)).toBeLessThanOrEqual(1e-9);
  });

  test.each(FORMATS)("are multiplied within a code (case %#)", (a, b, output) => {
    const product = integerFormat(output.signed, output.bits, output.bits === 8 ? 0.3 : 0.01, output.zeroPoint);
    const kernel = mulCodes({ a, b, output: product });
    verify(kernel);
    const [as, bs] = pairs(a, b);
    const [y] = interpret(kernel, { a: as, b: bs }, 1, as.length) as [Float64Array];
    const errors = as.map((code, i) => {
      const real = (code - a.zeroPoint) * a.scale * ((bs[i] as number) - b.zeroPoint) * b.scale;
      return (
        Math.abs((y[i] as number) - clamp(product, real / product.scale + product.zeroPoint)) -
        Math.abs(real / product.scale) * 2 ** -14
      );
    });
    expect(errors.reduce((most, each) => Math.max(most, each), 0)).toBeLessThanOrEqual(1 + 1e-9);
  });

  test("are refused where nothing but saturation would come out, or with more than 16 bits", () => {
    const [coarse, fine] = [integerFormat(true, 8, 1e6), integerFormat(true, 8, 1)];
    expect(() => addCodes({ a: coarse, b: fine, output: fine })).toThrow(/1000000 times the output's scale/);
    expect(() => mulCodes({ a: coarse, b: fine, output: fine })).toThrow(/1000000 times/);
    expect(() => addCodes({ a: sums, b: fine, output: fine })).toThrow(/at most 16 bits, got int32/);
  });
});
