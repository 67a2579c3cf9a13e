// CORDIC against its own analytic bound, for every function and number of iterations.
import { describe, expect, test } from "vitest";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { cost, interpret, verify } from "../../packages/lutra/src/kernel/index.ts";
import { CORDIC_FUNCTIONS, type CordicFunction, cordic, cordicBound } from "../../packages/lutra/src/layer/index.ts";
import {
  allCodes,
  BINARY32,
  codeRange,
  decode,
  type IntegerFormat,
  parseFormat,
} from "../../packages/lutra/src/num/index.ts";

/** Formats with range to spare for the answers, so that rounding and saturation do not hide an error. */
const FORMATS: Readonly<Record<CordicFunction, readonly (readonly [input: string, output: string])[]>> = {
  exp: [
    ["s16.10", "u24.4"],
    ["s16.11", "u32.13"],
    ["u16.12", "u32.13"],
    ["s16.12", "u32.26"],
  ],
  tanh: [
    ["s16.12", "s32.26"],
    ["s16.8", "s16.15"],
  ],
  sqrt: [
    ["u16.16", "u32.26"],
    ["u16.0", "u32.20"],
    ["s24.11", "u32.20"],
  ],
  reciprocal: [
    ["u16.8", "u32.20"],
    ["s16.15", "u32.16"],
    ["u16.0", "u32.26"],
  ],
};

/** The largest of |error| beyond half an output code, over the bound; saturated answers left out. */
function shareOfBound(fn: CordicFunction, input: string, output: string, iterations: number): number {
  const to = parseFormat(output) as IntegerFormat;
  const kernel = cordic(fn, parseFormat(input), { iterations, output: to });
  verify(kernel);
  const { evaluate } = parseFn(fn);
  const from = kernel.spec.input as IntegerFormat;
  const { lo, hi } = codeRange(from);
  const step = Math.ceil((hi - lo) / 1500);
  const codes = Array.from({ length: Math.floor((hi - lo) / step) }, (_, i) => lo + 1 + i * step).filter(
    (q) => decode(from, q) >= kernel.spec.domain.lo && evaluate(decode(from, q)) < decode(to, codeRange(to).hi),
  );
  const answers = interpret(kernel, { x: codes }, 1, codes.length)[0] as Float64Array;
  const bound = cordicBound(fn, iterations);
  return answers.reduce((most, y, i) => {
    const exact = evaluate(decode(from, codes[i] as number));
    const error = Math.max(0, Math.abs(decode(to, y) - exact) - to.scale / 2);
    return Math.max(most, exact === 0 ? error : error / (fn === "tanh" ? bound : bound * Math.abs(exact)));
  }, 0);
}

describe("CORDIC keeps its bound", () => {
  for (const fn of CORDIC_FUNCTIONS) {
    test(`${fn}: in every format, with 1 to 24 iterations`, () => {
      for (const [input, output] of FORMATS[fn]) {
        for (const iterations of [1, 2, 3, 4, 5, 9, 13, 16, 20, 24]) {
          expect(shareOfBound(fn, input, output, iterations), `${input} ${iterations}`).toBeLessThanOrEqual(1);
        }
      }
    });
  }

  test("which halves with every iteration, but for the repeated ones, and is nearly attained by exp and 1/x", () => {
    expect(cordicBound("exp", 12) / cordicBound("exp", 16)).toBeGreaterThan(8);
    expect(cordicBound("reciprocal", 8) / cordicBound("reciprocal", 9)).toBeCloseTo(2, 2);
    expect(shareOfBound("exp", "s16.12", "u32.26", 8)).toBeGreaterThan(0.9);
    expect(shareOfBound("reciprocal", "u16.8", "u32.20", 8)).toBeGreaterThan(0.9);
  });

  test("sqrt converges twice as fast as exp", () => {
    expect(cordicBound("sqrt", 8)).toBeLessThan(cordicBound("exp", 8) ** 2);
  });
});

describe("CORDIC", () => {
  test("with 16 iterations is exp of s8.4 codes in u16.15, to the nearest code or the one beside it", () => {
    const kernel = cordic("exp", parseFormat("s8.4"), { iterations: 16, output: parseFormat("u16.15") });
    const codes = [...allCodes(kernel.spec.input)].filter((q) => q <= 0);
    const { evaluate } = parseFn("exp");
    const answers = interpret(kernel, { x: codes }, 1, codes.length)[0] as Float64Array;
    answers.forEach((y, i) => {
      expect(Math.abs(y - 32768 * evaluate((codes[i] as number) / 16))).toBeLessThan(3);
    });
  });

  test("saturates where the answer does not fit, answers 0 for roots of negative codes and treats codes below 1 as 1 in 1/x", () => {
    const run = (fn: CordicFunction, input: string, output: string, code: number): number =>
      interpret(
        cordic(fn, parseFormat(input), { iterations: 16, output: parseFormat(output) }),
        { x: [code] },
        1,
        1,
      )[0]?.[0] as number;
    expect(run("exp", "s16.8", "u16.8", 32767)).toBe(65535);
    expect(run("exp", "s16.8", "u16.8", -32768)).toBe(0);
    expect(run("sqrt", "s16.8", "u16.8", -5)).toBe(0);
    expect(run("sqrt", "s16.8", "u16.8", 0)).toBe(0);
    expect(run("reciprocal", "s16.0", "u16.8", -5)).toBe(run("reciprocal", "s16.0", "u16.8", 1));
    expect(run("tanh", "s16.8", "s16.14", -32768)).toBe(-run("tanh", "s16.8", "s16.14", 32767));
  });

  test("has no multiplication by the input but for the octave, and no table", () => {
    const { perElement, tableBits } = cost(
      cordic("reciprocal", parseFormat("u16.8"), { iterations: 12, output: parseFormat("u32.16") }),
    );
    expect(tableBits).toBe(0);
    expect(perElement.multiplications + perElement.divisions).toBe(0);
  });

  test("refuses scales that are no powers of two, floats, wide codes, and other numbers of iterations", () => {
    const output = parseFormat("u16.8");
    expect(() => cordic("exp", parseFormat("int8:0.3"), { iterations: 8, output })).toThrow(/fixed point/);
    expect(() => cordic("exp", BINARY32, { iterations: 8, output })).toThrow(/cannot take binary32/);
    expect(() => cordic("exp", parseFormat("s8.4"), { iterations: 8, output: BINARY32 })).toThrow(
      /cannot take binary32/,
    );
    expect(() => cordic("sqrt", parseFormat("s32.8"), { iterations: 8, output })).toThrow(/at most 24 bits/);
    expect(() => cordic("exp", parseFormat("s16.0"), { iterations: 8, output: parseFormat("u32.0") })).toThrow(
      /pass 2\^20/,
    );
    for (const iterations of [0, 1.5, 25]) {
      expect(() => cordic("exp", parseFormat("s8.4"), { iterations, output })).toThrow(RangeError);
    }
  });
});
