// I-BERT against a straight transcription of its published formulas in BigInt, and against the errors measured for it.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { drive, LutraError } from "../../packages/lutra/src/base/index.ts";
import { certify } from "../../packages/lutra/src/certify/index.ts";
import { layerNorm, parseFn, softmax } from "../../packages/lutra/src/fn/index.ts";
import { interpret, type Kernel, verify } from "../../packages/lutra/src/kernel/index.ts";
import {
  hGelu,
  iErf,
  iErfFloat,
  iExp,
  iExpFloat,
  iGelu,
  iGeluFloat,
  iLayerNorm,
  iSoftmax,
  iSqrt,
} from "../../packages/lutra/src/layer/index.ts";
import {
  allCodes,
  BINARY32,
  decode,
  type IntegerFormat,
  integerFormat,
  random,
} from "../../packages/lutra/src/num/index.ts";

const gelu = parseFn("gelu");
const exp = parseFn("exp");

// the published formulas, in exact integers ----------------------------------------------------------------------------

function floorDiv(a: bigint, b: bigint): bigint {
  return a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n);
}

function halfEven(a: bigint, b: bigint): bigint {
  const down = floorDiv(a, b);
  const twice = 2n * (a - down * b);
  return twice > b || (twice === b && down % 2n !== 0n) ? down + 1n : down;
}

function rootOf(n: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(n))));
  while (root * root > n) root--;
  while ((root + 1n) * (root + 1n) <= n) root++;
  return root;
}

/** int_erf at a scale of k 2^-f (k as a fraction of integers), codes before the negative scale. */
function publishedErf(q: bigint, f: bigint, [k, of]: readonly [bigint, bigint], shift: bigint): bigint {
  const b = floorDiv((-1769n * k) << f, 1000n * of);
  const c = floorDiv((-10000n * k * k) << (2n * f), 2888n * of * of);
  const size = q < 0n ? -q : q;
  const short = (size < -b ? size : -b) + b;
  const y = short * short + c;
  return floorDiv(q < 0n ? -y : q === 0n ? 0n : y, 1n << shift);
}

/** IntGELU: S' = S / 1.4142; 1 / S_y = 1.4142^2 4^f / (a 2^14). */
function publishedGelu(q: bigint, f: bigint): bigint {
  const one = floorDiv((-10000n * 14142n * 14142n) << (2n * f), (2888n * 10n ** 8n) << 14n);
  return q * (publishedErf(q, f, [14142n, 10000n], 14n) + one);
}

/** int_exp, then QuantAct to 16 bits with the scale that makes exp(0) 32767; x <= 0. */
function publishedExp(x: bigint, f: bigint): bigint {
  const x0 = floorDiv(-6931n << f, 10000n);
  const b = floorDiv(96963238n << f, 35815147n);
  const c = floorDiv(100000000n << (2n * f), 35815147n);
  const clipped = x > 30n * x0 ? x : 30n * x0;
  const q = floorDiv(clipped, x0);
  const r = clipped - x0 * q;
  const z = r * (r + b) + c;
  const wide = z << (30n - q);
  const positive = wide < 0n ? 0n : wide;
  // m / 2^e nearest to 32767 / (c 2^30), m of 31 bits.
  let e = 31n;
  while (32767n << e < c << 60n) e++;
  const m = floorDiv((32767n << e) * 2n + (c << 30n), c << 31n);
  const code = halfEven(positive * m, 1n << e);
  return code > 32767n ? 32767n : code;
}

function publishedSoftmax(row: readonly bigint[], f: bigint): readonly bigint[] {
  const max = BigInt(Math.max(...row.map(Number)));
  const e = row.map((x) => publishedExp(x - max, f));
  const factor = floorDiv(
    1n << 32n,
    e.reduce((a, b) => a + b),
  );
  return e.map((x) => floorDiv(x * factor, 1n << 24n));
}

function publishedLayerNorm(row: readonly bigint[], shift: bigint): readonly bigint[] {
  const mean = halfEven(
    row.reduce((a, b) => a + b),
    BigInt(row.length),
  );
  const y = row.map((x) => x - mean);
  const variance = y.reduce((sum, x) => sum + floorDiv(x, 1n << shift) ** 2n, 0n);
  const factor = floorDiv(1n << 31n, rootOf(variance) << shift);
  return y.map((x) => floorDiv(x * factor, 2n));
}

// --------------------------------------------------------------------------------------------------------------------

function run(kernel: Kernel, codes: ArrayLike<number>, rows = 1): number[] {
  return [...(interpret(kernel, { x: codes }, rows, codes.length / rows)[0] ?? [])];
}

/** Largest error of an elementwise kernel over its codes, and the mean square. */
function errors(kernel: Kernel, f: (x: number) => number, inside: (x: number) => boolean) {
  const { input, output } = kernel.spec;
  const codes = [...allCodes(input)].filter((q) => inside(decode(input, q)));
  const found = run(kernel, codes).map((y, i) => Math.abs(decode(output, y) - f(decode(input, codes[i] as number))));
  return { max: Math.max(...found), mse: found.reduce((sum, e) => sum + e * e, 0) / found.length };
}

function sampled(kernel: Kernel, f: (x: number) => number, lo: number, hi: number, count = 80_000) {
  const x = Float32Array.from({ length: count }, (_, i) => lo + ((hi - lo) * i) / count);
  const y = run(kernel, x);
  const found = y.map((value, i) => Math.abs(value - f(x[i] as number)));
  const relative = found.map((e, i) => e / Math.abs(f(x[i] as number)));
  const largest = (all: readonly number[]): number => all.reduce((a, b) => Math.max(a, b), 0);
  return { max: largest(found), relative: largest(relative), mse: found.reduce((sum, e) => sum + e * e, 0) / count };
}

const fixed = (bits: number, fraction: number): IntegerFormat => integerFormat(true, bits, 2 ** -fraction);

describe("i-GELU and i-erf in integers", () => {
  for (const [bits, f] of [
    [8, 5],
    [8, 4],
    [16, 9],
    [16, 10],
    [16, 12],
  ] as const) {
    test(`s${bits}.${f}: every code as published`, () => {
      const kernel = iGelu(fixed(bits, f));
      verify(kernel);
      const codes = [...allCodes(kernel.spec.input)];
      const wrong = run(kernel, codes).filter(
        (y, i) => y !== -Number(publishedGelu(BigInt(codes[i] as number), BigInt(f))),
      );
      expect(wrong).toEqual([]);
      const erf = run(iErf(fixed(bits, f)), codes);
      const published = codes.map((q) => Number(-publishedErf(BigInt(q), BigInt(f), [1n, 1n], 14n)) + 0);
      expect(erf).toEqual(published);
    });
  }

  test("with int8 codes of scale 2^-5 the published shift leaves an error of 5.2; 2^-9 has 3.0e-2, 2^-10 2.3e-2 on [-4, 4)", () => {
    const inside = (x: number): boolean => x >= -4 && x < 4;
    expect(errors(iGelu(fixed(8, 5)), gelu.evaluate, inside).max).toBeCloseTo(5.201, 3);
    expect(errors(iGelu(fixed(16, 9)), gelu.evaluate, inside).max).toBeCloseTo(0.0299, 4);
    expect(errors(iGelu(fixed(16, 10)), gelu.evaluate, inside).max).toBeCloseTo(0.0229, 4);
  });

  test("corrected, int8 codes of scale 2^-5 are as good as the polynomial: 1.7e-2", () => {
    const kernel = iGelu(fixed(8, 5), { erfShift: "corrected" });
    verify(kernel);
    expect(errors(kernel, gelu.evaluate, () => true).max).toBeCloseTo(0.0169, 4);
  });

  test("are certified by enumeration", async () => {
    const certificate = await drive(certify(iGelu(fixed(8, 5))));
    expect(certificate.shown).toBe("enumerated");
    expect(certificate.absolute.upper).toBeCloseTo(5.201, 3);
  });

  test("in binary32, and functions of rows, have no proof: certify says so", async () => {
    for (const kernel of [iGeluFloat(), iSoftmax(fixed(8, 4), { maxRow: 8 })]) {
      await expect(drive(certify(kernel))).rejects.toThrow(LutraError);
    }
  });

  test("refuse zero points, floats and scales that exact codes cannot follow", () => {
    expect(() => iGelu(integerFormat(true, 8, 0.1, 3))).toThrow(LutraError);
    expect(() => iGelu(BINARY32)).toThrow(/i-GELU cannot take binary32/);
    expect(() => iErf(fixed(32, 26))).toThrow(/too fine/);
  });
});

describe("i-exp", () => {
  for (const [bits, f] of [
    [8, 4],
    [16, 8],
    [16, 10],
  ] as const) {
    test(`s${bits}.${f}: every code up to 0 as published and requantized; codes above 0 answer as 0`, () => {
      const kernel = iExp(fixed(bits, f));
      verify(kernel);
      const codes = [...allCodes(kernel.spec.input)];
      const wrong = run(kernel, codes).filter(
        (y, i) => y !== Number(publishedExp(BigInt(Math.min(0, codes[i] as number)), BigInt(f))),
      );
      expect(wrong).toEqual([]);
    });
  }

  test("rounds ln 2 to codes: at scale 2^-4 it is off by 2.7e-2, at 2^-8 and corrected by 1.9e-3", () => {
    const below = (x: number): boolean => x <= 0;
    expect(errors(iExp(fixed(8, 4)), exp.evaluate, below).max).toBeCloseTo(0.0271, 4);
    expect(errors(iExp(fixed(16, 8)), exp.evaluate, below).max).toBeCloseTo(0.00194, 5);
    const corrected = iExp(fixed(8, 4), { expScale: "corrected" });
    verify(corrected);
    expect(errors(corrected, exp.evaluate, below).max).toBeLessThan(0.00195);
    expect(run(corrected, [-64, -3, 0])).toEqual([-64, -3, 0].map((q) => Number(publishedExp(BigInt(q) << 5n, 9n))));
  });

  test("refuses scales its polynomial cannot have", () => {
    expect(() => iExp(fixed(16, 12))).toThrow(/i-exp cannot take s16.12/);
  });
});

describe("i-sqrt", () => {
  test("is the floor of the root: every 16-bit code, and beside every square below 2^32", () => {
    const narrow = iSqrt(integerFormat(false, 16));
    verify(narrow);
    const codes = [...allCodes(narrow.spec.input)];
    expect(run(narrow, codes)).toEqual(codes.map((q) => Math.floor(Math.sqrt(q))));
    const squares = Array.from({ length: 65535 }, (_, i) => [(i + 1) ** 2, (i + 1) ** 2 - 1]).flat();
    const wrong = run(iSqrt(integerFormat(false, 32)), squares).filter(
      (root, i) => root !== Number(rootOf(BigInt(squares[i] as number))),
    );
    expect(wrong).toEqual([]);
  });
});

describe("i-Softmax", () => {
  const int8 = fixed(8, 4);
  const kernel = iSoftmax(int8, { maxRow: 512 });

  test("is as published on random rows", () => {
    verify(kernel);
    const rows = fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(rows, (row) => {
        expect(run(kernel, row)).toEqual(publishedSoftmax(row.map(BigInt), 4n).map(Number));
      }),
      { seed: 31, numRuns: 300 },
    );
  });

  test("at scale 2^-8 is within 1.5 codes of softmax", () => {
    const fine = iSoftmax(fixed(16, 8), { maxRow: 64 });
    verify(fine);
    const source = random(4);
    for (let i = 0; i < 50; i++) {
      const row = Array.from({ length: 20 }, () => Math.round(300 * source.normal()));
      const exact = softmax(row.map((q) => q / 256));
      const off = run(fine, row).map((p, at) => Math.abs(p - 256 * (exact[at] as number)));
      expect(Math.max(...off)).toBeLessThan(1.5);
    }
  });

  test("corrected, int8 codes of scale 2^-4 are within 1.5 codes of softmax; as published they are not", () => {
    const source = random(5);
    const rows = Array.from({ length: 60 }, () =>
      Array.from({ length: 20 }, () => Math.max(-128, Math.min(127, Math.round(24 * source.normal())))),
    );
    const worst = (by: Kernel): number => {
      const off = rows.flatMap((row) => {
        const exact = softmax(row.map((q) => q / 16));
        return run(by, row).map((p, at) => Math.abs(p - 256 * (exact[at] as number)));
      });
      return Math.max(...off);
    };
    const corrected = iSoftmax(int8, { maxRow: 64, expScale: "corrected" });
    verify(corrected);
    expect(worst(corrected)).toBeLessThan(1.5);
    expect(worst(kernel)).toBeGreaterThan(4);
  });

  test("refuses rows longer than its proof", () => {
    expect(() => run(kernel, new Array(513).fill(0))).toThrow(/at most 512/);
    expect(() => verify(iSoftmax(int8, { maxRow: 2 ** 40 }))).toThrow(/overflows/);
  });
});

describe("i-LayerNorm", () => {
  test("is as published on random rows, the shift being the least that no row overflows", () => {
    for (const [bits, shift] of [
      [8, 0n],
      [16, 4n],
    ] as const) {
      const kernel = iLayerNorm(fixed(bits, bits - 4), { columns: 200, bias: false });
      verify(kernel);
      const most = 2 ** (bits - 1);
      const rows = fc.array(fc.integer({ min: -most, max: most - 1 }), { minLength: 200, maxLength: 200 });
      fc.assert(
        fc.property(rows, (row) => {
          expect(run(kernel, row)).toEqual(publishedLayerNorm(row.map(BigInt), shift).map(Number));
        }),
        { seed: 32, numRuns: 60 },
      );
    }
  });

  test("is LayerNorm within 2e-3 (the mean is rounded to codes of 1/512 of the deviation), adds its bias, and answers 0 where all numbers are equal", () => {
    const kernel = iLayerNorm(fixed(16, 8), { columns: 64, bias: true });
    verify(kernel);
    const source = random(6);
    const row = Array.from({ length: 64 }, () => Math.round(512 * source.normal()));
    const { scale } = kernel.spec.output as IntegerFormat;
    const bias = row.map((_, i) => Math.floor(i / scale / 64));
    const delivered = interpret(kernel, { x: row, bias }, 1, 64)[0] as Float64Array;
    const exact = layerNorm(row, null, null, 1e-9);
    const off = delivered.map((y, i) => Math.abs(y * scale - (exact[i] as number) - i / 64));
    expect(Math.max(...off)).toBeLessThan(2e-3);
    const level = interpret(kernel, { x: row.map(() => 7), bias: row.map(() => 0) }, 1, 64)[0] as Float64Array;
    expect([...level].every((y) => y === 0)).toBe(true);
  });

  test("refuses codes of more than 22 bits", () => {
    expect(() => iLayerNorm(fixed(24, 8), { columns: 8, bias: false })).toThrow(/at most 22 bits/);
    verify(iLayerNorm(fixed(22, 8), { columns: 4096, bias: true }));
  });
});

describe("the formulas in binary32", () => {
  test("i-GELU on [-4, 4): mean square 6.7e-5, largest error 1.8e-2", () => {
    verify(iGeluFloat());
    const { max, mse } = sampled(iGeluFloat(), gelu.evaluate, -4, 4);
    expect(max).toBeCloseTo(0.01815, 5);
    expect(mse).toBeCloseTo(6.705e-5, 8);
  });

  test("L jumps by 0.19 at 0 and is 0 there", () => {
    verify(iErfFloat());
    const [below, at, above] = run(iErfFloat(), [-1e-30, 0, 1e-30]) as [number, number, number];
    expect(at).toBe(0);
    expect(above).toBeCloseTo(0.0962, 4);
    expect(above - below).toBeCloseTo(0.1925, 4);
  });

  test("i-exp on [-8, 0]: mean square 2.2e-7, largest error 1.9e-3, relative 3.8e-3", () => {
    verify(iExpFloat());
    const { max, relative, mse } = sampled(iExpFloat(), exp.evaluate, -8, 0);
    expect(max).toBeCloseTo(0.001913, 6);
    expect(relative).toBeCloseTo(0.003778, 6);
    expect(mse).toBeCloseTo(2.17e-7, 9);
    expect(run(iExpFloat(), [-1e30, -30, 0])).toEqual([...run(iExpFloat(), [-25, -21]), 1]);
  });

  test("h-GELU on [-4, 4): largest error 6.9e-2", () => {
    verify(hGelu());
    expect(sampled(hGelu(), gelu.evaluate, -4, 4).max).toBeCloseTo(0.0687, 4);
  });
});
