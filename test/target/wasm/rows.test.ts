// Modules of whole kernels against interpret(), bit for bit, in every form: all kernels of the other targets' tests, random ones, rows that are
// no multiple of a step, results in place.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finish } from "../../../packages/lutra/src/base/index.ts";
import { solve } from "../../../packages/lutra/src/fit/index.ts";
import {
  fill,
  holes,
  interpret,
  type Kernel,
  KernelBuilder,
  type Lane,
  type Over,
} from "../../../packages/lutra/src/kernel/index.ts";
import { softmaxCodes, softmaxWeights } from "../../../packages/lutra/src/layer/index.ts";
import { BINARY32, integerFormat } from "../../../packages/lutra/src/num/index.ts";
import type { Spec, Table } from "../../../packages/lutra/src/table/index.ts";
import { type EmittedModule, emit } from "../../../packages/lutra/src/target/wasm/index.ts";
import { randomInputs, randomKernel } from "../../kernel/random-kernel.ts";
import { KERNELS, ROW_KERNELS } from "../source-kernels.ts";
import { floatTable } from "./float-tables.ts";
import { FORMS } from "./forms.ts";
import { instantiate, runTile } from "./tile.ts";

/** LUTRA_WASM_KERNELS=5000 draws more random kernels. */
const KERNEL_COUNT = Number(process.env.LUTRA_WASM_KERNELS ?? 150);
const EVERYTHING = { lo: -Infinity, hi: Infinity };
const rowSpec: Spec = { fn: "x", domain: EVERYTHING, input: BINARY32, output: BINARY32, maxRow: 4096 };

/** Fails unless the module's results are those of interpret(). */
function expectSame(kernel: Kernel, module: EmittedModule, rows: number, columns: number, seed = columns): void {
  const inputs = randomInputs(kernel, rows, columns, seed);
  const exports = instantiate(module);
  expect(runTile(module, { inputs, rows, columns }, exports)).toEqual(interpret(kernel, inputs, rows, columns));
}

describe.each(FORMS)("modules in the form %s have the bits of interpret():", (form) => {
  test.each(Object.keys(KERNELS))("%s", (name) => {
    const kernel = KERNELS[name] as Kernel;
    const module = emit(kernel, { form });
    const widths = name in ROW_KERNELS ? [1, 7, 16, 33, 85, 128] : [1, 100];
    for (const columns of widths) expectSame(kernel, module, 3, columns);
  });

  test.each([
    ["rows", false],
    ["elements", true],
  ])("random kernels of %s, sampled", (_name, isElementwise) => {
    const tile = fc.record({
      kernel: randomKernel({ isElementwise }),
      rows: fc.integer({ min: 1, max: 5 }),
      columns: fc.integer({ min: 1, max: 70 }),
      seed: fc.nat(2 ** 20),
    });
    const same = fc.property(tile, ({ kernel, rows, columns, seed }) =>
      expectSame(kernel, emit(kernel, { form }), rows, columns, seed),
    );
    fc.assert(same, { seed: 41, numRuns: KERNEL_COUNT });
  });

  test("rows of 1 to 70 columns, and no rows", () => {
    const kernel = ROW_KERNELS.w_softmax as Kernel;
    const module = emit(kernel, { form });
    for (let columns = 1; columns <= 70; columns++) expectSame(kernel, module, 2, columns);
    expectSame(kernel, module, 0, 20);
  });

  test("results in place of params, several at once", () => {
    const build = new KernelBuilder();
    const [a, b] = [build.param("a", "element"), build.param("b", "element")];
    const difference = build.binary("sub", a, build.reduce("mean", a));
    const kernel = build.finish(rowSpec, build.binary("mul", b, difference), build.binary("add", a, b));
    const module = emit(kernel, { form });
    for (const columns of [5, 16, 20, 47]) {
      const inputs = randomInputs(kernel, 3, columns, columns);
      const expected = interpret(kernel, inputs, 3, columns);
      for (const inPlace of [{ y0: "a" }, { y1: "b" }, { y0: "a", y1: "b" }, { y0: "b", y1: "a" }]) {
        expect(runTile(module, { inputs, rows: 3, columns, inPlace })).toEqual(expected);
      }
    }
  });

  test("results of every variation", () => {
    const build = new KernelBuilder();
    const [x, g] = [build.param("x", "element", "i16"), build.param("g", "column", "i8")];
    const [r, o] = [build.param("r", "row", "u8"), build.param("o", "one", "i32")];
    const sum = build.reduce("add", build.cast(x, "i64"));
    const twice = build.binary("add", build.cast(g, "i32"), build.cast(g, "i32"));
    const kernel = build.finish(rowSpec, sum, twice, x, g, r, o, build.cast(o, "u8"));
    for (const columns of [3, 16, 37]) expectSame(kernel, emit(kernel, { form }), 4, columns);
  });

  test("the greatest of a row, with zeros of both signs, infinities and NaN", () => {
    const build = new KernelBuilder();
    const kernel = build.finish(rowSpec, build.reduce("max", build.param("x", "element")));
    const module = emit(kernel, { form });
    const rows = [[-0], [0, -0], [-0, 0], [-1, -0], [-Infinity], [1, Number.NaN, 2], [-1, Infinity], [-3, -2, -4]];
    for (const row of rows) {
      for (const columns of [row.length, 16, 21]) {
        const x = Array.from({ length: columns }, (_, i) => row[i % row.length] as number);
        expect(runTile(module, { inputs: { x }, rows: 1, columns })).toEqual(interpret(kernel, { x }, 1, columns));
      }
    }
  });

  test("Softmax of codes: tables in registers, several results", () => {
    const options = { input: integerFormat(true, 8, 1 / 16), maxRow: 256 };
    for (const kernel of [softmaxCodes(options), softmaxWeights(options)].map(withDirectTables)) {
      const module = emit(kernel, { form });
      for (const columns of [1, 15, 16, 85, 200]) expectSame(kernel, module, 4, columns);
    }
  });

  test("without columns nothing is written", () => {
    const kernel = ROW_KERNELS.w_layer_norm as Kernel;
    const inputs = { x: [], gamma: [], beta: [] };
    expect(runTile(emit(kernel, { form }), { inputs, rows: 3, columns: 0 })).toEqual([new Float64Array(0)]);
  });

  test("saturated sums of all kinds of ranges, sampled", () => {
    const same = fc.property(saturatedSum, (kernel) => expectSame(kernel, emit(kernel, { form }), 2, 50));
    fc.assert(same, { seed: 41, numRuns: KERNEL_COUNT });
  });

  test.each<Over>(["row", "column", "one"])('a binary32 table of a param over "%s"', (over) => {
    const table = floatTable({ rule: "breakpoints", codes: [-1, 0.5, 2] }, [
      [1, 2, -3, 4],
      [0, 1, 0.5, 2],
    ]);
    const build = new KernelBuilder();
    const kernel = build.finish(rowSpec, build.lookup("f", table.spec, build.param("x", over)));
    const module = emit(fill(kernel, { f: table }), { form });
    for (const columns of [1, 5, 16, 37]) expectSame(fill(kernel, { f: table }), module, 4, columns);
  });

  test.each([2 ** 31, 3 * 2 ** 30])("in an imported memory, with tables from address %i on", (base) => {
    const imported = new WebAssembly.Memory({ initial: base / 65536 + 16 });
    for (const name of ["f_gelu", "i_gelu8", "i_silu16", "w_softmax"]) {
      const kernel = KERNELS[name] as Kernel;
      const module = emit(kernel, { form, memory: { kind: "imported", base, isShared: false } });
      const exports = instantiate(module, imported);
      expect(exports.heap).toBeGreaterThan(base);
      const inputs = randomInputs(kernel, 3, 37, 1);
      expect(runTile(module, { inputs, rows: 3, columns: 37 }, exports), name).toEqual(
        interpret(kernel, inputs, 3, 37),
      );
    }
  });

  test("integer tables of 32-bit codes", () => {
    const kernels = [wideTable("breakpoints", "i32", true), wideTable("uniform", "i32"), wideTable("uniform", "u32")];
    for (const kernel of kernels) expectSame(kernel, emit(kernel, { form }), 1, 300);
  });
});

const BOUNDS = [0, 3, 100, 127, 128, 200, 255, 256, 300, 32767, 32768, 40000, 65535, 65536, 100000];
const bound = fc.constantFrom(...BOUNDS, ...BOUNDS.map((n) => -n));
const range = fc.tuple(bound, bound).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

/** Sums and differences of integers in drawn ranges, narrowed to a lane: by themselves, and in a further difference. */
const saturatedSum = fc
  .record({
    operation: fc.constantFrom("add" as const, "sub" as const),
    lane: fc.constantFrom<Lane>("i8", "u8", "i16", "u16"),
    ranges: fc.tuple(range, range),
  })
  .map(({ operation, lane, ranges }) => {
    const build = new KernelBuilder();
    const [a, b] = ranges.map((range, i) => build.param(`p${i}`, "element", "i32", range)) as [number, number];
    const sum = build.cast(build.binary(operation, a, b), lane);
    return build.finish(rowSpec, sum, build.binary("sub", build.cast(sum, "i32"), b));
  });

/** The kernel with tables of the rounded answers to all codes in its holes. */
function withDirectTables(kernel: Kernel): Kernel {
  const tables = holes(kernel).map(({ hole, spec }) => {
    const problem = { spec, size: { segments: 16 }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
    return [hole, finish(solve(problem, "direct", { seed: 1 })).table] as const;
  });
  return fill(kernel, Object.fromEntries(tables));
}

/** A table of 9 lines over all 32-bit codes, of three roundings in turn. */
function wideTable(rule: "breakpoints" | "uniform", lane: Lane & ("i32" | "u32"), isOdd = false): Kernel {
  const isSigned = lane === "i32";
  const input = integerFormat(isSigned, 32, 1);
  const lo = isSigned && !isOdd ? -(2 ** 31) : 0;
  const codes = Array.from({ length: 8 }, (_, i) => lo + (i + 1) * 123456789);
  const table: Table = {
    spec: { fn: "x", domain: EVERYTHING, input, output: integerFormat(true, 16, 1) },
    reductions: isOdd ? [{ by: "odd" }] : [],
    clamp: [isOdd ? 1000 : -Infinity, 2 ** 31],
    index: rule === "uniform" ? { rule, first: lo, width: 2 ** 28 } : { rule, codes },
    coefficients: [codes.concat(0).map((code) => -code * 3), codes.concat(0).map((_, i) => 7 * i - 20)],
    shift: 18,
    rounding: isOdd ? "half-even" : isSigned ? "half-up" : "floor",
  };
  const build = new KernelBuilder();
  const y = build.lookup("f", table.spec, build.param("x", "element", lane));
  const kernel = build.finish(table.spec, y);
  return { ...kernel, values: kernel.values.map((value) => (value.op === "lookup" ? { ...value, table } : value)) };
}
