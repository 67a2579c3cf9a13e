// The kernels on which the C, TypeScript and WebAssembly targets are tested: every index rule and reduction, integers of 8 and 16 bits, rows.

import { finish } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { fill, holes, type Kernel } from "../../packages/lutra/src/kernel/index.ts";
import {
  cordic,
  elementwise,
  hGelu,
  iExp,
  iGelu,
  iGeluFloat,
  iLayerNorm,
  iSoftmax,
  iSqrt,
  layerNorm,
  logSoftmax,
  onFloats,
  rmsNorm,
  softermax,
  softmax,
  softmaxCodes,
} from "../../packages/lutra/src/layer/index.ts";
import { planProblem } from "../../packages/lutra/src/model/index.ts";
import { BINARY32, parseFormat, toOrdered32 } from "../../packages/lutra/src/num/index.ts";
import { problemOf } from "../../packages/lutra/src/question.ts";
import type { Table } from "../../packages/lutra/src/table/index.ts";

const OPTIONS = { segments: 16, norm: "max" } as const;
const MAX_ROW = 128;

function filled(kernel: Kernel): Kernel {
  const tables = holes(kernel).map(({ hole, spec }) => {
    return [hole, finish(solve(planProblem(spec, OPTIONS), "optimal", { seed: 1 })).table] as const;
  });
  return fill(kernel, Object.fromEntries(tables));
}

function asked(question: Parameters<typeof problemOf>[0], method = "optimal"): Kernel {
  return ofTable(finish(solve(problemOf(question), method, { seed: 1 })).table);
}

function ofTable(table: Table): Kernel {
  return fill(elementwise(table.spec), { f: table });
}

const FLOAT_FUNCTIONS = ["gelu", "tanh", "sigmoid", "exp", "rsqrt", "log", "reciprocal", "sqrt", "silu"];

/** One binary32 table with its default reductions each. */
function floatTables(): Record<string, Kernel> {
  const named = FLOAT_FUNCTIONS.map((fn) => [`f_${fn}`, asked({ fn, input: BINARY32, segments: 16, norm: "max" })]);
  return Object.fromEntries(named);
}

/** A table by hand, for what no method of these tests makes. */
function handmade(rest: Pick<Table, "index" | "coefficients"> & Partial<Table>): Kernel {
  return ofTable({
    spec: { fn: "tanh", domain: { lo: -4, hi: 4 }, input: BINARY32, output: BINARY32 },
    reductions: [],
    clamp: [-Infinity, Infinity],
    shift: 0,
    rounding: "half-even",
    ...rest,
  });
}

const slopes = (n: number): readonly number[] => Array.from({ length: n }, (_, i) => Math.fround((i - 3) / 7));
const S8 = parseFormat("s8.5");
const S16 = parseFormat("s16.12");

/** Every index rule by hand; clamps whose ends are zeros of either sign. */
function floatRules(): Record<string, Kernel> {
  const lines = [slopes(9), slopes(9).toReversed()];
  const [first, last] = [0.25, 4].map((x) => Math.floor(toOrdered32(x) / 2 ** 22)) as [number, number];
  const bits = last - first + 1;
  return {
    r_uniform: handmade({ index: { rule: "uniform", first: -4.5, width: 1 }, coefficients: lines, clamp: [-4, 4] }),
    r_constant: handmade({
      index: { rule: "uniform", first: 0, width: 0.5 },
      coefficients: [slopes(9)],
      clamp: [0, 0.75],
    }),
    r_below: handmade({ index: { rule: "uniform", first: -4, width: 0.5 }, coefficients: lines, clamp: [-4, -0] }),
    r_bits: handmade({ index: { rule: "float-bits", first, shift: 22 }, coefficients: [slopes(bits), slopes(bits)] }),
    r_all_bits: handmade({
      index: { rule: "float-bits", first: -512, shift: 22 },
      coefficients: [slopes(1024), slopes(1024)],
      reductions: [{ by: "complement" }],
    }),
    r_single: handmade({
      index: { rule: "breakpoints", codes: [] },
      coefficients: [[0.5], [-0.25]],
      reductions: [{ by: "even" }],
    }),
    r_nested: handmade({
      index: { rule: "nested", first: -3, codes: [-1, 0.7], scales: [1, 3, 0.5], counts: [2, 5, 2] },
      coefficients: lines,
    }),
    r_exp_below: handmade({
      index: { rule: "uniform", first: 0, width: 0.125 },
      coefficients: lines,
      reductions: [{ by: "reflect" }, { by: "exponential", factor: -0.75 }],
    }),
    r_sqrt_up: handmade({
      index: { rule: "uniform", first: 1, width: 0.5 },
      coefficients: lines,
      reductions: [{ by: "odd" }, { by: "octave", step: 2, power: 1 }],
    }),
    r_sqrt_down: handmade({
      index: { rule: "uniform", first: 1, width: 0.5 },
      coefficients: lines,
      reductions: [{ by: "octave", step: 1, power: -1 }],
    }),
  };
}

/** Integer tables: optimal ones, and every index rule and rounding by hand. */
function integerTables(): Record<string, Kernel> {
  const integers = (rest: Pick<Table, "index" | "coefficients"> & Partial<Table>): Kernel =>
    handmade({ spec: { fn: "tanh", domain: { lo: -4, hi: 3.9 }, input: S8, output: S8 }, ...rest });
  const whole = [Array.from({ length: 9 }, (_, i) => 700 * (i - 4)), Array.from({ length: 9 }, (_, i) => 37 * (i - 3))];
  const wide = whole.map((column) => column.map((c) => c * 2 ** 20 + 1));
  return {
    i_gelu8: asked({ fn: "gelu", input: S8, segments: 8, norm: "max" }),
    i_tanh8u: asked({ fn: "sigmoid", input: S8, output: parseFormat("uint8:0.00390625"), segments: 8, norm: "max" }),
    i_zero_point: asked({
      fn: "silu",
      input: parseFormat("uint8:0.05:128"),
      output: parseFormat("int8:0.04:-100"),
      segments: 9,
      norm: "max",
    }),
    i_silu16: asked({ fn: "silu", input: S16, segments: 16, norm: "max", range: [-7, 7] }),
    i_exp16: asked({ fn: "exp", input: S16, output: parseFormat("u16.5"), segments: 16, norm: "max" }, "uniform"),
    i_direct: asked({ fn: "tanh", input: S8, segments: 256, norm: "max" }),
    i_odd: integers({
      index: { rule: "breakpoints", codes: [1, 5, 9, 20, 33, 64, 100, 127] },
      coefficients: whole,
      reductions: [{ by: "odd" }],
      shift: 5,
    }),
    i_even: integers({
      index: { rule: "uniform", first: 0, width: 16 },
      coefficients: whole,
      reductions: [{ by: "even" }],
      shift: 4,
      rounding: "half-up",
    }),
    i_floor: integers({
      index: { rule: "uniform", first: -70, width: 16 },
      coefficients: whole,
      clamp: [-70, 55],
      shift: 6,
      rounding: "floor",
    }),
    i_nested: integers({
      index: { rule: "nested", first: -100, codes: [-20, 40], scales: [0.02, 0.0831, 0.05], counts: [2, 5, 2] },
      coefficients: whole,
      shift: 5,
    }),
    i_wide_even: integers({ index: { rule: "uniform", first: -128, width: 32 }, coefficients: wide, shift: 26 }),
    i_wide_up: integers({
      index: { rule: "uniform", first: -128, width: 32 },
      coefficients: wide,
      shift: 26,
      rounding: "half-up",
    }),
    i_wide_floor: integers({
      index: { rule: "uniform", first: -128, width: 32 },
      coefficients: wide,
      shift: 26,
      rounding: "floor",
    }),
    i_long_shift: integers({ index: { rule: "uniform", first: -128, width: 32 }, coefficients: wide, shift: 50 }),
    i_int32: integers({
      spec: { fn: "tanh", domain: { lo: -4, hi: 3.9 }, input: S8, output: parseFormat("uint32") },
      index: { rule: "uniform", first: -128, width: 32 },
      coefficients: wide,
      shift: 1,
    }),
  };
}

/** The published methods that search no table. */
const ALGORITHMS: Record<string, Kernel> = {
  k_i_gelu: iGelu(S8),
  k_i_gelu16: iGelu(parseFormat("s16.10")),
  k_i_exp: iExp(parseFormat("s16.8")),
  k_i_sqrt: iSqrt(parseFormat("u16.8")),
  k_cordic: cordic("exp", parseFormat("s16.11"), { iterations: 12, output: parseFormat("u32.13") }),
  k_cordic_reciprocal: cordic("reciprocal", parseFormat("s16.10"), { iterations: 12, output: parseFormat("u32.20") }),
};

const FORMULAS: Record<string, Kernel> = {
  k_h_gelu: hGelu(),
  k_i_gelu_float: iGeluFloat(),
  k_on_floats: onFloats(iGelu(parseFormat("s16.10"))),
};

const norm = { epsilon: Math.fround(1e-5), gamma: true, beta: true, maxRow: MAX_ROW };

const INTEGER_ROWS: Record<string, Kernel> = {
  w_i_softmax: iSoftmax(parseFormat("s16.8"), { maxRow: MAX_ROW }),
  w_i_layer_norm: iLayerNorm(parseFormat("s16.10"), { columns: MAX_ROW, bias: true }),
  w_softermax: softermax(MAX_ROW),
  w_softmax_codes: filled(softmaxCodes({ input: parseFormat("uint8:0.05:128"), maxRow: MAX_ROW })),
};

const FLOAT_ROWS: Record<string, Kernel> = {
  w_softmax: filled(softmax(MAX_ROW)),
  w_log_softmax: filled(logSoftmax(MAX_ROW)),
  w_layer_norm: filled(layerNorm(norm)),
  w_rms_norm: filled(rmsNorm({ ...norm, beta: false })),
  w_on_floats: onFloats(iSoftmax(parseFormat("s16.8"), { maxRow: MAX_ROW })),
};

const INTEGER_TABLES = integerTables();

export const INTEGER_KERNELS: Readonly<Record<string, Kernel>> = { ...INTEGER_TABLES, ...ALGORITHMS, ...INTEGER_ROWS };
export const ROW_KERNELS: Readonly<Record<string, Kernel>> = { ...INTEGER_ROWS, ...FLOAT_ROWS };
export const FLOAT_TABLES: Readonly<Record<string, Kernel>> = floatTables();
export const ELEMENTWISE: Readonly<Record<string, Kernel>> = {
  ...FLOAT_TABLES,
  ...floatRules(),
  ...INTEGER_TABLES,
  ...ALGORITHMS,
  ...FORMULAS,
};
export const KERNELS: Readonly<Record<string, Kernel>> = { ...ELEMENTWISE, ...ROW_KERNELS };
