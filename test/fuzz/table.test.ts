// table.json and plan.json with changed values. A table that is accepted evaluates everywhere, and its certificate comes in time or can
// be cancelled: its generator yields.

import { expect, test } from "vitest";
import { fromJson, type Json, LutraError, toJson } from "../../packages/lutra/src/base/index.ts";
import { certify } from "../../packages/lutra/src/certify/index.ts";
import { fill } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { parsePlan, planFile } from "../../packages/lutra/src/model/index.ts";
import { BINARY32, type IntegerFormat, parseFormat } from "../../packages/lutra/src/num/index.ts";
import { evaluate, parseTable, type Table } from "../../packages/lutra/src/table/index.ts";
import { chords, integerChords } from "../certify/tables.ts";
import { mutateJson, pick } from "./mutate.ts";
import { survives } from "./survive.ts";

/** Longest time for a certificate here; longest time between two of its yields, in which it cannot be cancelled. */
const CERTIFY_MS = 50;
const YIELD_MS = 1500;

const int8 = parseFormat("int8:0.05") as IntegerFormat;
const TABLES: readonly Json[] = [
  chords({
    fn: "gelu",
    range: { lo: -4, hi: 4 },
    segments: 4,
    tails: [
      [0, 0],
      [1, 0],
    ],
  }),
  chords({ fn: "tanh", range: { lo: 0, hi: 4 }, segments: 3, reductions: [{ by: "odd" }], domain: { lo: -4, hi: 4 } }),
  integerChords("silu", int8, int8, [-4, -1, 0, 1, 4], 8),
  {
    spec: { fn: "exp", domain: { lo: -4, hi: 0 }, input: BINARY32, output: BINARY32 },
    reductions: [{ by: "exponential", factor: Math.fround(Math.LOG2E) }],
    clamp: [-Infinity, Infinity],
    index: { rule: "uniform", first: 0, width: 0.25 },
    coefficients: [[1, 1.19, 1.41, 1.68].map(Math.fround), [0.75, 0.9, 1.07, 1.27].map(Math.fround)],
    shift: 0,
    rounding: "half-even",
  } satisfies Table,
  {
    spec: { fn: "tanh", domain: { lo: -4, hi: 4 }, input: BINARY32, output: BINARY32 },
    reductions: [],
    clamp: [-4, 4],
    index: { rule: "nested", first: -4, codes: [-1, 1], scales: [0.5, 2, 0.5], counts: [2, 4, 2] },
    coefficients: [
      [-0.93, -0.8, -0.2, 0, 0, 0.2, 0.8, 0.93].map(Math.fround),
      [0.02, 0.1, 0.6, 0.92, 0.92, 0.6, 0.1, 0.02].map(Math.fround),
    ],
    shift: 0,
    rounding: "half-even",
    entries: { count: 9, bits: 16 },
  } satisfies Table,
].map((table) => fromJson(toJson(table)));

const CODES = [-128, -1, 0, 1, 127, 0.5, -3e38, 1e-40, Infinity, -Infinity, Number.NaN];

function evaluateAnywhere(table: Table): void {
  for (const code of CODES) {
    if (table.spec.input.kind === "float" || Number.isInteger(code)) evaluate(table, code);
  }
}

const show = (json: Json): string => toJson(json);

test("parseTable survives sampled changes of values, and what it accepts evaluates", async () => {
  const { cases, accepted } = await survives("table.json", {
    share: 0.1,
    make: (draw) => mutateJson(pick(TABLES, draw), draw),
    read: (json) => evaluateAnywhere(parseTable(json)),
    show,
  });
  expect(accepted).toBeGreaterThan(cases / 20);
});

test("certify answers for accepted tables, or yields in time to be stopped", async () => {
  const { cases, accepted } = await survives("certify", {
    share: 0.003,
    make: (draw) => acceptedTable(() => mutateJson(pick(TABLES, draw), draw)),
    read: certifyInTime,
    show,
  });
  expect(accepted).toBeGreaterThan(cases / 4);
});

/** A changed table that parseTable accepts. */
function acceptedTable(make: () => Json): Json {
  for (;;) {
    const json = make();
    try {
      parseTable(json);
      return json;
    } catch (error) {
      if (!(error instanceof LutraError)) throw error;
    }
  }
}

function certifyInTime(json: Json): void {
  const table = parseTable(json);
  const start = performance.now();
  const work = certify(fill(elementwise(table.spec), { f: table }));
  for (let last = start; last - start < CERTIFY_MS; ) {
    const { done } = work.next();
    const now = performance.now();
    expect(now - last, "milliseconds without a yield").toBeLessThan(YIELD_MS);
    if (done === true) return;
    last = now;
  }
}

test("parsePlan survives sampled changes of values", async () => {
  const problem = {
    spec: { fn: "gelu", domain: { lo: -8, hi: 8 }, input: BINARY32, output: BINARY32 },
    size: { segments: 16 },
    norm: "max",
    tails: ["clamp", { slope: 1, intercept: 0 }],
    reductions: [{ by: "reflect" }],
  } as const;
  const sites = [{ id: "y", kind: "gelu", tables: { f: "gelu-1" } }];
  const plan = fromJson(
    toJson(planFile({ tables: { "gelu-1": { method: "optimal", problem: problem as never } }, sites })),
  );
  await survives("plan.json", { share: 0.05, make: (draw) => mutateJson(plan, draw), read: parsePlan, show });
});
