import { describe, expect, test } from "vitest";
import { BINARY32, integerFormat, random } from "../../packages/lutra/src/num/index.ts";
import {
  atScale,
  evaluate,
  type Reduction,
  roundShift,
  segmentCount,
  slopeAt,
  type Table,
  tableBytes,
} from "../../packages/lutra/src/table/index.ts";

const everything = { lo: -Infinity, hi: Infinity };

function floatTable(overrides: Partial<Table>): Table {
  return {
    spec: { fn: "x", domain: everything, input: BINARY32, output: BINARY32 },
    reductions: [],
    clamp: [-Infinity, Infinity],
    index: { rule: "breakpoints", codes: [] },
    coefficients: [[0], [1]],
    shift: 0,
    rounding: "half-even",
    ...overrides,
  };
}

const int8 = integerFormat(true, 8);

function integerTable(overrides: Partial<Table>): Table {
  return floatTable({ spec: { fn: "x", domain: everything, input: int8, output: int8 }, ...overrides });
}

describe("an index rule", () => {
  test("breakpoints: an input equal to a breakpoint belongs to the right segment", () => {
    const table = floatTable({
      index: { rule: "breakpoints", codes: [-1, 2] },
      coefficients: [[10, 20, 30]],
    });
    expect([-2, -1, 1.9, 2, 3].map((x) => evaluate(table, x))).toEqual([10, 20, 20, 30, 30]);
    expect(evaluate(table, -Infinity)).toBe(10);
    expect(evaluate(table, Infinity)).toBe(30);
  });

  test("uniform: x - first rounds to the next segment's start without wrapping to segment 0", () => {
    const table = floatTable({
      index: { rule: "uniform", first: -5, width: 0.5 },
      coefficients: [Array.from({ length: 16 }, (_, i) => i)],
    });
    expect(evaluate(table, 2.9999997615814209)).toBe(15);
    expect(evaluate(table, -100)).toBe(0);
    expect(evaluate(table, 100)).toBe(15);
  });

  test("uniform on integer codes is a floor division, negative codes included", () => {
    const table = integerTable({
      index: { rule: "uniform", first: -128, width: 64 },
      coefficients: [[1, 2, 3, 4]],
    });
    expect([-128, -65, -64, -1, 0, 63, 64, 127].map((q) => evaluate(table, q))).toEqual([1, 1, 2, 2, 3, 3, 4, 4]);
  });

  test("direct gives every code its own entry", () => {
    const table = integerTable({
      index: { rule: "direct", first: -128 },
      coefficients: [Array.from({ length: 256 }, (_, i) => 127 - i)],
    });
    for (let q = -128; q <= 127; q++) expect(evaluate(table, q)).toBe(-1 - q);
  });

  test("float-bits splits each octave of either sign evenly", () => {
    const shift = 23;
    const first = 127 - 2; // segment 0 starts at 2^-2
    const table = floatTable({ index: { rule: "float-bits", first, shift }, coefficients: [[0, 1, 2, 3]] });
    expect([0.1, 0.25, 0.49, 0.5, 0.999, 1, 2, 100, -1].map((x) => evaluate(table, x))).toEqual([
      0, 0, 0, 1, 1, 2, 3, 3, 0,
    ]);
  });
});

describe("a line", () => {
  test("in binary32 rounds product and sum separately", () => {
    const slope = Math.fround(0.1);
    const x = Math.fround(3.3);
    const intercept = Math.fround(-0.33);
    const table = floatTable({ coefficients: [[intercept], [slope]] });
    expect(evaluate(table, x)).toBe(Math.fround(Math.fround(slope * x) + intercept));
    expect(evaluate(table, x)).not.toBe(Math.fround(slope * x + intercept));
  });

  test("in integers shifts with the stated rounding and saturates", () => {
    const halves = { coefficients: [[1], [1]], shift: 1 } as const;
    const at = (rounding: Table["rounding"]) =>
      [0, 1, 2, 4].map((q) => evaluate(integerTable({ ...halves, rounding }), q));
    expect(at("floor")).toEqual([0, 1, 1, 2]);
    expect(at("half-up")).toEqual([1, 1, 2, 3]);
    expect(at("half-even")).toEqual([0, 1, 2, 2]);
    expect(evaluate(integerTable({ coefficients: [[0], [100]] }), 100)).toBe(127);
    expect(evaluate(integerTable({ coefficients: [[0], [100]] }), -100)).toBe(-128);
  });

  test("clamped below answers its constant at -Infinity, where 0 times -Infinity would be NaN", () => {
    const table = floatTable({
      clamp: [-9, Infinity],
      index: { rule: "breakpoints", codes: [-8] },
      coefficients: [
        [0, 0],
        [0, 1],
      ],
    });
    expect(evaluate(table, -Infinity)).toBe(0);
    expect(evaluate(table, -1e30)).toBe(0);
    expect(evaluate(table, Infinity)).toBe(Infinity);
  });

  test("answers NaN for NaN", () => {
    expect(evaluate(floatTable({}), Number.NaN)).toBeNaN();
    expect(evaluate(floatTable({ reductions: [{ by: "exponential", factor: 1 }] }), Number.NaN)).toBeNaN();
  });
});

describe("a range reduction", () => {
  const reduced = (reductions: readonly Reduction[], coefficients: Table["coefficients"]) =>
    floatTable({ reductions, coefficients });

  test("odd, even, reflect and complement carry the answer back", () => {
    const line = [[0.25], [0.5]];
    expect(evaluate(reduced([{ by: "odd" }], line), -3)).toBe(-1.75);
    expect(evaluate(reduced([{ by: "even" }], line), -3)).toBe(1.75);
    expect(evaluate(reduced([{ by: "reflect" }], line), 3)).toBe(3 - 1.25);
    expect(evaluate(reduced([{ by: "reflect" }], line), -3)).toBe(-1.25);
    expect(evaluate(reduced([{ by: "complement" }], line), 3)).toBe(2.25);
    expect(evaluate(reduced([{ by: "complement" }], line), -3)).toBe(-1.25);
  });

  test("octave scales by exact powers of two", () => {
    const halfUp = reduced([{ by: "octave", step: 1, power: -1 }], [[1.5], [-0.5]]); // chord of 1/x on [1, 2]
    expect(evaluate(halfUp, 8)).toBe(1 / 8);
    expect(evaluate(halfUp, 2 ** -100)).toBe(2 ** 100);
    expect(evaluate(halfUp, 12)).toBe(0.75 / 8);
    const root = reduced([{ by: "octave", step: 2, power: -1 }], [[1], [0]]);
    expect([1, 3.99, 4, 16, 0.25, 2 ** -126].map((x) => evaluate(root, x))).toEqual([1, 1, 0.5, 0.25, 2, 2 ** 63]);
  });

  test("exponential is exactly 0 far below and infinite far above", () => {
    const power = reduced([{ by: "exponential", factor: 1 }], [[1], [1]]); // 1 + f, exact at the ends
    expect([0, 1, 10, -3, 0.5].map((x) => evaluate(power, x))).toEqual([1, 2, 1024, 0.125, 1.5]);
    expect(evaluate(power, -126)).toBe(2 ** -126);
    expect(evaluate(power, -126.5)).toBe(0);
    expect(evaluate(power, -Infinity)).toBe(0);
    expect(evaluate(power, 128)).toBe(Infinity);
    expect(evaluate(power, Infinity)).toBe(Infinity);
  });

  test("logarithm adds a multiple per octave", () => {
    const log2 = reduced([{ by: "logarithm", perOctave: 1 }], [[-1], [1]]); // m - 1
    expect([1, 2, 1024, 0.125, 3].map((x) => evaluate(log2, x))).toEqual([0, 1, 10, -3, 1.5]);
  });
});

describe("slopeAt", () => {
  const cases: readonly (readonly [string, Table, readonly number[]])[] = [
    [
      "breakpoints",
      floatTable({
        index: { rule: "breakpoints", codes: [0] },
        coefficients: [
          [0, 0],
          [0, 1],
        ],
      }),
      [-2, 3],
    ],
    ["reflect", floatTable({ reductions: [{ by: "reflect" }], coefficients: [[0], [0.25]] }), [-2, 3]],
    ["odd", floatTable({ reductions: [{ by: "odd" }], coefficients: [[0], [0.25]] }), [-2, 3]],
    ["even", floatTable({ reductions: [{ by: "even" }], coefficients: [[0], [0.25]] }), [-2, 3]],
    ["complement", floatTable({ reductions: [{ by: "complement" }], coefficients: [[0.5], [0.25]] }), [-2, 3]],
    [
      "octave",
      floatTable({ reductions: [{ by: "octave", step: 2, power: -1 }], coefficients: [[1], [-0.125]] }),
      [0.3, 40],
    ],
    [
      "logarithm",
      floatTable({ reductions: [{ by: "logarithm", perOctave: 0.5 }], coefficients: [[0], [0.5]] }),
      [0.3, 40],
    ],
    [
      "exponential",
      floatTable({ reductions: [{ by: "exponential", factor: 2 }], coefficients: [[1], [1]] }),
      [-2.3, 1.2],
    ],
    ["integer", integerTable({ coefficients: [[0], [64]], shift: 7 }), []],
  ];
  for (const [name, table, points] of cases) {
    test(`is the derivative of ${name}`, () => {
      for (const x of points) {
        const h = 2 ** -10;
        const difference = (evaluate(table, x + h) - evaluate(table, x - h)) / (2 * h);
        expect(slopeAt(table, x)).toBeCloseTo(difference, 3);
      }
    });
  }

  test("is 0 where the table is clamped", () => {
    expect(slopeAt(floatTable({ clamp: [-1, 1] }), 2)).toBe(0);
  });

  test("is in real units for integer tables", () => {
    const input = integerFormat(true, 8, 0.25);
    const output = integerFormat(true, 8, 0.5);
    const table = integerTable({
      spec: { fn: "x", domain: everything, input, output },
      coefficients: [[0], [64]],
      shift: 7,
    });
    expect(slopeAt(table, 10)).toBe(1);
  });
});

test("roundShift agrees with exact arithmetic where a double cannot hold the half added to the sum (20,000 samples)", () => {
  const source = random(3);
  const floorDiv = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((-a + b - 1n) / b));
  for (let i = 0; i < 20_000; i++) {
    const magnitude = 2 ** (1 + source.below(53)) - source.below(3);
    const sum = (i % 2 === 0 ? 1 : -1) * Math.min(magnitude, 2 ** 53 - 1);
    const shift = source.below(63);
    const divisor = 1n << BigInt(shift);
    const twice = 2n * BigInt(sum);
    const half = floorDiv(twice + divisor, 2n * divisor);
    const isTie = twice + divisor === half * 2n * divisor;
    expect(roundShift(sum, shift, "half-up") + 0).toBe(Number(half));
    expect(roundShift(sum, shift, "half-even") + 0).toBe(Number(isTie && half % 2n !== 0n ? half - 1n : half));
    expect(roundShift(sum, shift, "floor") + 0).toBe(Number(floorDiv(BigInt(sum), divisor)));
  }
});

test("atScale shares coefficients between input scales", () => {
  const shared = integerTable({
    coefficients: [[3], [2]],
    scales: [
      {
        input: integerFormat(true, 8, 0.5),
        clamp: [-Infinity, Infinity],
        index: { rule: "breakpoints", codes: [] },
        interceptShift: 1,
        shift: 0,
      },
      {
        input: integerFormat(true, 8, 0.25),
        clamp: [-Infinity, Infinity],
        index: { rule: "breakpoints", codes: [] },
        interceptShift: 2,
        shift: 1,
      },
    ],
  });
  expect(evaluate(atScale(shared, 0), 5)).toBe(2 * 5 + 6);
  expect(evaluate(atScale(shared, 1), 5)).toBe(11);
  expect(() => atScale(shared, 2)).toThrow(RangeError);
});

test("size is counted in segments and stored bytes", () => {
  const table = floatTable({
    index: { rule: "breakpoints", codes: [0, 1] },
    coefficients: [
      [0, 0, 0],
      [1, 1, 1],
    ],
  });
  expect(segmentCount(table)).toBe(3);
  expect(tableBytes(table)).toBe(3 * 8 + 2 * 4);
});
