// Training itself, on a model small enough to train here: seeded, resumable to the same weights, with the non-linear layers passed in.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { multiply, startBackend } from "../../models/train/src/array.ts";
import { idsOf } from "../../models/train/src/batch.ts";
import { loadCheckpoint, saveCheckpoint } from "../../models/train/src/checkpoint.ts";
import { type ComputePart, PARTS, partGradients, predictor, type Settings } from "../../models/train/src/gradient.ts";
import { lossCurve } from "../../models/train/src/loss-curve.ts";
import { EXACT } from "../../models/train/src/model.ts";
import { SETTINGS } from "../../models/train/src/settings.ts";
import { initialParameters } from "../../models/train/src/shape.ts";
import { type Hooks, startTraining, type TrainingState, train } from "../../models/train/src/train.ts";

const TINY: Settings = {
  model: { ...SETTINGS.model, width: 8, heads: 2, hidden: 8, layers: 1 },
  seed: 1,
  steps: 12,
  warmUp: 3,
  rate: 0.02,
  partSize: 8,
};

const folder = mkdtempSync(join(tmpdir(), "lutra-train-"));
afterAll(() => rmSync(folder, { recursive: true }));

let computePart: ComputePart;
let whole: TrainingState;
beforeAll(async () => {
  await startBackend();
  computePart = partGradients(TINY, EXACT);
  whole = await train(startTraining(TINY), hooks(), TINY.steps);
});

function hooks(onPoint: Hooks["onPoint"] = () => {}): Hooks {
  return {
    interval: 4,
    compute: async (parameters, step) =>
      Array.from({ length: PARTS }, (_, part) => computePart(parameters, step, part)),
    validate: () => 0,
    onPoint,
  };
}

describe("training", () => {
  it("lowers the loss, and gives the same weights for the same seed", async () => {
    expect(await train(startTraining(TINY), hooks(), TINY.steps)).toEqual(whole);
    expect(whole.curve.map(({ step }) => step)).toEqual([4, 8, 12]);
    expect(whole.curve[2].loss).toBeLessThan(whole.curve[0].loss);
  });

  it("goes on from a checkpoint to the weights of an uninterrupted run", async () => {
    const path = join(folder, "checkpoint.bin");
    const saving = hooks((state) => saveCheckpoint(path, state));
    await train(startTraining(TINY), saving, 8);
    const resumed = loadCheckpoint(path, TINY) as TrainingState;
    expect(resumed.step).toBe(8);
    expect(await train(resumed, hooks(), TINY.steps)).toEqual(whole);
  });

  it("has no checkpoint at first, and refuses one of other settings", () => {
    const path = join(folder, "other.bin");
    expect(loadCheckpoint(path, TINY)).toBeNull();
    saveCheckpoint(path, startTraining(TINY));
    expect(() => loadCheckpoint(path, { ...TINY, seed: 2 })).toThrow("other settings");
  });

  it("takes its samples from the step alone", () => {
    const parameters = initialParameters(TINY.model, 1);
    expect(computePart(parameters, 3, 0)).toEqual(computePart(parameters, 3, 0));
    expect(computePart(parameters, 3, 1).loss).not.toBe(computePart(parameters, 3, 0).loss);
  });
});

describe("the model", () => {
  it("computes with the non-linear layers that it is given", () => {
    const parameters = initialParameters(TINY.model, 1);
    const ids = idsOf(["3.3.21", "2021-03-03"]);
    const exact = predictor(TINY.model, EXACT)(parameters, ids).data;
    for (const name of ["gelu", "softmax", "layerNorm"] as const) {
      const other = { ...EXACT, [name]: (x: Parameters<typeof EXACT.gelu>[0]) => multiply(EXACT[name](x), 0.5) };
      expect(predictor(TINY.model, other)(parameters, ids).data, name).not.toEqual(exact);
    }
  });

  it("does not look at padding", () => {
    const short = { ...TINY.model, length: 10 };
    const cut = (parameters: ReturnType<typeof initialParameters>) =>
      parameters.map((array, i) => (i === 1 ? { shape: [10, 8], data: array.data.slice(0, 80) } : array));
    const parameters = initialParameters(TINY.model, 1);
    const ids = idsOf(["2021-03-03"]);
    const padded = predictor(TINY.model, EXACT)(parameters, ids).data;
    const bare = predictor(short, EXACT)(cut(parameters), { shape: [1, 10], data: ids.data.slice(0, 10) }).data;
    expect(Math.max(...padded.map((x, i) => Math.abs(x - bare[i])))).toBeLessThan(1e-6);
  });
});

describe("the loss curve", () => {
  it("draws a point per interval, and the same text for the same points", () => {
    const points = [1, 2, 3].map((step) => ({ step, loss: 1 / step, exactMatch: step / 3 }));
    const svg = lossCurve(points);
    expect(svg.match(/<polyline /g)).toHaveLength(2);
    expect(svg).not.toContain("NaN");
    expect(lossCurve(points)).toBe(svg);
  });
});
