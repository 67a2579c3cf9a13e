// The method "direct": every answer correctly rounded, and what it refuses.

import { describe, expect, it } from "vitest";
import { drive, LutraError } from "../../packages/lutra/src/base/index.ts";
import { type FitResult, solve } from "../../packages/lutra/src/fit/index.ts";
import { parseFn } from "../../packages/lutra/src/fn/index.ts";
import {
  allCodes,
  BINARY32,
  decode,
  encode,
  type IntegerFormat,
  integerFormat,
  valuesOf,
} from "../../packages/lutra/src/num/index.ts";
import { evaluate, type Problem, segmentCount, tableBytes } from "../../packages/lutra/src/table/index.ts";

const INT8 = integerFormat(true, 8, 0.05, 3);
const CENTRED = integerFormat(true, 8, 0.05);
const UINT8 = integerFormat(false, 8, 0.02, 10);

function problem(fn: string, input: IntegerFormat, output: IntegerFormat, more: Partial<Problem> = {}): Problem {
  const spec = { fn, domain: valuesOf(input), input, output };
  return { spec, size: { segments: 256 }, norm: "max", tails: ["clamp", "clamp"], reductions: [], ...more };
}

const direct = (asked: Problem): Promise<FitResult> => drive(solve(asked, "direct", { seed: 1 }));
const refusal = (asked: Problem): Promise<LutraError> =>
  direct(asked).then(
    () => expect.fail("a table was made"),
    (error: unknown) => (error instanceof LutraError ? error : expect.fail(String(error))),
  );

describe("a direct table", () => {
  it.each([
    ["gelu", INT8, UINT8],
    ["sigmoid", UINT8, INT8],
    ["tanh", integerFormat(true, 16, 2 ** -12), integerFormat(false, 16, 2 ** -15, 32768)],
    ["x*sigmoid(1.702*x)", CENTRED, integerFormat(true, 8, 0.001)],
  ] as const)(
    "of %s answers every code correctly rounded, and says that nothing is better",
    async (fn, input, output) => {
      const size = { segments: 2 ** input.bits };
      const { table, objective, bound, segments } = await direct(problem(fn, input, output, { size }));
      const { evaluate: exact } = parseFn(fn);
      for (const code of allCodes(input)) {
        expect(evaluate(table, code)).toBe(encode(output, exact(decode(input, code))));
      }
      expect([segments, objective]).toEqual([size.segments, bound]);
      expect(tableBytes(table)).toBe((size.segments * output.bits) / 8);
    },
  );

  it("has half the entries behind a symmetry", async () => {
    const { table } = await direct(
      problem("tanh", CENTRED, integerFormat(true, 8, 0.01), { reductions: [{ by: "odd" }] }),
    );
    expect(segmentCount(table)).toBe(129);
    for (const code of allCodes(CENTRED)) {
      expect(evaluate(table, code) + 0).toBe(
        encode(integerFormat(true, 8, 0.01), parseFn("tanh").evaluate(0.05 * code)) + 0,
      );
    }
  });

  it("covers the domain and answers beyond it as at its ends", async () => {
    const asked = problem("exp", INT8, UINT8);
    const { table } = await direct({ ...asked, spec: { ...asked.spec, domain: { lo: -1, hi: 1 } } });
    expect(segmentCount(table)).toBe(41);
    expect(evaluate(table, -128)).toBe(evaluate(table, encode(INT8, -1)));
  });

  it("answers a largest error, or says that none keeps it", async () => {
    const wide = integerFormat(true, 8, 0.1);
    expect((await direct(problem("gelu", INT8, wide, { size: { maxError: 0.05 } }))).segments).toBe(256);
    expect((await refusal(problem("gelu", INT8, wide, { size: { maxError: 0.04 } }))).code).toBe("infeasible");
  });
});

describe("direct refuses", () => {
  it.each([
    ["fewer entries than codes", { size: { segments: 255 } }, "infeasible", "an entry for each of 256 codes, got 255"],
    [
      "coefficient formats",
      { coefficients: { slope: INT8, intercept: INT8 } },
      "bad-argument",
      "no coefficient formats",
    ],
    ["a grid", { grid: { lo: -1, hi: 1, step: 0.1 } }, "bad-argument", "no grid"],
    ["tails that are lines", { tails: ["clamp", { slope: 1, intercept: 0 }] }, "bad-argument", "no lines as tails"],
    ["constraints", { keep: ["zero"] }, "unsupported", 'the method "direct" keeps no constraints'],
  ] as const)("%s", async (_name, more, code, message) => {
    const error = await refusal(problem("gelu", INT8, UINT8, more));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(message)]);
  });

  it("inputs whose codes cannot be listed", async () => {
    const wide = integerFormat(true, 24, 2 ** -16);
    expect((await refusal(problem("gelu", wide, wide))).message).toContain("up to 16 bits, got s24.16");
    const spec = { fn: "gelu", domain: { lo: -1, hi: 1 }, input: BINARY32, output: BINARY32 };
    expect((await refusal({ ...problem("gelu", INT8, UINT8), spec })).message).toContain("got binary32");
  });
});
