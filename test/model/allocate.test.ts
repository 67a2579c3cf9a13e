// allocate against a made-up model whose damage is known: the search must find what its trials allow, within its number of trials.

import { describe, expect, it } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import {
  type Asked,
  allocate,
  type Budget,
  checkBudget,
  type Plan,
  type PlannedTable,
  type Trial,
} from "../../packages/lutra/src/model/index.ts";
import { BINARY32 } from "../../packages/lutra/src/num/index.ts";
import { failure } from "../data/errors.ts";

/** Table error of n segments: 1 / n^2, as for a best piecewise line. */
const error = (segments: number): number => 1 / (segments * segments);
const segmentsOf = ({ problem }: PlannedTable): number => ("segments" in problem.size ? problem.size.segments : 0);
const bytesOf = ({ tables }: Plan): number => Object.values(tables).reduce((sum, t) => sum + 12 * segmentsOf(t), 0);

function uniform(names: readonly string[], segments = 16): Plan {
  const spec = { fn: "gelu", domain: { lo: -8, hi: 8 }, input: BINARY32, output: BINARY32 };
  const problem = { spec, size: { segments }, norm: "max", tails: ["clamp", "clamp"], reductions: [] } as const;
  return {
    tables: Object.fromEntries(names.map((name) => [name, { method: "optimal", problem }])),
    sites: names.map((name) => ({ id: name, kind: "gelu", tables: { f: name } })),
  };
}

interface Made {
  readonly asked: Asked;
  /** Plans tried, each once, as segments by table. */
  readonly tried: string[];
}

/** A model that loses sensitivity * error per table in accuracy, changes as many answers again, and counts its trials. */
function madeUp(sensitivity: Readonly<Record<string, number>>, onAll = 1, isSampled = false): Made {
  const tried: string[] = [];
  const trial = async (plan: Plan, samples: "some" | "all"): Promise<Trial> => {
    tried.push(`${samples} ${Object.values(plan.tables).map(segmentsOf).join()}`);
    const parts = Object.entries(plan.tables).map(
      ([name, table]) => (sensitivity[name] ?? 0) * error(segmentsOf(table)),
    );
    const drop = parts.reduce((sum, part) => sum + part, 0) * (samples === "all" ? onAll : 1);
    const mean = Math.hypot(...parts);
    const margins = { flipsMargin: 0, dropMargin: 0 };
    return { samples: 100, metrics: {}, drop, flips: 2 * drop, ...margins, logitError: { max: mean, mean } };
  };
  const solve = async (table: PlannedTable) => ({ bytes: 12 * segmentsOf(table), objective: error(segmentsOf(table)) });
  return { asked: { solve, trial, isSampled, metric: "accuracy" }, tried };
}

const sizes = ({ tables }: Plan): Record<string, number> =>
  Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, segmentsOf(table)]));

describe("allocate", () => {
  const SENSITIVE = { loud: 1, quiet: 0.001 };
  const names = Object.keys(SENSITIVE);

  it("gives a sensitive table many segments and an insensitive one few", async () => {
    const { asked, tried } = madeUp(SENSITIVE);
    const { plan, allocation } = await allocate(uniform(names), 16, { maxDrop: 0.005 }, asked);
    expect(sizes(plan)).toEqual({ loud: 16, quiet: 1 });
    expect(allocation.chosen).toMatchObject({ bytes: 17 * 12, isInside: true });
    expect(allocation.uniform.bytes).toBe(32 * 12);
    expect(tried.length).toBeLessThanOrEqual(40);
    expect(new Set(tried).size).toBe(tried.length);
  });

  it("finds no smaller plan inside by any single step down", async () => {
    const { asked } = madeUp(SENSITIVE);
    const { plan, allocation } = await allocate(uniform(names), 16, { maxDrop: 0.005 }, asked);
    const smaller = allocation.front.filter(({ bytes, isInside }) => isInside && bytes < bytesOf(plan));
    expect(smaller).toEqual([]);
    expect(allocation.why).toMatch(/leaves the budget on 100 samples: \d\.\d\d points of accuracy lost/);
  });

  it("keeps a limit on changed answers", async () => {
    const { asked } = madeUp(SENSITIVE);
    const { allocation } = await allocate(uniform(names), 16, { maxFlips: 0.005 }, asked);
    expect(allocation.chosen.trial.flips).toBeLessThanOrEqual(0.005);
    expect(allocation.chosen.segments.loud).toBe(24);
  });

  it("spends a number of bytes where they help most", async () => {
    const { asked } = madeUp(SENSITIVE);
    const { plan } = await allocate(uniform(names), 16, { maxBytes: 300 }, asked);
    expect(bytesOf(plan)).toBeLessThanOrEqual(300);
    expect(sizes(plan)).toEqual({ loud: 24, quiet: 1 });
  });

  it("verifies on all samples, and steps up where they lose more", async () => {
    const { asked, tried } = madeUp(SENSITIVE, 3, true);
    const { allocation } = await allocate(uniform(names), 16, { maxDrop: 0.005 }, asked);
    expect(tried.filter((text) => text.startsWith("all")).length).toBeGreaterThan(1);
    expect(allocation.chosen.trial.drop).toBeLessThanOrEqual(0.005);
    expect(allocation.chosen.segments.loud).toBeGreaterThan(16);
  });

  it("gives the same plan for the same question", async () => {
    const run = () => allocate(uniform(names), 16, { maxDrop: 0.003 }, madeUp(SENSITIVE).asked);
    expect(await run()).toEqual(await run());
  });

  it("changes the tables of one function together where there are many", async () => {
    const many = Array.from({ length: 30 }, (_, i) => `gelu-${i + 1}`);
    const { asked, tried } = madeUp(Object.fromEntries(many.map((name) => [name, 0.01])));
    const { plan } = await allocate(uniform(many), 16, { maxDrop: 0.01 }, asked);
    expect(new Set(Object.values(sizes(plan)))).toEqual(new Set([6]));
    expect(tried.length).toBeLessThanOrEqual(40);
  });

  it("refuses what cannot be kept, with what was measured", async () => {
    const cases: readonly [Budget, string, RegExp][] = [
      [
        { maxDrop: 0.0001 },
        "infeasible",
        /even 1536 bytes of tables .* leave the budget of 0.01 points of accuracy lost/,
      ],
      [{ maxBytes: 12 }, "infeasible", /the smallest tables found take 24 bytes, more than 12/],
      [{ maxDrop: 0.005, maxBytes: 100 }, "infeasible", /within its other limits take 204 bytes, more than 100/],
    ];
    for (const [budget, code, message] of cases) {
      const found = await allocate(uniform(names), 16, budget, madeUp(SENSITIVE).asked).catch((e: unknown) => e);
      expect(found).toBeInstanceOf(LutraError);
      expect(found).toMatchObject({ code, message: expect.stringMatching(message) });
    }
  });

  it("does not let a gain by chance pay for the margin", async () => {
    const { asked } = madeUp(SENSITIVE);
    const lucky: Asked = {
      ...asked,
      trial: async (plan, samples) => ({ ...(await asked.trial(plan, samples)), drop: -0.01, dropMargin: 0.006 }),
    };
    await expect(allocate(uniform(names), 16, { maxDrop: 0.005 }, lucky)).rejects.toMatchObject({
      code: "infeasible",
      where: expect.stringContaining("1.00 points of accuracy gained (\u00b10.60 %)"),
    });
  });

  it("takes limits that are numbers and not negative, at least one", async () => {
    const cases: readonly [Budget, RegExp][] = [
      [{ maxDrop: -1 }, /maxDrop must be a number that is not negative, got -1/],
      [{ maxBytes: Number.NaN }, /maxBytes must be a number that is not negative, got NaN/],
      [{}, /needs a limit/],
    ];
    for (const [budget, message] of cases) {
      const error = await failure(() => checkBudget(budget));
      expect([error.code, error.message]).toEqual(["bad-argument", expect.stringMatching(message)]);
    }
    expect(() => checkBudget({ maxFlips: 0 })).not.toThrow();
  });

  it("shows progress and stops when cancelled", async () => {
    const abort = new AbortController();
    const stages: string[] = [];
    const control = {
      signal: abort.signal,
      onProgress: ({ stage, done }: { stage: string; done: number }) => {
        stages.push(stage);
        if (done === 3) abort.abort();
      },
    };
    const running = allocate(uniform(names), 16, { maxDrop: 0.005 }, madeUp(SENSITIVE).asked, control);
    await expect(running).rejects.toMatchObject({ code: "cancelled" });
    expect(new Set(stages)).toEqual(new Set(["tables of every size", "choosing table sizes"]));
  });
});
