// Plans as JSON: what is written is read back as it was, and what a user breaks is refused with its place.

import { describe, expect, it } from "vitest";
import { fromJson, type Json, toJson } from "../../packages/lutra/src/base/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { checkPlan, type Plan, parsePlan, planFile, planSites } from "../../packages/lutra/src/model/index.ts";
import { BINARY32, type IntegerFormat, integerFormat, valuesOf } from "../../packages/lutra/src/num/index.ts";
import type { Site } from "../../packages/lutra/src/onnx/index.ts";
import type { Problem } from "../../packages/lutra/src/table/index.ts";
import { failure } from "../data/errors.ts";

const SPEC = { fn: "gelu", domain: { lo: -Infinity, hi: Infinity }, input: BINARY32, output: BINARY32 } as const;
const INTEGER = { kind: "integer", signed: true, bits: 16, scale: 2 ** -12, zeroPoint: 0 } as const;
const PROBLEM: Problem = {
  spec: SPEC,
  size: { segments: 16 },
  norm: "max",
  tails: [{ slope: 0, intercept: 0 }, "clamp"],
  reductions: [{ by: "reflect" }],
};
const FULL: Problem = {
  spec: { ...SPEC, input: INTEGER, output: INTEGER, maxRow: 64 },
  size: { maxError: 0.01 },
  norm: "relative",
  floor: 1e-6,
  grid: { lo: -4, hi: 4, step: 0.01 },
  histogram: { edges: [-1, 0, 1], counts: [3, 4] },
  coefficients: { slope: INTEGER, intercept: INTEGER },
  tails: ["extend", "extend"],
  reductions: [
    { by: "octave", step: 2, power: -1 },
    { by: "logarithm", perOctave: 0.5 },
    { by: "exponential", factor: 1.5 },
  ],
};
const PLAN: Plan = {
  tables: { "gelu-1": { method: "optimal", problem: PROBLEM }, other: { method: "uniform", problem: FULL } },
  sites: [{ id: "h0/gelu", kind: "gelu", tables: { f: "gelu-1" } }],
};

const written = (): Json => fromJson(toJson(planFile(PLAN)));

/** The plan's JSON with one value replaced, or removed. */
function changed(path: string, value?: Json): Json {
  const json = written();
  const names = path.split("/");
  const last = names.pop() ?? "";
  let at = json as Record<string, Json>;
  for (const name of names) at = at[name] as Record<string, Json>;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return json;
}

describe("a plan", () => {
  it("is read as it was written", () => {
    expect(parsePlan(written())).toEqual(PLAN);
  });

  it.each([
    ["format", "other", undefined, /"format": "lutra-plan"/],
    ["version", 2, undefined, /version 2/],
    ["extra", 1, undefined, /unknown field "extra"/],
    ["tables", [], "tables", /must be an object, got \[\]/],
    ["tables/gelu-1/method", 3, "tables.gelu-1.method", /must be a text that is not empty, got 3/],
    ["tables/gelu-1/problem/size/segments", "8", "tables.gelu-1.problem.size.segments", /must be a number, got "8"/],
    ["tables/gelu-1/problem/size/maxError", 0.1, "tables.gelu-1.problem.size", /either "segments" or "maxError"/],
    ["tables/gelu-1/problem/norm", "best", "tables.gelu-1.problem.norm", /must be one of max, relative, ulp, mse/],
    ["tables/gelu-1/problem/tails/0", "wrap", "tables.gelu-1.problem.tails[0]", /clamp, extend, got "wrap"/],
    ["tables/gelu-1/problem/tails", ["clamp"], "tables.gelu-1.problem.tails", /needs \[below, above\]/],
    ["tables/gelu-1/problem/reductions/0/by", "half", "tables.gelu-1.problem.reductions[0].by", /reflect/],
    ["tables/gelu-1/problem/spec/domain/lo", null, "tables.gelu-1.problem.spec.domain.lo", /must be a number/],
    ["tables/other/problem/histogram/counts/1", "x", "tables.other.problem.histogram.counts[1]", /must be a number/],
    ["tables/gelu-1/problem/keep", ["smooth"], "tables.gelu-1.problem.keep[0]", /monotone, got "smooth"/],
    ["sites", {}, "sites", /must be a list/],
    ["sites/0/tables/f", 1, "sites[0].tables.f", /must be a text/],
  ] as const)("with a wrong %s is refused with its place", async (path, value, where, message) => {
    const error = await failure(async () => parsePlan(changed(path, value as Json)));
    expect(error.message).toMatch(message);
    expect(error.where).toBe(where);
  });

  it("without a field is refused with its place", async () => {
    const error = await failure(async () => parsePlan(changed("tables/gelu-1/problem/size")));
    expect([error.message, error.where]).toEqual(["must be an object, got nothing", "tables.gelu-1.problem.size"]);
  });
});

describe("checkPlan", () => {
  const kernel = elementwise(SPEC);
  const site: Site = {
    id: "h0/gelu",
    kind: "gelu",
    form: "operator",
    nodes: ["g"],
    inputs: ["x"],
    output: "y",
    attributes: {},
    axes: null,
  } as Site;
  const check = (plan: Plan): void => checkPlan(plan, [site], new Map([[site.id, kernel]]));
  const [planned] = PLAN.sites;

  it("accepts a plan of this model", () => {
    expect(() => check(PLAN)).not.toThrow();
  });

  it.each([
    ["a layer the model lacks", { ...planned, id: "h9" }, "plan: sites[0]", /no layer "h9"/],
    ["another kind", { ...planned, kind: "tanh" }, "plan: sites[0]", /is gelu, not tanh/],
    [
      "a table that is not there",
      { ...planned, tables: { f: "gelu-9" } },
      "plan: sites[0].tables.f",
      /no table "gelu-9"/,
    ],
    ["no table", { ...planned, tables: {} }, "plan: sites[0].tables", /no table is named for the lookup "f"/],
    [
      "a lookup too many",
      { ...planned, tables: { f: "gelu-1", g: "gelu-1" } },
      "plan: sites[0].tables",
      /no lookup "g"/,
    ],
    [
      "a table of another format",
      { ...planned, tables: { f: "other" } },
      "plan: sites[0].tables.f",
      /needs a table with \w+ .*, "other" has /,
    ],
  ])("refuses %s", async (_what, wrong, where, message) => {
    const error = await failure(async () => check({ ...PLAN, sites: [wrong] }));
    expect(error.code).toBe("mismatch");
    expect(error.where).toBe(where);
    expect(error.message).toMatch(message);
  });

  it("refuses a layer planned twice", async () => {
    const error = await failure(async () => check({ ...PLAN, sites: [planned, planned] }));
    expect(error.where).toBe("plan: sites[1]");
  });
});

describe("the problem of a function of codes", () => {
  const QUANTIZED = {
    id: "y",
    form: "operator",
    nodes: ["y"],
    inputs: ["q"],
    output: "y",
    attributes: {},
    axes: null,
  } as const;
  const codes = (bits: number, zeroPoint: number) => integerFormat(true, bits, 2 ** -bits, zeroPoint);
  const asked = (fn: string, input: IntegerFormat, output: IntegerFormat) => {
    const spec = { fn, domain: valuesOf(input), input, output };
    const site: Site = { ...QUANTIZED, kind: fn, formats: { input, output } };
    const kernels = new Map([[site.id, elementwise(spec)]]);
    const { tables } = planSites([site], kernels, {}, { segments: 16, norm: "max", method: "optimal" });
    return Object.values(tables)[0];
  };

  it("asks for all answers where codes have 8 bits, over all of them", () => {
    const table = asked("gelu", codes(8, 3), codes(8, 0));
    expect(table).toMatchObject({ method: "direct", problem: { size: { segments: 256 }, reductions: [] } });
    expect(table?.problem.spec.domain).toEqual({ lo: -131 / 256, hi: 124 / 256 });
  });

  it("asks for the segments given where codes have 16, behind a symmetry if both zero points are 0", () => {
    expect(asked("tanh", codes(16, 0), codes(16, 0))).toMatchObject({
      method: "optimal",
      problem: { size: { segments: 16 }, reductions: [{ by: "odd" }] },
    });
    expect(asked("tanh", codes(16, 0), codes(16, 5))?.problem.reductions).toEqual([]);
    expect(asked("tanh", codes(16, 5), codes(16, 0))?.problem.reductions).toEqual([]);
  });
});
