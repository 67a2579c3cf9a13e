// Dataset readers on mutations of small valid files and of real ones: whatever the bytes, an answer or a LutraError, at once.

import { existsSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { fromJson, type Json } from "../../packages/lutra/src/base/index.ts";
import {
  batches,
  columnsOf,
  loadDataset,
  memberOf,
  parseDescription,
  readCsv,
  readIdx,
  readJsonl,
  readNpy,
  readNpz,
  readTsv,
  readWav,
} from "../../packages/lutra/src/data/index.ts";
import { idx, npyFloats, npyInts, text, wav, zip } from "../data/bytes.ts";
import { sharedPath } from "../shared.ts";
import { mutateBytes, mutateJson, pick } from "./mutate.ts";
import { survives } from "./survive.ts";

type Read = (bytes: Uint8Array) => unknown;

/** A dataset of one file, all of its batches. */
function load(file: string, key?: string): Read {
  const inputs = { x: { file, ...(key === undefined ? {} : { key }), type: "float32" } };
  const description = parseDescription(text(JSON.stringify({ name: "d", inputs })), "d.json");
  return async (bytes) => {
    const dataset = await loadDataset(description, () => Promise.resolve(bytes));
    for (const batch of batches(dataset, "all", { size: 8, pad: true }))
      expect(batch.samples.length).toBeGreaterThan(0);
  };
}

const x = npyFloats([2, 3], [1, 2, 3, 4, 5, 6]);
const npz = zip([
  { name: "x.npy", content: x },
  { name: "n.npy", content: npyInts([2], [3, 1]), deflate: true },
]);
const FILES: readonly (readonly [name: string, original: Uint8Array, read: Read])[] = [
  ["npy", x, readNpy],
  ["npz", npz, readNpz],
  ["idx", idx(8, [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)), readIdx],
  ["csv", text('a,"b"\n1,2\n3,"4"\n'), (bytes) => columnsOf(readCsv(bytes), ["a"], "t.csv")],
  ["tsv", text("a\tb\n1\t2\n3\t4\n"), (bytes) => columnsOf(readTsv(bytes), ["b"], "t.tsv")],
  ["jsonl", text('{"a": [1, 2]}\n{"a": [3]}\n'), (bytes) => memberOf(readJsonl(bytes), "a", "t.jsonl")],
  ["wav", wav([1, 2, 3, 4]), readWav],
  ["gzip of npy", new Uint8Array(gzipSync(x)), load("x.npy.gz")],
  ["dataset of npz", npz, load("x.npz", "x")],
];

/** What begins that file, which has no header. */
const FIRST_CELL = "0.000000000000000000e+00";

/** The smallest real file of each kind, or its beginning. */
const REAL: readonly (readonly [path: string, bytes: number, read: Read])[] = [
  ["data/speech_commands_v002_test_dev/labels_u8.npy", Infinity, readNpy],
  ["data/mnist_t10k/t10k-labels-idx1-ubyte.gz", Infinity, load("labels.gz")],
  ["data/edgebert_entropy/sst2_lookup_table_opt.csv", 500, (bytes) => columnsOf(readCsv(bytes), [FIRST_CELL], "t.csv")],
  ["data/speech_commands_wav_demo/_silence_/1057.wav", 2000, readWav],
];

const DESCRIPTIONS: readonly string[] = [
  `{"name": "d", "inputs": {"x": {"file": "x.npy", "type": "int64", "length": {"pad": 0}}, "m": {"mask": "x", "type": "bool"}},
    "splits": {"calibration": 1}}`,
  `{"name": "d", "inputs": {"x": {"file": "x.npy", "type": "float32", "shape": [2, 1]}}, "scores": "probabilities",
    "target": {"kind": "labels", "file": "x.npy"}, "metrics": ["accuracy", "nll"], "splits": {"calibration": 1, "seed": 3}}`,
  `{"name": "d", "inputs": {"x": {"file": "x.npy", "type": "int64"}}, "target": {"kind": "next-token", "input": "x"},
    "calibration": {"inputs": {"x": {"file": "x.npy", "type": "int64"}}}}`,
];
const small = npyInts([2, 2], [1, 2, 3, 0]);
const readDescription: Read = async (bytes) => {
  const dataset = await loadDataset(parseDescription(bytes, "d.json"), () => Promise.resolve(small));
  for (const { samples } of batches(dataset, "all", { size: 4, pad: true })) expect(samples.length).toBeGreaterThan(0);
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, 2000)).toString("hex");
const utf8 = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("dataset readers survive sampled mutations", () => {
  test.each(FILES)("of %s", async (name, original, read) => {
    await read(original);
    const { cases, accepted } = await survives(name, {
      share: 0.04,
      make: (draw) => mutateBytes(original, draw),
      read,
      show: hex,
    });
    expect(cases - accepted).toBeGreaterThan(cases / 10);
  });

  test("of real files", async ({ skip }) => {
    if (!existsSync(sharedPath("data"))) skip("../shared is missing");
    for (const [path, length, read] of REAL) {
      const original = new Uint8Array(readFileSync(sharedPath(path))).slice(0, length);
      await survives(path, { share: 0.005, make: (draw) => mutateBytes(original, draw), read, show: hex });
    }
  });

  test("of descriptions as text and as JSON", async () => {
    const values = DESCRIPTIONS.map(fromJson);
    await survives("description bytes", {
      share: 0.04,
      make: (draw) => mutateBytes(text(pick(DESCRIPTIONS, draw)), draw),
      read: readDescription,
      show: utf8,
    });
    const { cases, accepted } = await survives("description values", {
      share: 0.1,
      make: (draw): Json => mutateJson(pick(values, draw), draw),
      read: (json) => readDescription(text(JSON.stringify(json))),
      show: (json) => JSON.stringify(json),
    });
    expect(accepted).toBeGreaterThan(cases / 100);
  });
});
