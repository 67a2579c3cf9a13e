// The main job end to end on real models: tables proven, model rewritten, accuracy measured.

import { expect, it } from "vitest";
import { hash, LutraError } from "../../packages/lutra/src/base/index.ts";
import { type Compilation, type CompileOptions, compile } from "../../packages/lutra/src/compile.ts";
import type { Dataset } from "../../packages/lutra/src/data/index.ts";
import { concatenate, findSites, readModel } from "../../packages/lutra/src/onnx/index.ts";
import { loadExample } from "../model/fixture.ts";
import { describeShared } from "../shared.ts";
import { sharedModel, shortened, tools } from "./real-models.ts";

const KWT1 = "kwt1/kwt1_mfcc.onnx";
const KWT1_DECOMPOSED = "kwt1/kwt1_mfcc_decomposed.onnx";
const SST2 = "sst2_bert_tiny/sst2_bert_tiny.onnx";
const STORIES = "stories260k/stories260k.onnx";
const SIXTEEN: CompileOptions = { segments: 16, method: "optimal", norm: "max", flat: false, seed: 1 };

function run(model: string, dataset: Dataset, options: Partial<CompileOptions> = {}): Promise<Compilation> {
  return compile(sharedModel(model), dataset, { ...SIXTEEN, ...options }, tools);
}

const countKinds = ({ sites }: Compilation): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { kind } of sites) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};

describeShared("compile with 16 segments everywhere", () => {
  it("keeps stories260k's perplexity at or under 3.56 over all 1,804 tokens", async () => {
    const result = await run(STORIES, await loadExample("stories260k"));
    expect(countKinds(result)).toEqual({ silu: 5, softmax: 5, "rms-norm": 11 });
    expect(result.before.perplexity).toBeCloseTo(3.5482, 4);
    expect(result.after.perplexity).toBeLessThanOrEqual(3.56);
    expect(result.flips).toBeLessThanOrEqual(0.01);
  });

  it("loses at most 0.2 points on sst2_bert_tiny, with flips of at most 1 %", async () => {
    const result = await run(SST2, await loadExample("sst2"));
    expect(countKinds(result)).toEqual({ gelu: 2, softmax: 2, "layer-norm": 5, tanh: 1 });
    expect(result.after.accuracy).toBeGreaterThanOrEqual((result.before.accuracy ?? 1) - 0.002);
    expect(result.flips).toBeLessThanOrEqual(0.01);
  });

  it("treats kwt1 and its decomposed form alike (64 + 100 clips)", async () => {
    const dataset = shortened(await loadExample("speech-commands"), 64, 100);
    const whole = await run(KWT1, dataset);
    const decomposed = await run(KWT1_DECOMPOSED, dataset);
    expect(countKinds(whole)).toEqual({ "gelu-tanh": 12, softmax: 12, "layer-norm": 24 });
    expect(countKinds(decomposed)).toEqual(countKinds(whole));
    expect(decomposed.sites.filter(({ form }) => form === "decomposed").length).toBe(36);
    for (const { before, after, flips } of [whole, decomposed]) {
      expect(after.accuracy).toBe(before.accuracy);
      expect(flips).toBe(0);
    }
  });

  it("proves every table and every layer, with a bound that the attained error comes close to", async () => {
    const { sites, tables } = await run(SST2, await loadExample("sst2"));
    for (const { certificate } of sites) {
      expect(certificate.absolute.upper).toBeGreaterThanOrEqual(certificate.absolute.lower);
      expect(certificate.absolute.upper).toBeLessThan(0.01);
    }
    for (const { certificate, objective, bound, problem } of tables) {
      const proven = problem.norm === "relative" ? certificate.relative : certificate.absolute;
      expect(proven.lower).toBeGreaterThan(0.95 * proven.upper);
      expect(objective).toBeLessThanOrEqual(1.01 * bound);
    }
  });
});

describeShared("compile", () => {
  it("gives the same bytes for the same seed", async () => {
    const dataset = await loadExample("sst2");
    const [a, b] = [await run(SST2, dataset), await run(SST2, dataset)];
    expect(hash([...concatenate(a.model)])).toBe(hash([...concatenate(b.model)]));
    expect(hash(a.tables)).toBe(hash(b.tables));
  });

  it("with --flat writes standard operators only, and the same answers", async () => {
    const dataset = await loadExample("sst2");
    const [functions, flat] = [await run(SST2, dataset), await run(SST2, dataset, { flat: true })];
    const { proto } = readModel(concatenate(flat.model));
    expect(proto.functions).toEqual([]);
    expect(new Set(proto.graph?.node.map(({ domain }) => domain))).toEqual(new Set([""]));
    expect(flat.after).toEqual(functions.after);
    expect(readModel(concatenate(functions.model)).proto.functions.length).toBeGreaterThan(0);
  });

  it("replaces only the kinds asked for", async () => {
    const { sites, model } = await run(SST2, await loadExample("sst2"), { only: ["softmax"] });
    expect(sites.map(({ kind }) => kind)).toEqual(["softmax", "softmax"]);
    const left = findSites(readModel(concatenate(model))).map(({ kind }) => kind);
    expect(left.filter((kind) => kind === "softmax")).toEqual([]);
    expect(left.filter((kind) => kind === "gelu").length).toBe(2);
  });

  it("weighs inputs by calibration when the mean square is asked for: layers of one kind get their own tables", async () => {
    const { tables, flips } = await run(SST2, await loadExample("sst2"), { norm: "mse" });
    expect(tables.filter(({ name }) => name.startsWith("gelu")).length).toBe(2);
    expect(flips).toBeLessThanOrEqual(0.01);
  });

  it("names the kinds there are when asked for another", async () => {
    const failure = run(SST2, await loadExample("sst2"), { only: ["silu"] });
    await expect(failure).rejects.toThrow(LutraError);
    await expect(failure).rejects.toMatchObject({
      code: "bad-argument",
      note: "it has layer-norm, softmax, gelu, tanh",
    });
  });

  it("stops when it is interrupted", async () => {
    const abort = new AbortController();
    const model = sharedModel(KWT1);
    const stages: string[] = [];
    const running = compile(model, await loadExample("speech-commands"), SIXTEEN, tools, {
      signal: abort.signal,
      onProgress: ({ stage }) => {
        stages.push(stage);
        if (stage === "calibrate") abort.abort();
      },
    });
    await expect(running).rejects.toMatchObject({ code: "cancelled" });
    expect(stages).toContain("measuring the original");
  });
});
