// expand never changes a bit: random tables of every index rule, format and reduction, random kernels, and the tables of the targets' tests.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cost,
  expand,
  fill,
  interpret,
  type Kernel,
  KernelBuilder,
  type KernelInputs,
  simplify,
  tablesOf,
  type Value,
  verify,
} from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import {
  allCodes,
  BFLOAT16,
  BINARY32,
  fromBits32,
  type IntegerFormat,
  integerFormat,
  random,
} from "../../packages/lutra/src/num/index.ts";
import { checkTable, type Index, type Reduction, type Table } from "../../packages/lutra/src/table/index.ts";
import { ELEMENTWISE, KERNELS, ROW_KERNELS } from "../target/source-kernels.ts";
import { expectSameBits } from "./kernel-bits.ts";
import { randomInputs, randomKernel } from "./random-kernel.ts";

const RUNS = Number(process.env.LUTRA_RUNS ?? 400);
const everything = { lo: -Infinity, hi: Infinity };

function lookups({ values }: Kernel): number {
  return values.filter(({ op }) => op === "lookup").length;
}

function ofTable(table: Table): Kernel {
  return fill(elementwise(table.spec), { f: table });
}

// random tables -------------------------------------------------------------------------------------------------------

const integerFormats = fc
  .record({ signed: fc.boolean(), bits: fc.constantFrom(2, 4, 7, 8, 8, 13, 16) })
  .map(({ signed, bits }) => integerFormat(signed, bits));

const counts = fc.integer({ min: 1, max: 24 });

/** Strictly increasing numbers between two. */
function ascending(length: number, lo: number, hi: number): fc.Arbitrary<number[]> {
  return fc
    .uniqueArray(fc.integer({ min: lo, max: hi }), { minLength: Math.min(length, hi - lo + 1), maxLength: length })
    .map((codes) => codes.sort((a, b) => a - b));
}

/** A rule and how many segments it has, for arguments around lo to hi. `unit` divides integers into what the arguments are. */
function indices(lo: number, hi: number, unit: number, isInteger: boolean): fc.Arbitrary<readonly [Index, number]> {
  const at = (x: number): number => Math.fround(x / unit);
  const breakpoints = counts
    .chain((n) => ascending(n - 1, lo, hi))
    .map((codes) => [{ rule: "breakpoints", codes: codes.map(at) }, codes.length + 1] as const);
  const uniform = fc
    .tuple(fc.integer({ min: lo - 4, max: hi }), fc.integer({ min: isInteger ? 0 : -3, max: 6 }), counts)
    .map(([first, exponent, count]) => [{ rule: "uniform", first: at(first), width: 2 ** exponent }, count] as const);
  const nested = fc
    .tuple(
      fc.integer({ min: 1, max: 4 }).chain((n) => ascending(n - 1, lo, hi)),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 4, maxLength: 4 }),
    )
    .map(([codes, sizes]) => {
      const parts = sizes.slice(0, codes.length + 1);
      const scales = parts.map((size, i) => Math.fround((size * (i + 1)) / (hi - lo + 1)));
      const index: Index = { rule: "nested", first: at(lo), codes: codes.map(at), scales, counts: parts };
      return [index, parts.reduce((sum, size) => sum + size, 0)] as const;
    });
  const own: fc.Arbitrary<readonly [Index, number]> = isInteger
    ? fc
        .tuple(fc.integer({ min: lo - 4, max: hi }), counts)
        .map(([first, count]) => [{ rule: "direct", first }, count] as const)
    : fc
        .tuple(fc.integer({ min: 20, max: 26 }), fc.integer({ min: -600, max: 600 }), counts)
        .map(([shift, first, count]) => [{ rule: "float-bits", first, shift }, count] as const);
  return fc.oneof(breakpoints, uniform, nested, own);
}

const integerTables: fc.Arbitrary<Table> = fc
  .record({
    input: integerFormats,
    output: integerFormats,
    reduction: fc.constantFrom<Reduction["by"] | null>(null, null, "odd", "even"),
    rounding: fc.constantFrom("floor", "half-up", "half-even"),
    shift: fc.constantFrom(0, 1, 5, 12, 33),
    spread: fc.constantFrom(3, 300, 70000, 2 ** 33),
    clamp: fc.constantFrom<readonly [number, number]>(
      [-Infinity, Infinity],
      [-Infinity, Infinity],
      [-3, 100],
      [2, 2],
      [-Infinity, 5],
    ),
    isConstant: fc.boolean(),
    seed: fc.nat(),
  })
  .chain((of) => {
    const { lo, hi } = of.input.signed
      ? { lo: -(2 ** (of.input.bits - 1)), hi: 2 ** (of.input.bits - 1) - 1 }
      : { lo: 0, hi: 2 ** of.input.bits - 1 };
    return indices(lo, hi, 1, true).map(([index, count]): Table => {
      const source = random(of.seed);
      const column = (): number[] =>
        Array.from({ length: count }, () => Math.round((source.uniform() - 0.5) * of.spread));
      return {
        spec: { fn: "x", domain: everything, input: of.input, output: of.output },
        reductions: of.reduction === null ? [] : [{ by: of.reduction } as Reduction],
        clamp: of.clamp,
        index,
        coefficients: of.isConstant ? [column()] : [column(), column()],
        shift: of.shift,
        rounding: of.rounding,
      };
    });
  });

const SYMMETRIES = ["odd", "even", "reflect", "complement"] as const;
const BY_BITS: readonly Reduction[] = [
  { by: "octave", step: 1, power: -1 },
  { by: "logarithm", perOctave: 0.5 },
  { by: "exponential", factor: 1.5 },
];

const floatTables: fc.Arbitrary<Table> = fc
  .record({
    reductions: fc.array(fc.constantFrom(...SYMMETRIES), { maxLength: 2 }),
    byBits: fc.option(fc.constantFrom(...BY_BITS), { freq: 8 }),
    output: fc.constantFrom(BINARY32, BINARY32, BINARY32, BFLOAT16),
    clamp: fc.constantFrom<readonly [number, number]>(
      [-Infinity, Infinity],
      [-Infinity, Infinity],
      [-4, 4],
      [-0, 0],
      [0, 3],
      [-Infinity, -1],
    ),
    isConstant: fc.boolean(),
    seed: fc.nat(),
  })
  .chain((of) =>
    indices(-40, 40, 8, false).map(([index, count]): Table => {
      const source = random(of.seed);
      const special = [0, -0, 1, Infinity];
      const column = (): number[] =>
        Array.from({ length: count }, () =>
          source.below(2) === 0 ? (special[source.below(4)] as number) : Math.fround(source.normal()),
        );
      const symmetries = of.reductions.map((by): Reduction => ({ by }));
      return {
        spec: { fn: "x", domain: everything, input: BINARY32, output: of.output },
        reductions: of.byBits === null ? symmetries : [...symmetries.slice(0, 1), of.byBits],
        clamp: of.clamp,
        index,
        coefficients: of.isConstant ? [column()] : [column(), column()],
        shift: 0,
        rounding: "half-even",
      };
    }),
  );

// inputs --------------------------------------------------------------------------------------------------------------

const SPECIAL = [0, -0, Number.NaN, Infinity, -Infinity, 1e-45, -1e-45, 3e38, -3e38, 2 ** -126, -(2 ** -126)].map(
  Math.fround,
);
const EIGHTHS = Array.from({ length: 700 }, (_, i) => (i - 350) / 64);

function floats(seed: number): number[] {
  const source = random(seed);
  const seeded = Array.from({ length: 200 }, (_, i) =>
    i % 2 === 0 ? fromBits32(source.below(2 ** 32)) : Math.fround(4 * source.normal()),
  );
  return [...SPECIAL, ...EIGHTHS, ...seeded];
}

function codesOf({ signed, bits }: IntegerFormat): Float64Array {
  // All that the lane can hold, codes beyond the format too.
  return allCodes(integerFormat(signed, bits <= 8 ? 8 : 16));
}

function expectExpanded(kernel: Kernel, x: ArrayLike<number>): Kernel {
  const expanded = expand(kernel);
  verify(expanded);
  const about = JSON.stringify(kernel.values);
  expectSameBits(interpret(expanded, { x }, 1, x.length), interpret(kernel, { x }, 1, x.length), about);
  return expanded;
}

describe("expand keeps every bit", () => {
  test("of random integer tables, at every code that their lane holds", () => {
    fc.assert(
      fc.property(integerTables, (table) => {
        checkTable(table);
        expect(lookups(expectExpanded(ofTable(table), codesOf(table.spec.input as IntegerFormat)))).toBe(0);
      }),
      { seed: 81, numRuns: RUNS },
    );
  });

  test("of random binary32 tables, at special, near and seeded floats", () => {
    fc.assert(
      fc.property(floatTables, fc.nat(1 << 20), (table, seed) => {
        checkTable(table);
        const staysWhole =
          table.spec.output === BFLOAT16 ||
          table.reductions.some(({ by }) => !(SYMMETRIES as readonly string[]).includes(by));
        expect(lookups(expectExpanded(ofTable(table), floats(seed)))).toBe(staysWhole ? 1 : 0);
      }),
      { seed: 82, numRuns: 4 * RUNS },
    );
  });

  test("of every pair of symmetries around lines that meet the signs of 0, the infinities and NaN", () => {
    const pairs = SYMMETRIES.flatMap((by) => [[by], ...SYMMETRIES.map((inner) => [by, inner])]);
    const numbers = [0, -0, 1, -1, Infinity, -Infinity];
    for (const by of pairs) {
      for (const intercept of numbers) {
        for (const slope of [null, ...numbers]) {
          const table: Table = {
            spec: { fn: "x", domain: everything, input: BINARY32, output: BINARY32 },
            reductions: by.map((each): Reduction => ({ by: each })),
            clamp: [-Infinity, Infinity],
            index: { rule: "breakpoints", codes: [] },
            coefficients: slope === null ? [[intercept]] : [[intercept], [slope]],
            shift: 0,
            rounding: "half-even",
          };
          expect(lookups(expectExpanded(ofTable(table), SPECIAL))).toBe(0);
        }
      }
    }
  });

  test("of random kernels", () => {
    fc.assert(
      fc.property(randomKernel(), fc.nat(1 << 20), (kernel, seed) => {
        const expanded = expand(kernel);
        verify(expanded);
        const inputs = randomInputs(kernel, 3, 5, seed);
        expectSameBits(interpret(expanded, inputs, 3, 5), interpret(kernel, inputs, 3, 5));
      }),
      { seed: 83, numRuns: RUNS },
    );
  });
});

/** All codes, or all bfloat16 values and others; seeded rows. */
function inputsOf(
  kernel: Kernel,
  isRow: boolean,
): { readonly inputs: KernelInputs; readonly size: readonly [number, number] } {
  if (isRow) return { inputs: randomInputs(kernel, 6, 32, 5), size: [6, 32] };
  const { input } = kernel.spec;
  const x = input.kind === "float" ? [...allCodes(BFLOAT16), ...floats(9)] : codesOf(input);
  return { inputs: { x }, size: [1, x.length] };
}

describe.each(Object.entries(KERNELS))("of %s", (name, kernel) => {
  const { inputs, size } = inputsOf(kernel, name in ROW_KERNELS);
  const meant = interpret(kernel, inputs, ...size);

  test("simplify and expand keep the bits", () => {
    const [simpler, expanded] = [simplify(kernel), expand(kernel)];
    expectSameBits(interpret(simpler, inputs, ...size), meant);
    expectSameBits(interpret(expanded, inputs, ...size), meant);
    expect(cost(simpler).operations).toBeLessThanOrEqual(cost(kernel).operations);
    expect(simplify(expanded)).toEqual(expanded);
  });
});

describe("expand", () => {
  const gelu = ELEMENTWISE.i_gelu8 as Kernel;
  const direct = ELEMENTWISE.i_direct as Kernel;

  test("leaves tables of more segments than asked for whole, 64 if nothing is asked", () => {
    expect(lookups(expand(gelu))).toBe(0);
    expect(lookups(expand(gelu, { maxSegments: 7 }))).toBe(1);
    expect(lookups(expand(direct))).toBe(1);
    expect(lookups(expand(direct, { maxSegments: 256 }))).toBe(0);
  });

  test("counts the segments that the argument can reach, not those that are stored", () => {
    const build = new KernelBuilder();
    const spec = (direct.values[1] as Value & { op: "lookup" }).spec;
    const narrow = build.param("x", "element", "i8", [-10, 10]);
    const kernel = fill(build.finish(spec, build.lookup("f", spec, narrow)), { f: tablesOf(direct).f as Table });
    expect(lookups(expand(kernel))).toBe(0);
  });

  test("leaves holes without a table", () => {
    expect(lookups(expand(elementwise(gelu.spec)))).toBe(1);
  });

  test("leaves tables by the bits of a float whole", () => {
    for (const name of ["f_exp", "f_rsqrt", "f_log"])
      expect(lookups(expand(ELEMENTWISE[name] as Kernel)), name).toBe(1);
    for (const name of ["f_gelu", "f_tanh", "f_sigmoid"])
      expect(lookups(expand(ELEMENTWISE[name] as Kernel)), name).toBe(0);
  });

  test("gives steps whose cost can be compared: no table, a comparison for each selection, a depth of log2 of the segments", () => {
    const [whole, steps] = [cost(gelu), cost(expand(gelu))];
    expect(steps.tableBits).toBe(0);
    expect(whole.tableBits).toBeGreaterThan(0);
    expect(steps.perElement.multiplications).toBe(1);
    // 7 selections for each column, 2 ends to saturate to.
    expect(steps.perElement.comparisons).toBe(16);
    expect(steps.depth).toBeLessThanOrEqual(10);
  });
});
