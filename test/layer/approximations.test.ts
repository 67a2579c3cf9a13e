// The list that comparisons run: every method's kernel is sound and says what its codes mean.
import { describe, expect, test } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { cost, interpret, verify } from "../../packages/lutra/src/kernel/index.ts";
import { approximations, polynomials, SUBSTITUTES } from "../../packages/lutra/src/layer/index.ts";
import { BFLOAT16, BINARY32, decode, encode, integerFormat } from "../../packages/lutra/src/num/index.ts";

/** Inputs and the largest error that each method may have there. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  gelu: { "i-bert": 0.019, "h-gelu": 0.07, "i-bert-corrected": 0.019 },
  erf: { "i-bert": 0.12, "i-bert-corrected": 0.12 },
  exp: { "i-bert": 0.004, "i-bert-corrected": 0.004, "cordic-8": 0.01, "cordic-12": 1e-3, "cordic-16": 2e-4 },
  tanh: { "cordic-8": 0.02, "cordic-12": 2e-3, "cordic-16": 1e-4 },
  sqrt: { "i-bert": 0.07, "cordic-8": 1e-4, "cordic-12": 1e-5, "cordic-16": 1e-5 },
  reciprocal: { "cordic-8": 0.01, "cordic-12": 1e-3, "cordic-16": 1e-4 },
};

describe("approximations", () => {
  for (const input of [BINARY32, integerFormat(true, 16, 2 ** -8)]) {
    for (const [fn, methods] of Object.entries(EXPECTED)) {
      test(`of ${fn} from ${input.kind} inputs are within what is known of them`, () => {
        const { evaluate } = parseFn(fn);
        const xs = Array.from({ length: 200 }, (_, i) => (fn === "exp" ? -(i + 1) / 32 : (i + 64) / 32));
        for (const { method, kernel: make } of approximations(fn, input)) {
          const kernel = make();
          verify(kernel);
          expect(cost(kernel).operations).toBeGreaterThan(3);
          const codes = xs.map((x) => encode(kernel.spec.input, x));
          const answers = interpret(kernel, { x: codes }, 1, codes.length)[0] as Float64Array;
          const off = answers.map((y, i) =>
            Math.abs(decode(kernel.spec.output, y) - evaluate(decode(input, codes[i] as number))),
          );
          const isDefective = method === "i-bert" && input.kind === "integer" && (fn === "gelu" || fn === "erf");
          if (!isDefective) expect(Math.max(...off), method).toBeLessThan(methods[method] ?? 0);
        }
      });
    }
  }

  test("are none for other functions and formats", () => {
    expect(approximations("sin", integerFormat(true, 8))).toEqual([]);
    expect(approximations("sin", BINARY32)).toEqual([]);
    expect(approximations("gelu", BFLOAT16)).toEqual([]);
  });

  test("of rows know their length", () => {
    const int8 = integerFormat(true, 8, 1 / 16);
    const names = approximations("softmax", int8, 64).map(({ method, kernel }) => {
      verify(kernel());
      expect(kernel().spec.maxRow).toBe(64);
      return method;
    });
    expect(names).toEqual(["i-bert", "i-bert-corrected", "softermax"]);
    expect(approximations("layer-norm", int8, 64).map(({ method }) => method)).toEqual(["i-bert"]);
  });

  test("of any function are polynomials, with Taylor's as far as derivatives go", () => {
    const silu = parseFn("silu");
    const made = polynomials("silu", { lo: -4, hi: 4 }, [silu.evaluate, silu.derivative().evaluate], 16);
    const errors = made.map(({ kernel }) => {
      const x = Float32Array.from({ length: 4000 }, (_, i) => -4 + i / 500);
      const y = interpret(kernel(), { x }, 1, x.length)[0] as Float64Array;
      return y.reduce((most, value, i) => Math.max(most, Math.abs(value - silu.evaluate(x[i] as number))), 0);
    });
    expect(made.map(({ method }) => method)).toEqual(["polynomial-1", "polynomial-2", "polynomial-3", "taylor-1"]);
    expect(errors.every((error, i) => error < ([0.01, 1e-3, 1e-4, 0.02][i] as number))).toBe(true);
  });

  test("refuse a format only when they are asked for the kernel", () => {
    const [, corrected] = approximations("gelu", integerFormat(true, 8, 0.1, 5));
    expect(() => corrected?.kernel()).toThrow(LutraError);
  });

  test("have substitutes of gelu beside them: 2.0e-2 for the sigmoid form, 6.9e-2 for h-GELU on [-4, 4)", () => {
    const exact = parseFn("gelu");
    const error = Object.fromEntries(
      (SUBSTITUTES.gelu ?? []).map(({ method, fn }) => {
        const { evaluate } = parseFn(fn);
        const xs = Array.from({ length: 8000 }, (_, i) => -4 + i / 1000);
        return [method, Math.max(...xs.map((x) => Math.abs(evaluate(x) - exact.evaluate(x))))];
      }),
    );
    expect(error["x*sigmoid(1.702x)"]).toBeCloseTo(0.0203, 4);
    expect(error["h-gelu"]).toBeCloseTo(0.0687, 4);
    expect(error["gelu-tanh"]).toBeLessThan(5e-4);
  });
});
