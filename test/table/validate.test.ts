import { describe, expect, test } from "vitest";
import { fromJson, type Json, LutraError, toJson } from "../../packages/lutra/src/base/index.ts";
import { parseTable } from "../../packages/lutra/src/table/index.ts";

const good = {
  spec: {
    fn: "gelu",
    domain: { lo: "-Infinity", hi: "Infinity" },
    input: { kind: "float", name: "binary32" },
    output: { kind: "float", name: "binary32" },
  },
  reductions: [{ by: "reflect" }],
  clamp: ["-Infinity", "Infinity"],
  index: { rule: "breakpoints", codes: [-2, -1] },
  coefficients: [
    [0, 1, 2],
    [0, 0.5, 0.25],
  ],
  shift: 0,
  rounding: "half-even",
};

function altered(path: readonly (string | number)[], value: unknown): Json {
  const copy = structuredClone(good) as unknown as Record<string | number, unknown>;
  let at: Record<string | number, unknown> = copy;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[path.at(-1) as string | number] = value;
  return fromJson(JSON.stringify(copy));
}

function errorOf(json: Json): LutraError {
  try {
    parseTable(json);
  } catch (error) {
    if (error instanceof LutraError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

test("a file of lutra fit is read as the table in it", () => {
  const file = { format: "lutra-table", version: 1, table: good, problem: {} } as unknown as Json;
  expect(parseTable(fromJson(JSON.stringify(file)))).toEqual(parseTable(fromJson(JSON.stringify(good))));
  expect(() => parseTable({ format: "lutra-table" })).toThrow(LutraError);
});

describe("parseTable", () => {
  test("reads back what toJson wrote, infinities included", () => {
    const table = parseTable(fromJson(JSON.stringify(good)));
    expect(table.spec.domain).toEqual({ lo: -Infinity, hi: Infinity });
    expect(parseTable(fromJson(toJson(table)))).toEqual(table);
  });

  const faults: readonly (readonly [string, readonly (string | number)[], unknown, string])[] = [
    ["no function", ["spec", "fn"], 3, "spec.fn"],
    ["an unknown rule", ["index", "rule"], "magic8", "index.rule"],
    ["breakpoints out of order", ["index", "codes"], [1, 1], "index.codes[1]"],
    ["too few breakpoints", ["index", "codes"], [1], "index.codes"],
    ["a breakpoint between binary32 values", ["index", "codes"], [0.1, 0.5], "index.codes[0]"],
    ["an entry that is no number", ["coefficients", 1, 2], "x", "coefficients[1][2]"],
    ["an entry between binary32 values", ["coefficients", 0, 1], 0.1, "coefficients[0][1]"],
    ["too few slopes", ["coefficients", 1], [1], "coefficients[1]"],
    ["no segments", ["coefficients"], [[], []], "coefficients"],
    ["a reversed clamp", ["clamp"], [1, -1], "clamp"],
    ["mixed formats", ["spec", "output"], { kind: "integer", signed: true, bits: 8, scale: 1, zeroPoint: 0 }, "spec"],
    [
      "a scale of 0",
      ["spec", "input"],
      { kind: "integer", signed: true, bits: 8, scale: 0, zeroPoint: 0 },
      "spec.input",
    ],
    ["an unknown reduction", ["reductions", 0, "by"], "mirror", "reductions[0].by"],
    ["three reductions", ["reductions"], [{ by: "even" }, { by: "odd" }, { by: "even" }], "reductions"],
    ["an exponential of factor 0", ["reductions", 0], { by: "exponential", factor: 0 }, "reductions[0].factor"],
    ["an octave of power 0", ["reductions", 0], { by: "octave", step: 1, power: 0 }, "reductions[0].power"],
  ];
  for (const [what, path, value, where] of faults) {
    test(`refuses ${what} and names the place`, () => {
      const error = errorOf(altered(path, value));
      expect(error.code).toBe("bad-table");
      expect(error.where).toBe(where);
    });
  }
});
