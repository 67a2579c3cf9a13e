// The fast ways of a binary32 table: lines found by the upper bits of the argument, for all numbers of bits and reductions; uniform
// positions; addresses, counts and arrays in place. And the questions whose certified tables are within 1e-6 and take the fastest way.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finish } from "../../../packages/lutra/src/base/index.ts";
import { certify } from "../../../packages/lutra/src/certify/index.ts";
import { solve } from "../../../packages/lutra/src/fit/index.ts";
import { fill } from "../../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../../packages/lutra/src/layer/index.ts";
import { nextDown32, nextUp32 } from "../../../packages/lutra/src/num/index.ts";
import { type FitQuestion, problemOf } from "../../../packages/lutra/src/question.ts";
import type { Reduction, Table } from "../../../packages/lutra/src/table/index.ts";
import { DataLayout } from "../../../packages/lutra/src/target/wasm/data.ts";
import { emit } from "../../../packages/lutra/src/target/wasm/index.ts";
import { tellingBits } from "../../../packages/lutra/src/target/wasm/top-bits.ts";
import { countDifferent, drawing, edges, emitTable, floatInputs, floatTable, load, meaning } from "./float-tables.ts";
import { FORMS } from "./forms.ts";
import { runModule } from "./module.ts";

const { draw } = drawing(41);

/** Magnitudes in equal steps up to each end. */
function steps(...parts: readonly (readonly [end: number, step: number])[]): number[] {
  const magnitudes: number[] = [];
  for (const [end, step] of parts) {
    for (let x = (magnitudes.at(-1) ?? 0) + step; x <= end; x += step) magnitudes.push(x);
  }
  return magnitudes;
}

/** Breakpoints below 0 that part what has these magnitudes from what is closer to 0. */
const below = (magnitudes: readonly number[]): number[] => magnitudes.map((x) => nextUp32(-x)).reverse();
const both = (magnitudes: readonly number[]): number[] => [...below(magnitudes), ...magnitudes];

/** For the method "optimal". Steps are halved where the function bends, and stay multiples of 2^-8 of a power of two below: 17 bits. */
const WITHIN_1E6: Readonly<Record<string, Omit<FitQuestion, "norm">>> = {
  gelu: {
    fn: "gelu",
    reduce: "reflect",
    breakpoints: below(steps([2, 2 ** -8], [4, 2 ** -7], [5.25, 2 ** -6])),
  },
  silu: {
    fn: "silu",
    reduce: "reflect",
    range: [-16, 16],
    tails: "clamp",
    breakpoints: below(steps([2, 2 ** -8], [4, 2 ** -7], [8, 2 ** -6], [15.875, 2 ** -5])),
  },
  tanh: { fn: "tanh", reduce: "odd", breakpoints: steps([2, 2 ** -8], [4, 2 ** -7], [7.75, 2 ** -6]) },
  erf: { fn: "erf", reduce: "odd", breakpoints: steps([1, 2 ** -9], [2, 2 ** -8], [3.5, 2 ** -7]) },
  sigmoid: { fn: "sigmoid", reduce: "none", breakpoints: both(steps([4, 2 ** -7], [8, 2 ** -6], [15, 2 ** -5])) },
  exp: {
    fn: "exp",
    reduce: "none",
    range: [-16, 0],
    breakpoints: below(steps([1, 2 ** -9], [2, 2 ** -8], [4, 2 ** -7], [8, 2 ** -6], [15.875, 2 ** -5])),
  },
};

describe("a certified table within 1e-6 whose lines are found by the upper bits:", () => {
  const x = floatInputs();
  test.each(Object.entries(WITHIN_1E6))("%s", (_, question) => {
    const { table } = finish(solve(problemOf({ norm: "max", ...question }), "optimal", { seed: 1 }));
    const { upper } = finish(certify(fill(elementwise(table.spec), { f: table }))).absolute;
    expect(upper).toBeLessThan(1e-6);
    expect(tellingBits(table)).not.toBeNull();
    expectSame(table, x);
  });
});

/** Every form has evaluate's bits. */
function expectSame(table: Table, x: Float32Array): void {
  const all = Float32Array.from([...edges(table), 0, -0, Infinity, -Infinity, Number.NaN]);
  for (const inputs of [all, x]) {
    const expected = meaning(table, inputs);
    for (const form of FORMS) {
      const y = runModule(emitTable(table, form), inputs, new Float32Array(inputs.length));
      expect(countDifferent(y, expected), form).toBe(0);
    }
  }
}

const REDUCTIONS: Readonly<Record<string, readonly Reduction[]>> = {
  none: [],
  odd: [{ by: "odd" }],
  even: [{ by: "even" }],
  reflect: [{ by: "reflect" }],
  complement: [{ by: "complement" }],
  octave: [{ by: "octave", step: 1, power: -1 }],
  "octave upward": [{ by: "octave", step: 1, power: 1 }],
  "octaves of two": [{ by: "octave", step: 2, power: -1 }],
  "octaves of two upward": [{ by: "octave", step: 2, power: 1 }],
  logarithm: [{ by: "logarithm", perOctave: Math.fround(Math.LN2) }],
  exponential: [{ by: "exponential", factor: Math.fround(Math.LOG2E) }],
  "odd, even": [{ by: "odd" }, { by: "even" }],
  "odd, logarithm": [{ by: "odd" }, { by: "logarithm", perOctave: 0.5 }],
};

/** Of [1, 2) and [2, 4) all borders of so many upper bits, of both signs. */
function borders(bits: number): number[] {
  const step = 2 ** (9 - bits);
  return both(Array.from({ length: 2 ** (bits - 9) }, (_, i) => 1 + i * step).flatMap((x) => [x, 2 * x])).sort(
    (a, b) => a - b,
  );
}

describe("upper bits tell the segment behind", () => {
  const x = floatInputs(20_000);
  test.each(Object.entries(REDUCTIONS))("%s", (_, reductions) => {
    for (const bits of [9, 10, 13, 16]) {
      const codes = borders(bits);
      const lines = [draw(codes.length + 1, 1), draw(codes.length + 1, 1)];
      const table = floatTable({ rule: "breakpoints", codes }, lines, { reductions });
      expect(tellingBits(table)?.places.shift).toBe(29 - bits);
      expectSame(table, x);
    }
  });

  test("a clamp anywhere inside or beyond the segments", () => {
    const codes = borders(10);
    const lines = [draw(codes.length + 1, 1), draw(codes.length + 1, 1)];
    for (const clamp of [
      [-1.25 - 2 ** -20, 2.7421875],
      [-9, 1],
      [0, 3],
      [-3, 0],
      [-0, 0],
      [1.3125, 1.3125],
      [-Infinity, 3.25 + 2 ** -21],
    ] as const) {
      for (const reductions of [[], [{ by: "odd" }], [{ by: "reflect" }], [{ by: "complement" }]] as const) {
        expectSame(floatTable({ rule: "breakpoints", codes }, lines, { clamp, reductions }), x);
      }
    }
  });

  test("both zeros, where the intercept is either", () => {
    for (const intercept of [0, -0]) {
      for (const [, reductions] of Object.entries(REDUCTIONS)) {
        for (const clamp of [
          [-Infinity, Infinity],
          [0, 3],
          [-3, 0],
        ] as const) {
          const lines = [
            [1, intercept, 2],
            [0.5, -0.75, 0.25],
          ];
          expectSame(
            floatTable({ rule: "breakpoints", codes: [nextUp32(-1), 1] }, lines, { clamp, reductions }),
            new Float32Array(0),
          );
        }
      }
    }
  });

  test("tables of constants", () => {
    const codes = borders(11);
    for (const [, reductions] of Object.entries(REDUCTIONS)) {
      expectSame(floatTable({ rule: "breakpoints", codes }, [draw(codes.length + 1, 1)], { reductions }), x);
    }
  });
});

describe("upper bits are not used where they cannot tell:", () => {
  const indexOf = (codes: readonly number[]): Table =>
    floatTable({ rule: "breakpoints", codes }, [draw(codes.length + 1, 1), draw(codes.length + 1, 1)]);
  test.each([
    ["a breakpoint one place beside a border", [nextUp32(1)]],
    ["one below 0 that is a border of the positive numbers", [-1]],
    ["0, where -0 belongs to the positive numbers", [0]],
    ["more than 17 bits", [1 + 2 ** -9]],
  ])("%s", (_, codes) => {
    const table = indexOf(codes);
    expect(tellingBits(table)).toBeNull();
    expectSame(table, floatInputs(1000));
  });

  test("but a breakpoint beyond a clamp, or of arguments that no reduction leaves, does not count", () => {
    expect(tellingBits({ ...indexOf([0.3, 1, 3.1]), clamp: [0.5, 3] })).not.toBeNull();
    expect(tellingBits({ ...indexOf([-0.3, 0, 1]), reductions: [{ by: "odd" }] })).not.toBeNull();
    expect(
      tellingBits({ ...indexOf([0.3, 1.5, 7.7]), reductions: [{ by: "octave", step: 2, power: 1 }] }),
    ).not.toBeNull();
  });
});

describe("uniform positions have evaluate's bits", () => {
  test("for every width, origin and count, around each border", () => {
    const width = fc.integer({ min: -130, max: 100 }).map((e) => 2 ** e);
    const first = fc.tuple(fc.integer({ min: -5000, max: 5000 }), fc.constantFrom(1, 0.5, 1 / 3, 1e-3));
    fc.assert(
      fc.property(width, first, fc.integer({ min: 1, max: 300 }), (w, [n, scale], count) => {
        const index = { rule: "uniform", first: Math.fround(n * scale * w), width: w } as const;
        const table = floatTable(index, [draw(count, 1), draw(count, 1)]);
        expectSame(
          table,
          Float32Array.from(draw(40, count * w), (t) => t + index.first),
        );
      }),
      { seed: 5, numRuns: 60 },
    );
  });

  test("for a million lines", () => {
    const index = { rule: "uniform", first: -3 * 2 ** -17, width: 2 ** -17 } as const;
    const count = 2 ** 18;
    const table = floatTable(index, [draw(count, 1), draw(count, 1)]);
    const x = Float32Array.from({ length: 4000 }, (_, i) => nextDown32((i * 65 + (i % 3)) * 2 ** -17));
    for (const form of FORMS) {
      expect(
        countDifferent(runModule(emitTable(table, form), x, new Float32Array(x.length)), meaning(table, x)),
        form,
      ).toBe(0);
    }
  });
});

describe("an exponential of positive lines", () => {
  test("is 0 and infinite where evaluate says so", () => {
    const codes = [0.25, 0.5, 0.75];
    const table = floatTable(
      { rule: "breakpoints", codes },
      [
        [1, 0.96, 0.89, 0.77],
        [0.75, 0.9, 1.05, 1.27],
      ].map((c) => c.map(Math.fround)),
      {
        reductions: [{ by: "exponential", factor: Math.fround(Math.LOG2E) }],
      },
    );
    const near = [-88, -87.34, -87, -103, 88, 88.72, 88.73, 89, 1e30, -1e30].flatMap((x) => [
      x,
      nextUp32(Math.fround(x)),
    ]);
    expectSame(table, Float32Array.from([...near, ...floatInputs(20_000)]));
  });
});

describe.each(FORMS)("in the %s form", (form) => {
  const ways: Readonly<Record<string, Table>> = {
    "upper bits": floatTable({ rule: "breakpoints", codes: borders(12) }, [draw(33, 1), draw(33, 1)]),
    "upper bits behind a reduction": floatTable(
      { rule: "breakpoints", codes: borders(12) },
      [draw(33, 1), draw(33, 1)],
      {
        reductions: [{ by: "octave", step: 2, power: -1 }],
      },
    ),
    positions: floatTable({ rule: "uniform", first: -4, width: 2 ** -9 }, [draw(4096, 1), draw(4096, 1)]),
    buckets: floatTable({ rule: "breakpoints", codes: draw(20, 2).sort((a, b) => a - b) }, [draw(21, 1), draw(21, 1)]),
    search: floatTable({ rule: "breakpoints", codes: [-1, nextUp32(-1), 0, 1e-42, 1, nextUp32(1), 1e38] }, [
      draw(8, 1),
      draw(8, 1),
    ]),
  };

  test.each(Object.entries(ways))(
    "%s: 0 to 600 values at any address, apart and in place, and nothing written beyond",
    (_, table) => {
      const module = load(emitTable(table, form));
      const floats = module.floats(module.heap + 8192);
      const x = Float32Array.from(draw(600, 2));
      const y = meaning(table, x);
      const guard = 12345;
      for (let count = 0; count <= 600; count += count < 140 ? 1 : 23) {
        for (const [from, to] of [
          [0, 616],
          [1, 617],
          [3, 612],
          [2, 2],
          [1, 1],
        ] as const) {
          const at = module.heap / 4;
          floats.fill(guard, at, at + 1240);
          floats.set(x.subarray(0, count), at + from);
          module.run(module.heap + 4 * from, module.heap + 4 * to, count);
          const written = floats.slice(at + to, at + to + count);
          expect(countDifferent(written, y.subarray(0, count))).toBe(0);
          expect([floats[at + to - 1], floats[at + to + count]]).toEqual([guard, guard]);
          if (from !== to)
            expect(countDifferent(floats.slice(at + from, at + from + count), x.subarray(0, count))).toBe(0);
        }
      }
    },
  );
});

describe("the module of a long table of few lines", () => {
  test("keeps each line once", () => {
    const codes = borders(16);
    const table = floatTable({ rule: "breakpoints", codes }, [draw(codes.length + 1, 1), draw(codes.length + 1, 1)]);
    const { bytes } = emitTable(table, "simd");
    expect(tellingBits(table)?.segments.length).toBe(2 ** 16);
    expect(bytes.length).toBeLessThan(12 * (codes.length + 2) + 4096);
  });

  test("is the same in the SIMD and the relaxed form", () => {
    const codes = borders(12);
    const table = floatTable({ rule: "breakpoints", codes }, [draw(codes.length + 1, 1), draw(codes.length + 1, 1)]);
    expect(emitTable(table, "relaxed").bytes).toEqual(emitTable(table, "simd").bytes);
  });

  test("writes them where an imported memory has room for them, and nothing below", () => {
    const codes = borders(14);
    const table = floatTable({ rule: "breakpoints", codes }, [draw(codes.length + 1, 1), draw(codes.length + 1, 1)]);
    const kernel = fill(elementwise(table.spec), { f: table });
    const memory = new WebAssembly.Memory({ initial: 8 });
    const bytes = new Uint8Array(memory.buffer).fill(7, 0, 4160);
    const module = emit(kernel, { form: "simd", memory: { kind: "imported", base: 4160, isShared: false } });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes), { lutra: { memory } });
    const { heap, run } = exports as unknown as { heap: { value: number }; run(...numbers: number[]): void };
    const x = Float32Array.from(draw(100, 2));
    new Float32Array(memory.buffer).set(x, heap.value / 4);
    run(heap.value, heap.value + 400, 100);
    expect(countDifferent(new Float32Array(memory.buffer, heap.value + 400, 100), meaning(table, x))).toBe(0);
    expect(bytes.subarray(0, 4160).every((byte) => byte === 7)).toBe(true);
  });

  test("has pairs as they are where no run is longer than one", () => {
    const data = new DataLayout(128);
    data.pairs(Float32Array.from([1, 2, 3, 4, 1, 2]));
    expect(data.repetitions).toEqual([]);
    // 0 and -0 are not equal here.
    const to = data.pairs(Float32Array.from([0, 1, -0, 1, ...Array(20).fill(1)]));
    expect(data.repetitions).toEqual([{ runs: data.segments.at(-1)?.address, count: 3, to }]);
  });
});
