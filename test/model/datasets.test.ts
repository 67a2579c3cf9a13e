// Datasets that come with the project against what is published of their models (../shared/models/*/SOURCE.txt): all of the data where that
// takes a second, else part of it, as the test's name says. models.test.ts has kwt1, sst2_bert_tiny, stories260k and vit_mnist.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { type Dataset, fitDataset } from "../../packages/lutra/src/data/index.ts";
import { compareScores, type Score, score } from "../../packages/lutra/src/model/index.ts";
import { describeShared, ROOT, sharedPath } from "../shared.ts";
import { loadExample } from "./fixture.ts";

/** The score of a model on every n-th sample. */
async function evaluate(model: string, example: string, step = 1): Promise<Score> {
  const dataset = thinned(await loadExample(example), step);
  const session = await openSession(ort, sharedPath(`models/${model}`), { threads: 2 });
  try {
    return await score(session, fitDataset(dataset, session.inputs), "all");
  } finally {
    await session.release();
  }
}

function thinned(dataset: Dataset, step: number): Dataset {
  const { all } = dataset.parts;
  const kept = all.indices.filter((_, i) => i % step === 0);
  return { ...dataset, parts: { ...dataset.parts, all: { ...all, indices: kept } } };
}

/** Share of the samples whose only number, a probability, is above one half. */
function shareOfYes({ logits, samples }: Score): number {
  return logits.samples.filter(([probability]) => probability > 0.5).length / samples;
}

const EXAMPLES = readdirSync(join(ROOT, "examples/datasets"))
  .filter((file) => file.endsWith(".json"))
  .map((file) => file.replace(".json", ""));

describeShared("the datasets that come with the project", () => {
  it.each(EXAMPLES)("have disjoint samples to calibrate, to choose and to report on (%s)", async (name) => {
    const { calibration, selection, report, all } = (await loadExample(name)).parts;
    // Five stories are too few to share: all of them are reported on, and random tokens take the other parts.
    const shared = name.startsWith("stories260k") ? [report] : [calibration, selection, report];
    for (const { indices } of shared) expect(indices.length).toBeGreaterThan(0);
    const used = shared.flatMap(({ indices }) => [...indices]);
    expect(new Set(used).size).toBe(used.length);
    expect(used.length).toBe(all.indices.length);
  });

  it("let gpt_nano_sort sort all 729 lists of six digits", async () => {
    const { metrics, rows, samples } = await evaluate("gpt_nano_sort/gpt_nano_sort.onnx", "sorted-digits");
    expect({ rows, samples }).toEqual({ rows: 6 * 729, samples: 729 });
    expect(metrics).toMatchObject({ "sequence-accuracy": 1, accuracy: 1 });
  });

  it("give magika's 0.9796 (every 8th of 881 files)", async () => {
    const { metrics, samples } = await evaluate("magika/model.onnx", "magika", 8);
    expect(samples).toBe(111);
    expect(metrics.accuracy).toBe(108 / 111); // all: 863 of 881, 97.96 %
  });

  it("give mnist_lstm's 98.53 % on all 10,000 images", async () => {
    const { metrics, samples } = await evaluate("mnist_lstm/mnist_lstm.onnx", "mnist-lstm");
    expect(metrics.accuracy).toBe(9853 / samples);
  });

  it("give g2pm_bilstm's 97.36 % (every 10th of 9,893 sentences)", async () => {
    const { metrics, samples } = await evaluate("g2pm_bilstm/g2pm_bilstm.onnx", "g2pm", 10);
    expect(samples).toBe(990);
    expect(metrics.accuracy).toBe(966 / 990); // all: 9,632 of 9,893, 97.36 %
  });

  it("find speech in 77.44 % of silero_vad's 1,875 windows, and the same in both of its files", async () => {
    const both = await evaluate("silero_vad/silero_vad.onnx", "silero-vad");
    expect(both.samples).toBe(1875);
    expect(shareOfYes(both)).toBe(1452 / 1875);
    const only16k = await evaluate("silero_vad/silero_vad_16k_op15.onnx", "silero-vad");
    expect(compareScores(both, only16k).logitError.max).toBeLessThan(7.5e-7);
  });

  it("give rxnmapper_albert's 98.09 % (every 25th of 487 reactions)", async () => {
    const { metrics, rows } = await evaluate("rxnmapper_albert/rxnmapper_albert_op17.onnx", "rxnmapper", 25);
    expect(rows).toBeGreaterThan(300);
    expect(metrics.accuracy).toBeGreaterThan(0.97); // all: 98.09 %, NLL 0.0552
  });
});

describe("sorted-digits.jsonl", () => {
  it("has every list of six digits once, followed by what sorting it gives", () => {
    const lines = Array.from({ length: 3 ** 6 }, (_, n) => {
      const digits = Array.from(n.toString(3).padStart(6, "0"), Number);
      const sorted = digits.toSorted((a, b) => a - b);
      const unasked = new Array(5).fill(-100);
      return JSON.stringify({ idx: [...digits, ...sorted.slice(0, 5)], sorted: [...unasked, ...sorted] });
    });
    const file = readFileSync(join(ROOT, "examples/datasets/sorted-digits.jsonl"), "utf8");
    expect(file).toBe(`${lines.join("\n")}\n`);
  });
});
