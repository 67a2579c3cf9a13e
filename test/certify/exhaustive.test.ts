// Visiting every input against brute force by the definition: outputs bit for bit, worst errors, counts, and parts put together.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { finish, LutraError } from "../../packages/lutra/src/base/index.ts";
import {
  type Certificate,
  combineParts,
  type ExhaustedPart,
  exhaust,
  exhaustiveParts,
  type InputRange,
} from "../../packages/lutra/src/certify/index.ts";
import { nearLine } from "../../packages/lutra/src/certify/near-line.ts";
import { ANY_NAN, OutputDigest } from "../../packages/lutra/src/certify/output-digest.ts";
import { referenceOf } from "../../packages/lutra/src/certify/reference.ts";
import { functionNames, parseFn } from "../../packages/lutra/src/fn/index.ts";
import {
  BINARY16,
  fromBits32,
  fromOrdered32,
  parseFormat,
  toBits32,
  toOrdered32,
  ulpOf,
} from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Table } from "../../packages/lutra/src/table/index.ts";
import { certificateOf, chords, integerChords, kernelOf, TABLES } from "./tables.ts";

const SIGN = 0x80000000;
const INFINITE = 0x7f800000;
const MEASURES = ["absolute", "relative", "ulp"] as const;

const SUBJECTS: Readonly<Record<string, Table>> = {
  ...TABLES,
  "gelu rounded to binary16": {
    ...TABLES.gelu,
    spec: { ...TABLES.gelu.spec, output: BINARY16, domain: { lo: -64, hi: 64 } },
  },
  "cos, even": chords({ fn: "cos", range: { lo: 0, hi: 3 }, segments: 8, reductions: [{ by: "even" }] }),
  "gelu, reflected and odd": { ...TABLES.geluReflected, reductions: [{ by: "even" }, { by: "reflect" }] },
  "constant segments": withoutSlopes(chords({ fn: "tanh", range: { lo: -2, hi: 2 }, segments: 8 })),
  "hard-swish, with kinks": chords({ fn: "hard-swish", range: { lo: -4, hi: 4 }, segments: 7 }),
  "an expression with a jump": chords({
    fn: "where(x - 0.4, 1, 0)",
    range: { lo: 0, hi: 1 },
    segments: 1,
    inner: () => 0,
  }),
};

function withoutSlopes(table: Table): Table {
  return { ...table, coefficients: [table.coefficients[0] as number[]] };
}

/** Ranges where something happens: around every power of two near the borders of tables, both signs, zeros and both ends. */
function rangesOf({ lo, hi }: Table["spec"]["domain"]): InputRange[] {
  const around = (x: number, reach: number): InputRange => {
    const bits = toBits32(Math.abs(x));
    const sign = x < 0 ? SIGN : 0;
    return { first: sign + Math.max(0, bits - reach), last: sign + Math.min(INFINITE - 1, bits + reach) };
  };
  const points = [2 ** -130, 2 ** -126, 2 ** -20, 0.1, 0.4, 0.5, 1, 2, 3, 8, 80, 2 ** 100];
  const candidates = [
    ...points.flatMap((x) => [around(x, 700), around(-x, 700)]),
    ...[0, SIGN].map((sign) => ({ first: sign, last: sign + 300 })),
    ...[0, SIGN].map((sign) => ({ first: sign + INFINITE - 300, last: sign + INFINITE - 1 })),
  ];
  const inside = (bits: number): boolean => fromBits32(bits) >= lo && fromBits32(bits) <= hi;
  return candidates.filter(({ first, last }) => inside(first) && inside(last));
}

function outputBits(table: Table, bits: number): number {
  const y = evaluate(table, fromBits32(bits));
  return Number.isNaN(y) ? ANY_NAN : toBits32(y);
}

function digestByDefinition(table: Table, { first, last }: InputRange): string {
  const words = Uint32Array.from({ length: last - first + 1 }, (_, i) => outputBits(table, first + i));
  const digest = new OutputDigest();
  digest.absorb(words, words.length);
  return digest.text();
}

/** The same certificate as if nothing had been attained: the search begins at 0. */
function forgetful(certificate: Certificate): Certificate {
  const { absolute, relative, ulp } = certificate;
  const nothing = { lower: 0, at: null };
  return {
    ...certificate,
    absolute: { ...absolute, ...nothing },
    relative: { ...relative, ...nothing },
    ulp: { ...ulp, ...nothing },
  };
}

type Measure = (typeof MEASURES)[number];

/** Per measure: the largest error of all inputs, and how far the reference's own error may have moved any of them. */
function bruteForce(table: Table, { first, last }: InputRange): Record<Measure, { truth: number; doubt: number }> {
  const fn = parseFn(table.spec.fn);
  const worst = {
    absolute: { truth: 0, doubt: 0 },
    relative: { truth: 0, doubt: 0 },
    ulp: { truth: 0, doubt: 0 },
  };
  for (let bits = first; bits <= last; bits++) {
    const x = fromBits32(bits);
    const exact = fn.evaluate(x);
    const error = Math.abs(evaluate(table, x) - exact);
    const units = {
      absolute: 1,
      relative: Math.max(Math.abs(exact), 2 ** -14),
      ulp: ulpOf(table.spec.output, exact),
    };
    for (const measure of MEASURES) {
      const found = worst[measure];
      found.truth = Math.max(found.truth, error / units[measure]);
      found.doubt = Math.max(found.doubt, fn.errorAt(x) / units[measure] + found.truth * 2 ** -48);
    }
  }
  return worst;
}

describe("visiting every input", () => {
  it.each(Object.keys(SUBJECTS))("of %s delivers what the definition says and misses no worst error", (name) => {
    const table = SUBJECTS[name] as Table;
    const kernel = kernelOf(table);
    const certificate = certificateOf(table);
    const ranges = rangesOf(table.spec.domain);
    expect(ranges.length).toBeGreaterThan(3);
    for (const range of ranges) {
      const { digest, worst, unmeasured } = finish(exhaust(kernel, forgetful(certificate), range));
      const expected = bruteForce(table, range);
      expect({ digest, unmeasured }).toEqual({ digest: digestByDefinition(table, range), unmeasured: 0 });
      for (const measure of MEASURES) {
        const { truth, doubt } = expected[measure];
        const { upper, lower } = worst[measure];
        expect(upper).toBeGreaterThanOrEqual(truth - doubt);
        expect(upper).toBeLessThanOrEqual(certificate[measure].upper * (1 + 2 ** -29));
        expect(lower).toBeLessThanOrEqual(truth + doubt);
        expect(lower).toBeGreaterThanOrEqual(truth * (1 - 2 ** -29) - 2 * doubt);
      }
    }
  });

  it("starts from what the certificate attains and evaluates the function at few inputs only", () => {
    const certificate = certificateOf(TABLES.gelu);
    const at = toBits32(certificate.absolute.at as number);
    const { evaluated, worst } = finish(
      exhaust(kernelOf(TABLES.gelu), certificate, { first: at - 2 ** 18, last: at + 2 ** 18 }),
    );
    expect(worst.absolute.lower).toBeGreaterThanOrEqual(certificate.absolute.lower);
    expect(worst.absolute.upper).toBeLessThanOrEqual(certificate.absolute.upper);
    expect(worst.relative).toMatchObject({ lower: certificate.relative.lower, at: certificate.relative.at });
    expect(evaluated).toBeLessThan(2 ** 14);
  });

  it("counts infinities and NaNs as inputs without error, all NaNs as the same answer", () => {
    for (const sign of [0, SIGN]) {
      const range = { first: sign + INFINITE - 5, last: sign + INFINITE + 20 };
      const { unmeasured, digest } = finish(exhaust(kernelOf(TABLES.gelu), certificateOf(TABLES.gelu), range));
      expect(unmeasured).toBe(21);
      expect(digest).toBe(digestByDefinition(TABLES.gelu, range));
    }
  });

  it("refuses a certificate of another kernel, and kernels that were enumerated", () => {
    const range = { first: 0, last: 10 };
    expect(() => finish(exhaust(kernelOf(TABLES.tanh), certificateOf(TABLES.gelu), range))).toThrow(/another kernel/);
    const small = integerChords("tanh", parseInteger("s8.5"), parseInteger("s8.7"), [-4, -1, 0, 1, 4], 8);
    expect(() => finish(exhaust(kernelOf(small), certificateOf(small), range))).toThrow(LutraError);
  });
});

function parseInteger(text: string): Extract<ReturnType<typeof parseFormat>, { kind: "integer" }> {
  const format = parseFormat(text);
  if (format.kind !== "integer") throw new TypeError(text);
  return format;
}

describe("the parts of a domain", () => {
  it("without ends are 256 and hold all 2^32 bit patterns once", () => {
    const parts = exhaustiveParts({ lo: -Infinity, hi: Infinity });
    expect(parts.length).toBe(256);
    parts.forEach(({ first, last }, i) => {
      expect({ first, last }).toEqual({ first: i * 2 ** 24, last: (i + 1) * 2 ** 24 - 1 });
    });
  });

  it("with ends hold its binary32 values and no others, and zeros of both signs", () => {
    const inputs = (lo: number, hi: number): number =>
      exhaustiveParts({ lo, hi }).reduce((sum, { first, last }) => sum + last - first + 1, 0);
    const values = (lo: number, hi: number): number => toOrdered32(hi) - toOrdered32(lo) + 1;
    expect(inputs(1, 1.5)).toBe(values(1, 1.5));
    expect(inputs(-3, -2)).toBe(values(-3, -2));
    expect(inputs(-3, 2)).toBe(values(-3, 2) + 1);
    expect(inputs(0, 0)).toBe(2);
    expect(inputs(-Infinity, 0)).toBe(INFINITE + 2);
    expect(inputs(2 ** -126, Infinity)).toBe(INFINITE - 2 ** 23 + 1);
    expect(inputs(0.1, 0.1)).toBe(0);
  });

  it("put together in any order give the same, and not at all if one is missing", () => {
    const table = chords({ fn: "gelu", range: { lo: 0.125, hi: 3 }, segments: 4 });
    const certificate = certificateOf(table);
    const parts = exhaustiveParts(table.spec.domain).map(({ first, last }, i): ExhaustedPart => {
      const { absolute, relative, ulp } = certificate;
      const worst = { absolute: { ...absolute, lower: absolute.lower / (1 + (i % 2)), at: i }, relative, ulp };
      return { first, last, evaluated: i, unmeasured: 0, digest: `${i}`, worst };
    });
    expect(parts.length).toBeGreaterThan(2);
    const whole = combineParts(certificate, parts);
    expect(whole.worst.absolute).toMatchObject({ lower: certificate.absolute.lower, at: 0 });
    expect(combineParts(certificate, parts.toReversed())).toEqual(whole);
    expect(() => combineParts(certificate, parts.slice(1))).toThrow(RangeError);
    expect(() => combineParts(certificate, [...parts, parts[0] as ExhaustedPart])).toThrow(RangeError);
  });

  it("expose a certificate that an input refutes", () => {
    const table = chords({ fn: "gelu", range: { lo: 1, hi: 1.001 }, segments: 1 });
    const certificate = certificateOf(table);
    const parts = exhaustiveParts(table.spec.domain).map((range) =>
      finish(exhaust(kernelOf(table), certificate, range)),
    );
    expect(combineParts(certificate, parts).inputs).toBe(toOrdered32(1.001) - toOrdered32(1));
    const wrong = { ...certificate, absolute: { ...certificate.absolute, upper: certificate.absolute.lower / 2 } };
    expect(() => combineParts(wrong, parts)).toThrow(/says at most/);
  });
});

describe("the digest of outputs", () => {
  it("changes with every single bit and with the order", () => {
    const words = Uint32Array.from({ length: 50 }, (_, i) => toBits32(Math.fround(1 / (i + 1))));
    const digestOf = (changed: Uint32Array): string => {
      const digest = new OutputDigest();
      digest.absorb(changed, changed.length);
      return digest.text();
    };
    const seen = new Set([digestOf(words), digestOf(words.toReversed())]);
    for (let i = 0; i < words.length; i++) {
      for (let bit = 0; bit < 32; bit++) {
        seen.add(digestOf(words.map((word, at) => (at === i ? word ^ (1 << bit) : word))));
      }
    }
    expect(seen.size).toBe(2 + 50 * 32);
  });
});

describe("a line near a function", () => {
  it("is as near as it says for every named function and some expressions (sampled)", () => {
    for (const name of [...functionNames(), "abs(x) + x^3", "where(x, x, exp(x))", "x*sigmoid(1.702*x)"]) {
      const reference = referenceOf(parseFn(name));
      const { fn } = reference;
      const input = fc.integer({ min: toOrdered32(-100), max: toOrdered32(100) });
      const property = fc.property(input, fc.nat(4095), fc.nat(4095), (key, more, width) => {
        const [lo, hi] = [fromOrdered32(key), fromOrdered32(key + width)];
        const x = fromOrdered32(key + Math.min(more, width));
        if (lo < fn.domain.lo || hi > fn.domain.hi || !Number.isFinite(fn.evaluate(x))) return;
        const { slope, origin, offset, error } = nearLine(reference, lo, hi);
        if (error === Infinity) return;
        const line = slope * (x - origin) + offset;
        const doubt = fn.errorAt(x) + Math.abs(line) * 2 ** -50;
        expect(Math.abs(fn.evaluate(x) - line), `${name} at ${x}`).toBeLessThanOrEqual(error + doubt);
      });
      fc.assert(property, { seed: 11, numRuns: 500 });
    }
  });
});
