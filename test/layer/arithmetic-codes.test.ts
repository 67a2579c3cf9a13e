// Sums, differences, products and changes of format over different axes, against real numbers at seeded codes.
import { describe, expect, it } from "vitest";
import { interpret, type Kernel, type Over, verify } from "../../packages/lutra/src/kernel/index.ts";
import { addCodes, mulCodes, rescaleCodes, subCodes } from "../../packages/lutra/src/layer/index.ts";
import { codeRange, decode, type IntegerFormat, integerFormat, random } from "../../packages/lutra/src/num/index.ts";

const BYTE = integerFormat(true, 8, 0.05, 11);
const WIDE = integerFormat(true, 16, 0.0003);
const ROWS = 16;
const COLUMNS = 64;
const source = random(3);

function codes(format: IntegerFormat, over: Over): Float64Array {
  const { lo, hi } = codeRange(format);
  const length =
    (over === "element" || over === "row" ? ROWS : 1) * (over === "element" || over === "column" ? COLUMNS : 1);
  return Float64Array.from({ length }, () => Math.floor(lo + source.uniform() * (hi - lo + 1)));
}

/** The code that an element of the tile takes of a param. */
function codeAt(data: Float64Array, over: Over, i: number): number {
  const place = over === "element" ? i : over === "row" ? Math.floor(i / COLUMNS) : over === "column" ? i % COLUMNS : 0;
  return data[place] as number;
}

/** Largest distance to the exact answer, saturated, in output codes. */
function distance(
  kernel: Kernel,
  [a, b]: readonly [IntegerFormat, IntegerFormat],
  over: { readonly a: Over; readonly b: Over },
  output: IntegerFormat,
  exact: (x: number, y: number) => number,
): number {
  verify(kernel);
  const [left, right] = [codes(a, over.a), codes(b, over.b)];
  const [y] = interpret(kernel, { a: left, b: right }, ROWS, COLUMNS) as [Float64Array];
  const { lo, hi } = codeRange(output);
  return y.reduce((most, code, i) => {
    const real = exact(decode(a, codeAt(left, over.a, i)), decode(b, codeAt(right, over.b, i)));
    const wanted = Math.min(hi, Math.max(lo, real / output.scale + output.zeroPoint));
    return Math.max(most, Math.abs(code - wanted));
  }, 0);
}

describe.each([
  [BYTE, "element", BYTE, "element"],
  [WIDE, "element", WIDE, "column"],
  [BYTE, "row", BYTE, "element"],
  [WIDE, "one", BYTE, "element"],
] as const)("codes over different axes %#", (a, overA, b, overB) => {
  it.each([integerFormat(true, 8, 0.1, -5), integerFormat(true, 8, 0.4)])(
    "are added, subtracted and multiplied to within a code",
    (output) => {
      const over = { a: overA, b: overB };
      const options = { a, b, output, over };
      expect(distance(addCodes(options), [a, b], over, output, (x, y) => x + y)).toBeLessThan(1);
      expect(distance(subCodes(options), [a, b], over, output, (x, y) => x - y)).toBeLessThan(1);
      expect(distance(mulCodes(options), [a, b], over, output, (x, y) => x * y)).toBeLessThan(1.1);
    },
  );
});

it("a change of format keeps every number within half a code and the multiplier's rounding", () => {
  for (const [input, output] of [
    [BYTE, WIDE],
    [WIDE, BYTE],
    [BYTE, integerFormat(true, 8, 0.07, 3)],
  ] as const) {
    const kernel = rescaleCodes({ input, output });
    verify(kernel);
    const { lo, hi } = codeRange(input);
    const x = Float64Array.from({ length: hi - lo + 1 }, (_, i) => lo + i);
    const [y] = interpret(kernel, { x }, 1, x.length) as [Float64Array];
    const range = codeRange(output);
    x.forEach((code, i) => {
      const exact = decode(input, code) / output.scale + output.zeroPoint;
      const kept = Math.min(range.hi, Math.max(range.lo, exact));
      expect(Math.abs((y[i] as number) - kept)).toBeLessThan(0.5 + Math.abs(exact) * 2 ** -14 + 0.001);
    });
  }
});
