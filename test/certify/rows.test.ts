// Composed certificates of row layers: the bounds against rows of many kinds, sums in other orders, and the stated properties.

import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { finish, hash } from "../../packages/lutra/src/base/index.ts";
import { type Certificate, type CertifyOptions, certify } from "../../packages/lutra/src/certify/index.ts";
import * as reference from "../../packages/lutra/src/fn/index.ts";
import { fill, interpret, type Kernel } from "../../packages/lutra/src/kernel/index.ts";
import { layerNorm, logSoftmax, rmsNorm, softmax } from "../../packages/lutra/src/layer/index.ts";
import { type Random, random, ulp32 } from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Table } from "../../packages/lutra/src/table/index.ts";
import { chords, TABLES } from "./tables.ts";

const EPSILON = Math.fround(1e-5);
const NORM = { epsilon: EPSILON, gamma: true, beta: true, maxRow: 768 };

function certified(kernel: Kernel, tables: Readonly<Record<string, Table>> = TABLES, options: CertifyOptions = {}) {
  const filled = fill(kernel, tables);
  return { filled, certificate: finish(certify(filled, options)) };
}

function run(kernel: Kernel, row: readonly number[]): Float64Array {
  const inputs = { x: row, gamma: row.map(() => 1), beta: row.map(() => 0) };
  return interpret(kernel, inputs, 1, row.length)[0] as Float64Array;
}

function randomRow(source: Random, longest: number): number[] {
  const length = 1 + source.below(longest);
  const scale = 2 ** (source.below(10) - 4);
  return Array.from({ length }, () => Math.fround(scale * source.normal()));
}

/** Some positions set to a mask value, never the first. */
function masked(row: readonly number[], mask: number, source: Random): number[] {
  return row.map((x, i) => (i > 0 && source.below(3) === 0 ? mask : x));
}

/** One expectation per row: expect() is slow. 1e-13 is far more than the references' own error. */
function checkRow({ absolute, relative, ulp }: Certificate, delivered: Float64Array, exact: Float64Array): void {
  const wrong = exact.findIndex((y, i) => {
    if (!Number.isFinite(y)) return !Object.is(delivered[i], y);
    const error = Math.abs((delivered[i] as number) - y) - 1e-13 * (1 + Math.abs(y));
    const share = error / Math.max(Math.abs(y), relative.floor);
    return !(error <= absolute.upper && share <= relative.upper && error / ulp32(y) <= ulp.upper);
  });
  expect(wrong).toBe(-1);
}

describe("the certificate of Softmax", () => {
  let filled: Kernel;
  let certificate: Certificate;
  beforeAll(() => {
    ({ filled, certificate } = certified(softmax(512)));
  });

  it("holds on 2,000 seeded rows, masked ones too (sampled)", () => {
    const source = random(5);
    for (let i = 0; i < 2000; i++) {
      const values = randomRow(source, i % 10 === 0 ? 512 : 40);
      const row = i % 3 === 0 ? masked(values, i % 2 === 0 ? -Infinity : -10000, source) : values;
      checkRow(certificate, run(filled, row), reference.softmax(row));
    }
  });

  it("is within a quarter of an error attained by a row it names", () => {
    const { absolute, relative } = certificate;
    expect(absolute.upper).toBeLessThan(1.25 * absolute.lower);
    expect(relative.upper).toBeLessThan(1.25 * relative.lower);
    const [row, at] = [absolute.row as number[], absolute.at as number];
    const [delivered, exact] = [run(filled, row), reference.softmax(row)];
    expect(Math.abs((delivered[at] as number) - (exact[at] as number))).toBeCloseTo(absolute.lower, 9);
  });

  it("holds whatever the order of the sum (sampled)", () => {
    const exp = TABLES.exp as Table;
    const reciprocal = TABLES.reciprocal as Table;
    const source = random(9);
    for (let i = 0; i < 200; i++) {
      const row = randomRow(source, 400);
      const largest = Math.max(...row);
      const e = row.map((x) => Math.min(evaluate(exp, Math.fround(x - largest)), evaluate(exp, 0)));
      const order = i % 2 === 0 ? e.toSorted((a, b) => b - a) : e.toSorted((a, b) => a - b);
      const sum = order.reduce((s, x) => Math.fround(s + x), 0);
      const r = evaluate(reciprocal, sum);
      checkRow(
        certificate,
        Float64Array.from(e, (x) => Math.min(Math.fround(x * r), 1)),
        reference.softmax(row),
      );
    }
  });

  it("states, and the rows show, that masks give 0, nothing exceeds 1 and the maximum stays on top (sampled)", () => {
    const stated = certificate.properties.join("\n");
    const [, distance] = /-Infinity, or ([\d.]+) or more below/.exec(stated) as unknown as [string, string];
    expect(stated).toMatch(/exactly 0/);
    expect(stated).toMatch(/no probability is above 1/);
    const [, gap] = /argmax is kept.*more than ([\d.e-]+) below it gets less/.exec(stated) as unknown as [
      string,
      string,
    ];
    expect(Number(gap)).toBeLessThan(0.002);
    const value = fc.oneof(
      fc.float({ min: -30, max: 30, noNaN: true }),
      fc.constantFrom(-Infinity, -10000, Number(distance) * -1 - 30),
    );
    const property = fc.property(fc.array(value, { minLength: 1, maxLength: 40 }), (values) => {
      const row = values.map(Math.fround);
      const largest = Math.max(...row);
      const p = run(filled, row);
      if (largest === -Infinity) {
        expect(p.every(Number.isNaN)).toBe(true);
        return;
      }
      const top = Math.max(...p);
      row.forEach((x, i) => {
        expect(p[i]).toBeLessThanOrEqual(1);
        expect(p[i]).toBeGreaterThanOrEqual(0);
        if (x === largest) expect(p[i]).toBe(top);
        else if (largest - x > Number(gap)) expect(p[i]).toBeLessThan(top);
        if (largest - x >= Number(distance)) expect(p[i]).toBe(0);
      });
    });
    fc.assert(property, { seed: 3, numRuns: 500 });
  });

  it("does not claim that probabilities lie in [0, 1] when the table of 1/x is negative", () => {
    const negative: Table = {
      ...TABLES.reciprocal,
      coefficients: [[-1000]],
      index: { rule: "breakpoints", codes: [] },
      reductions: [],
    };
    const { certificate: of } = certified(softmax(64), { ...TABLES, reciprocal: negative });
    expect(of.absolute.upper).toBeGreaterThan(1000);
    expect(of.properties.join()).not.toMatch(/below 0|argmax/);
  });

  it("widens the stated gap of ties where the table of exp is flat", () => {
    const flat = {
      ...TABLES.exp,
      reductions: [],
      index: { rule: "breakpoints", codes: [-1] },
      coefficients: [[0.5, 1]],
    } as Table;
    const { certificate: of } = certified(softmax(2), { ...TABLES, exp: flat });
    const [, gap] = /more than ([\d.e-]+) below it gets less/.exec(of.properties.join()) as unknown as [string, string];
    expect(Number(gap)).toBeGreaterThanOrEqual(1);
  });

  it("needs no reduction: a plain table of exp with a tail of 0 is certified too", () => {
    const plain = chords({
      fn: "exp",
      range: { lo: -16, hi: 0 },
      segments: 64,
      domain: { lo: -Infinity, hi: 0 },
      tails: [
        [0, 0],
        [0, 1],
      ],
    });
    const { filled: kernel, certificate: of } = certified(softmax(64), { ...TABLES, exp: plain });
    expect(of.absolute.upper).toBeLessThan(0.02);
    const source = random(2);
    for (let i = 0; i < 300; i++) {
      const row = randomRow(source, 64);
      checkRow(of, run(kernel, row), reference.softmax(row));
    }
  });

  it("refuses a table of exp that has no answer for masked positions", () => {
    const unclamped: Table = {
      ...chords({ fn: "exp", range: { lo: -8, hi: 0 }, segments: 8, domain: { lo: -Infinity, hi: 0 } }),
      clamp: [-Infinity, Infinity],
    };
    expect(() => certified(softmax(64), { ...TABLES, exp: unclamped })).toThrow(/masked positions/);
  });

  it("carries the certificates of its tables and moves when one of their entries does", () => {
    expect(certificate.shown).toBe("composed");
    expect(Object.keys(certificate.holes ?? {}).toSorted()).toEqual(["exp", "reciprocal"]);
    const slopes = TABLES.exp.coefficients[1] as readonly number[];
    const bumped: Table = {
      ...TABLES.exp,
      coefficients: [
        TABLES.exp.coefficients[0] as number[],
        slopes.with(7, Math.fround((slopes[7] as number) * 1.0000002)),
      ],
    };
    const { certificate: other } = certified(softmax(512), { ...TABLES, exp: bumped });
    expect(other.kernelHash).not.toBe(certificate.kernelHash);
    expect(hash(other.segments)).not.toBe(hash(certificate.segments));
  });

  it("refuses a kernel that is another formula under the same name", () => {
    const kernel = softmax(64);
    const clipped = {
      ...kernel,
      values: kernel.values.map((v) => (v.op === "const" && v.value === 1 ? { ...v, value: 2 } : v)),
    };
    expect(() => certified(clipped)).toThrow(/not the layer that the proof is about/);
  });
});

describe("the certificate of LogSoftmax", () => {
  it("holds on 1,000 seeded rows, masked ones too (sampled)", () => {
    const { filled, certificate } = certified(logSoftmax(512));
    const source = random(6);
    for (let i = 0; i < 1000; i++) {
      const values = randomRow(source, 64).map((x) => Math.max(-60, Math.min(60, x)));
      const row = i % 3 === 0 ? masked(values, -Infinity, source) : values;
      checkRow(certificate, run(filled, row), reference.logSoftmax(row));
    }
    expect(certificate.absolute.upper).toBeLessThan(4 * certificate.absolute.lower);
  });
});

describe("the certificate of LayerNorm", () => {
  it("holds on 1,000 seeded rows of its class (sampled)", () => {
    const { filled, certificate } = certified(layerNorm(NORM));
    const source = random(8);
    let covered = 0;
    for (let i = 0; i < 1000; i++) {
      const row = randomRow(source, i % 10 === 0 ? 768 : 32);
      const shift = i % 4 === 0 ? Math.fround(source.normal()) : 0;
      const shifted = row.map((x) => Math.fround(x + shift));
      const mean = shifted.reduce((s, x) => s + x, 0) / shifted.length;
      const variance = shifted.reduce((s, x) => s + (x - mean) ** 2, 0) / shifted.length;
      if (Math.abs(mean) > 4 * Math.sqrt(variance + EPSILON)) continue;
      covered++;
      checkRow(certificate, run(filled, shifted), reference.layerNorm(shifted, null, null, EPSILON));
    }
    expect(covered).toBeGreaterThan(800);
  });

  it("speaks of rows with a larger mean on request, at the price of a larger bound", () => {
    const usual = certified(layerNorm(NORM)).certificate;
    const wide = certified(layerNorm(NORM), TABLES, { rows: { meanRatio: 100 } }).certificate;
    expect(usual.over).toContain("|mean| <= 4 sqrt(variance + epsilon)");
    expect(wide.over).toContain("|mean| <= 100 sqrt(variance + epsilon)");
    expect(wide.absolute.upper).toBeGreaterThan(usual.absolute.upper);
  });

  it("says what gamma and beta do, and seeded rows keep to it (sampled)", () => {
    const { filled, certificate } = certified(layerNorm(NORM));
    const stated = certificate.properties.find((text) => text.startsWith("with gamma")) as string;
    const [, share, rest] = /\(([\d.e-]+) \|z\| \+ ([\d.e-]+)\)/.exec(stated) as unknown as [string, string, string];
    const source = random(4);
    for (let i = 0; i < 200; i++) {
      const row = Array.from({ length: 16 }, () => Math.fround(source.normal()));
      const gamma = row.map(() => Math.fround(3 * source.normal()));
      const beta = row.map(() => Math.fround(source.normal()));
      const delivered = interpret(filled, { x: row, gamma, beta }, 1, 16)[0] as Float64Array;
      const exact = reference.layerNorm(row, gamma, beta, EPSILON);
      const normal = reference.layerNorm(row, null, null, EPSILON);
      exact.forEach((y, j) => {
        const scale = Math.abs(gamma[j] as number);
        const z = Math.abs(normal[j] as number);
        const roundings = (scale * z + Math.abs(y)) * 2 ** -24 * 1.01;
        const bound = scale * (Number(share) * z + Number(rest)) + roundings;
        expect(Math.abs((delivered[j] as number) - y)).toBeLessThanOrEqual(bound);
      });
    }
  });
});

describe("the certificate of RMSNorm", () => {
  it("is relative alone and holds on 1,000 seeded rows (sampled)", () => {
    const { filled, certificate } = certified(rmsNorm({ ...NORM, beta: false }));
    const source = random(12);
    for (let i = 0; i < 1000; i++) {
      const row = randomRow(source, i % 10 === 0 ? 768 : 32);
      checkRow(certificate, run(filled, row), reference.rmsNorm(row, null, EPSILON));
    }
    expect(certificate.relative.upper).toBeLessThan(1.05 * certificate.relative.lower);
  });
});

describe("the two-weights lemma of Softmax", () => {
  it("p f / (p f + (1 - p) g) is within (sqrt k - 1) / (sqrt k + 1) of p, and reaches it", () => {
    const property = fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0.5, max: 2, noNaN: true }),
      fc.double({ min: 0.5, max: 2, noNaN: true }),
      (p, f, g) => {
        const root = Math.sqrt(Math.max(f, g) / Math.min(f, g));
        const q = (p * f) / (p * f + (1 - p) * g);
        expect(Math.abs(q - p)).toBeLessThanOrEqual((root - 1) / (root + 1) + 1e-12);
      },
    );
    fc.assert(property, { seed: 1, numRuns: 2000 });
    const root = Math.sqrt(1.5);
    const p = 1 / (1 + root);
    expect((p * 1.5) / (p * 1.5 + (1 - p)) - p).toBeCloseTo((root - 1) / (root + 1), 12);
  });
});
