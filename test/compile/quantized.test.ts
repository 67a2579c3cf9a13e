// Quantized models end to end: the layers between DequantizeLinear and QuantizeLinear become integer tables, and the model runs.

import { beforeAll, expect, it } from "vitest";
import { fromJson, hash, type Tensors, toJson } from "../../packages/lutra/src/base/index.ts";
import { type Compilation, type CompileOptions, compile } from "../../packages/lutra/src/compile.ts";
import { batches, type Dataset, fitDataset } from "../../packages/lutra/src/data/index.ts";
import { declaredInputs, type PlannedTable, parsePlan, planFile } from "../../packages/lutra/src/model/index.ts";
import { concatenate, type Model, readModel } from "../../packages/lutra/src/onnx/index.ts";
import { segmentCount } from "../../packages/lutra/src/table/index.ts";
import { loadExample } from "../model/fixture.ts";
import { layerValues, quantizeModel, rangesOf } from "../onnx/quantize.ts";
import { describeShared } from "../shared.ts";
import { sharedModel, shortened, tools } from "./real-models.ts";

const SIXTEEN: CompileOptions = { segments: 16, method: "optimal", norm: "max", flat: false, seed: 1 };
/** A float model quantized over the first batches of its calibration split. */
async function quantized(path: string, dataset: Dataset, inner: boolean, bits: 8 | 16 = 8): Promise<Model> {
  const model = sharedModel(path);
  const fitted = fitDataset(dataset, declaredInputs(model));
  const inputs: Tensors[] = [];
  for (const batch of batches(fitted, "calibration", { size: 16, pad: false })) {
    if (inputs.length < 4) inputs.push(batch.inputs);
  }
  return quantizeModel(model, await rangesOf(model, layerValues(model, inner), inputs, tools.openSession), bits);
}

const modelHash = ({ model }: Compilation): string => hash([...concatenate(model)]);
const tally = (texts: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const text of texts) counts[text] = (counts[text] ?? 0) + 1;
  return counts;
};
const layers = ({ sites }: Compilation): Record<string, number> =>
  tally(sites.map(({ kind, form, formats }) => `${kind} ${form}${formats === undefined ? "" : " of codes"}`));

describeShared("a quantized model compiled", () => {
  it("kwt1, int8 weights and GELU in codes: 12 tables of 256 answers, all correctly rounded (64 + 100 clips)", async () => {
    const dataset = shortened(await loadExample("speech-commands"), 64, 100);
    const model = await quantized("kwt1/kwt1_mfcc.onnx", dataset, false);
    const result = await compile(model, dataset, { ...SIXTEEN, only: ["gelu-tanh"] }, tools);
    expect(layers(result)).toEqual({ "gelu-tanh operator of codes": 12 });
    for (const { method, bytes, certificate, objective, bound } of result.tables) {
      expect([method, bytes, certificate.offBy, certificate.shown]).toEqual(["direct", 256, [256], "enumerated"]);
      expect(objective).toBe(bound);
    }
    // onnxruntime rounds binary32 answers, the tables exact ones: here these are the same codes.
    expect(result.logitError.max).toBe(0);
    expect(result.after).toEqual(result.before);
  });

  it("kwt1 decomposed, a pair behind each of GELU's operators: the same 12 sites, without the inner roundings (100 clips)", async () => {
    const dataset = shortened(await loadExample("speech-commands"), 16, 100);
    const model = await quantized("kwt1/kwt1_mfcc_decomposed.onnx", dataset, true);
    const result = await compile(model, dataset, { ...SIXTEEN, only: ["gelu-tanh"] }, tools);
    expect(layers(result)).toEqual({ "gelu-tanh decomposed of codes": 12 });
    expect(result.after.accuracy).toBeGreaterThanOrEqual(result.before.accuracy ?? 1);
    expect(result.flips).toBeLessThan(0.03);
  });
});

describeShared("sst2_bert_tiny with GELU and Tanh in codes, compiled", () => {
  let dataset: Dataset;
  let model: Model;
  let whole: Compilation;
  const run = (options: Partial<CompileOptions>): Promise<Compilation> =>
    compile(model, dataset, { ...SIXTEEN, only: ["gelu", "tanh"], ...options }, tools);

  beforeAll(async () => {
    dataset = shortened(await loadExample("sst2"), 128, 200);
    model = await quantized("sst2_bert_tiny/sst2_bert_tiny.onnx", dataset, true);
    whole = await run({});
  }, 120_000);

  it("answers as before", () => {
    expect(layers(whole)).toEqual({ "gelu decomposed of codes": 2, "tanh operator of codes": 1 });
    expect(whole.after.accuracy).toBe(whole.before.accuracy);
    expect(whole.flips).toBe(0);
    expect(whole.tables.map(({ bytes }) => bytes)).toEqual([256, 256, 256]);
  });

  it("takes smaller tables where bytes are short", async () => {
    const small = await run({ budget: { maxBytes: 200 } });
    expect(small.tables.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(200);
    expect(small.tables.every(({ method }) => method === "optimal")).toBe(true);
    expect(small.flips).toBeLessThanOrEqual(0.02);
    expect(small.allocation).toMatchObject({ segments: 16, uniform: { bytes: 768 } });
  });

  it("gives the same model again from its plan, as JSON, and another one where a user changes a table", async () => {
    const plan = parsePlan(fromJson(toJson(planFile(whole.plan), 2)));
    expect(plan).toEqual(whole.plan);
    expect(modelHash(await run({ plan }))).toBe(modelHash(whole));
    const [name] = Object.keys(plan.tables);
    const table = plan.tables[name] as PlannedTable;
    const problem = { ...table.problem, size: { segments: 9 } };
    const edited = await run({ plan: { ...plan, tables: { ...plan.tables, [name]: { method: "optimal", problem } } } });
    expect(edited.tables.map(({ method }) => method)).toEqual(["optimal", "direct", "direct"]);
    const wrong = run({ plan: { ...plan, tables: { ...plan.tables, [name]: { method: "direct", problem } } } });
    await expect(wrong).rejects.toThrow("a direct table has an entry for each of 256 codes, got 9 segments");
  });

  it("has optimal tables of the segments asked for where codes have 16 bits", async () => {
    const wide = await quantized("sst2_bert_tiny/sst2_bert_tiny.onnx", dataset, false, 16);
    const result = await compile(wide, dataset, { ...SIXTEEN, only: ["gelu", "tanh"] }, tools);
    expect(layers(result)).toEqual({ "gelu decomposed of codes": 2, "tanh operator of codes": 1 });
    for (const { method, table, certificate, problem } of result.tables) {
      expect(method).toBe("optimal");
      expect(problem.spec.input).toMatchObject({ kind: "integer", bits: 16 });
      expect(segmentCount(table)).toBeLessThanOrEqual(16);
      expect(certificate.over).toContain("65,536 codes");
      expect(certificate.absolute.upper).toBeLessThan(0.01);
    }
    expect(result.after.accuracy).toBe(result.before.accuracy);
    expect(result.flips).toBe(0);
  });

  it("writes standard operators only, with --flat", async () => {
    const flat = await run({ flat: true });
    expect(readModel(concatenate(flat.model)).proto.functions).toEqual([]);
    expect(flat.after).toEqual(whole.after);
  });
});
