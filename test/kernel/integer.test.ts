// Integer operations of kernels: exact against BigInt, ranges that contain what happens, and what verify refuses.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cost,
  ideal,
  interpret,
  type Kernel,
  KernelBuilder,
  laneRange,
  ranges,
  type Value,
  verify,
} from "../../packages/lutra/src/kernel/index.ts";
import {
  cordic,
  iExp,
  iGelu,
  iLayerNorm,
  iSoftmax,
  iSqrt,
  layerNorm,
  softermax,
} from "../../packages/lutra/src/layer/index.ts";
import { BINARY32, integerFormat, parseFormat, random } from "../../packages/lutra/src/num/index.ts";
import type { Rounding, Spec } from "../../packages/lutra/src/table/index.ts";

const spec: Spec = {
  fn: "x",
  domain: { lo: -1, hi: 1 },
  input: integerFormat(true, 32),
  output: integerFormat(true, 32),
};
const SEED = { seed: 20, numRuns: 2000 };
const roundings: readonly Rounding[] = ["floor", "half-up", "half-even"];
const exact53 = fc.maxSafeInteger();

/** a / b for b > 0 by BigInt. */
function quotient(a: bigint, b: bigint, rounding: Rounding): bigint {
  const down = a / b - (a % b < 0n ? 1n : 0n);
  const twice = 2n * (a - down * b);
  if (rounding === "floor" || twice < b) return down;
  if (twice > b || rounding === "half-up") return down + 1n;
  return down % 2n === 0n ? down : down + 1n;
}

function only(kernel: Kernel, inputs: Record<string, number[]>, columns = 1): number {
  return interpret(kernel, inputs, 1, columns)[0]?.[0] as number;
}

describe("integer operations", () => {
  test("divide as BigInt does, in every rounding, up to 2^53", () => {
    for (const rounding of roundings) {
      const build = new KernelBuilder();
      const a = build.param("a", "element", "i64");
      const kernel = build.finish(spec, build.divide(a, build.param("b", "element", "i64", [1, 2 ** 53]), rounding));
      verify(kernel);
      const small = fc.oneof(exact53, fc.integer({ min: -50, max: 50 }));
      const divisor = fc.oneof(
        fc.integer({ min: 1, max: 50 }),
        fc.maxSafeNat().map((b) => b + 1),
      );
      fc.assert(
        fc.property(small, divisor, (x, y) => {
          expect(only(kernel, { a: [x], b: [y] })).toBe(Number(quotient(BigInt(x), BigInt(y), rounding)));
        }),
        SEED,
      );
    }
  });

  test("shift right by an amount per element as BigInt does, in every rounding", () => {
    for (const rounding of roundings) {
      const build = new KernelBuilder();
      const a = build.param("a", "element", "i64");
      const kernel = build.finish(spec, build.shiftRight(a, build.param("b", "element", "u8", [0, 62]), rounding));
      verify(kernel);
      fc.assert(
        fc.property(fc.oneof(exact53, fc.integer()), fc.integer({ min: 0, max: 62 }), (x, by) => {
          expect(only(kernel, { a: [x], b: [by] })).toBe(Number(quotient(BigInt(x), 1n << BigInt(by), rounding)));
        }),
        SEED,
      );
    }
  });

  test("bit lengths are those of the binary digits", () => {
    const build = new KernelBuilder();
    const kernel = build.finish(spec, build.bits(build.param("a", "element", "i64", [0, 2 ** 53])));
    verify(kernel);
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeNat(), fc.nat(300)), (x) => {
        expect(only(kernel, { a: [x] })).toBe(x === 0 ? 0 : x.toString(2).length);
      }),
      SEED,
    );
    for (const x of [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53]) {
      expect(only(kernel, { a: [x] })).toBe(x.toString(2).length);
    }
  });

  test("casts saturate; from binary32 they round as stated, and NaN is 0", () => {
    const to = (rounding: Rounding): Kernel => {
      const build = new KernelBuilder();
      return build.finish(spec, build.cast(build.param("a", "element"), "i8", rounding));
    };
    const cast = (x: number, rounding: Rounding): number => only(to(rounding), { a: [x] });
    expect([2.5, 3.5, -2.5, 1e30, -Infinity, Number.NaN].map((x) => cast(x, "half-even"))).toEqual([
      2, 4, -2, 127, -128, 0,
    ]);
    expect([2.5, -2.5, -0.2].map((x) => cast(x, "half-up"))).toEqual([3, -2, 0]);
    expect([2.9, -2.1].map((x) => cast(x, "floor"))).toEqual([2, -3]);
    const build = new KernelBuilder();
    const narrow = build.finish(spec, build.cast(build.param("a", "element", "i32"), "u8"));
    expect([-1, 77, 256].map((x) => only(narrow, { a: [x] }))).toEqual([0, 77, 255]);
  });

  test("binary32 shifts are products with powers of two, and selections ask for less", () => {
    const build = new KernelBuilder();
    const x = build.param("x", "element");
    const shifted = build.shiftRight(x, build.integer(30));
    const kernel = build.finish(
      spec,
      shifted,
      build.shiftLeft(x, build.integer(3)),
      build.select(x, shifted, x, shifted),
    );
    verify(kernel);
    const results = interpret(kernel, { x: [-3, Number.NaN] }, 1, 2).map((each) => [...each]);
    expect(results).toEqual([
      [-3 * 2 ** -30, Number.NaN],
      [-24, Number.NaN],
      [-3, Number.NaN],
    ]);
  });

  test("a mean of integers is rounded as stated, and no result is minus zero", () => {
    const build = new KernelBuilder();
    const x = build.param("x", "element", "i16", [-128, 127]);
    const kernel = build.finish(
      { ...spec, maxRow: 4 },
      build.reduce("mean", x, "half-even"),
      build.binary("mul", build.reduce("max", x), build.integer(0, "i16")),
    );
    verify(kernel);
    const [mean, zero] = interpret(kernel, { x: [-2, -3, -2, -3] }, 1, 4) as [Float64Array, Float64Array];
    expect(mean[0]).toBe(-2);
    expect(Object.is(zero[0], 0)).toBe(true);
  });

  test("ideal runs the same kernel without any rounding", () => {
    const build = new KernelBuilder();
    const x = build.param("x", "element", "i32");
    const kernel = build.finish(
      spec,
      build.shiftRight(build.divide(x, build.integer(3), "floor"), build.integer(1), "floor"),
    );
    expect(ideal(kernel, () => (t) => t, { x: [7] }, 1, 1)[0]?.[0]).toBeCloseTo(7 / 6, 12);
  });
});

describe("interpret refuses", () => {
  const build = new KernelBuilder();
  const x = build.param("x", "element", "i8", [-100, 100]);
  const kernel = build.finish({ ...spec, maxRow: 2 }, build.reduce("add", build.cast(x, "i32")));
  test("codes outside a param's promise, or no integers", () => {
    expect(() => interpret(kernel, { x: [101, 0] }, 1, 2)).toThrow(
      /input "x" holds integers from -100 to 100, got 101/,
    );
    expect(() => interpret(kernel, { x: [0.5, 0] }, 1, 2)).toThrow(RangeError);
  });
  test("rows longer than the proof of the sum", () => {
    expect(() => interpret(kernel, { x: [1, 2, 3] }, 1, 3)).toThrow(/at most 2 numbers, got 3/);
  });
  test("an overflow that verify was not asked about", () => {
    const wide = new KernelBuilder();
    const a = wide.param("a", "element", "i32");
    const square = wide.finish(spec, wide.binary("mul", a, a));
    expect(() => verify(square)).toThrow(/overflows i32/);
    expect(() => interpret(square, { a: [2 ** 20] }, 1, 1)).toThrow(/result of mul holds integers/);
  });
});

describe("verify refuses", () => {
  const refused: Readonly<Record<string, readonly [build: (b: KernelBuilder) => number, message: RegExp]>> = {
    "a sum that may overflow": [
      (b) => b.binary("add", b.param("a", "element", "i8"), b.integer(1, "i8")),
      /from -127 to 128, which overflows i8/,
    ],
    "a product beyond 2^53": [
      (b) => {
        const a = b.cast(b.param("a", "element", "i32"), "i64");
        return b.binary("mul", a, b.integer(2 ** 23, "i64"));
      },
      /overflows i64/,
    ],
    "a divisor that may be 0": [
      (b) => b.divide(b.param("a", "element", "i8"), b.param("b", "element", "i8", [0, 5]), "floor"),
      /divisor must be proven positive, this may be 0/,
    ],
    "a shift that may be negative": [
      (b) => b.shiftRight(b.param("a", "element", "i8"), b.param("b", "element", "i8"), "floor"),
      /from 0 to 31, this may be -128/,
    ],
    "a shift that is too long": [
      (b) => b.shiftLeft(b.param("a", "element"), b.integer(63)),
      /from 0 to 62, this may be 63/,
    ],
    "a bit length of negative numbers": [(b) => b.bits(b.param("a", "element", "i8")), /only non-negative/],
    "a bit length of a float": [(b) => b.bits(b.param("a", "element")), /only integers/],
    "a sum over rows of unknown length": [(b) => b.reduce("add", b.param("a", "element", "i8")), /maxRow/],
    "a mean whose sum may overflow": [
      (b) => b.reduce("mean", b.param("a", "element", "i8"), "half-even"),
      /its sum may be from -1280 to 1270, which overflows/,
    ],
    "a constant that the lane cannot hold": [(b) => b.integer(128, "i8"), /128 is no value of i8/],
    "a constant that is no integer": [(b) => b.integer(0.5, "i8"), /0.5 is no value of i8/],
    "a param that promises more than its lane": [(b) => b.param("a", "element", "u8", [-1, 3]), /-1 is no value of u8/],
    "a binary32 param that promises a range": [(b) => b.param("a", "element", "f32", [0, 1]), /only integers promise/],
    "a comparison of lanes": [
      (b) => b.select(b.param("a", "element", "i8"), b.param("b", "element", "i16"), b.integer(1), b.integer(2)),
      /lanes of arguments/,
    ],
    "an amount in binary32": [
      (b) => b.shiftLeft(b.integer(1), b.param("b", "element")),
      /amount of a shift is an integer/,
    ],
    "an integer quotient without a rounding": [
      (b) => b.binary("div", b.param("a", "element", "i8"), b.integer(2, "i8")),
      /needs a rounding/,
    ],
    "a binary32 shift with one": [
      (b) => b.shiftRight(b.param("a", "element"), b.integer(1), "floor"),
      /rounds nothing, but states/,
    ],
  };
  for (const [what, [make, message]] of Object.entries(refused)) {
    test(what, () => {
      const build = new KernelBuilder();
      const result = make(build);
      const asked = what.startsWith("a mean") ? { ...spec, maxRow: 10 } : spec;
      expect(() => verify(build.finish(asked, result))).toThrow(message);
    });
  }
  test("a cast to the same lane", () => {
    const build = new KernelBuilder();
    const kernel = build.finish(spec, build.cast(build.param("a", "element", "i8"), "i16"));
    const values = kernel.values.map((value): Value => (value.op === "cast" ? { ...value, lane: "i8" } : value));
    expect(() => verify({ ...kernel, values })).toThrow(/a cast changes the lane/);
  });
});

describe("ranges", () => {
  const int8 = integerFormat(true, 8, 1 / 16);
  const kernels: Readonly<Record<string, Kernel>> = {
    "i-gelu": iGelu(integerFormat(true, 16, 2 ** -10)),
    "i-exp": iExp(int8),
    "i-sqrt": iSqrt(integerFormat(false, 32)),
    "i-softmax": iSoftmax(int8, { maxRow: 64 }),
    "i-layer-norm": iLayerNorm(integerFormat(true, 22), { columns: 64, bias: false }),
    softermax: softermax(64),
    "cordic exp": cordic("exp", parseFormat("s16.10"), { iterations: 16, output: parseFormat("u32.16") }),
    "cordic sqrt": cordic("sqrt", parseFormat("u16.4"), { iterations: 16, output: parseFormat("u32.20") }),
    "cordic 1/x": cordic("reciprocal", parseFormat("u16.4"), { iterations: 16, output: parseFormat("u32.20") }),
  };
  for (const [name, kernel] of Object.entries(kernels)) {
    test(`of ${name} contain every value of seeded and extreme rows, and fit their lanes`, () => {
      verify(kernel);
      const known = ranges(kernel);
      const all = { ...kernel, results: kernel.values.map((_, i) => i) };
      const source = random(11);
      const first = kernel.values[0] as Value & { readonly op: "param" };
      const { lo, hi } = known[0] ?? { lo: 0, hi: 0 };
      expect(first.op).toBe("param");
      const codes = [...Array.from({ length: 61 }, () => lo + source.below(hi - lo + 1)), ...[lo, hi, Math.max(lo, 0)]];
      for (const row of [codes, codes.map(() => lo), codes.map((_, i) => (i === 0 ? hi : lo))]) {
        interpret(all, { [first.name]: row }, 1, 64).forEach((numbers, i) => {
          const range = known[i];
          const lane = laneRange((kernel.values[i] as Value).lane);
          if (range === null || range === undefined || lane === null) return;
          expect(lane.lo <= range.lo && range.hi <= lane.hi).toBe(true);
          expect(numbers.every((x) => range.lo <= x && x <= range.hi)).toBe(true);
        });
      }
    });
  }

  test("know squares, absolute values and remainders", () => {
    const build = new KernelBuilder();
    const x = build.param("x", "element", "i8");
    const wide = build.cast(x, "i32");
    const size = build.binary("max", wide, build.binary("sub", build.integer(0), wide));
    const divisor = build.integer(7);
    const rest = build.binary("sub", size, build.binary("mul", build.divide(size, divisor, "floor"), divisor));
    const known = ranges(build.finish(spec, build.binary("mul", wide, wide), size, rest));
    expect(known[size]).toEqual({ lo: 0, hi: 128 });
    expect(known[rest]).toEqual({ lo: 0, hi: 6 });
    expect(known.at(-1)).toEqual({ lo: 0, hi: 16384 });
  });
});

describe("cost", () => {
  test("counts operations per element and per row, table bits and depth", () => {
    const build = new KernelBuilder();
    const x = build.param("x", "element", "i8");
    const wide = build.cast(x, "i32");
    const centred = build.binary("sub", wide, build.reduce("mean", wide, "half-even"));
    const half = build.shiftRight(build.binary("mul", centred, centred), build.integer(1), "half-up");
    const kernel = build.finish({ ...spec, maxRow: 4 }, build.cast(half, "u8"));
    expect(cost(kernel)).toEqual({
      perElement: { comparisons: 1, multiplications: 1, additions: 3, shifts: 1, divisions: 0 },
      perRow: { comparisons: 0, multiplications: 0, additions: 0, shifts: 0, divisions: 0 },
      operations: 6,
      tableBits: 0,
      depth: 6,
    });
  });

  test("counts softermax's 4 + 8 table entries once, and its two lookups", () => {
    expect(cost(softermax(64)).tableBits).toBe(8 * (4 * 2 + 8 * 4));
  });

  test("needs tables in the holes", () => {
    expect(() => cost(layerNorm({ epsilon: 1e-5, gamma: false, beta: false, maxRow: 4 }))).toThrow(/has no table/);
  });
});

test("a binary32 kernel has no ranges", () => {
  const build = new KernelBuilder();
  const x = build.param("x", "element");
  const kernel = build.finish({ ...spec, input: BINARY32, output: BINARY32 }, build.binary("mul", x, x));
  expect(ranges(kernel)).toEqual([null, null]);
});
