// Modules of binary32 tables against evaluate(), bit for bit: every index rule and reduction, every form, every bfloat16 value and seeded
// floats (200,000; with LUTRA_FLOATS=10000000 ten million).

import { describe, expect, test } from "vitest";
import { fromBits32, nextUp32 } from "../../../packages/lutra/src/num/index.ts";
import { evaluate, type Index, type Reduction, type Table } from "../../../packages/lutra/src/table/index.ts";
import { countDifferent, drawing, edges, emitTable, floatInputs, floatTable, meaning } from "./float-tables.ts";
import { FORMS } from "./forms.ts";
import { runModule } from "./module.ts";

const { draw, ascending } = drawing(17);

function table(overrides: Partial<Table>): Table {
  return floatTable({ rule: "breakpoints", codes: ascending(15, 2) }, [draw(16, 1), draw(16, 1)], overrides);
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
  "exponential, positive": table({
    reductions: [{ by: "exponential", factor: Math.fround(Math.LOG2E) }],
    coefficients: [Array.from({ length: 16 }, () => 0.75), draw(16, 0.1).map(Math.abs)],
  }),
  exponential: reduced({ by: "exponential", factor: Math.fround(Math.LOG2E) }),
  "odd octave": reduced({ by: "odd" }, { by: "octave", step: 1, power: -1 }),
  "complement, exponential": reduced({ by: "complement" }, { by: "exponential", factor: Math.fround(Math.LOG2E) }),
};

describe("a module of a table has evaluate's bits, in every form:", () => {
  const x = floatInputs();
  for (const [name, candidate] of Object.entries(TABLES)) {
    test(name, () => {
      x.set(edges(candidate), 65536);
      const expected = meaning(candidate, x);
      for (const form of FORMS) {
        const y = runModule(emitTable(candidate, form), x, new Float32Array(x.length));
        expect(countDifferent(y, expected), form).toBe(0);
      }
    });
  }
});

describe("the SIMD form", () => {
  test.each([0, 1, 3, 4, 15, 16, 17, 31, 33])("answers %i values and writes nothing beyond", (count) => {
    const x = Float32Array.from(draw(count, 3));
    const candidate = TABLES.reflect as Table;
    const y = runModule(emitTable(candidate, "simd"), x, new Float32Array(count + 9));
    expect([...y]).toEqual([...x.map((value) => evaluate(candidate, value)), ...new Float32Array(9)]);
  });
});
