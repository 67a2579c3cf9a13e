// Modules of binary32 tables against evaluate(), bit for bit: every index rule and reduction, both forms, every bfloat16 value and a
// million seeded floats. LUTRA_WASM_INPUTS=10000000 visits more.

import { describe, expect, test } from "vitest";
import { fill } from "../../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../../packages/lutra/src/layer/index.ts";
import { BINARY32, fromBits32, nextDown32, nextUp32, random } from "../../../packages/lutra/src/num/index.ts";
import {
  evaluate,
  type Index,
  type Reduction,
  segmentStarts,
  type Table,
} from "../../../packages/lutra/src/table/index.ts";
import { emit, type Form } from "../../../packages/lutra/src/target/wasm/index.ts";
import { runModule } from "./module.ts";

const COUNT = Number(process.env.LUTRA_WASM_INPUTS ?? 1_000_000);
const FORMS: readonly Form[] = ["scalar", "simd"];
const spec = { fn: "x", domain: { lo: -Infinity, hi: Infinity }, input: BINARY32, output: BINARY32 };
const source = random(17);
const draw = (count: number, spread: number): number[] =>
  Array.from({ length: count }, () => Math.fround(spread * source.normal()));
const ascending = (count: number, spread: number): number[] => draw(count, spread).sort((a, b) => a - b);

/** Every pattern of the upper 16 bits, NaNs included, then seeded bit patterns and ordinary values. */
function inputs(): Float32Array {
  const x = new Float32Array(65536 + COUNT);
  const bits = new Uint32Array(x.buffer);
  for (let i = 0; i < 65536; i++) bits[i] = i * 65536;
  for (let i = 65536; i < x.length; i++) {
    if (i % 2 === 0) bits[i] = source.uniform() * 2 ** 32;
    else x[i] = 3 * source.normal();
  }
  return x;
}

function table(overrides: Partial<Table>): Table {
  return {
    spec,
    reductions: [],
    clamp: [-Infinity, Infinity],
    index: { rule: "breakpoints", codes: ascending(15, 2) },
    coefficients: [draw(16, 1), draw(16, 1)],
    shift: 0,
    rounding: "half-even",
    ...overrides,
  };
}

function indexed(index: Index, count: number): Table {
  return table({ index, coefficients: [draw(count, 1), draw(count, 1)] });
}

const breakpoints = (codes: readonly number[]): Table => indexed({ rule: "breakpoints", codes }, codes.length + 1);
const reduced = (...reductions: Reduction[]): Table => table({ reductions });

/** Where the 13 upper bits change, both signs, from 2^-5 to 8. */
function topBitsCodes(): number[] {
  const magnitudes = Array.from({ length: 8 * 16 + 1 }, (_, i) => fromBits32((122 * 16 + i) * 2 ** 19));
  return [...magnitudes.map((x) => nextUp32(-x)), ...magnitudes].sort((a, b) => a - b);
}

const TABLES: Readonly<Record<string, Table>> = {
  breakpoints: breakpoints(ascending(15, 2)),
  "breakpoints, 11 segments": breakpoints(ascending(10, 2)),
  "one segment": breakpoints([]),
  "many close breakpoints": breakpoints([
    1,
    ...Array.from({ length: 40 }, (_, i) => Math.fround(1 + (i + 1) * 2 ** -20)),
    1e6,
  ]),
  "breakpoints of all magnitudes": breakpoints([-1e30, -1, -1e-30, 0, 1e-42, 1e-20, 1, 1e38]),
  "breakpoints where the upper bits change": breakpoints(topBitsCodes()),
  "constant segments": table({ coefficients: [draw(16, 1)] }),
  "horizontal lines": table({ coefficients: [draw(16, 1), Array.from({ length: 16 }, () => 0)] }),
  "intercepts of both zeros": table({
    coefficients: [Array.from({ length: 16 }, (_, i) => (i % 2 ? 0 : -0)), draw(16, 1)],
  }),
  clamped: table({ clamp: [-3, 2.5] }),
  "clamped at zero from below": table({
    clamp: [0, 2.5],
    coefficients: [Array.from({ length: 16 }, () => -0), draw(16, 1)],
  }),
  "clamped at zero from above": table({ clamp: [-4, 0] }),
  uniform: indexed({ rule: "uniform", first: -5.5, width: 0.5 }, 18),
  "uniform, 4096 segments": indexed({ rule: "uniform", first: -8, width: 2 ** -8 }, 4096),
  "uniform, narrow": indexed({ rule: "uniform", first: 0, width: 2 ** -140 }, 7),
  "float-bits": indexed({ rule: "float-bits", first: 120 * 4, shift: 21 }, 50),
  "float-bits of both signs": indexed({ rule: "float-bits", first: -128 * 16, shift: 19 }, 4096),
  nested: indexed(
    { rule: "nested", first: -5.5, codes: [-2, 0.5], scales: [1, Math.fround(4.7), 0.75], counts: [3, 12, 3] },
    18,
  ),
  odd: reduced({ by: "odd" }),
  even: reduced({ by: "even" }),
  reflect: reduced({ by: "reflect" }),
  complement: reduced({ by: "complement" }),
  octave: reduced({ by: "octave", step: 1, power: -1 }),
  "octave upward": reduced({ by: "octave", step: 1, power: 1 }),
  "octave of step 2": reduced({ by: "octave", step: 2, power: -1 }),
  logarithm: reduced({ by: "logarithm", perOctave: Math.fround(Math.LN2) }),
  exponential: reduced({ by: "exponential", factor: Math.fround(Math.LOG2E) }),
  "odd octave": reduced({ by: "odd" }, { by: "octave", step: 1, power: -1 }),
  "complement, exponential": reduced({ by: "complement" }, { by: "exponential", factor: Math.fround(Math.LOG2E) }),
};

/** Where segments begin and clamps end, their neighbours and opposites. */
function edges({ index, coefficients, clamp }: Table): number[] {
  const starts = segmentStarts(index, coefficients[0]?.length ?? 0, BINARY32);
  return [...starts, ...clamp].flatMap((x) => [x, -x, nextUp32(x), nextDown32(x), -nextUp32(x), -nextDown32(x)]);
}

function countDifferent(y: Float32Array, expected: Float32Array): number {
  return y.reduce((count, value, i) => count + (Object.is(value, expected[i]) ? 0 : 1), 0);
}

describe("a module of a table has evaluate's bits, in both forms:", () => {
  const x = inputs();
  for (const [name, candidate] of Object.entries(TABLES)) {
    test(name, () => {
      x.set(edges(candidate), 65536);
      const expected = x.map((value) => evaluate(candidate, value));
      for (const form of FORMS) {
        const y = runModule(emit(fill(elementwise(spec), { f: candidate }), { form }), x, new Float32Array(x.length));
        expect(countDifferent(y, expected), form).toBe(0);
      }
    });
  }
});

describe("the SIMD form", () => {
  test.each([0, 1, 3, 4, 15, 16, 17, 31, 33])("answers %i values and writes nothing beyond", (count) => {
    const x = Float32Array.from(draw(count, 3));
    const candidate = TABLES.reflect as Table;
    const y = runModule(
      emit(fill(elementwise(spec), { f: candidate }), { form: "simd" }),
      x,
      new Float32Array(count + 9),
    );
    expect([...y]).toEqual([...x.map((value) => evaluate(candidate, value)), ...new Float32Array(9)]);
  });
});
