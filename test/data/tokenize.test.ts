// Texts as inputs: characters, BERT's WordPiece and any tokenizer.json, and answers that are texts themselves.
import { readFileSync } from "node:fs";
import * as tokenizers from "@huggingface/tokenizers";
import { describe, expect, it } from "vitest";
import { tokenizerOpener } from "../../packages/lutra/src/adapt/tokenizers.ts";
import { batches, type Dataset, type OpenTokenizer, readNpz } from "../../packages/lutra/src/data/index.ts";
import { describeShared, sharedPath } from "../shared.ts";
import { text } from "./bytes.ts";
import { failure } from "./errors.ts";
import { load } from "./fixture.ts";

const open = tokenizerOpener(tokenizers);
const VOCAB = { "<?>": 0, "^": 1, $: 2, a: 3, b: 4, é: 5 };
const CHARACTERS = { characters: "vocab.json", unknown: "<?>", begin: "^", end: "$", mark: "*" };
const WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "table", "##s", "look", "up", ",", "cafe"];

/** The ids of each text. */
function ids(dataset: Dataset): readonly (readonly number[])[] {
  return [...batches(dataset, "all", { size: 1, pad: false })]
    .sort((a, b) => a.samples[0] - b.samples[0])
    .map(({ inputs }) => Array.from(inputs.ids.data, Number));
}

function tokenised(
  lines: readonly string[],
  tokenizer: object,
  files: Readonly<Record<string, string>>,
  opener: OpenTokenizer | null = open,
): Promise<Dataset> {
  const texts = { "t.jsonl": text(lines.map((line) => JSON.stringify({ line })).join("\n")) };
  const read = Object.fromEntries(Object.entries(files).map(([name, content]) => [name, text(content)]));
  const inputs = { ids: { text: { file: "t.jsonl", column: "line" }, tokenizer, type: "int64" } };
  return load({ inputs }, { ...texts, ...read }, opener);
}

describe("characters", () => {
  const files = { "vocab.json": JSON.stringify(VOCAB) };

  it("are looked up one by one, between the tokens that begin and end a text; the mark is none", async () => {
    expect(ids(await tokenised(["ab", "a*é", "x😀"], CHARACTERS, files))).toEqual([
      [1, 3, 4, 2],
      [1, 3, 5, 2],
      [1, 0, 0, 2],
    ]);
  });

  it("refuse a vocabulary without the tokens named, or with ids that are none", async () => {
    const missing = await failure(() => tokenised(["a"], { ...CHARACTERS, end: "!" }, files));
    expect([missing.code, missing.message, missing.where]).toEqual([
      "bad-data",
      'the vocabulary has no "!"',
      "vocab.json",
    ]);
    const broken = await failure(() => tokenised(["a"], CHARACTERS, { "vocab.json": '{"<?>": 1.5}' }));
    expect(broken.message).toBe('the id of "<?>" must be a whole number from 0');
    const list = await failure(() => tokenised(["a"], CHARACTERS, { "vocab.json": "[1]" }));
    expect(list.message).toBe("the file is not a JSON object");
  });

  it("refuse a text of no characters at all", async () => {
    const error = await failure(() => tokenised(["a", ""], { characters: "vocab.json", unknown: "<?>" }, files));
    expect([error.message, error.where]).toEqual(["the sample is empty", "t.jsonl: line: sample 1"]);
  });
});

describe("wordpiece", () => {
  const files = {
    "vocab.txt": `${WORDS.join("\n")}\n`,
    "own.txt": "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n##s\r\ntable\r\n",
  };

  it("takes the longest pieces of lower-case words without accents, between [CLS] and [SEP]", async () => {
    const dataset = await tokenised(["Look,  TABLES", "café lookups"], { wordpiece: "vocab.txt" }, files);
    expect(ids(dataset)).toEqual([
      [2, 6, 8, 4, 5, 3],
      [2, 9, 1, 3],
    ]);
  });

  it("keeps the case if told so", async () => {
    const dataset = await tokenised(["Table table"], { wordpiece: "vocab.txt", lowercase: false }, files);
    expect(ids(dataset)).toEqual([[2, 1, 4, 3]]);
  });

  it("gives the ids of the model's own vocabulary, [UNK] for pieces that it lacks", async () => {
    const dataset = await tokenised(["look, tables"], { wordpiece: "vocab.txt", ids: "own.txt" }, files);
    expect(ids(dataset)).toEqual([[2, 1, 1, 5, 4, 3]]);
  });

  it("needs the special tokens, and a tokenizer that is passed in", async () => {
    const missing = await failure(() => tokenised(["a"], { wordpiece: "v" }, { v: "[UNK]\n[CLS]\n" }));
    expect([missing.code, missing.message]).toEqual(["bad-data", 'the vocabulary has no "[SEP]"']);
    const unopened = await failure(() => tokenised(["a"], { wordpiece: "vocab.txt" }, files, null));
    expect([unopened.code, unopened.where]).toEqual(["unsupported", "vocab.txt"]);
  });
});

describe("a tokenizer.json", () => {
  const json = {
    added_tokens: [],
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "Whitespace" },
    post_processor: null,
    decoder: null,
    model: { type: "WordLevel", vocab: { "<unk>": 0, hello: 1, world: 2 }, unk_token: "<unk>" },
  };

  it("is opened by what is passed in", async () => {
    const dataset = await tokenised(["Hello WORLD hello"], { json: "t.json" }, { "t.json": JSON.stringify(json) });
    expect(ids(dataset)).toEqual([[1, 2, 1]]);
  });

  it("is told apart from what is none", async () => {
    const error = await failure(() => tokenised(["a"], { json: "t.json" }, { "t.json": '{"model": {"type": "?"}}' }));
    expect([error.code, error.where]).toEqual(["bad-data", "t.json"]);
    expect(error.message).toMatch(/^the tokenizer cannot be opened: /);
  });
});

describe("labels", () => {
  const inputs = {
    ids: { text: { file: "t.tsv", column: 1 }, tokenizer: CHARACTERS, type: "int64" },
  };
  const target = { kind: "labels", text: { file: "t.tsv", column: 2 }, classes: "classes.json", at: "ids" };
  const files = (rows: string, classes = '{"one": 0, "two": 1}') => ({
    "t.tsv": text(rows),
    "vocab.json": text(JSON.stringify(VOCAB)),
    "classes.json": text(classes),
  });

  it("may be names of classes, and judge the row that a mark points at; a file without header has numbered columns", async () => {
    const dataset = await load({ inputs, target }, files("*ab*\ttwo\nb*a\tone\n"));
    expect(dataset.parts.all.samples.targets).toEqual([
      { rows: Int32Array.of(1), classes: Int32Array.of(1) },
      { rows: Int32Array.of(2), classes: Int32Array.of(0) },
    ]);
  });

  it("refuse an unknown name, a text without the mark, and a class that is no number", async () => {
    const unknown = await failure(() => load({ inputs, target }, files("*a\tthree\n")));
    expect([unknown.message, unknown.where]).toEqual(['"three" is not a class of classes.json', "t.tsv: 2: sample 0"]);
    const unmarked = await failure(() => load({ inputs, target }, files("*a\tone\nb\tone\n")));
    expect([unmarked.message, unmarked.where]).toEqual(["the text has no mark", "t.tsv: 1: sample 1"]);
    const broken = await failure(() => load({ inputs, target }, files("*a\tone\n", '{"one": "x"}')));
    expect(broken.message).toMatch(/whole number/);
  });
});

describeShared("SST-2's sentences", () => {
  it("become the ids that the model was trained with, all 872 of them", async () => {
    const tokenizer = { wordpiece: "data/bert_vocab/vocab.txt", ids: "models/sst2_bert_tiny/vocab.txt" };
    const source = { text: { file: "data/sst2/glue_dev_872.tsv", column: "sentence" }, tokenizer, type: "int64" };
    const paths = [source.text.file, tokenizer.wordpiece, tokenizer.ids];
    const files = Object.fromEntries(paths.map((path) => [path, readFileSync(sharedPath(path))]));
    const found = ids(await load({ inputs: { ids: source } }, files, open));
    const { input_ids, length } = readNpz(readFileSync(sharedPath("models/sst2_bert_tiny/glue_dev_872.npz")));
    const [count, width] = input_ids.shape;
    const expected = Array.from({ length: count }, (_, i) =>
      Array.from(input_ids.data.slice(i * width, i * width + Number(length.data[i])), Number),
    );
    expect(found).toEqual(expected);
  });
});
