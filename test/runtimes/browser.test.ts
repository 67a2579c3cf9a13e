// Rewritten models run unchanged elsewhere: in onnxruntime-web and in transformers.js, both in headless Chromium, which reaches nothing but
// the test's own server. Their answers are onnxruntime-node's up to the order of sums in matrix products, which differs between builds.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tokenizers from "@huggingface/tokenizers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { tokenizerOpener } from "../../packages/lutra/src/adapt/tokenizers.ts";
import { type Dataset, loadDataset, parseDescription } from "../../packages/lutra/src/data/index.ts";
import { softmax } from "../../packages/lutra/src/fn/index.ts";
import { loadExample } from "../model/fixture.ts";
import { describeWith, sharedPath } from "../shared.ts";
import { type OpenPage, openPage } from "./browser.ts";
import { type Answers, answersOf, largestDifference, rewrite } from "./rewritten.ts";

/** Measured on 40 clips and 100 sentences: 6.7e-6 at most, on logits of up to 4.5. The original models differ by 3.8e-6. */
const TOLERANCE = 2e-5;
const SENTENCES = ["a gorgeous , witty , seductive movie .", "The plot is dull, and the acting is worse!"];

/** The sentences as sst2_bert_tiny's input, and the tokenizer.json that its own vocabulary makes. */
async function tokenisedSentences(): Promise<{ readonly dataset: Dataset; readonly tokenizer: object }> {
  const ids = {
    text: { file: "sentences.jsonl", column: "text" },
    tokenizer: { wordpiece: "models/sst2_bert_tiny/vocab.txt" },
    type: "int64",
  };
  const inputs = { input_ids: ids, attention_mask: { mask: "input_ids", type: "int64" } };
  const bytes = Buffer.from(JSON.stringify({ name: "sentences", inputs, output: "logits" }));
  const lines = Buffer.from(SENTENCES.map((text) => JSON.stringify({ text })).join("\n"));
  const read = async (path: string): Promise<Uint8Array> =>
    path.endsWith("l") ? lines : readFileSync(sharedPath(path));
  let tokenizer = {};
  const dataset = await loadDataset(parseDescription(bytes, "sentences"), read, (json, config) => {
    tokenizer = json;
    return tokenizerOpener(tokenizers)(json, config);
  });
  return { dataset, tokenizer };
}

describeWith({ command: "chromium", shared: "." }, "a rewritten model in headless Chromium", () => {
  let page: OpenPage;
  let answers: Readonly<Record<string, Answers>>;

  beforeAll(async () => {
    const [speech, sentiment] = [await loadExample("speech-commands"), await loadExample("sst2")];
    const kwt1 = await rewrite("models/kwt1/kwt1_mfcc.onnx", speech);
    const sst2 = await rewrite("models/sst2_bert_tiny/sst2_bert_tiny.onnx", sentiment);
    const { dataset, tokenizer } = await tokenisedSentences();
    answers = {
      kwt1: await answersOf(kwt1, speech, 8),
      sst2: await answersOf(sst2, sentiment, 32),
      sentences: await answersOf(sst2, dataset, SENTENCES.length),
    };
    const id2label = { 0: "negative", 1: "positive" };
    page = await openPage({
      ...installedRuntimes(),
      models: {
        "kwt1/onnx/model.onnx": kwt1,
        "kwt1/config.json": JSON.stringify({ model_type: "keyword-transformer" }),
        "sst2/onnx/model.onnx": sst2,
        "sst2/config.json": JSON.stringify({ model_type: "bert", id2label }),
        "sst2/tokenizer.json": JSON.stringify(tokenizer),
        "sst2/tokenizer_config.json": JSON.stringify({ tokenizer_class: "BertTokenizer" }),
      },
    });
  });
  afterAll(() => page?.close());

  for (const runtime of ["onnxruntime", "transformers"]) {
    for (const model of ["kwt1", "sst2"]) {
      it(`answers in ${runtime === "transformers" ? "transformers.js" : "onnxruntime-web"} as in onnxruntime-node: ${model}`, async () => {
        const { runs, logits } = answers[model];
        const found = await page.call(`/test/page-${runtime}.mjs`, "answer", model, "logits", runs);
        expect(largestDifference(logits, found as Answers["logits"])).toBeLessThan(TOLERANCE);
      });
    }
  }

  it("classifies text by transformers.js's pipeline, with the tokenizer that the dataset has", async () => {
    const found = await page.call("/test/page-transformers.mjs", "classify", "text-classification", "sst2", SENTENCES);
    const labels = found as { readonly label: string; readonly score: number }[][];
    expect(labels.map(([{ label }]) => label)).toEqual(["positive", "negative"]);
    for (const [i, scores] of labels.entries()) {
      const expected = [...softmax(answers.sentences.logits[i])].sort((a, b) => b - a);
      scores.forEach(({ score }, rank) => void expect(score).toBeCloseTo(expected[rank], 5));
    }
  });

  it("has asked for nothing but what the test serves", () => {
    expect(page.strays).toEqual([]);
  });
});

/** transformers.js brings an onnxruntime-web of its own. */
function installedRuntimes(): Readonly<Record<string, string>> {
  const require = createRequire(import.meta.url);
  const transformers = dirname(require.resolve("@huggingface/transformers"));
  return {
    test: import.meta.dirname,
    "onnxruntime-web": dirname(require.resolve("onnxruntime-web/wasm")),
    transformers,
    "transformers-onnxruntime-web": dirname(createRequire(`${transformers}/`).resolve("onnxruntime-web")),
  };
}
