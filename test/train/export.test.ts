// The ONNX file is the graph that was trained: the same inputs give the same scores in jax-js and in onnxruntime.
import { random } from "lutra";
import * as ort from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { startBackend } from "../../models/train/src/array.ts";
import { idsOf } from "../../models/train/src/batch.ts";
import { samples } from "../../models/train/src/dates.ts";
import { exportOnnx } from "../../models/train/src/export.ts";
import { predictor } from "../../models/train/src/gradient.ts";
import { EXACT } from "../../models/train/src/model.ts";
import { SETTINGS } from "../../models/train/src/settings.ts";
import { initialParameters, type Parameters, type Shape } from "../../models/train/src/shape.ts";

const TINY: Shape = { ...SETTINGS.model, width: 8, heads: 2, hidden: 12, layers: 1 };

beforeAll(startBackend);

/** Initial parameters with every gain and bias moved off 1 and 0, so that none can be left out unseen. */
function perturbed(model: Shape): Parameters {
  const source = random(5);
  return initialParameters(model, 3).map(({ shape, data }) => ({
    shape,
    data: data.map((x) => x + 0.1 * source.normal()),
  }));
}

async function largestDifference(model: Shape, parameters: Parameters): Promise<number> {
  const ids = idsOf(samples("validation", 32, 9).map(({ text }) => text));
  const trained = predictor(model, EXACT)(parameters, ids).data;
  const session = await ort.InferenceSession.create(exportOnnx(model, parameters));
  const input = new ort.Tensor("int64", BigInt64Array.from(ids.data, BigInt), ids.shape);
  const { digits } = await session.run({ ids: input });
  await session.release();
  expect(digits.dims).toEqual([32, 8, 10]);
  const exported = digits.data as Float32Array;
  return Math.max(...trained.map((x, i) => Math.abs(x - exported[i])));
}

describe("the exported model", () => {
  it.each([
    ["a tiny model", TINY],
    ["the demo's shape", SETTINGS.model],
  ])("equals the training graph within 1e-5: %s", async (_name, model) => {
    expect(await largestDifference(model, perturbed(model))).toBeLessThanOrEqual(1e-5);
  });

  it("has the same bytes for the same parameters", () => {
    expect(exportOnnx(TINY, perturbed(TINY))).toEqual(exportOnnx(TINY, perturbed(TINY)));
  });
});
