// compileProgram on the models of ../shared: what each loses on its report split, what was chosen and why, and what is refused. A part of the
// larger datasets; bench/programs runs all of them.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeDemo } from "../../models/demo/make.mjs";
import {
  type CompiledProgram,
  type CompileProgramOptions,
  compileProgram,
  type ProgramTools,
} from "../../packages/lutra/src/compile-program.ts";
import { type Dataset, fitDataset, loadDataset, parseDescription } from "../../packages/lutra/src/data/index.ts";
import { declaredInputs, score } from "../../packages/lutra/src/model/index.ts";
import { type Model, node, readModel, tensor } from "../../packages/lutra/src/onnx/index.ts";
import { interpreterSession, writeProgram } from "../../packages/lutra/src/program/index.ts";
import { openProgram } from "../../packages/lutra/src/run/index.ts";
import { failure } from "../data/errors.ts";
import { loadExample } from "../model/fixture.ts";
import { modelBytes, valueInfo } from "../onnx/models.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { tools as floatTools, sharedModel } from "./real-models.ts";

const tools: ProgramTools = { ...floatTools, openProgram: async (program) => openProgram(program, {}) };
const slow: ProgramTools = { ...floatTools, openProgram: async (program) => interpreterSession(program) };

/** At most so many samples of each split, evenly spread. */
function thinned(dataset: Dataset, counts: Partial<Record<"calibration" | "selection" | "report", number>>): Dataset {
  const parts = Object.entries(counts).map(([split, most]) => {
    const part = dataset.parts[split as keyof typeof counts];
    const count = Math.min(most, part.indices.length);
    const indices = Int32Array.from(
      { length: count },
      (_, i) => part.indices[Math.floor((i * part.indices.length) / count)] as number,
    );
    return [split, { ...part, indices }];
  });
  return { ...dataset, parts: { ...dataset.parts, ...Object.fromEntries(parts) } };
}

function chosen({ choices }: CompiledProgram, what: string): string | undefined {
  return choices.find((choice) => choice.what === what)?.chosen;
}

/** Everything given: no trials. */
const PLAIN: CompileProgramOptions = { ranges: "mse", migration: 0, attention: "narrow" };

describeShared("compileProgram on real models", () => {
  it("sorts all 729 sequences of gpt_nano_sort", { timeout: 60_000 }, async () => {
    const model = sharedModel("gpt_nano_sort/gpt_nano_sort.onnx");
    const dataset = await loadExample("sorted-digits");
    const { program, flips, choices } = await compileProgram(model, dataset, PLAIN, tools);
    expect(flips).toBe(0);
    const { metrics, samples } = await score(
      openProgram(program, {}),
      fitDataset(dataset, declaredInputs(model)),
      "all",
    );
    expect({ samples, right: metrics["sequence-accuracy"] }).toEqual({ samples: 729, right: 1 });
    expect(choices.map(({ what }) => what)).toEqual([
      "ranges",
      "scale migration",
      "queries and keys",
      "size batch",
      "size seq",
    ]);
  });

  it("chooses for sst2_bert_tiny, and loses at most half a point on 488 sentences", { timeout: 120_000 }, async () => {
    const model = sharedModel("sst2_bert_tiny/sst2_bert_tiny.onnx");
    const compiled = await compileProgram(model, await loadExample("sst2"), {}, tools);
    expect(compiled.samples).toBe(488);
    expect((compiled.before.accuracy ?? 0) - (compiled.after.accuracy ?? 0)).toBeLessThanOrEqual(0.005);
    expect(compiled.trials.length).toBeGreaterThanOrEqual(3);
    expect(chosen(compiled, "scale migration")).toBe("none");
    const size = readFileSync(sharedPath("models/sst2_bert_tiny/sst2_bert_tiny.onnx")).length;
    expect(writeProgram(compiled.program).length).toBeLessThanOrEqual(0.27 * size + 32_000);
  });

  it.each(["kwt1_mfcc", "kwt1_mfcc_decomposed"])(
    "gives %s an input of 12 bits, and loses at most half a point on 160 clips",
    { timeout: 120_000 },
    async (name) => {
      const dataset = thinned(await loadExample("speech-commands"), { calibration: 96, selection: 24, report: 160 });
      const options = { ranges: "mse", migration: 0, attention: "narrow" } as const;
      const compiled = await compileProgram(sharedModel(`kwt1/${name}.onnx`), dataset, options, tools);
      expect((compiled.before.accuracy ?? 0) - (compiled.after.accuracy ?? 0)).toBeLessThanOrEqual(0.005);
      expect(compiled.flips).toBeLessThan(0.01);
      expect(chosen(compiled, "inputs of weights")).toBe("12 bits");
      expect(chosen(compiled, "input mfcc")).toBe("12 bits, one scale for each of 40 columns");
    },
  );

  it("gives stories260k more bits in queries and keys: perplexity at most 3.62 on its 5 stories", {
    timeout: 180_000,
  }, async () => {
    const dataset = thinned(await loadExample("stories260k-sampled"), { calibration: 12 });
    const options = { ranges: "mse", migration: 0 } as const;
    const compiled = await compileProgram(sharedModel("stories260k/stories260k.onnx"), dataset, options, tools);
    expect(compiled.after.perplexity).toBeLessThanOrEqual(3.62);
    expect(chosen(compiled, "queries and keys")).toMatch(/^9 to 12 bits in [3-5] of 5 attentions$/);
  });

  it("loses at most half a point of vit_mnist on 400 images, within a limit", { timeout: 120_000 }, async () => {
    const dataset = thinned(await loadExample("vit-mnist"), { calibration: 64, selection: 400, report: 400 });
    const options = { ...PLAIN, maxDrop: 0.01 };
    const compiled = await compileProgram(sharedModel("vit_mnist/vit_mnist.onnx"), dataset, options, tools);
    expect((compiled.before.accuracy ?? 0) - (compiled.after.accuracy ?? 0)).toBeLessThanOrEqual(0.005);
    expect(compiled.choices[0]).toMatchObject({ what: "scheme", chosen: "ranges mse" });
    expect(compiled.choices[0]?.why).toMatch(
      /^the cheapest that loses at most 0.01 of accuracy on 400 of the 400 samples/,
    );
  });

  it("loses at most half a point of rxnmapper_albert on 12 reactions", { timeout: 180_000 }, async () => {
    const dataset = thinned(await loadExample("rxnmapper"), { calibration: 16, report: 12 });
    const compiled = await compileProgram(
      sharedModel("rxnmapper_albert/rxnmapper_albert_op17.onnx"),
      dataset,
      PLAIN,
      tools,
    );
    expect((compiled.before.accuracy ?? 0) - (compiled.after.accuracy ?? 0)).toBeLessThanOrEqual(0.005);
    expect(compiled.flips).toBeLessThanOrEqual(0.02);
  });

  it("reports layers, those first that make most noise", { timeout: 120_000 }, async () => {
    const dataset = thinned(await loadExample("sst2"), { calibration: 16, report: 4 });
    const options = { ...PLAIN, sensitivity: true };
    const { sensitivity } = await compileProgram(
      sharedModel("sst2_bert_tiny/sst2_bert_tiny.onnx"),
      dataset,
      options,
      slow,
    );
    const layers = sensitivity ?? [];
    expect(layers.length).toBeGreaterThan(20);
    const noise = layers.map(({ roundedSignalToNoise }) => roundedSignalToNoise);
    expect(noise).toEqual(noise.toSorted((a, b) => a - b));
    // Eight bits of a bell curve leave some 40 dB; what arrives at the logits is still far above their noise.
    for (const { roundedSignalToNoise, clipped } of layers) {
      expect(roundedSignalToNoise).toBeGreaterThan(15);
      expect(clipped).toBeLessThan(0.6);
    }
    const alone = layers.flatMap(({ errorAlone, bits }) => (errorAlone === null ? [] : [{ errorAlone, bits }]));
    expect(alone.length).toBeGreaterThan(12);
    for (const { errorAlone, bits } of alone) {
      expect(bits).toBeLessThan(16);
      expect(errorAlone).toBeLessThan(0.01);
    }
    expect(layers.find(({ layer }) => layer === "logits")?.signalToNoise).toBeGreaterThan(20);
  });

  it("answers through the interpreter as through the module", { timeout: 120_000 }, async () => {
    const dataset = thinned(await loadExample("sst2"), { calibration: 16, report: 3 });
    const model = sharedModel("sst2_bert_tiny/sst2_bert_tiny.onnx");
    const [fast, interpreted] = [
      await compileProgram(model, dataset, PLAIN, tools),
      await compileProgram(model, dataset, PLAIN, slow),
    ];
    expect(fast.logitError).toEqual(interpreted.logitError);
    expect(writeProgram(fast.program)).toEqual(writeProgram(interpreted.program));
  });

  it("refuses a limit that no scheme keeps, naming the best", { timeout: 120_000 }, async () => {
    const dataset = thinned(await loadExample("sst2"), { calibration: 16, selection: 24, report: 4 });
    const perplexed: Dataset = { ...dataset, metrics: ["nll"] };
    const model = sharedModel("sst2_bert_tiny/sst2_bert_tiny.onnx");
    const error = await failure(() =>
      compileProgram(model, perplexed, { ...PLAIN, maxDrop: 1e-9, ranges: "percentile" }, tools),
    );
    expect(error).toMatchObject({ code: "infeasible", message: "no scheme loses at most 1e-9 of nll" });
    expect(error.where).toMatch(/24 of the 24 samples of the selection split; the best, ranges percentile: /);
  });
});

describe("compileProgram on the demo", () => {
  const folder = mkdtempSync(join(tmpdir(), "lutra-program-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("reads every one of 250 dates right", { timeout: 120_000 }, async () => {
    makeDemo(folder);
    const file = join(folder, "dataset.json");
    const dataset = await loadDataset(parseDescription(readFileSync(file), file), async (path) =>
      readFileSync(join(folder, path)),
    );
    const model = readModel(readFileSync(join(folder, "dates.onnx")));
    const { before, after } = await compileProgram(
      model,
      thinned(dataset, { calibration: 64, report: 250 }),
      PLAIN,
      tools,
    );
    expect((before["sequence-accuracy"] ?? 0) - (after["sequence-accuracy"] ?? 0)).toBeLessThanOrEqual(0.002);
  });
});

describe("compileProgram refuses", () => {
  /** y = a function of x, 4 numbers. */
  const small = (...nodes: Parameters<typeof modelBytes>[0]["nodes"]): Model =>
    readModel(
      modelBytes({
        ...{ opset: 17, irVersion: 8, nodes },
        initializers: [
          tensor(
            Float32Array.from({ length: 16 }, (_, i) => Number(i % 5 === 0)),
            [4, 4],
            "W",
          ),
        ],
        inputs: [valueInfo("x", ["N", 4])],
        outputs: [valueInfo("y", ["N", 4])],
      }),
    );
  const rows = Array.from({ length: 40 }, (_, i) => [i % 7, (i % 5) - 2, i / 40, -1].join(","));
  const csv = new TextEncoder().encode(`a,b,c,d\n${rows.join("\n")}\n`);
  const dataset = (calibration: number): Promise<Dataset> => {
    const text = JSON.stringify({
      name: "made up",
      inputs: { x: { file: "rows.csv", columns: ["a", "b", "c", "d"], type: "float32" } },
      splits: { calibration, seed: 1 },
    });
    return loadDataset(parseDescription(new TextEncoder().encode(text), "data.json"), async () => csv);
  };
  const quotient = small(
    node("MatMul", ["x", "W"], ["s"]),
    node("Sigmoid", ["x"], ["t"]),
    node("Div", ["s", "t"], ["y"]),
  );

  it("an operator without a rule, by its node", async () => {
    const error = await failure(async () =>
      compileProgram(small(node("CumSum", ["x", "x"], ["y"])), await dataset(10), PLAIN, slow),
    );
    expect(error.code).toBe("unsupported");
    expect(`${error.message} ${error.where}`).toMatch(/CumSum/);
  });

  it("a quotient of activations, unless floats are allowed", async () => {
    const error = await failure(async () => compileProgram(quotient, await dataset(10), PLAIN, slow));
    expect(error).toMatchObject({ code: "unsupported", where: "y" });
    expect(error.note).toMatch(/--allow-float/);
    const compiled = await compileProgram(quotient, await dataset(10), { ...PLAIN, allowFloat: true }, slow);
    expect(chosen(compiled, "floats")).toBe("1 steps in binary32");
  });

  it("a dataset without calibration samples, and options out of range", async () => {
    const model = small(node("Sigmoid", ["x"], ["y"]));
    expect((await failure(async () => compileProgram(model, await dataset(0), PLAIN, slow))).message).toMatch(
      /calibration/,
    );
    for (const wrong of [{ migration: 2 }, { maxDrop: -1 }, { maxDrop: Number.NaN }]) {
      expect((await failure(async () => compileProgram(model, await dataset(10), wrong, slow))).code).toBe(
        "bad-argument",
      );
    }
  });

  it("to go on when cancelled", async () => {
    const control = { signal: AbortSignal.abort() };
    const model = small(node("Sigmoid", ["x"], ["y"]));
    expect((await failure(async () => compileProgram(model, await dataset(10), PLAIN, slow, control))).code).toBe(
      "cancelled",
    );
  });
});
