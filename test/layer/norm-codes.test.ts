// LayerNorm and RMSNorm of codes against binary64, in units of the output's codes, and their proofs of width.
import { describe, expect, test } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { fill, holes, ideal, interpret, type Kernel, verify } from "../../packages/lutra/src/kernel/index.ts";
import {
  layerNormCodes,
  type NormCodesOptions,
  normParameters,
  rmsNormCodes,
} from "../../packages/lutra/src/layer/index.ts";
import { planProblem } from "../../packages/lutra/src/model/index.ts";
import { type IntegerFormat, integerFormat, random } from "../../packages/lutra/src/num/index.ts";
import type { Spec, Table } from "../../packages/lutra/src/table/index.ts";

const tables = new Map<string, Table>();

/** 16 optimal segments of 16-bit mantissas, all answers of 8-bit ones. */
function tableOf(spec: Spec): Table {
  const key = JSON.stringify(spec);
  const isSmall = spec.input.kind === "integer" && spec.input.bits === 8;
  const known =
    tables.get(key) ??
    finish(
      solve(planProblem(spec, { segments: isSmall ? 192 : 16, norm: "max" }), isSmall ? "direct" : "optimal", {
        seed: 1,
      }),
    ).table;
  tables.set(key, known);
  return known;
}

function filled(kernel: Kernel): Kernel {
  return fill(kernel, Object.fromEntries(holes(kernel).map(({ hole, spec }) => [hole, tableOf(spec)])));
}

interface Case {
  readonly kind: "layer-norm" | "rms-norm";
  readonly columns: number;
  readonly input: IntegerFormat;
  readonly output: IntegerFormat;
  readonly epsilon: number;
  readonly mantissaBits?: 8 | 16;
}

const ROWS = 24;

interface Prepared {
  readonly kernel: Kernel;
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
  readonly inputs: { readonly x: Float64Array; readonly gamma: Int16Array; readonly beta: Int16Array };
}

function prepare(of: Case, seed: number): Prepared {
  const source = random(seed);
  const { columns, input, output } = of;
  const gamma = Array.from({ length: columns }, () => 0.4 + 1.2 * source.uniform());
  const beta = Array.from({ length: columns }, () => 0.3 * source.normal());
  const parameters = normParameters(gamma, beta, output);
  const options: NormCodesOptions = {
    input,
    output,
    columns,
    epsilon: of.epsilon,
    gammaShift: parameters.gammaShift,
    betaShift: parameters.betaShift,
    beta: true,
    ...(of.mantissaBits === undefined ? {} : { mantissaBits: of.mantissaBits }),
  };
  const kernel = of.kind === "layer-norm" ? layerNormCodes(options) : rmsNormCodes(options);
  verify(kernel);
  const codes = rows(of, source);
  return { kernel, gamma, beta, inputs: { x: codes, gamma: parameters.gamma, beta: parameters.beta } };
}

/** Of all sizes and offsets, some with outliers of 25 deviations, some nearly constant. */
function rows({ columns, input }: Case, source: ReturnType<typeof random>): Float64Array {
  const x = new Float64Array(ROWS * columns);
  const [hi, lo] = [2 ** (input.bits - 1) - 1, -(2 ** (input.bits - 1))];
  for (let r = 0; r < ROWS; r++) {
    const spread = hi / ([3, 6, 12, 30, 200][r % 5] as number);
    const offset = (r % 3) * 0.2 * spread;
    for (let c = 0; c < columns; c++) {
      const outlier = r % 4 === 1 && c === 5 % columns ? 25 : 1;
      x[r * columns + c] = Math.min(hi, Math.max(lo, Math.round(offset + spread * outlier * source.normal() * 0.6)));
    }
  }
  return x;
}

/** Before rounding, saturated: in codes of the output. */
function truth(of: Case, x: Float64Array, gamma: readonly number[], beta: readonly number[]): Float64Array {
  const { columns, input, output } = of;
  const [lo, hi] = output.signed ? [-(2 ** (output.bits - 1)), 2 ** (output.bits - 1) - 1] : [0, 2 ** output.bits - 1];
  const y = new Float64Array(x.length);
  for (let r = 0; r < ROWS; r++) {
    const row = Array.from(x.subarray(r * columns, (r + 1) * columns), (code) => code * input.scale);
    const mean = of.kind === "layer-norm" ? row.reduce((a, b) => a + b) / columns : 0;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / columns;
    row.forEach((value, c) => {
      const normal = (value - mean) / Math.sqrt(variance + of.epsilon);
      const code = (normal * (gamma[c] as number) + (beta[c] as number)) / output.scale + output.zeroPoint;
      y[r * columns + c] = Math.min(hi, Math.max(lo, code));
    });
  }
  return y;
}

function largestError(of: Case, seed: number): { delivered: number; exact: number } {
  const { kernel, gamma, beta, inputs } = prepare(of, seed);
  const meant = truth(of, inputs.x, gamma, beta);
  const [y] = interpret(filled(kernel), inputs, ROWS, of.columns) as [Float64Array];
  const [real] = ideal(kernel, (fn) => parseFn(fn).evaluate, inputs, ROWS, of.columns) as [Float64Array];
  const largest = (numbers: Float64Array): number =>
    numbers.reduce((most, value, i) => Math.max(most, Math.abs(value - (meant[i] as number))), 0);
  return { delivered: largest(y), exact: largest(real) };
}

const int8 = integerFormat(true, 8, 1 / 28);
const uint8 = integerFormat(false, 8, 1 / 28, 120);
const int16 = integerFormat(true, 16, 2 ** -11);
const residual = integerFormat(true, 16, 13.4 / 32768);

/** Output codes; half of one is the last rounding's. */
const BOUNDS = [
  ["int8", { output: int8 }, 0.57],
  ["uint8 with a zero point", { output: uint8 }, 0.57],
  ["int8 with a mantissa of 8 bits", { output: int8, mantissaBits: 8 }, 0.8],
  ["int16 of scale 2^-11", { output: int16 }, 13],
] as const;

describe.each(["layer-norm", "rms-norm"] as const)("%s of codes", (kind) => {
  describe.each(BOUNDS)("to %s", (_, target, bound) => {
    test.each([1, 3, 64, 384, 1024])(`is within ${bound} codes of binary64 on seeded rows of %i`, (columns) => {
      const { delivered, exact } = largestError({ kind, columns, input: residual, epsilon: 1e-5, ...target }, 3);
      expect(delivered).toBeLessThan(bound);
      // What the codes of gamma, beta and epsilon and the ends of 16 bits leave.
      expect(exact).toBeLessThan(target.output.bits === 8 ? 0.0125 : 1.1);
    });
  });

  test("takes rows of 4096, of 8-bit codes, and small and large epsilons", () => {
    const of: Case = { kind, columns: 4096, input: residual, output: int8, epsilon: 1e-5 };
    expect(largestError(of, 5).delivered).toBeLessThan(0.57);
    const bytes = integerFormat(true, 8, 0.05);
    expect(largestError({ ...of, columns: 200, input: bytes }, 6).delivered).toBeLessThan(0.57);
    for (const epsilon of [0, 1e-12, 0.5]) {
      expect(largestError({ ...of, columns: 128, epsilon }, 7).delivered, `${epsilon}`).toBeLessThan(0.57);
    }
  });

  test("answers beta for a row of zeros, and takes the largest codes", () => {
    const of: Case = { kind, columns: 48, input: residual, output: int8, epsilon: 1e-5 };
    const { kernel, gamma, beta, inputs } = prepare(of, 8);
    const x = inputs.x.map(
      (_, i) =>
        [0, 32767, -32768, i % 2 === 0 ? 32767 : -32768, i % 48 === 7 ? -32768 : 3][Math.floor(i / 48) % 5] as number,
    );
    const [y] = interpret(filled(kernel), { ...inputs, x }, ROWS, 48) as [Float64Array];
    const meant = truth(of, x, gamma, beta);
    expect(y.reduce((most, code, i) => Math.max(most, Math.abs(code - (meant[i] as number))), 0)).toBeLessThan(0.57);
  });

  test("has no bias: the mean error of int8 codes is below 0.01", () => {
    const of: Case = { kind, columns: 768, input: residual, output: int8, epsilon: 1e-5 };
    const { kernel, gamma, beta, inputs } = prepare(of, 9);
    const [y] = interpret(filled(kernel), inputs, ROWS, 768) as [Float64Array];
    const meant = truth(of, inputs.x, gamma, beta);
    expect(Math.abs(y.reduce((sum, code, i) => sum + code - (meant[i] as number), 0) / y.length)).toBeLessThan(0.01);
  });
});

describe("norms of codes", () => {
  const options: NormCodesOptions = {
    input: residual,
    output: int8,
    columns: 8,
    epsilon: 1e-5,
    gammaShift: 5,
    beta: false,
  };

  test("without beta add the zero point alone", () => {
    const kernel = filled(layerNormCodes({ ...options, output: uint8 }));
    verify(kernel);
    const [y] = interpret(kernel, { x: new Float64Array(8), gamma: new Float64Array(8).fill(9) }, 1, 8);
    expect(Array.from(y as Float64Array)).toEqual(Array.from({ length: 8 }, () => 120));
  });

  test("give a second result that is the first one rounded again", () => {
    const coarse = { ...integerFormat(true, 8, 2 ** -4), zeroPoint: -9 };
    const columns = 64;
    const row = random(4);
    const x = Float64Array.from({ length: columns }, () => Math.round(row.normal() * 4000));
    const { gamma, beta, gammaShift, betaShift } = normParameters(
      new Float64Array(columns).fill(1.3),
      new Float64Array(columns),
      int16,
    );
    for (const make of [layerNormCodes, rmsNormCodes]) {
      const kernel = filled(make({ ...options, columns, output: int16, gammaShift, betaShift, beta: true, coarse }));
      verify(kernel);
      const [fine, rounded] = interpret(kernel, { x, gamma, beta }, 1, columns) as [Float64Array, Float64Array];
      fine.forEach((code, i) => {
        expect(rounded[i]).toBe(Math.max(-128, Math.min(127, Math.floor(code / 2 ** 7 + 0.5) - 9)));
      });
    }
    expect(() => layerNormCodes({ ...options, output: int16, gammaShift: 0, coarse: int8 })).toThrow(
      /second result of/,
    );
  });

  test("have parameters whose products fit together", () => {
    const far = normParameters([1, 1], [0, 900], int8);
    expect(far.betaShift).toBeLessThan(1);
    const small = normParameters(new Float64Array(768).fill(0.01), new Float64Array(768), int8);
    expect(small.gammaShift).toBe(14 + 6 - 19);
    verify(
      layerNormCodes({
        ...options,
        columns: 768,
        beta: true,
        gammaShift: small.gammaShift,
        betaShift: small.betaShift,
      }),
    );
  });

  test("keep the 8-bit table to 192 entries", () => {
    const [hole] = holes(layerNormCodes({ ...options, mantissaBits: 8 }));
    expect(tableOf(hole?.spec as Spec).coefficients[0]?.length).toBe(192);
  });

  test("are proven for the longest rows", () => {
    for (const columns of [1, 2, 1000, 4096, 2 ** 15]) {
      verify(layerNormCodes({ ...options, columns }));
      verify(rmsNormCodes({ ...options, columns }));
    }
  });

  test("refuse what their widths cannot hold", () => {
    expect(() => layerNormCodes({ ...options, columns: 2 ** 15 + 1 })).toThrow(/rows of 1 to 32768/);
    expect(() => rmsNormCodes({ ...options, input: integerFormat(false, 16) })).toThrow(/within 16 bits, signed/);
    expect(() => rmsNormCodes({ ...options, input: integerFormat(true, 16, 1, 3) })).toThrow(/zero point 0/);
    expect(() => layerNormCodes({ ...options, epsilon: 1e9 })).toThrow(/epsilon of 1000000000/);
    expect(() => layerNormCodes({ ...options, gammaShift: -20 })).toThrow(/up to 2\^35 output codes/);
    expect(() => normParameters([1, 1], [0], int8)).toThrow(/2 columns of gamma, but 1 of beta/);
    expect(() => normParameters([1], [1e9], int8)).toThrow(/beta 1000000000/);
  });
});
