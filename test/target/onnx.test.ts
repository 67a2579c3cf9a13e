import { describe, expect, test } from "vitest";
import { fill } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { allCodes, BFLOAT16, BINARY32, fromBits32, random } from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Reduction, type Table } from "../../packages/lutra/src/table/index.ts";
import { emit } from "../../packages/lutra/src/target/onnx/index.ts";
import { runFunction } from "./run-function.ts";

const everything = { lo: -Infinity, hi: Infinity };
const spec = { fn: "x", domain: everything, input: BINARY32, output: BINARY32 };
const source = random(11);
const draw = (count: number, spread: number) =>
  Array.from({ length: count }, () => Math.fround(spread * source.normal()));

function table(overrides: Partial<Table>): Table {
  return {
    spec,
    reductions: [],
    clamp: [-Infinity, Infinity],
    index: { rule: "breakpoints", codes: [...draw(15, 2)].sort((a, b) => a - b) },
    coefficients: [draw(16, 1), draw(16, 1)],
    shift: 0,
    rounding: "half-even",
    ...overrides,
  };
}

/** Every bfloat16 value, the infinities, and a million seeded binary32 bit patterns and ordinary values. */
function inputs(): Float32Array {
  const bfloat = allCodes(BFLOAT16);
  const patterns = Array.from({ length: 500_000 }, () => fromBits32(Math.floor(source.uniform() * 2 ** 32))).filter(
    (x) => !Number.isNaN(x),
  );
  return Float32Array.from([...bfloat, Infinity, -Infinity, -0, ...patterns, ...draw(500_000, 4)]);
}

const withReduction = (...reductions: Reduction[]): Table => table({ reductions });

describe("an emitted lookup gives evaluate's bits in onnxruntime for all bfloat16 values and a million seeded floats:", () => {
  const x = inputs();
  const cases: Readonly<Record<string, Table>> = {
    breakpoints: table({}),
    "breakpoints, 11 segments": table({
      index: { rule: "breakpoints", codes: [...draw(10, 2)].sort((a, b) => a - b) },
      coefficients: [draw(11, 1), draw(11, 1)],
    }),
    "one segment": table({ index: { rule: "breakpoints", codes: [] }, coefficients: [draw(1, 1), draw(1, 1)] }),
    "constant segments": table({ coefficients: [draw(16, 1)] }),
    clamped: table({ clamp: [-3, 2.5] }),
    uniform: table({ index: { rule: "uniform", first: -5.5, width: 0.5 }, coefficients: [draw(18, 1), draw(18, 1)] }),
    "float-bits": table({
      index: { rule: "float-bits", first: 120 * 4, shift: 21 },
      coefficients: [draw(50, 1), draw(50, 1)],
    }),
    nested: table({
      index: { rule: "nested", first: -5.5, codes: [-2, 0.5], scales: [1, Math.fround(4.7), 0.75], counts: [3, 12, 3] },
      coefficients: [draw(18, 1), draw(18, 1)],
    }),
    odd: withReduction({ by: "odd" }),
    even: withReduction({ by: "even" }),
    reflect: withReduction({ by: "reflect" }),
    complement: withReduction({ by: "complement" }),
    octave: withReduction({ by: "octave", step: 1, power: -1 }),
    "octave of step 2": withReduction({ by: "octave", step: 2, power: -1 }),
    logarithm: withReduction({ by: "logarithm", perOctave: Math.fround(Math.LN2) }),
    exponential: table({
      reductions: [{ by: "exponential", factor: Math.fround(Math.LOG2E) }],
      coefficients: [draw(16, 0.1).map((c) => Math.fround(c + 2)), draw(16, 0.1)],
    }),
    "odd octave": withReduction({ by: "odd" }, { by: "octave", step: 1, power: -1 }),
  };
  for (const [name, candidate] of Object.entries(cases)) {
    test(name, async () => {
      const definition = emit(fill(elementwise(spec), { f: candidate }), { axes: [-1], opset: 17 });
      const y = await runFunction(definition, [{ data: x, shape: [x.length] }], 17);
      let different = 0;
      for (let i = 0; i < x.length; i++) {
        if (!Object.is(y[i], evaluate(candidate, x[i] as number)) && y[i] !== evaluate(candidate, x[i] as number))
          different++;
      }
      expect(different).toBe(0);
    });
  }

  test("NaN in, NaN out", async () => {
    for (const candidate of Object.values(cases)) {
      const definition = emit(fill(elementwise(spec), { f: candidate }), { axes: [-1], opset: 17 });
      if (candidate.coefficients.length === 1) continue; // a constant segment has no argument to carry a NaN
      const y = await runFunction(definition, [{ data: Float32Array.of(Number.NaN, 1), shape: [2] }], 17);
      expect(y[0]).toBeNaN();
    }
  });
});

describe("emit", () => {
  test("is the same for the same kernel, and named after what it computes", () => {
    const kernel = fill(elementwise({ ...spec, fn: "x*sigmoid(2*x)" }), {
      f: table({ spec: { ...spec, fn: "x*sigmoid(2*x)" } }),
    });
    const [a, b] = [emit(kernel, { axes: [-1], opset: 13 }), emit(kernel, { axes: [-1], opset: 13 })];
    expect(a).toEqual(b);
    expect(a.name).toMatch(/^x_sigmoid_2_x_[0-9a-f]{8}$/);
  });

  test("refuses an opset without GreaterOrEqual and integer tables", () => {
    const kernel = fill(elementwise(spec), { f: table({}) });
    expect(() => emit(kernel, { axes: [-1], opset: 11 })).toThrow(/opset is 11/);
  });
});
