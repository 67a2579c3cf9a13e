// The kernels of integer programs in WebAssembly: interpret's bits in every form, also with numbers that differ between layers as params, and
// no instruction on floats in them.

import { describe, expect, test } from "vitest";
import { finish } from "../../../packages/lutra/src/base/index.ts";
import { solve } from "../../../packages/lutra/src/fit/index.ts";
import {
  fill,
  holes,
  interpret,
  type Kernel,
  KernelBuilder,
  type KernelInputs,
} from "../../../packages/lutra/src/kernel/index.ts";
import {
  addCodes,
  attentionContext,
  attentionShares,
  attentionWeights,
  layerNormCodes,
  mulCodes,
  type PlannedRescaling,
  planRescaling,
  requantize,
  requantizeResidual,
  rmsNormCodes,
  subCodes,
} from "../../../packages/lutra/src/layer/index.ts";
import { integerFormat, random } from "../../../packages/lutra/src/num/index.ts";
import { emit } from "../../../packages/lutra/src/target/wasm/index.ts";
import { randomInputs } from "../../kernel/random-kernel.ts";
import { FORMS } from "./forms.ts";
import { floatInstructions } from "./instructions.ts";
import { runTile } from "./tile.ts";

const ROWS = 5;
const LONGEST = 160;
const int8 = integerFormat(true, 8, 1 / 28);
const shifted8 = { ...int8, zeroPoint: -31 };
const int16 = integerFormat(true, 16, 2 ** -11);
const sums = integerFormat(true, 32, 1e-4);

/** All answers to 8 bits. */
function filled(kernel: Kernel): Kernel {
  const tables = holes(kernel).map(({ hole, spec }) => {
    const problem = { spec, size: { segments: 256 }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
    return [hole, finish(solve(problem, "direct", { seed: 1 })).table] as const;
  });
  return fill(kernel, Object.fromEntries(tables));
}

function weights(scale: number, mask: "column" | "row" | "element" | null): Kernel {
  return filled(attentionWeights({ scale, mask, maxRow: LONGEST }).kernel);
}

function planned(largest: number, to: number): PlannedRescaling {
  return planRescaling([to / largest, (0.4 * to) / largest], { largest });
}

const quantized = { input: sums, bias: false, multiplier: "column" } as const;
const norm = { input: int16, epsilon: 1e-5, beta: true, mantissaBits: 8 } as const;

/** Of rows of a length. */
function kernelsOf(columns: number): Readonly<Record<string, Kernel>> {
  const layerNorm = { ...norm, columns, gammaShift: -5 };
  return {
    weights: weights(0.003, null),
    "weights of coarse scores": weights(0.4, null),
    "weights of fine scores": weights(2e-7, "column"),
    "weights without some columns": weights(0.003, "column"),
    "weights without some rows": weights(0.0003, "row"),
    "weights without some elements": weights(0.01, "element"),
    context: attentionContext({ values: int8, output: shifted8, maxRow: LONGEST }),
    "context of 16 bits": attentionContext({ values: int8, output: int16, maxRow: LONGEST }),
    "context of long rows": attentionContext({ values: int8, output: int8, maxRow: 100_000 }),
    shares: attentionShares({ output: int8, maxRow: LONGEST }),
    requantize: requantize({ ...quantized, output: shifted8, rescaling: planned(60_000, 120), bias: true }),
    "requantize to 7 bits": requantize({
      ...quantized,
      output: integerFormat(true, 7, 0.1),
      rescaling: planned(9000, 63),
    }),
    "requantize to 16 bits": requantize({ ...quantized, output: int16, rescaling: planned(300_000, 32_000) }),
    "requantize to 32 bits": requantize({
      ...quantized,
      output: integerFormat(true, 32, 1e-5),
      rescaling: planRescaling([0.001], { largest: 4e6, bits: 31 }),
    }),
    gelu: filled(
      requantize({
        ...quantized,
        output: shifted8,
        rescaling: planned(60_000, 120),
        activation: { fn: "gelu", input: { ...int8, zeroPoint: 7 } },
      }),
    ),
    "gelu to 16 bits": filled(
      requantize({
        ...quantized,
        output: int16,
        rescaling: planned(60_000, 120),
        activation: { fn: "gelu", input: int8 },
      }),
    ),
    residual: requantizeResidual({ ...quantized, output: int16, rescaling: planned(200_000, 32_000), residual: int16 }),
    "residual of a larger scale": requantizeResidual({
      ...quantized,
      output: int16,
      rescaling: planned(200_000, 3000),
      residual: integerFormat(true, 16, 2 ** -9),
    }),
    "layer norm": filled(layerNormCodes({ ...layerNorm, output: int8, betaShift: 4 })),
    "layer norm to 16 and 8 bits": filled(
      layerNormCodes({ ...layerNorm, output: int16, coarse: { ...shifted8, scale: 2 ** -4 } }),
    ),
    "root mean square norm to 16 and 8 bits": filled(
      rmsNormCodes({ ...layerNorm, output: int16, beta: false, coarse: { ...shifted8, scale: 2 ** -4 } }),
    ),
    sum: addCodes({ a: int16, b: integerFormat(true, 16, 2 ** -12), output: int16 }),
    "sum with a column": addCodes({ a: int16, b: shifted8, output: int16, over: { a: "element", b: "column" } }),
    difference: subCodes({ a: shifted8, b: int8, output: int8 }),
    product: mulCodes({ a: int16, b: int16, output: integerFormat(true, 16, 2 ** -6) }),
    "literals as params": shared(),
  };
}

/** A requantization whose shifts, multiplier and zero point are one number each, as kernels that layers share have them. */
function shared(): Kernel {
  const build = new KernelBuilder();
  const one = (name: string, lo: number, hi: number): number => build.param(name, "one", "i32", [lo, hi]);
  const n = build.cast(
    build.shiftRight(build.param("sums", "element", "i32", [-(2 ** 30), 2 ** 30 - 1]), one("before", 0, 5), "half-up"),
    "i16",
  );
  const scaled = build.binary("mul", build.cast(n, "i32"), one("multiplier", 0, 32_767));
  const once = build.shiftRight(scaled, build.integer(15), "half-up");
  const y = build.shiftRight(once, one("after", 1, 7), "half-up");
  const code = build.cast(build.binary("add", y, one("zero", -128, 127)), "i8");
  const residual = build.cast(build.param("residual", "element", "i16"), "i32");
  const sum = build.binary("add", scaled, build.binary("mul", residual, one("other", 0, 32_767)));
  const both = build.cast(build.shiftRight(sum, one("shift", 11, 16), "half-up"), "i16");
  return build.finish({ fn: "x", domain: { lo: -1, hi: 1 }, input: sums, output: int8 }, code, both);
}

/** Numbers of a size that does not saturate everything, and masks of which one row leaves all out. */
function likely(kernel: Kernel, columns: number): KernelInputs {
  const source = random(columns);
  const inputs = randomInputs(kernel, ROWS, columns, columns);
  const scale =
    kernel.spec.input.kind === "integer" && kernel.spec.fn === "softmax" ? 2 / kernel.spec.input.scale : 30_000;
  const own: Record<string, (i: number) => number> = {
    sums: () => Math.max(-(2 ** 24), Math.min(2 ** 24, Math.round(source.normal() * scale))),
    mask: (i) => (Math.floor(i / columns) === 2 || i % 3 === 0 ? 1 + (i % 2) : 0),
    total: (i) => (i === 0 ? 0 : 127 + Math.floor(source.uniform() * 127 * (LONGEST - 1))),
    x: () => Math.round(source.normal() * 3000),
  };
  return Object.fromEntries(
    Object.entries(inputs).map(([name, data]) => {
      const make = own[name];
      return [name, make === undefined ? data : Float64Array.from(data as ArrayLike<number>, (_, i) => make(i))];
    }),
  );
}

const NAMES = Object.keys(kernelsOf(16));

describe.each(FORMS)("in the form %s, kernels of programs have the bits of interpret():", (form) => {
  test.each(NAMES)("%s", (name) => {
    for (const columns of [1, 15, 16, 33, 128]) {
      const kernel = kernelsOf(columns)[name] as Kernel;
      const module = emit(kernel, { form });
      for (const inputs of [randomInputs(kernel, ROWS, columns, 5), likely(kernel, columns)]) {
        const [meant, got] = [
          interpret(kernel, inputs, ROWS, columns),
          runTile(module, { inputs, rows: ROWS, columns }),
        ];
        expect(got).toEqual(meant);
      }
    }
  });

  test.each(NAMES)("without floats: %s", (name) => {
    expect(floatInstructions(emit(kernelsOf(48)[name] as Kernel, { form }).bytes)).toEqual([]);
  });
});

test("floats are seen where there are some", () => {
  const build = new KernelBuilder();
  const y = build.binary("add", build.param("x", "element"), build.constant(1));
  const spec = { fn: "x", domain: { lo: -1, hi: 1 }, input: { kind: "float", name: "binary32" } } as const;
  const kernel = build.finish({ ...spec, output: spec.input } as unknown as Kernel["spec"], y);
  expect(floatInstructions(emit(kernel, { form: "simd" }).bytes)).toContain("f32x4.add");
});
