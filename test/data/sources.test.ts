// Inputs that no array holds as it is: windows of a sound, the same numbers for all, state carried from sample to sample.
import { describe, expect, it } from "vitest";
import { type Batch, batches, type Dataset, readWav } from "../../packages/lutra/src/data/index.ts";
import { npyFloats, text, wav } from "./bytes.ts";
import { failure } from "./errors.ts";
import { load } from "./fixture.ts";

const X = { x: { file: "x.npy", type: "float32" } };

function everyBatch(dataset: Dataset): readonly Batch[] {
  return [...batches(dataset, "all", { size: 8, pad: true })];
}

describe("readWav", () => {
  it("reads 16-bit samples of one channel or several, and what is left of a file that was cut off", () => {
    expect(readWav(wav([1, -2, 32767]))).toEqual({ shape: [3], data: Int16Array.of(1, -2, 32767) });
    expect(readWav(wav([1, 2, 3, 4], 2)).shape).toEqual([2, 2]);
    expect(readWav(wav([1, 2, 3, 4]).slice(0, -3)).data).toEqual(Int16Array.of(1, 2));
  });

  it("refuses other encodings by name, and files without format or samples", async () => {
    const found = /must hold 16-bit PCM, got encoding 3, 32 bits, 1 channels/;
    expect((await failure(() => readWav(wav([1], 1, 32, 3)))).message).toMatch(found);
    expect((await failure(() => readWav(wav([1]).slice(0, 30)))).message).toMatch(/no format or no samples/);
    expect((await failure(() => readWav(text("RIFF")))).message).toBe("not a .wav file");
  });
});

describe("windows", () => {
  const windowed = (windows: object, samples: readonly number[]) =>
    load({ inputs: { x: { file: "x.wav", type: "float32", scale: 0.5, windows } } }, { "x.wav": wav(samples) });

  it("overlap, begin with silence, and leave out what is no whole window at the end", async () => {
    const dataset = await windowed({ size: 3, step: 2, before: 1 }, [2, 4, 6, 8, 10, 12]);
    const [{ inputs }] = everyBatch(dataset);
    expect(inputs.x).toEqual({ shape: [3, 3], data: Float32Array.of(0, 1, 2, 2, 3, 4, 4, 5, 6) });
  });

  it("are refused where there is none, or more than memory holds", async () => {
    expect((await failure(() => windowed({ size: 9, step: 1 }, [1, 2]))).message).toMatch(/0 windows of 9/);
    const samples = new Array(70_000).fill(0);
    expect((await failure(() => windowed({ size: 60_000, step: 1 }, samples))).message).toMatch(/10001 windows/);
  });

  it("are not cut from anything but a list of numbers", async () => {
    const inputs = { x: { ...X.x, windows: { size: 1, step: 1 } } };
    const error = await failure(() => load({ inputs }, { "x.npy": npyFloats([2, 2], [1, 2, 3, 4]) }));
    expect(error.message).toMatch(/from a list of numbers, got shape \(2, 2\)/);
  });
});

describe("a constant", () => {
  it("is the same in every sample, a single number or a tensor", async () => {
    const inputs = {
      ...X,
      rate: { constant: 16000, type: "int64" },
      s: { constant: 0.5, shape: [2], type: "float32" },
    };
    const [batch] = everyBatch(await load({ inputs }, { "x.npy": npyFloats([2], [1, 2]) }));
    expect(batch.inputs.rate).toEqual({ shape: [2], data: BigInt64Array.of(16000n, 16000n) });
    expect(batch.inputs.s).toEqual({ shape: [2, 2], data: Float32Array.of(0.5, 0.5, 0.5, 0.5) });
  });

  it("must be of its type, and not the only input", async () => {
    const files = { "x.npy": npyFloats([1], [1]) };
    const half = await load({ inputs: { ...X, c: { constant: 0.5, type: "int64" } } }, files);
    expect((await failure(() => everyBatch(half))).message).toMatch(/int64 values, got 0.5/);
    const shape = [16_777_216, 128];
    const huge = await failure(() => load({ inputs: { ...X, c: { constant: 0, shape, type: "int64" } } }, files));
    expect(huge.message).toBe("shape [16777216, 128] exceeds the limit of 67108864 numbers");
    const alone = await failure(() => load({ inputs: { c: { constant: 1, type: "int64" } } }));
    expect([alone.message, alone.where]).toEqual(["no input says how many samples there are", "d.json: inputs"]);
  });
});

describe("a carried state", () => {
  const inputs = { ...X, state: { carry: "next", shape: [1, 2], type: "float32" } };
  const files = { "x.npy": npyFloats([5], [0, 1, 2, 3, 4]) };

  it("begins at 0; its samples come one at a time, in the order of the files where that is asked for", async () => {
    const dataset = await load({ inputs, splits: { calibration: 2, shuffle: false } }, files);
    expect(dataset.carries).toEqual({ state: "next" });
    expect([...dataset.parts.calibration.indices, ...dataset.parts.report.indices]).toEqual([0, 1, 2, 3, 4]);
    const found = everyBatch(dataset);
    expect(found.map(({ samples }) => samples)).toEqual([[0], [1], [2], [3], [4]]);
    expect(found[0].inputs.state).toEqual({ shape: [1, 1, 2], data: Float32Array.of(0, 0) });
  });
});
