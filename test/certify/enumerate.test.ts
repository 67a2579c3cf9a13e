// Enumerated certificates: every number against a plain loop, and every entry of a table shown to matter or to be dead.

import { describe, expect, it } from "vitest";
import { finish, LutraError } from "../../packages/lutra/src/base/index.ts";
import { certify, checkCertificate } from "../../packages/lutra/src/certify/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import { fill, KernelBuilder } from "../../packages/lutra/src/kernel/index.ts";
import {
  allCodes,
  BFLOAT16,
  BINARY16,
  decode,
  encode,
  type IntegerFormat,
  parseFormat,
  ulpOf,
} from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Table } from "../../packages/lutra/src/table/index.ts";
import { bumpsOf } from "./bump.ts";
import { certificateOf, chords, errorOf, integerChords, kernelOf, TABLES } from "./tables.ts";

const S8 = parseFormat("s8.5") as IntegerFormat;
const GELU8 = integerChords("gelu", S8, S8, [-4, -2, -1, -0.5, 0, 0.5, 1, 2, 4], 6);
const AFFINE = integerChords(
  "sigmoid",
  parseFormat("int8:0.0831:7") as IntegerFormat,
  parseFormat("uint8:0.0039") as IntegerFormat,
  [-12, -4, -2, -1, 0, 1, 2, 4, 12],
  8,
);
const S16 = parseFormat("s16.12") as IntegerFormat;
const GELU16 = integerChords("gelu", S16, S16, [-8, -3, -2, -1, 0, 1, 2, 3, 8], 12);
const S12 = parseFormat("s12.8") as IntegerFormat;
const S6 = parseFormat("s6.3") as IntegerFormat;
const DIRECT = direct("gelu", S8);

/** One entry per code, each correctly rounded. */
function direct(fn: string, format: IntegerFormat): Table {
  const codes = allCodes(format);
  return {
    ...integerChords(fn, format, format, [-1, 1], 0),
    index: { rule: "direct", first: codes[0] as number },
    coefficients: [Array.from(codes, (code) => encode(format, parseFn(fn).evaluate(decode(format, code))))],
  };
}

function outputs(table: Table): Float64Array {
  return allCodes(table.spec.input).map((code) => evaluate(table, code));
}

describe("an enumerated certificate", () => {
  it.each([
    ["gelu s8.5", GELU8],
    ["sigmoid int8 to uint8", AFFINE],
    ["gelu s16.12", GELU16],
    ["gelu direct", DIRECT],
  ])("of %s is what a plain loop over all codes finds", (_, table) => {
    const codes = allCodes(table.spec.input);
    const errors = codes.map((code) => errorOf(table, evaluate(table, code), code));
    const { output } = table.spec;
    const exact = codes.map((code) => parseFn(table.spec.fn).evaluate(decode(table.spec.input, code)));
    const certificate = certificateOf(table);
    const largest = Math.max(...errors.map(Math.abs));
    expect(certificate.shown).toBe("enumerated");
    expect(certificate.absolute.lower / largest).toBeCloseTo(1, 9);
    expect(certificate.absolute.upper / largest).toBeCloseTo(1, 9);
    expect(certificate.absolute.upper).toBeGreaterThanOrEqual(largest);
    expect(certificate.ulp.upper).toBeCloseTo(largest / ulpOf(output, 0), 9);
    expect(certificate.mse).toBeCloseTo(errors.reduce((sum, e) => sum + e * e, 0) / codes.length, 15);
    const off = codes.map((code, i) => Math.abs(evaluate(table, code) - encode(output, exact[i] as number)));
    expect(certificate.offBy?.reduce((sum, n) => sum + n, 0)).toBe(codes.length);
    if (certificate.undecided === 0) {
      certificate.offBy?.forEach((n, distance) => {
        expect(n).toBe(off.filter((o) => o === distance).length);
      });
    }
    const counted = certificate.segments.reduce((sum, { count }) => sum + (count ?? 0), 0);
    expect(counted).toBe(codes.length);
  });

  it("counts a code whose correct rounding the reference cannot tell at the larger distance", () => {
    // hard-swish(3 / 2^5) and others lie exactly half way between codes.
    const table = integerChords("x/2", S8, S8, [-4, 4], 6);
    const { undecided, offBy } = certificateOf(table);
    expect(undecided).toBeGreaterThan(100);
    expect(offBy?.[0]).toBe(256 - undecided);
  });

  it("of a one-entry-per-code table is off by none", () => {
    const { offBy, undecided } = certificateOf(DIRECT);
    expect(offBy?.[0]).toBeGreaterThanOrEqual(256 - undecided);
  });

  it.each([
    ["bfloat16", BFLOAT16],
    ["binary16", BINARY16],
  ])("covers every %s code in the domain", (_, format) => {
    const table: Table = {
      ...TABLES.gelu,
      spec: { ...TABLES.gelu.spec, input: format, output: format, domain: { lo: -100, hi: 100 } },
    };
    const certificate = certificateOf(table);
    const codes = allCodes(format).filter((code) => Math.abs(code) <= 100);
    const largest = Math.max(...codes.map((code) => Math.abs(errorOf(table, evaluate(table, code), code))));
    expect(certificate.absolute.lower / largest).toBeCloseTo(1, 9);
    expect(certificate.offBy).toBeNull();
    expect(certificate.over).toContain(codes.length.toLocaleString("en-US"));
  });

  it("goes through the whole kernel, not only its table", () => {
    const build = new KernelBuilder();
    const x = build.param("x", "element");
    const doubled = build.binary("add", x, x);
    const spec = { ...TABLES.gelu.spec, input: BFLOAT16, domain: { lo: -4, hi: 4 } };
    const kernel = build.finish({ ...spec, fn: "gelu(2*x)" }, build.lookup("f", spec, doubled));
    const table: Table = { ...TABLES.gelu, spec };
    const certificate = finish(certify(fill(kernel, { f: table })));
    const codes = allCodes(BFLOAT16).filter((code) => Math.abs(code) <= 4);
    const { evaluate: f } = parseFn("gelu");
    const largest = Math.max(...codes.map((code) => Math.abs(evaluate(table, 2 * code) - f(2 * code))));
    expect(certificate.absolute.lower / largest).toBeCloseTo(1, 6);
  });

  it("refuses where the function or the answer is not finite", () => {
    const log = chords({ fn: "log", range: { lo: 1, hi: 2 }, segments: 4, input: BFLOAT16, domain: { lo: 0, hi: 2 } });
    expect(() => certificateOf(log)).toThrow(LutraError);
    const overflow: Table = {
      ...TABLES.gelu,
      coefficients: [TABLES.gelu.coefficients[0] as number[], new Array<number>(16).fill(3e38)],
      spec: { ...TABLES.gelu.spec, input: BFLOAT16, domain: { lo: -4, hi: 4 } },
    };
    expect(() => certificateOf(overflow)).toThrow(/not finite/);
  });

  it("refuses integers that are too many to enumerate", () => {
    const s32 = parseFormat("s32.20") as IntegerFormat;
    expect(() => certificateOf(integerChords("gelu", s32, s32, [-8, 0, 8], 8))).toThrow(/up to 16 bits/);
  });

  it("refuses a kernel with an empty hole", () => {
    const kernel = kernelOf(GELU8);
    const values = kernel.values.map((value) => {
      if (value.op !== "lookup") return value;
      const { table: _, ...empty } = value;
      return empty;
    });
    expect(() => finish(certify({ ...kernel, values }))).toThrow(/has no table/);
  });
});

describe("bumping an entry by one code", () => {
  it.each([
    ["gelu s8.5", GELU8],
    ["sigmoid int8 to uint8", AFFINE],
    ["gelu s12.8", integerChords("gelu", S12, S12, [-8, -3, -2, -1, 0, 1, 2, 3, 8], 10)],
    ["one entry per code", direct("gelu", S6)],
    [
      "odd tanh s8.5",
      { ...integerChords("tanh", S8, S8, [0, 0.5, 1, 2, 3, 3.5, 4], 6), reductions: [{ by: "odd" }] } as Table,
    ],
    ["a table with unreached segments", { ...GELU8, clamp: [-40, 40] } as Table],
  ])(
    "of %s changes the error summary of a segment exactly if it changes an output, and is listed as dead if not",
    (_, table) => {
      const before = certificateOf(table);
      const summary = JSON.stringify(before.segments);
      const plain = outputs(table);
      for (const { degree, segment, direction, table: bumped } of bumpsOf(table)) {
        const changes = outputs(bumped).some((code, i) => code !== plain[i]);
        const dead = before.dead.some(
          (entry) => entry.degree === degree && entry.segment === segment && [direction, "both"].includes(entry.bump),
        );
        expect(dead).toBe(!changes);
        if (changes) expect(JSON.stringify(certificateOf(bumped).segments)).not.toBe(summary);
      }
    },
  );

  it("makes checkCertificate refuse: by the hash, and by the proof with the hash check off", () => {
    const certificate = certificateOf(GELU8);
    finish(checkCertificate(certificate, kernelOf(GELU8)));
    finish(checkCertificate(certificate, kernelOf(GELU8), { checkHash: false }));
    const intercepts = GELU8.coefficients[0] as readonly number[];
    const changed: Table = {
      ...GELU8,
      coefficients: [intercepts.with(3, (intercepts[3] as number) + 40), GELU8.coefficients[1] as number[]],
    };
    expect(() => finish(checkCertificate(certificate, kernelOf(changed)))).toThrow(/is about kernel/);
    expect(() => finish(checkCertificate(certificate, kernelOf(changed), { checkHash: false }))).toThrow(
      /error summary of segment 3/,
    );
  });
});
