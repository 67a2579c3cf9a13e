// Real models through onnxruntime: the published fp32 results on part of the data, and what calibration sees in them.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { type Dataset, fitDataset } from "../../packages/lutra/src/data/index.ts";
import { calibrate, compareScores, declaredInputs, score } from "../../packages/lutra/src/model/index.ts";
import { findSites, readModel } from "../../packages/lutra/src/onnx/index.ts";
import { failure } from "../data/errors.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { kernelsOf, loadExample } from "./fixture.ts";

const KWT1 = "models/kwt1/kwt1_mfcc.onnx";
const KWT1_DECOMPOSED = "models/kwt1/kwt1_mfcc_decomposed.onnx";
const SST2 = "models/sst2_bert_tiny/sst2_bert_tiny.onnx";
const STORIES = "models/stories260k/stories260k.onnx";

/** Every n-th sample of the report split. */
function thinned(dataset: Dataset, step: number): Dataset {
  const { report } = dataset.parts;
  return {
    ...dataset,
    parts: { ...dataset.parts, report: { ...report, indices: report.indices.filter((_, i) => i % step === 0) } },
  };
}

async function open(model: string): ReturnType<typeof openSession> {
  return openSession(ort, sharedPath(model), { threads: 2 });
}

describeShared("score on real models", () => {
  it("finds sst2_bert_tiny's 79.82 % on all 872 sentences, whatever the batches", async () => {
    const session = await open(SST2);
    const dataset = fitDataset(await loadExample("sst2"), session.inputs);
    const batched = await score(session, dataset, "all");
    expect(batched.metrics.accuracy).toBe(696 / 872);
    const single = await score(session, dataset, "all", {}, { batchSize: 1 });
    expect(compareScores(single, batched).logitError.max).toBeLessThan(1e-5);
  });

  it("finds stories260k's NLL of 1.2664 and perplexity of 3.548 over 1,804 tokens", async () => {
    const session = await open(STORIES);
    const { metrics, rows, samples } = await score(
      session,
      fitDataset(await loadExample("stories260k"), session.inputs),
      "report",
    );
    expect({ rows, samples }).toEqual({ rows: 1804, samples: 5 });
    expect(metrics.nll).toBeCloseTo(1.2664, 4);
    expect(metrics.perplexity).toBeCloseTo(3.5482, 4);
  });

  it("finds the same logits in both forms of kwt1, batched and one clip at a time, on a tenth of its clips", async () => {
    const [whole, decomposed] = [await open(KWT1), await open(KWT1_DECOMPOSED)];
    const dataset = thinned(await loadExample("speech-commands"), 10);
    const before = await score(whole, fitDataset(dataset, whole.inputs), "report");
    const after = await score(decomposed, fitDataset(dataset, decomposed.inputs), "report");
    expect(before.metrics.accuracy).toBeGreaterThan(0.89);
    expect(compareScores(before, after)).toMatchObject({ flips: 0, rows: 95 });
    expect(compareScores(before, after).logitError.max).toBeLessThan(1e-3);
  });

  it("scales MNIST's images as vit_mnist wants them, on every 40th image", async () => {
    const session = await open("models/vit_mnist/vit_mnist.onnx");
    const dataset = thinned(await loadExample("vit-mnist"), 40);
    const { metrics, samples } = await score(session, fitDataset(dataset, session.inputs), "report");
    expect(samples).toBe(212);
    expect(metrics.accuracy).toBeGreaterThan(0.95);
  });
});

describeShared("calibrate on real models", () => {
  const openBytes = (bytes: Uint8Array): ReturnType<typeof openSession> => openSession(ort, bytes, { threads: 2 });

  it("reads the declared inputs from the graph as onnxruntime does", async () => {
    for (const path of [KWT1, KWT1_DECOMPOSED, SST2, STORIES]) {
      const session = await open(path);
      expect(declaredInputs(readModel(readFileSync(sharedPath(path))))).toEqual(session.inputs);
    }
  });

  it("records what every layer and hole of sst2_bert_tiny sees", async () => {
    const model = readModel(readFileSync(sharedPath(SST2)));
    const sites = findSites(model);
    const dataset = fitDataset(await loadExample("sst2"), declaredInputs(model));
    const seen = await calibrate(model, sites, kernelsOf(sites), dataset, openBytes);
    expect(Object.keys(seen).sort()).toEqual(sites.map(({ id }) => id).sort());
    for (const site of sites) {
      const { input, holes } = seen[site.id];
      expect(input.counts.reduce((sum, count) => sum + count)).toBeGreaterThan(1000);
      if (site.kind === "gelu") expect(holes.f).toEqual(input);
      if (site.kind === "softmax") {
        // exp is asked for x - max x, which is never positive; 1/x for sums that are never below 1.
        expect(holes.exp.edges.at(-2)).toBeLessThanOrEqual(0);
        expect(holes.reciprocal.edges[0]).toBeGreaterThanOrEqual(1);
      }
      if (site.kind === "layer-norm") expect(Object.keys(holes)).toEqual(["rsqrt"]);
    }
  });

  it("takes about as many values as it may", async () => {
    const model = readModel(readFileSync(sharedPath(SST2)));
    const sites = findSites(model).filter(({ kind }) => kind === "gelu");
    const dataset = fitDataset(await loadExample("sst2"), declaredInputs(model));
    const options = { maxValuesPerSite: 100_000 };
    const seen = await calibrate(model, sites, kernelsOf(sites), dataset, openBytes, {}, options);
    for (const { input } of Object.values(seen)) {
      const values = input.counts.reduce((sum, count) => sum + count);
      expect(values).toBeGreaterThan(50_000);
      expect(values).toBeLessThanOrEqual(100_000);
    }
  });

  it("refuses a dataset without calibration samples, and stops when cancelled", async () => {
    const model = readModel(readFileSync(sharedPath(SST2)));
    const sites = findSites(model);
    const dataset = fitDataset(await loadExample("sst2"), declaredInputs(model));
    const calibration = { ...dataset.parts.calibration, indices: new Int32Array(0) };
    const none = { ...dataset, parts: { ...dataset.parts, calibration } };
    expect((await failure(() => calibrate(model, sites, kernelsOf(sites), none, openBytes))).message).toMatch(
      /no calibration samples/,
    );
    const control = { signal: AbortSignal.abort() };
    expect((await failure(() => calibrate(model, sites, kernelsOf(sites), dataset, openBytes, control))).code).toBe(
      "cancelled",
    );
  });
});

describeShared("openSession", () => {
  it("says what onnxruntime says of a broken model, input or output", async () => {
    const broken = await failure(() => openSession(ort, Uint8Array.of(1, 2, 3)));
    expect([broken.code, broken.message]).toEqual([
      "bad-model",
      expect.stringMatching(/cannot load the model: .*protobuf/),
    ]);
    const missing = await failure(() => openSession(ort, "nowhere.onnx"));
    expect([missing.code, missing.where]).toEqual(["bad-model", "nowhere.onnx"]);
    const session = await open(STORIES);
    const ids = { shape: [3], data: BigInt64Array.of(1n, 2n, 3n) };
    expect((await failure(() => session.run({ idx: ids }))).message).toMatch(/Invalid rank/);
    expect((await failure(() => session.run({ idx: { ...ids, shape: [1, 3] } }, ["x"]))).code).toBe("mismatch");
    expect((await failure(() => session.run({}))).message).toMatch(/idx/);
  });
});
