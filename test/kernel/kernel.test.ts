import { describe, expect, test } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import {
  fill,
  holes,
  ideal,
  interpret,
  type Kernel,
  KernelBuilder,
  verify,
} from "../../packages/lutra/src/kernel/index.ts";
import { elementwise, layerNorm, logSoftmax, rmsNorm, softmax } from "../../packages/lutra/src/layer/index.ts";
import { BINARY32, integerFormat, random } from "../../packages/lutra/src/num/index.ts";
import type { Reduction, Spec, Table } from "../../packages/lutra/src/table/index.ts";

/** Chords with 64 uniform segments behind a reduction: close enough to exact for these tests. */
function chords(spec: Spec, reduction: Reduction, f: (t: number) => number, lo: number, hi: number): Table {
  const count = 64;
  const width = (hi - lo) / count;
  const slopes = Array.from({ length: count }, (_, i) =>
    Math.fround((f(lo + (i + 1) * width) - f(lo + i * width)) / width),
  );
  const intercepts = slopes.map((slope, i) => Math.fround(f(lo + i * width) - slope * (lo + i * width)));
  const codes = Array.from({ length: count - 1 }, (_, i) => Math.fround(lo + (i + 1) * width));
  return {
    spec,
    reductions: [reduction],
    clamp: [-Infinity, Infinity],
    index: { rule: "breakpoints", codes },
    coefficients: [intercepts, slopes],
    shift: 0,
    rounding: "half-even",
  };
}

function filled(kernel: Kernel): Kernel {
  const tables: Record<string, Table> = {};
  for (const { hole, spec } of holes(kernel)) {
    if (spec.fn === "exp") {
      tables[hole] = chords(spec, { by: "exponential", factor: Math.fround(Math.LOG2E) }, (t) => 2 ** t, 0, 1);
    } else if (spec.fn === "reciprocal") {
      tables[hole] = chords(spec, { by: "octave", step: 1, power: -1 }, (t) => 1 / t, 1, 2);
    } else if (spec.fn === "rsqrt") {
      tables[hole] = chords(spec, { by: "octave", step: 2, power: -1 }, (t) => 1 / Math.sqrt(t), 1, 4);
    } else {
      tables[hole] = chords(spec, { by: "logarithm", perOctave: Math.fround(Math.LN2) }, Math.log, 1, 2);
    }
  }
  return fill(kernel, tables);
}

const rows = 20;
const columns = 37;

function sample(seed: number, spread: number): Float32Array {
  const source = random(seed);
  return Float32Array.from({ length: rows * columns }, () => spread * source.normal());
}

const exactFunctions = (fn: string): ((x: number) => number) =>
  ({ exp: Math.exp, reciprocal: (x: number) => 1 / x, log: Math.log, rsqrt: (x: number) => 1 / Math.sqrt(x) })[fn] as (
    x: number,
  ) => number;

describe("a layer's kernel", () => {
  const norm = { epsilon: 1e-5, gamma: true, beta: true, maxRow: 64 };
  const layers = {
    softmax: softmax(64),
    "log-softmax": logSoftmax(64),
    "layer-norm": layerNorm(norm),
    "rms-norm": rmsNorm(norm),
  };
  const inputs = {
    x: sample(3, 2),
    gamma: Float32Array.from({ length: columns }, (_, i) => 0.5 + i / columns),
    beta: Float32Array.from({ length: columns }, (_, i) => i / columns - 0.5),
  };
  for (const [name, kernel] of Object.entries(layers)) {
    test(`${name} keeps the rules, and filled with good tables is close to its ideal`, () => {
      verify(kernel);
      const [exact] = ideal(kernel, exactFunctions, inputs, rows, columns);
      const [delivered] = interpret(filled(kernel), inputs, rows, columns);
      const errors = delivered?.map((y, i) => Math.abs(y - (exact?.[i] ?? Number.NaN))) ?? [];
      expect(Math.max(...errors)).toBeLessThan(1e-3);
    });
  }

  test("softmax gives masked positions exactly 0, nothing above 1, and keeps the argmax", () => {
    const x = sample(5, 3);
    for (let r = 0; r < rows; r++) {
      x[r * columns + (r % columns)] = -10000;
      x[r * columns + ((r + 1) % columns)] = -Infinity;
    }
    const [p] = interpret(filled(softmax(64)), { x }, rows, columns) as [Float64Array];
    for (let r = 0; r < rows; r++) {
      const inputRow = Array.from(x.subarray(r * columns, (r + 1) * columns));
      const row = Array.from(p.subarray(r * columns, (r + 1) * columns));
      expect(row[r % columns]).toBe(0);
      expect(row[(r + 1) % columns]).toBe(0);
      expect(Math.max(...row)).toBeLessThanOrEqual(1);
      expect(row[inputRow.indexOf(Math.max(...inputRow))]).toBe(Math.max(...row));
    }
  });

  test("softmax of one position is 1 within the tables, of a fully masked row NaN", () => {
    const kernel = filled(softmax(4));
    expect(interpret(kernel, { x: [3] }, 1, 1)[0]?.[0]).toBeCloseTo(1, 3);
    expect(interpret(kernel, { x: [-Infinity, -Infinity] }, 1, 2)[0]?.[0]).toBeNaN();
  });

  test("ideal shows what each hole is asked for", () => {
    const seen: Record<string, number[]> = {};
    ideal(softmax(64), exactFunctions, inputs, rows, columns, (hole, values) => {
      seen[hole] = [...(seen[hole] ?? []), ...values];
    });
    expect(Math.max(...(seen.exp as number[]))).toBe(0);
    expect(seen.reciprocal?.length).toBe(rows);
    expect(Math.min(...(seen.reciprocal as number[]))).toBeGreaterThanOrEqual(1);
  });
});

describe("interpret", () => {
  test("sums rows as 16 interleaved partial sums in binary32", () => {
    const build = new KernelBuilder();
    const kernel = build.finish(
      { fn: "softmax", domain: { lo: -1, hi: 1 }, input: BINARY32, output: BINARY32 },
      build.reduce("add", build.param("x", "element")),
    );
    const x = sample(1, 1).subarray(0, 37);
    const partial = new Float32Array(16);
    x.forEach((value, i) => {
      partial[i % 16] = (partial[i % 16] as number) + value;
    });
    for (const half of [8, 4, 2, 1]) {
      for (let i = 0; i < half; i++) partial[i] = (partial[i] as number) + (partial[i + half] as number);
    }
    expect(interpret(kernel, { x }, 1, 37)[0]?.[0]).toBe(partial[0]);
  });

  test("runs integer codes through an integer table", () => {
    const int8 = integerFormat(true, 8);
    const spec: Spec = { fn: "x", domain: { lo: -128, hi: 127 }, input: int8, output: int8 };
    const table: Table = {
      spec,
      reductions: [],
      clamp: [-Infinity, Infinity],
      index: { rule: "direct", first: -128 },
      coefficients: [Array.from({ length: 256 }, (_, i) => Math.min(127, 256 - i))],
      shift: 0,
      rounding: "floor",
    };
    expect([...(interpret(fill(elementwise(spec), { f: table }), { x: [-128, 0, 127] }, 1, 3)[0] ?? [])]).toEqual([
      127, 127, 1,
    ]);
  });

  test("asks for missing inputs and tables", () => {
    expect(() => interpret(softmax(4), { x: [1] }, 1, 1)).toThrow(LutraError);
    expect(() => interpret(filled(softmax(4)), {}, 1, 1)).toThrow(RangeError);
    expect(() => interpret(filled(softmax(4)), { x: [1, 2] }, 1, 1)).toThrow(/needs 1 numbers, got 2/);
    const exp = filled(softmax(4)).values.find((value) => value.op === "lookup");
    expect(() =>
      fill(softmax(4), {
        exp: exp?.op === "lookup" ? exp.table : undefined,
        reciprocal: exp?.op === "lookup" ? exp.table : undefined,
      } as Record<string, Table>),
    ).toThrow(/needs a table of reciprocal/);
  });
});

describe("verify", () => {
  const kernel = softmax(4);
  const faults: readonly (readonly [string, (kernel: Kernel) => Kernel])[] = [
    [
      "an argument that comes later",
      (k) => ({ ...k, values: k.values.map((v) => (v.op === "reduce" ? { ...v, args: [99] } : v)) }),
    ],
    [
      "a wrong variation",
      (k) => ({ ...k, values: k.values.map((v) => (v.op === "reduce" ? { ...v, over: "element" } : v)) }),
    ],
    ["mixed lanes", (k) => ({ ...k, values: k.values.map((v, i) => (i === 0 ? { ...v, lane: "i8" } : v)) })],
    ["a missing result", (k) => ({ ...k, results: [99] })],
    ["no result", (k) => ({ ...k, results: [] })],
  ];
  for (const [what, breakIt] of faults) {
    test(`refuses ${what}`, () => expect(() => verify(breakIt(kernel))).toThrow(RangeError));
  }
});
