// Parameters of methods: what a method declares is taken, everything else is refused with what it would take.

import { describe, expect, test } from "vitest";
import { fromJson, LutraError, toJson } from "../../packages/lutra/src/base/index.ts";
import { METHODS, PARAMETERS, parametersByMethod } from "../../packages/lutra/src/fit/index.ts";
import { parsePlan, planFile } from "../../packages/lutra/src/model/index.ts";
import { fitted } from "./methods.ts";
import { problem } from "./problems.ts";

const question = problem("tanh", [-4, 4]);

describe("a parameter", () => {
  test("is declared by a method that exists, with defaults that it takes", () => {
    for (const [method, declared] of Object.entries(PARAMETERS)) {
      expect(Object.keys(METHODS)).toContain(method);
      for (const allowed of Object.values(declared)) {
        if (!("least" in allowed)) expect(allowed.length).toBeGreaterThan(1);
        else expect(allowed.least <= allowed.default && allowed.default <= allowed.greatest).toBe(true);
      }
    }
  });

  test("given as its default changes nothing", () => {
    const plain = fitted(question, "uniform");
    expect(toJson(fitted(question, "uniform", { lines: "chords" }).table)).toBe(toJson(plain.table));
  });

  test.each([
    ["of another method", "uniform", { intervals: 3 }, /no parameter "intervals"/, "its parameters: lines"],
    ["of a method without any", "optimal", { lines: "minimax" }, /no parameter "lines"/, "it has none"],
    ["inherited by every object", "uniform", { toString: "x" }, /no parameter "toString"/, "its parameters: lines"],
    ["that is no such word", "uniform", { lines: "cubic" }, /"lines" must be one of chords, .* got cubic/, undefined],
    [
      "that is a number instead of a word",
      "uniform",
      { lines: 1 },
      /"lines" must be one of chords, .* got 1/,
      undefined,
    ],
    [
      "that is a word instead of a number",
      "nested",
      { intervals: "many" },
      /an integer from 1 to 64, got many/,
      undefined,
    ],
    ["that is no whole number", "nested", { intervals: 2.5 }, /an integer from 1 to 64, got 2.5/, undefined],
  ] as const)("%s is refused", (_what, method, parameters, message, note) => {
    const run = () => fitted(question, method, parameters as unknown as Record<string, string | number>);
    expect(run).toThrow(LutraError);
    expect(run).toThrow(message);
    if (note !== undefined) expect(run).toThrow(expect.objectContaining({ code: "bad-argument", note }));
  });
});

describe("parameters given to several methods", () => {
  test("go to those that declare them", () => {
    const given = { lines: "minimax", breakpointRounding: "exact" };
    expect([...parametersByMethod(["uniform", "genetic", "optimal", "i-gelu-f32"], given)]).toEqual([
      ["uniform", { lines: "minimax" }],
      ["genetic", { breakpointRounding: "exact" }],
      ["optimal", {}],
      ["i-gelu-f32", {}],
    ]);
  });

  test.each([
    ["that none declares", { le: "linear" }, 'none of the methods has a parameter "le"'],
    ["inherited by every object", { toString: "x" }, 'none of the methods has a parameter "toString"'],
    ["of a value that one does not take", { generations: 0 }, "must be an integer from 1 to 1000000, got 0"],
  ] as const)("are refused: one %s", (_what, given, message) => {
    const run = () => parametersByMethod(["uniform", "genetic"], given as unknown as Record<string, string | number>);
    expect(run).toThrow(message);
  });
});

describe("a plan", () => {
  const plan = (parameters: Record<string, string | number>) => ({
    tables: { "tanh-1": { method: "nested", parameters, problem: question } },
    sites: [{ id: "y", kind: "tanh", tables: { f: "tanh-1" } }],
  });

  test("records a method's parameters and reads them back", () => {
    const written = plan({ lines: "minimax", intervals: 4 });
    expect(parsePlan(fromJson(toJson(planFile(written))))).toEqual(written);
  });

  test("names the place of one that is neither a word nor a number", () => {
    const json = fromJson(toJson(planFile(plan({ lines: "minimax" }))).replace('"minimax"', "[]"));
    expect(() => parsePlan(json)).toThrow(expect.objectContaining({ where: "tables.tanh-1.parameters.lines" }));
  });
});
