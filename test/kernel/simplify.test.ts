// simplify never changes a bit and never makes a kernel cost more: on random kernels, on every kernel of the targets' tests, and each
// identity by itself.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cost,
  interpret,
  type Kernel,
  KernelBuilder,
  type KernelInputs,
  type KernelOperations,
  type Lane,
  simplify,
  type Value,
  verify,
} from "../../packages/lutra/src/kernel/index.ts";
import { iLayerNorm, layerNorm, softermax, softmaxCodes } from "../../packages/lutra/src/layer/index.ts";
import { BINARY32, integerFormat, parseFormat } from "../../packages/lutra/src/num/index.ts";
import type { Spec } from "../../packages/lutra/src/table/index.ts";
import { expectSameBits } from "./kernel-bits.ts";
import { randomInputs, randomKernel } from "./random-kernel.ts";

const RUNS = Number(process.env.LUTRA_RUNS ?? 1000);
const spec: Spec = { fn: "x", domain: { lo: -1, hi: 1 }, input: BINARY32, output: BINARY32, maxRow: 64 };

function sum(operations: KernelOperations): number {
  return Object.values(operations).reduce((total, count) => total + count, 0);
}

function expectNoDearer(after: Kernel, before: Kernel): void {
  const [now, then] = [cost(after), cost(before)];
  expect(now.operations).toBeLessThanOrEqual(then.operations);
  expect(sum(now.perElement) + sum(now.perRow)).toBeLessThanOrEqual(sum(then.perElement) + sum(then.perRow));
  expect(now.tableBits).toBeLessThanOrEqual(then.tableBits);
  expect(now.depth).toBeLessThanOrEqual(then.depth);
}

function params({ values }: Kernel): readonly Value[] {
  return values.filter(({ op }) => op === "param");
}

function expectEquivalent(kernel: Kernel, inputs: readonly KernelInputs[], rows: number, columns: number): Kernel {
  const simpler = simplify(kernel);
  verify(simpler);
  expect(params(simpler)).toEqual(params(kernel));
  expectNoDearer(simpler, kernel);
  for (const input of inputs) {
    expectSameBits(interpret(simpler, input, rows, columns), interpret(kernel, input, rows, columns));
  }
  expect(simplify(simpler)).toEqual(simpler);
  return simpler;
}

type Salt = readonly [at: number, op: number, constant: number, isFirst: boolean];

const salts = fc.array(fc.tuple(fc.nat(1 << 16), fc.nat(8), fc.nat(8), fc.boolean()), { maxLength: 14 });
const FLOATS = [0, -0, 1, -1, Infinity, -Infinity, 0.25, -8, 3];
const INTEGERS = [0, 1, 2, 3, 5, 7, 30, 100, 255];

/** The kernel with operations on constants behind it, mostly each on the one before: what identities are about. */
function salted(kernel: Kernel, added: readonly Salt[]): Kernel {
  let salty = kernel;
  for (const salt of added) {
    const next = withSalt(salty, salt);
    if (isAccepted(next)) salty = next;
  }
  return salty;
}

function withSalt({ spec: of, values, results }: Kernel, [at, op, constant, isFirst]: Salt): Kernel {
  const build = new KernelBuilder();
  for (const value of values) build.copy(value, "args" in value ? value.args : []);
  const x = at % 3 === 0 ? at % values.length : values.length - 1;
  const lane = build.laneAt(x);
  const isFloat = lane === "f32";
  const c = isFloat ? build.constant(FLOATS[constant] as number) : build.integer(INTEGERS[constant] as number, lane);
  const [a, b] = isFirst ? [c, x] : [x, c];
  const amount = build.integer(INTEGERS[constant] as number);
  const before = at % values.length;
  const same = build.laneAt(before) === lane ? before : x;
  const made = [
    () => build.binary("add", a, b),
    () => build.binary("sub", a, b),
    () => build.binary("mul", a, b),
    () => build.binary("min", a, b),
    () => build.binary("max", a, b),
    () => (isFloat ? build.binary("div", x, c) : build.shiftLeft(x, amount)),
    () => (isFloat ? build.shiftRight(x, amount) : build.shiftRight(x, amount, isFirst ? "floor" : "half-up")),
    () => build.binary(isFirst ? "sub" : "add", x, same),
    () => build.cast(x, isFirst ? "i64" : "i16", isFloat ? "half-even" : undefined),
  ][op]?.();
  return build.finish(of, ...results, made ?? x);
}

function isAccepted(kernel: Kernel): boolean {
  try {
    verify(kernel);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

describe("simplify keeps every bit and raises no cost", () => {
  test("of random kernels with operations on telling constants behind them", () => {
    const kernels = fc.tuple(randomKernel(), salts).map(([kernel, added]) => salted(kernel, added));
    fc.assert(
      fc.property(kernels, fc.nat(1 << 20), (kernel, seed) => {
        expectEquivalent(kernel, [randomInputs(kernel, 3, 5, seed), randomInputs(kernel, 3, 5, seed + 1)], 3, 5);
      }),
      { seed: 72, numRuns: RUNS },
    );
  });

  test("of random kernels", () => {
    fc.assert(
      fc.property(randomKernel(), fc.nat(1 << 20), (kernel, seed) => {
        expectEquivalent(kernel, [randomInputs(kernel, 3, 5, seed), randomInputs(kernel, 3, 5, seed + 1)], 3, 5);
      }),
      { seed: 71, numRuns: RUNS },
    );
  });
});

const SPECIAL = [0, -0, 1, -1, 0.5, 3e38, -3e38, 1e-45, -1e-45, Infinity, -Infinity, Number.NaN].map(Math.fround);
const BYTES = Array.from({ length: 256 }, (_, i) => i - 128);

/** The operations other than params and constants that are left of a kernel from x and y, after its bits were compared. */
function left(lane: Lane, make: (b: KernelBuilder, x: number, y: number) => number): readonly string[] {
  const build = new KernelBuilder();
  const x = build.param("x", "element", lane);
  const kernel = build.finish(spec, make(build, x, build.param("y", "element", lane)));
  verify(kernel);
  const numbers = lane === "f32" ? SPECIAL : BYTES;
  const inputs = {
    x: numbers.flatMap((a) => numbers.map(() => a)),
    y: numbers.flatMap(() => numbers),
  };
  const { values } = expectEquivalent(kernel, [inputs], 1, inputs.x.length);
  return values.flatMap(({ op }) => (op === "param" || op === "const" ? [] : [op]));
}

type Make = (b: KernelBuilder, x: number, y: number) => number;

const wide: (make: Make) => Make = (make) => (b, x, y) => make(b, b.cast(x, "i32"), b.cast(y, "i32"));

const INTEGER_IDENTITIES: readonly (readonly [says: string, make: Make, left: readonly string[]])[] = [
  ["x + 0", (b, x) => b.binary("add", x, b.integer(0, "i8")), []],
  ["0 + x", (b, x) => b.binary("add", b.integer(0, "i8"), x), []],
  ["x - 0", (b, x) => b.binary("sub", x, b.integer(0, "i8")), []],
  ["x - x", wide((b, x, y) => b.binary("add", y, b.binary("sub", x, x))), ["cast"]],
  ["(x - y) + y", wide((b, x, y) => b.binary("add", b.binary("sub", x, y), y)), ["cast"]],
  ["y + (x - y)", wide((b, x, y) => b.binary("add", y, b.binary("sub", x, y))), ["cast"]],
  ["(x + y) - y", wide((b, x, y) => b.binary("sub", b.binary("add", x, y), y)), ["cast"]],
  ["(x + y) - x", wide((b, x, y) => b.binary("sub", b.binary("add", x, y), x)), ["cast"]],
  ["x - (x - y)", wide((b, x, y) => b.binary("sub", x, b.binary("sub", x, y))), ["cast"]],
  ["(x + 3) + 4", wide((b, x) => b.binary("add", b.binary("add", x, b.integer(3)), b.integer(4))), ["cast", "add"]],
  ["x * 1", (b, x) => b.binary("mul", x, b.integer(1, "i8")), []],
  ["x * 0", wide((b, x, y) => b.binary("add", y, b.binary("mul", x, b.integer(0)))), ["cast"]],
  ["x / 1", (b, x) => b.divide(x, b.integer(1, "i8"), "half-even"), []],
  ["x << 0", (b, x) => b.shiftLeft(x, b.integer(0)), []],
  ["x >> 0", (b, x) => b.shiftRight(x, b.integer(0), "half-up"), []],
  ["(x << 5) >> 5", wide((b, x) => b.shiftRight(b.shiftLeft(x, b.integer(5)), b.integer(5), "half-up")), ["cast"]],
  [
    "(x << 5) >> 7",
    wide((b, x) => b.shiftRight(b.shiftLeft(x, b.integer(5)), b.integer(7), "half-even")),
    ["cast", "shift-right"],
  ],
  [
    "(x << 7) >> 5",
    wide((b, x) => b.shiftRight(b.shiftLeft(x, b.integer(7)), b.integer(5), "floor")),
    ["cast", "shift-left"],
  ],
  [
    "(x >> 2) >> 3, floors",
    (b, x) => b.shiftRight(b.shiftRight(x, b.integer(2), "floor"), b.integer(3), "floor"),
    ["shift-right"],
  ],
  [
    "(x >> 2) >> 3, rounded: stays",
    (b, x) => b.shiftRight(b.shiftRight(x, b.integer(2), "half-up"), b.integer(3), "half-up"),
    ["shift-right", "shift-right"],
  ],
  ["(x << 2) << 3", wide((b, x) => b.shiftLeft(b.shiftLeft(x, b.integer(2)), b.integer(3))), ["cast", "shift-left"]],
  ["cast to i32 and back", (b, x) => b.cast(b.cast(x, "i32"), "i8"), []],
  ["cast to binary32 and back", (b, x) => b.cast(b.cast(x, "f32"), "i8", "half-even"), []],
  ["cast to i32, then to u8", (b, x) => b.cast(b.cast(x, "i32"), "u8"), ["cast"]],
  ["cast to u8, then to i8: saturates twice, stays", (b, x) => b.cast(b.cast(x, "u8"), "i8"), ["cast", "cast"]],
  [
    "cast(min(x, 255)) to u8",
    wide((b, x, y) => b.cast(b.binary("min", b.binary("mul", x, y), b.integer(255)), "u8")),
    ["cast", "cast", "mul", "cast"],
  ],
  ["min(x, 127)", (b, x) => b.binary("min", x, b.integer(127, "i8")), []],
  ["max(x, -128)", (b, x) => b.binary("max", b.integer(-128, "i8"), x), []],
  ["min(x, x)", (b, x) => b.binary("min", x, x), []],
  ["min(min(x, 9), 5)", (b, x) => b.binary("min", b.binary("min", x, b.integer(9, "i8")), b.integer(5, "i8")), ["min"]],
  [
    "max(min(x, 9), 5): stays",
    (b, x) => b.binary("max", b.binary("min", x, b.integer(9, "i8")), b.integer(5, "i8")),
    ["min", "max"],
  ],
  ["select that ranges decide", wide((b, x, y) => b.select(x, b.integer(128), x, y)), ["cast"]],
  ["select whose branches are equal", (b, x, y) => b.select(x, y, x, x), []],
  ["select(x, x, x, y)", (b, x, y) => b.select(x, x, x, y), []],
  ["select(x, y, x, y)", (b, x, y) => b.select(x, y, x, y), ["min"]],
  ["select(x, y, y, x)", (b, x, y) => b.select(x, y, y, x), ["max"]],
  [
    "the same product twice, in either order",
    wide((b, x, y) => b.binary("add", b.binary("mul", x, y), b.binary("mul", y, x))),
    ["cast", "cast", "mul", "add"],
  ],
];

const FLOAT_IDENTITIES: readonly (readonly [says: string, make: Make, left: readonly string[]])[] = [
  ["x + -0", (b, x) => b.binary("add", x, b.constant(-0)), []],
  ["x + 0: stays, for -0 + 0 is 0", (b, x) => b.binary("add", x, b.constant(0)), ["add"]],
  ["x - 0", (b, x) => b.binary("sub", x, b.constant(0)), []],
  ["x - -0: stays", (b, x) => b.binary("sub", x, b.constant(-0)), ["sub"]],
  ["x - x: stays, for Infinity - Infinity is NaN", (b, x) => b.binary("sub", x, x), ["sub"]],
  ["x * 0: stays", (b, x) => b.binary("mul", x, b.constant(0)), ["mul"]],
  ["x * 1", (b, x) => b.binary("mul", x, b.constant(1)), []],
  ["x * -1", (b, x) => b.binary("mul", x, b.constant(-1)), ["sub"]],
  ["-0 - (-0 - x)", (b, x) => b.binary("sub", b.constant(-0), b.binary("sub", b.constant(-0), x)), []],
  ["0 - (0 - x): stays", (b, x) => b.binary("sub", b.constant(0), b.binary("sub", b.constant(0), x)), ["sub", "sub"]],
  ["x / 1", (b, x) => b.binary("div", x, b.constant(1)), []],
  ["x / -2^-10", (b, x) => b.binary("div", x, b.constant(-(2 ** -10))), ["mul"]],
  ["x / 3: stays", (b, x) => b.binary("div", x, b.constant(3)), ["div"]],
  ["min(x, Infinity)", (b, x) => b.binary("min", x, b.constant(Infinity)), []],
  ["max(x, -Infinity)", (b, x) => b.binary("max", x, b.constant(-Infinity)), []],
  ["min(x, -Infinity): stays, for a NaN is one", (b, x) => b.binary("min", x, b.constant(-Infinity)), ["min"]],
  ["max(x, x)", (b, x) => b.binary("max", x, x), []],
  ["max(max(x, 0), -0)", (b, x) => b.binary("max", b.binary("max", x, b.constant(0)), b.constant(-0)), ["max"]],
  ["select(x, y, x, y): stays", (b, x, y) => b.select(x, y, x, y), ["select"]],
  ["select(x, x, x, y)", (b, x, y) => b.select(x, x, x, y), []],
  ["x << 0", (b, x) => b.shiftLeft(x, b.integer(0)), []],
  [
    "constants that make a NaN stay",
    (b, x) => b.binary("add", x, b.binary("sub", b.constant(Infinity), b.constant(Infinity))),
    ["sub", "add"],
  ],
  [
    "constants are folded in binary32",
    (b, x) => b.binary("add", x, b.binary("mul", b.constant(0.1), b.constant(3))),
    ["add"],
  ],
];

describe("simplify knows", () => {
  test.each(INTEGER_IDENTITIES)("of integers: %s", (_, make, expected) => {
    expect(left("i8", make)).toEqual(expected);
  });
  test.each(FLOAT_IDENTITIES)("of binary32: %s", (_, make, expected) => {
    expect(left("f32", make)).toEqual(expected);
  });
});

describe("simplify", () => {
  test("keeps unused params and the shape of every result", () => {
    const build = new KernelBuilder();
    const x = build.param("x", "element", "i8");
    build.param("unused", "row", "i32");
    const none = build.binary("mul", x, build.integer(0, "i8"));
    const kernel = build.finish(spec, none, build.reduce("add", none), build.reduce("max", none));
    const inputs = { x: [1, -2, 3, 4], unused: [5, 6] };
    const { values } = expectEquivalent(kernel, [inputs], 2, 2);
    expect(values.filter(({ op }) => op === "param").map((param) => "name" in param && param.name)).toEqual([
      "x",
      "unused",
    ]);
  });

  test("lets what no shape depends on vary less", () => {
    const build = new KernelBuilder();
    const x = build.param("x", "element", "i8");
    const one = build.binary("add", build.binary("mul", x, build.integer(0, "i8")), build.integer(1, "i8"));
    const kernel = build.finish(spec, build.binary("max", x, build.binary("mul", one, build.integer(7, "i8"))));
    const { values } = expectEquivalent(kernel, [{ x: BYTES }], 1, 256);
    expect(values.map(({ op }) => op)).toEqual(["param", "const", "max"]);
  });

  test("saturates once where something else needs the limited number: the other way would cost more", () => {
    const build = new KernelBuilder();
    const x = build.cast(build.param("x", "element", "i8"), "i32");
    const limited = build.binary("max", build.binary("mul", x, x), build.integer(9));
    const square = build.binary("mul", x, build.integer(300));
    const positive = build.binary("max", square, build.integer(0));
    const short = build.cast(square, "u16");
    const results = [
      limited,
      build.cast(limited, "u8"),
      positive,
      build.cast(positive, "u8"),
      short,
      build.cast(short, "u8"),
    ];
    const kernel = build.finish(spec, ...results);
    expect(expectEquivalent(kernel, [{ x: BYTES }], 1, 256).values).toHaveLength(kernel.values.length);
  });

  test("folds a table of a constant", () => {
    const kernel = softermax(8);
    const row = [3, -4, 100, 27, -128, 127, 0, 1];
    expectEquivalent(kernel, [{ x: row }], 1, 8);
  });

  test("an empty row sums to 0 whatever its numbers would be", () => {
    const build = new KernelBuilder();
    const x = build.param("x", "element", "i8", [3, 3]);
    const kernel = build.finish({ ...spec, maxRow: 1 }, build.reduce("add", x));
    expectEquivalent(kernel, [{ x: [] }], 2, 0);
  });

  test("needs no tables, and refuses what verify refuses", () => {
    const empty = layerNorm({ epsilon: 1e-5, gamma: true, beta: true, maxRow: 4 });
    expect(params(simplify(empty))).toEqual(params(empty));
    const build = new KernelBuilder();
    const x = build.param("x", "element", "i8");
    expect(() => simplify(build.finish(spec, build.binary("add", x, x)))).toThrow(/overflows i8/);
  });

  test("leaves the remainder that softmaxCodes takes, which ranges must recognise", () => {
    const kernel = softmaxCodes({ input: integerFormat(true, 8, 1 / 16), maxRow: 128 });
    verify(simplify(kernel));
    verify(simplify(iLayerNorm(parseFormat("s16.10"), { columns: 64, bias: true })));
  });
});
