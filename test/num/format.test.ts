import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import {
  allCodes,
  BFLOAT16,
  BINARY16,
  BINARY32,
  codeRange,
  decode,
  encode,
  type Format,
  integerFormat,
  parseFormat,
  printFormat,
  ulpOf,
} from "../../packages/lutra/src/num/index.ts";

describe("parseFormat", () => {
  test("reads integers with scale and zero point, fixed point and float names", () => {
    expect(parseFormat("int8")).toEqual(integerFormat(true, 8));
    expect(parseFormat("uint16:0.05")).toEqual(integerFormat(false, 16, 0.05));
    expect(parseFormat("int8:0.05:-3")).toEqual(integerFormat(true, 8, 0.05, -3));
    expect(parseFormat("s16.12")).toEqual(integerFormat(true, 16, 2 ** -12));
    expect(parseFormat("u8.8")).toEqual(integerFormat(false, 8, 2 ** -8));
    expect(parseFormat("uint32")).toEqual(integerFormat(false, 32));
    expect([parseFormat("f32"), parseFormat("binary16"), parseFormat("bf16")]).toEqual([BINARY32, BINARY16, BFLOAT16]);
  });

  test("refuses what it cannot mean, with a note", () => {
    for (const text of [
      "",
      "int",
      "int1",
      "int33",
      "s8",
      "int8:0",
      "int8:-1",
      "int8:1:200",
      "int8:x",
      "float",
      "s16.12.3",
    ]) {
      expect(() => parseFormat(text), text).toThrow(LutraError);
    }
  });

  test("is the inverse of printFormat", () => {
    const format = fc.record({
      signed: fc.boolean(),
      bits: fc.integer({ min: 2, max: 32 }),
      scale: fc.oneof(
        fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
        fc.integer({ min: -20, max: 20 }).map((n) => 2 ** n),
      ),
      zero: fc.integer({ min: 0, max: 1 }),
    });
    fc.assert(
      fc.property(format, ({ signed, bits, scale, zero }) => {
        const original = integerFormat(signed, bits, scale, zero);
        expect(parseFormat(printFormat(original))).toEqual(original);
      }),
      { seed: 1 },
    );
    for (const float of [BINARY32, BINARY16, BFLOAT16]) expect(parseFormat(printFormat(float))).toEqual(float);
  });
});

describe("encode", () => {
  const small: readonly Format[] = [
    integerFormat(true, 8, 0.1, 3),
    integerFormat(false, 6, 2 ** -4),
    BINARY16,
    BFLOAT16,
  ];

  test("undoes decode for every code of the small formats", () => {
    for (const format of small) {
      for (const code of allCodes(format)) expect(encode(format, decode(format, code))).toBe(code);
    }
  });

  test("is monotone and at most half a spacing off (sampled)", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.constantFrom(...small),
        (x, y, format) => {
          expect(encode(format, Math.min(x, y))).toBeLessThanOrEqual(encode(format, Math.max(x, y)));
          const { lo, hi } = codeRange(format);
          if (x > decode(format, lo) && x < decode(format, hi)) {
            const error = Math.abs(decode(format, encode(format, x)) - x);
            expect(error).toBeLessThanOrEqual(ulpOf(format, x) * (0.5 + 1e-9));
          }
        },
      ),
      { seed: 1, numRuns: 2000 },
    );
  });

  test("rounds ties to even and overflows floats to infinity", () => {
    expect(encode(integerFormat(true, 8), 2.5)).toBe(2);
    expect(encode(integerFormat(true, 8), 3.5)).toBe(4);
    expect(encode(integerFormat(true, 8), 1000)).toBe(127);
    expect(encode(BINARY16, 65504)).toBe(65504);
    expect(encode(BINARY16, 65520)).toBe(Infinity);
    expect(encode(BINARY16, 2 ** -25)).toBe(0);
    expect(encode(BFLOAT16, 1 + 2 ** -8)).toBe(1);
    expect(encode(BFLOAT16, 1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
  });
});

test("binary16 has 63,487 finite values and bfloat16 65,279, ascending, +0 and -0 as one", () => {
  for (const [format, count] of [
    [BINARY16, 63487],
    [BFLOAT16, 65279],
  ] as const) {
    const codes = allCodes(format);
    expect(codes.length).toBe(count);
    expect(codes.every((code, i) => i === 0 || (codes[i - 1] as number) < code)).toBe(true);
  }
});
