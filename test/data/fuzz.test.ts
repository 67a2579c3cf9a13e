// Seeded mutations of small valid files: whatever the bytes, a reader answers or throws a LutraError, at once.
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
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
} from "../../packages/lutra/src/data/index.ts";
import { type Random, random } from "../../packages/lutra/src/num/index.ts";
import { idx, join, npyFloats, npyInts, text, zip } from "./bytes.ts";

const RUNS = 3000;
/** Bytes that formats give a meaning. */
const TELLING = [0, 1, 2, 8, 0x0a, 0x22, 0x27, 0x28, 0x2c, 0x2d, 0x39, 0x5b, 0x7b, 0x7f, 0x80, 0xff];

function mutate(original: Uint8Array, draw: Random): Uint8Array {
  let bytes = new Uint8Array(original);
  for (let round = draw.below(4); round >= 0; round--) {
    const at = draw.below(bytes.length + 1);
    const choice = draw.below(6);
    if (choice === 0) bytes = bytes.slice(0, at);
    else if (choice === 1) bytes = new Uint8Array(join(bytes.subarray(0, at), bytes.subarray(draw.below(at + 1))));
    else if (choice === 2)
      bytes = new Uint8Array(join(bytes.subarray(0, at), Uint8Array.of(draw.below(256)), bytes.subarray(at)));
    else if (choice === 3) bytes.fill(0xff, at, at + 4);
    else if (at < bytes.length) bytes[at] = choice === 4 ? draw.below(256) : TELLING[draw.below(TELLING.length)];
  }
  return bytes;
}

async function survives(original: Uint8Array, seed: number, read: (bytes: Uint8Array) => unknown): Promise<number> {
  const draw = random(seed);
  let refused = 0;
  await read(original);
  for (let run = 0; run < RUNS; run++) {
    const bytes = mutate(original, draw);
    try {
      await read(bytes);
    } catch (error) {
      if (!(error instanceof LutraError))
        throw new Error(`run ${run}: ${Buffer.from(bytes).toString("hex")}`, { cause: error });
      refused++;
    }
  }
  return refused;
}

describe(`${RUNS} seeded mutations of each format`, () => {
  const x = npyFloats([2, 3], [1, 2, 3, 4, 5, 6]);
  const npz = zip([
    { name: "x.npy", content: x },
    { name: "n.npy", content: npyInts([2], [3, 1]), deflate: true },
  ]);
  const load = (file: string, key?: string) => async (bytes: Uint8Array) => {
    const inputs = { x: { file, ...(key === undefined ? {} : { key }), type: "float32" } };
    const description = parseDescription(text(JSON.stringify({ name: "d", inputs })), "d.json");
    const dataset = await loadDataset(description, () => Promise.resolve(bytes));
    for (const batch of batches(dataset, "all", { size: 8, pad: true }))
      expect(batch.samples.length).toBeGreaterThan(0);
  };
  const files: readonly [name: string, original: Uint8Array, read: (bytes: Uint8Array) => unknown][] = [
    ["npy", x, readNpy],
    ["npz", npz, readNpz],
    ["idx", idx(8, [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6)), readIdx],
    ["csv", text('a,"b"\n1,2\n3,"4"\n'), (bytes) => columnsOf(readCsv(bytes), ["a"], "t.csv")],
    ["tsv", text("a\tb\n1\t2\n3\t4\n"), (bytes) => columnsOf(readTsv(bytes), ["b"], "t.tsv")],
    ["jsonl", text('{"a": [1, 2]}\n{"a": [3]}\n'), (bytes) => memberOf(readJsonl(bytes), "a", "t.jsonl")],
    ["gzip of npy", new Uint8Array(gzipSync(x)), load("x.npy.gz")],
    ["dataset of npz", npz, load("x.npz", "x")],
    [
      "description",
      text(
        '{"name": "d", "inputs": {"x": {"file": "x.npy", "type": "int64", "length": {"pad": 0}}, "m": {"mask": "x", "type": "bool"}}, "splits": {"calibration": 1}}',
      ),
      async (bytes) =>
        loadDataset(parseDescription(bytes, "d.json"), () => Promise.resolve(npyInts([2, 2], [1, 2, 3, 0]))),
    ],
  ];

  it.each(files)("%s", async (_, original, read) => {
    expect(await survives(original, 1, read)).toBeGreaterThan(RUNS / 10);
  });
});
