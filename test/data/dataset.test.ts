import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Batch, batches, countSamples, type Dataset, type Split } from "../../packages/lutra/src/data/index.ts";
import { npy, npyFloats, npyInts, text, zip } from "./bytes.ts";
import { failure } from "./errors.ts";
import { load } from "./fixture.ts";

const SPLITS: readonly Split[] = ["calibration", "selection", "report"];
const FLOATS = { x: { file: "x.npy", type: "float32" } };

function everyBatch(dataset: Dataset, split: Split, size = 4, pad = true): readonly Batch[] {
  return [...batches(dataset, split, { size, pad })];
}

describe("splits", () => {
  it("are disjoint, complete, as large as asked, and the same for the same seed", () => {
    const run = fc.asyncProperty(
      fc.nat(20),
      fc.nat(20),
      fc.integer({ min: 1, max: 20 }),
      fc.nat(99),
      async (calibration, selection, rest, seed) => {
        const count = calibration + selection + rest;
        const files = {
          "x.npy": npyFloats(
            [count],
            Array.from({ length: count }, (_, i) => i),
          ),
        };
        const description = { inputs: FLOATS, splits: { calibration, selection, seed } };
        const dataset = await load(description, files);
        const indices = SPLITS.map((split) => [...dataset.parts[split].indices]);
        expect(indices.map(({ length }) => length)).toEqual([calibration, selection, rest]);
        expect(indices.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
        expect(await load(description, files)).toEqual(dataset);
      },
    );
    return fc.assert(run, { seed: 1, numRuns: 50 });
  });

  it("differ for another seed", async () => {
    const files = { "x.npy": npyFloats([100], new Array(100).fill(0)) };
    const [one, two] = await Promise.all(
      [1, 2].map((seed) => load({ inputs: FLOATS, splits: { calibration: 50, seed } }, files)),
    );
    expect(one.parts.calibration.indices).not.toEqual(two.parts.calibration.indices);
  });

  it("leave at least one sample to report on", async () => {
    const files = { "x.npy": npyFloats([5], [1, 2, 3, 4, 5]) };
    for (const splits of [
      { calibration: 5 },
      { calibration: 3, selection: 2 },
      { report: 6 },
      { calibration: 4, report: 2 },
    ]) {
      expect((await failure(() => load({ inputs: FLOATS, splits }, files))).message).toMatch(/5 samples, too few/);
    }
  });

  it("may take calibration from inputs of its own, and then keep every sample for the report", async () => {
    const dataset = await load(
      {
        inputs: FLOATS,
        calibration: { inputs: { x: { random: { count: 7, shape: [3], below: 5, seed: 2 }, type: "float32" } } },
      },
      { "x.npy": npyFloats([2, 3], [1, 2, 3, 4, 5, 6]) },
    );
    expect([...SPLITS, "all" as const].map((split) => countSamples(dataset, split))).toEqual([7, 0, 2, 2]);
    const drawn = everyBatch(dataset, "calibration", 7)[0].inputs.x;
    expect(drawn.shape).toEqual([7, 3]);
    expect([...drawn.data].every((id) => Number.isInteger(id) && id >= 0 && id < 5)).toBe(true);
  });
});

describe("batches", () => {
  it("hold every sample of the split once, with its place in the split and its label", async () => {
    const dataset = await load(
      { inputs: FLOATS, target: { kind: "labels", file: "y.csv", key: "y" }, splits: { calibration: 3, seed: 4 } },
      {
        "x.npy": npyFloats([10, 1], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        "y.csv": text(`y\n${[9, 8, 7, 6, 5, 4, 3, 2, 1, 0].join("\n")}\n`),
      },
    );
    const all = everyBatch(dataset, "report", 4);
    expect(all.map(({ samples }) => samples.length)).toEqual([4, 3]);
    expect(all.flatMap(({ positions }) => positions)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const { samples, inputs, targets } of all) {
      expect([...inputs.x.data]).toEqual(samples);
      expect(targets?.map(({ classes }) => classes[0])).toEqual(samples.map((sample) => 9 - sample));
    }
  });

  it("scale in binary64 and round once", async () => {
    const dataset = await load(
      { inputs: { x: { file: "x.npy", type: "float32", scale: 1 / 255, mean: 0.1307, std: 0.3081, shape: [1, 2] } } },
      { "x.npy": npy("|u1", [1, 2], Uint8Array.of(0, 200)) },
    );
    const { shape, data } = everyBatch(dataset, "all")[0].inputs.x;
    expect(shape).toEqual([1, 1, 2]);
    expect([...data]).toEqual([Math.fround((0 - 0.1307) / 0.3081), Math.fround((200 / 255 - 0.1307) / 0.3081)]);
  });

  it("make masks and zeros as long as the samples", async () => {
    const ids = { file: "x.npz", key: "ids", type: "int64", length: { file: "x.npz", key: "n" } };
    const inputs = { ids, mask: { mask: "ids", type: "int64" }, types: { zeros: "ids", type: "int64" } };
    const file = zip([
      { name: "ids.npy", content: npyInts([3, 4], [1, 2, 3, 4, 5, 6, 0, 0, 7, 0, 0, 0]) },
      { name: "n.npy", content: npyInts([3], [4, 2, 1]) },
    ]);
    const dataset = await load({ inputs }, { "x.npz": file });
    const [padded, ...none] = everyBatch(dataset, "all", 2);
    expect(none.map(({ samples }) => samples)).toEqual([[0]]);
    expect(padded.samples).toEqual([2, 1]);
    expect(padded.lengths).toEqual({ each: [1, 2], padded: 2 });
    expect([...padded.inputs.ids.data]).toEqual([7n, 0n, 5n, 6n]);
    expect([...padded.inputs.mask.data]).toEqual([1n, 0n, 1n, 1n]);
    expect([...padded.inputs.types.data]).toEqual([0n, 0n, 0n, 0n]);
    // Without padding only samples of one length share a batch.
    expect(everyBatch(dataset, "all", 2, false).map(({ samples }) => samples)).toEqual([[2], [1], [0]]);
    const unmasked = await load({ inputs: { ids } }, { "x.npz": file });
    expect(everyBatch(unmasked, "all", 2).map(({ samples }) => samples)).toEqual([[2], [1], [0]]);
  });

  it("find lengths by the padding, and in ragged lists", async () => {
    const padded = await load(
      { inputs: { ids: { file: "x.npy", type: "int32", length: { pad: 9 } } } },
      { "x.npy": npyInts([3, 3], [1, 9, 2, 9, 9, 9, 3, 4, 9]) },
    );
    expect(padded.parts.all.samples.lengths).toEqual(Int32Array.of(3, 1, 2));
    const ragged = await load(
      { inputs: { ids: { file: "x.jsonl", key: "ids", type: "int64" }, mask: { mask: "ids", type: "bool" } } },
      { "x.jsonl": text('{"ids": [1, 2]}\n{"ids": [3]}') },
    );
    expect([...everyBatch(ragged, "all", 2)[0].inputs.mask.data]).toEqual([1, 0, 1, 1]);
  });

  it("ask for the next token where the one before it stands, and for masked tokens where they were", async () => {
    const ids = { file: "x.npy", type: "int64", length: { pad: 0 } };
    const files = {
      "x.npy": npyInts([2, 4], [5, 6, 7, 0, 8, 9, 0, 0]),
      "y.npy": npyInts([2, 4], [-100, 3, 4, -100, 2, -100, -100, -100]),
    };
    const next = await load({ inputs: { ids }, target: { kind: "next-token", input: "ids" } }, files);
    expect(next.parts.all.samples.targets).toEqual([
      { rows: Int32Array.of(0, 1), classes: Int32Array.of(6, 7) },
      { rows: Int32Array.of(0), classes: Int32Array.of(9) },
    ]);
    const masked = await load({ inputs: { ids }, target: { kind: "masked-token", file: "y.npy" } }, files);
    expect(masked.parts.all.samples.targets).toEqual([
      { rows: Int32Array.of(1, 2), classes: Int32Array.of(3, 4) },
      { rows: Int32Array.of(0), classes: Int32Array.of(2) },
    ]);
  });

  it("refuse what is not finite or does not fit the type, naming the sample", async () => {
    const cases: readonly [type: string, values: readonly number[], message: RegExp][] = [
      ["float32", [1, Number.NaN], /finite float32 values, got NaN/],
      ["float32", [1, Infinity], /got Infinity/],
      ["uint8", [1, 256], /uint8 values, got 256/],
      ["int64", [1, 0.5], /got 0.5/],
      ["bool", [1, 2], /got 2/],
    ];
    for (const [type, values, message] of cases) {
      const dataset = await load({ inputs: { x: { file: "x.npy", type } } }, { "x.npy": npyFloats([2, 1], values) });
      const error = await failure(() => everyBatch(dataset, "all"));
      expect(error.message).toMatch(message);
      expect(error.where).toBe("x.npy: sample 1, element 0");
    }
    const large = await load(
      { inputs: { x: { file: "x.csv", key: "x", type: "float32" } } },
      { "x.csv": text("x\n1e39\n") },
    );
    expect((await failure(() => everyBatch(large, "all"))).message).toMatch(/got 1e\+39/);
  });
});

describe("loadDataset", () => {
  it("refuses files that do not fit together, naming the file", async () => {
    const x = npyFloats([2, 3], [1, 2, 3, 4, 5, 6]);
    const labels = { kind: "labels", file: "y.npy" };
    const cases: readonly [description: object, files: Record<string, Uint8Array>, where: string, message: RegExp][] = [
      [{ inputs: FLOATS }, {}, "x.npy", /cannot read the file: ENOENT/],
      [{ inputs: FLOATS }, { "x.npy": npyFloats([0, 3], []) }, "x.npy", /dataset is empty/],
      [{ inputs: FLOATS }, { "x.npy": npyFloats([3, 0], []) }, "x.npy", /dataset is empty/],
      [{ inputs: FLOATS }, { "x.npy": npyFloats([], [1]) }, "x.npy", /single number/],
      [{ inputs: FLOATS }, { "x.npy": text("hello") }, "x.npy", /none of \.npy/],
      [{ inputs: FLOATS }, { "x.npy": zip([]) }, "x.npy", /which array/],
      [{ inputs: { x: { ...FLOATS.x, key: "a" } } }, { "x.npy": x }, "x.npy", /none is called "a"/],
      [{ inputs: { x: { ...FLOATS.x, shape: [4] } } }, { "x.npy": x }, 'input "x"', /one sample is \[3\], not \[4\]/],
      [
        { inputs: FLOATS, target: labels },
        { "x.npy": x, "y.npy": npyInts([3], [0, 1, 2]) },
        "y.npy",
        /3 samples, but 2/,
      ],
      [
        { inputs: FLOATS, target: labels },
        { "x.npy": x, "y.npy": npyInts([2, 2], [0, 1, 2, 3]) },
        "y.npy",
        /one number per sample/,
      ],
      [{ inputs: FLOATS, target: labels }, { "x.npy": x, "y.npy": npyInts([2], [0, -1]) }, "y.npy: sample 1", /got -1/],
      [
        { inputs: { x: { ...FLOATS.x, length: { file: "y.npy" } } } },
        { "x.npy": x, "y.npy": npyInts([2], [1, 4]) },
        "y.npy: sample 1",
        /between 1 and 3, got 4/,
      ],
    ];
    for (const [description, files, where, message] of cases) {
      const error = await failure(() => load(description, files));
      expect(error.message).toMatch(message);
      expect(error.where).toBe(where);
    }
  });

  it("reads each file once", async () => {
    let reads = 0;
    const file = zip([
      { name: "a.npy", content: npyFloats([1], [1]) },
      { name: "b.npy", content: npyFloats([1], [2]) },
    ]);
    const files = {
      get "x.npz"(): Uint8Array {
        reads++;
        return file;
      },
    };
    await load(
      { inputs: { a: { file: "x.npz", key: "a", type: "float32" }, b: { file: "x.npz", key: "b", type: "float32" } } },
      files,
    );
    expect(reads).toBe(1);
  });
});
