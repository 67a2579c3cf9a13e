// Methods on whole models: compared by what they cost, and refitted to what the layers see.

import { expect, it } from "vitest";
import {
  type CompareModelOptions,
  compareModel,
  type ModelComparison,
} from "../../packages/lutra/src/compare-model.ts";
import { compile } from "../../packages/lutra/src/compile.ts";
import { refit } from "../../packages/lutra/src/refit.ts";
import { segmentCount } from "../../packages/lutra/src/table/index.ts";
import { loadExample } from "../model/fixture.ts";
import { describeShared } from "../shared.ts";
import { sharedModel, shortened, tools } from "./real-models.ts";

const SST2 = "sst2_bert_tiny/sst2_bert_tiny.onnx";
const STORIES = "stories260k/stories260k.onnx";
const ASKED: CompareModelOptions = { methods: ["optimal", "uniform"], segments: [8], norm: "max", seed: 1 };

async function compared(options: Partial<CompareModelOptions> = {}): Promise<ModelComparison> {
  const dataset = shortened(await loadExample("sst2"), 64, 100);
  return compareModel(sharedModel(SST2), dataset, { ...ASKED, ...options }, tools);
}

describeShared("methods compared on a model", () => {
  it("gives a row for each method and kind of layer, and all together", async () => {
    const { rows, before, samples } = await compared();
    expect(samples).toBe(100);
    expect(before.accuracy).toBeGreaterThan(0.7);
    const groups = ["norms", "softmax", "gelu", "tanh", "all"];
    expect(rows.map(({ method, replaced }) => [method, replaced])).toEqual(
      ["optimal", "uniform"].flatMap((method) => groups.map((group) => [method, group])),
    );
    const [norms, , , , all] = rows;
    expect(norms?.layers).toBe(5);
    expect(all?.layers).toBe(10);
    expect(all?.bytes).toBe(rows.slice(0, 4).reduce((sum, { bytes }) => sum + bytes, 0));
  });

  it("fits on a paper's ranges where asked to: 4,096 uniform segments change nothing that counts", async () => {
    const { rows } = await compared({ methods: ["uniform"], segments: [4096], ranges: "huang", replaced: ["gelu"] });
    expect(rows).toHaveLength(1);
    expect(rows[0]?.flips).toBe(0);
    // Four bytes each for a slope and an intercept, and the two lines beyond the range.
    expect(rows[0]?.bytes).toBeLessThanOrEqual(4098 * 8);
  });

  it("gives parameters to the methods that have them", async () => {
    const of = async (parameters: NonNullable<CompareModelOptions["parameters"]>): Promise<readonly unknown[]> => {
      const { rows } = await compared({ parameters, replaced: ["gelu"] });
      return rows.map(({ logitError }) => logitError.mean);
    };
    const [optimal, chords] = await of({});
    const [same, minimax] = await of({ lines: "minimax" });
    expect(same).toBe(optimal);
    expect(minimax).not.toBe(chords);
  });

  it("says which methods cannot answer, and goes on with the others", async () => {
    const { rows, refused } = await compared({ methods: ["direct", "uniform"], replaced: ["tanh"] });
    expect(rows.map(({ method }) => method)).toEqual(["uniform"]);
    expect(refused).toEqual([{ method: "direct", segments: 8, reason: expect.stringContaining("integer") }]);
  });

  it.each([
    ["a method", { methods: ["best"] }, 'unknown method "best"'],
    ["a parameter", { parameters: { generations: 5 } }, 'none of the methods has a parameter "generations"'],
    ["a kind of layer", { replaced: ["attention"] }, 'unknown kind of layer "attention"'],
    ["a grid", { ranges: "valueOf" }, 'unknown grid "valueOf"'],
  ])("refuses %s that does not exist", async (_what, options, message) => {
    await expect(compared(options)).rejects.toThrow(message);
  });
});

describeShared("refitting", () => {
  const quick = { method: "relu-net", segments: 8, norm: "max", flat: false, seed: 1, only: ["rms-norm"] } as const;

  it("recovers most of what relu-net's tables of 1/sqrt cost stories260k", async () => {
    const dataset = await loadExample("stories260k");
    const { plan, before, after } = await compile(sharedModel(STORIES), dataset, quick, tools);
    const refitted = await refit(sharedModel(STORIES), dataset, plan, { perLayer: false, flat: false, seed: 1 }, tools);
    expect(refitted.unfitted.metrics).toEqual(after);
    const lost = (after.perplexity ?? 0) - (before.perplexity ?? 0);
    const left = (refitted.after.perplexity ?? 0) - (before.perplexity ?? 0);
    expect(lost).toBeGreaterThan(0.01);
    expect(left).toBeLessThan(lost / 2);
    expect(refitted.tables.map(({ table }) => segmentCount(table))).toEqual([8]);
    expect(refitted.plan.tables[refitted.tables[0]?.name ?? ""]?.problem.histogram).toBeDefined();
  });

  it("gives every layer tables of its own where asked to", async () => {
    const dataset = shortened(await loadExample("stories260k"), 1, 1);
    const cheap = { ...quick, method: "optimal" };
    const { plan } = await compile(sharedModel(STORIES), dataset, cheap, tools);
    expect(Object.keys(plan.tables)).toHaveLength(1);
    const refitted = await refit(sharedModel(STORIES), dataset, plan, { perLayer: true, flat: false, seed: 1 }, tools);
    expect(refitted.tables).toHaveLength(11);
  });

  it("refuses a plan of another model", async () => {
    const dataset = shortened(await loadExample("stories260k"), 1, 1);
    const plan = { tables: {}, sites: [{ id: "elsewhere", kind: "gelu", tables: {} }] };
    await expect(
      refit(sharedModel(STORIES), dataset, plan, { perLayer: false, flat: false, seed: 1 }, tools),
    ).rejects.toThrow('the model has no layer "elsewhere"');
  });
});
