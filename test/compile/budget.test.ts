// Budgets and plans on a real model: the smallest tables that keep it, and a plan that gives back what it came from.

import { beforeAll, expect, it } from "vitest";
import { fromJson, hash, toJson } from "../../packages/lutra/src/base/index.ts";
import { type Compilation, type CompileOptions, compile } from "../../packages/lutra/src/compile.ts";
import type { Dataset } from "../../packages/lutra/src/data/index.ts";
import { parsePlan, planFile } from "../../packages/lutra/src/model/index.ts";
import { concatenate } from "../../packages/lutra/src/onnx/index.ts";
import { segmentCount } from "../../packages/lutra/src/table/index.ts";
import { loadExample } from "../model/fixture.ts";
import { describeShared } from "../shared.ts";
import { sharedModel, shortened, tools } from "./real-models.ts";

const SST2 = "sst2_bert_tiny/sst2_bert_tiny.onnx";
const SIXTEEN: CompileOptions = { segments: 16, method: "optimal", norm: "max", flat: false, seed: 1 };

/** Two kinds of layer, so that few tables of every size are solved; the bench compiles whole models. */
const ONLY = ["gelu", "layer-norm"];

function run(dataset: Dataset, options: Partial<CompileOptions>): Promise<Compilation> {
  return compile(sharedModel(SST2), dataset, { ...SIXTEEN, ...options }, tools);
}

const bytesOf = ({ tables }: Compilation): number => tables.reduce((sum, { bytes }) => sum + bytes, 0);
const modelHash = ({ model }: Compilation): string => hash([...concatenate(model)]);

describeShared("compile of two kinds of sst2_bert_tiny's layers", () => {
  let dataset: Dataset;
  let uniform: Compilation;
  let budgeted: Compilation;

  beforeAll(async () => {
    dataset = shortened(await loadExample("sst2"), 128, 200);
    uniform = await run(dataset, { only: ONLY });
    budgeted = await run(dataset, { only: ONLY, budget: { maxDrop: 0.005 } });
  }, 120_000);

  it("with a drop of at most 0.5 points takes less than half the bytes of 16 segments everywhere", () => {
    expect(bytesOf(budgeted)).toBeLessThan(bytesOf(uniform) / 2);
    expect(budgeted.allocation).toMatchObject({
      chosen: { bytes: bytesOf(budgeted) },
      uniform: { bytes: bytesOf(uniform) },
    });
    expect(budgeted.after.accuracy).toBeGreaterThanOrEqual((budgeted.before.accuracy ?? 1) - 0.005);
  });

  it("says what the tables were chosen on, every plan tried, and why none is smaller", () => {
    const { allocation } = budgeted;
    expect(allocation?.chosenOn).toBe("the 256 samples of the selection split");
    expect(allocation?.front.length).toBeGreaterThanOrEqual(16);
    expect(allocation?.front.length).toBeLessThanOrEqual(40);
    expect(allocation?.why).toMatch(/leaves the budget/);
  });

  it.each(["uniform", "budgeted"] as const)("gives the same model again from the %s plan, as JSON", async (which) => {
    const first = which === "uniform" ? uniform : budgeted;
    const plan = parsePlan(fromJson(toJson(planFile(first.plan), 2)));
    const again = await run(dataset, { plan });
    expect(modelHash(again)).toBe(modelHash(first));
    expect(new Set(again.tables.map(({ name }) => name))).toEqual(new Set(first.tables.map(({ name }) => name)));
  });

  it("compiles what a user has edited: other segments, fewer layers", async () => {
    const { tables, sites } = uniform.plan;
    const gelu = tables["gelu-1"];
    const edited = { ...tables, "gelu-1": { ...gelu, problem: { ...gelu.problem, size: { segments: 5 } } } };
    const kept = sites.filter(({ kind }) => kind === "gelu");
    const result = await run(dataset, { plan: { tables: edited, sites: kept } });
    expect(result.sites.map(({ id }) => id)).toEqual(kept.map(({ id }) => id));
    const sizes = result.tables.map(({ name, table }) => [name, segmentCount(table)]);
    expect(Object.fromEntries(sizes)).toEqual({ "gelu-1": 5 });
  });

  it("refuses a plan that fit cannot solve, naming the table", async () => {
    const { tables, sites } = uniform.plan;
    const gelu = tables["gelu-1"];
    const broken = { ...tables, "gelu-1": { ...gelu, problem: { ...gelu.problem, size: { segments: 0 } } } };
    await expect(run(dataset, { plan: { tables: broken, sites } })).rejects.toMatchObject({
      code: "bad-argument",
      where: "table gelu-1",
    });
  });
});
