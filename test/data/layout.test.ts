import { describe, expect, it } from "vitest";
import { batches, type Dataset, fitDataset } from "../../packages/lutra/src/data/index.ts";
import { npyFloats, npyInts } from "./bytes.ts";
import { failure } from "./errors.ts";
import { load } from "./fixture.ts";

type Shape = readonly (number | null)[] | null;

function features(): Promise<Dataset> {
  return load(
    { inputs: { x: { file: "x.npy", type: "float32" } } },
    { "x.npy": npyFloats([2, 3, 2], new Array(12).fill(1)) },
  );
}

function tokens(): Promise<Dataset> {
  const inputs = { ids: { file: "x.npy", type: "int64", length: { pad: 0 } }, mask: { mask: "ids", type: "int64" } };
  return load({ inputs }, { "x.npy": npyInts([2, 3], [1, 2, 3, 4, 0, 0]) });
}

describe("fitDataset", () => {
  const shapes = (dataset: Dataset): unknown =>
    [...batches(dataset, "all", { size: 8, pad: true })].map(({ inputs }) => inputs.x.shape);
  const declared = (shape: Shape, type: string | null = "float32") => ({ x: { type, shape } });

  it("gives a batch dimension where the model has one, alone where it must be 1, and none where there is none", async () => {
    const dataset = await features();
    expect(shapes(fitDataset(dataset, declared([null, 3, 2])))).toEqual([[2, 3, 2]]);
    expect(shapes(fitDataset(dataset, declared([null, null, null])))).toEqual([[2, 3, 2]]);
    expect(shapes(fitDataset(dataset, declared([1, 3, 2])))).toEqual([
      [1, 3, 2],
      [1, 3, 2],
    ]);
    expect(shapes(fitDataset(dataset, declared([3, 2])))).toEqual([
      [3, 2],
      [3, 2],
    ]);
    expect(shapes(fitDataset(dataset, declared(null, null)))).toEqual([[2, 3, 2]]);
  });

  it("pads to the length that the model wants, and refuses longer samples by name", async () => {
    const dataset = await tokens();
    const fitTo = (width: number | null): Dataset =>
      fitDataset(dataset, {
        ids: { type: "int64", shape: [null, width] },
        mask: { type: "int64", shape: [null, width] },
      });
    const [batch] = batches(fitTo(5), "all", { size: 8, pad: true });
    expect(batch.samples).toEqual([1, 0]);
    expect([...batch.inputs.ids.data]).toEqual([4n, 0n, 0n, 0n, 0n, 1n, 2n, 3n, 0n, 0n]);
    expect([...batch.inputs.mask.data]).toEqual([1n, 0n, 0n, 0n, 0n, 1n, 1n, 1n, 0n, 0n]);
    const error = await failure(() => [...batches(fitTo(2), "all", { size: 8, pad: true })]);
    expect(error.message).toBe("the sample has length 3, the model takes 2");
    expect(error.where).toBe("sample 0");
  });

  it("refuses what does not fit", async () => {
    const dataset = await features();
    const cases: readonly [declared: Parameters<typeof fitDataset>[1], message: RegExp][] = [
      [declared([null, 4, 2]), /samples of shape \[3, 2\] do not fit the model's \[\?, 4, 2\]/],
      [declared([2]), /do not fit the model's \[2\]/],
      [declared([null, null, 3, 2]), /do not fit/],
      [declared([8, 3, 2]), /batches of exactly 8/],
      [declared([null, 3, 2], "float16"), /takes float16, the dataset gives float32/],
      [{}, /the model has no input "x"/],
      [{ ...declared([null, 3, 2]), y: { type: null, shape: null } }, /no input "y"/],
    ];
    for (const [inputs, message] of cases) {
      const error = await failure(() => fitDataset(dataset, inputs));
      expect(error.code).toBe("mismatch");
      expect(error.message).toMatch(message);
    }
  });
});
