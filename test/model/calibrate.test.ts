// Calibration of one-layer models through onnxruntime, on data small enough to check by hand.
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { fitDataset } from "../../packages/lutra/src/data/index.ts";
import {
  type Calibration,
  type CalibrationOptions,
  calibrate,
  declaredInputs,
} from "../../packages/lutra/src/model/index.ts";
import { massBetween } from "../../packages/lutra/src/num/index.ts";
import { findSites, node } from "../../packages/lutra/src/onnx/index.ts";
import { npyFloats } from "../data/bytes.ts";
import { failure } from "../data/errors.ts";
import { load } from "../data/fixture.ts";
import { model, valueInfo } from "../onnx/models.ts";
import { kernelsOf } from "./fixture.ts";

/** x is squared or its logarithm taken, then the layer; rows of four, the last of which is not for calibration. */
async function calibrated(
  before: "Square" | "Log" | null,
  layer: "Tanh" | "Softmax",
  rows: readonly (readonly number[])[],
  options: CalibrationOptions = {},
): Promise<Calibration> {
  const shape = ["batch", 4];
  const first =
    before === null ? [] : before === "Square" ? [node("Mul", ["x", "x"], ["h"])] : [node("Log", ["x"], ["h"])];
  const graph = model({
    nodes: [...first, node(layer, [before === null ? "x" : "h"], ["y"])],
    inputs: [valueInfo("x", shape)],
    // As an output of its own, h is not taken into the layer's expression.
    outputs: ["y", ...(before === null ? [] : ["h"])].map((name) => valueInfo(name, shape)),
  });
  const sites = findSites(graph);
  const inputs = { x: { file: "x.npy", type: "float32" } };
  const dataset = await load(
    { inputs, splits: { calibration: 1 } },
    { "x.npy": npyFloats([rows.length, 4], rows.flat()) },
  );
  const all = { ...dataset, parts: { ...dataset.parts, calibration: dataset.parts.all } };
  const fitted = fitDataset(all, declaredInputs(graph));
  return calibrate(graph, sites, kernelsOf(sites), fitted, (bytes) => openSession(ort, bytes), {}, options);
}

describe("calibrate", () => {
  it("records an elementwise layer's input as what its hole sees, also where that is the model's own input", async () => {
    const inside = await calibrated(
      "Square",
      "Tanh",
      [
        [1, 2, 3, 4],
        [1, 1, 1, 1],
      ],
      { batchSize: 1 },
    );
    expect(inside.y.holes.f).toEqual(inside.y.input);
    expect(massBetween(inside.y.input, 1, 1.01)).toBe(5 / 8);
    expect(massBetween(inside.y.input, 16, 16.2)).toBe(1 / 8);
    const outside = await calibrated(null, "Tanh", [
      [1, 2, 3, 4],
      [1, 1, 1, 1],
    ]);
    expect(massBetween(outside.y.input, 4, 4.05)).toBe(1 / 8);
  });

  it("records what Softmax asks of exp and of 1/x", async () => {
    const { y } = await calibrated("Log", "Softmax", [
      [1, 1, 1, 1],
      [1, 1, 2, 4],
    ]);
    expect(y.longestRow).toBe(4);
    // Sums of exp(x - max x): 4 and (1 + 1 + 2 + 4) / 4.
    expect(massBetween(y.holes.reciprocal, 3.96, 4.04)).toBe(1 / 2);
    expect(massBetween(y.holes.reciprocal, 1.98, 2.02)).toBe(1 / 2);
    expect(y.holes.exp.edges[0]).toBeLessThanOrEqual(-Math.log(4));
  });

  it("allows -Infinity into Softmax, where it masks, and nowhere else", async () => {
    const rows = [
      [1, 2, 3, 4],
      [1, 1, 0, 0],
    ];
    const { y } = await calibrated("Log", "Softmax", rows);
    expect(y.input.counts.reduce((sum, count) => sum + count)).toBe(6);
    expect(massBetween(y.holes.reciprocal, 1.98, 2.02)).toBe(1 / 2);
    const error = await failure(() => calibrated("Log", "Tanh", rows));
    expect(error.message).toBe("calibration sample 1 makes the layer's input -Infinity");
  });

  it("names the layer and the sample where a finite input overflows inside the model", async () => {
    const error = await failure(() =>
      calibrated("Square", "Tanh", [
        [1, 1, 1, 1],
        [1, 1, 1, 1],
        [1, 1, 1e30, 1],
      ]),
    );
    expect(error.code).toBe("bad-data");
    expect(error.message).toBe("calibration sample 2 makes the layer's input Infinity");
    expect(error.where).toBe("layer y (tanh)");
  });

  it("refuses NaN in the data itself, naming file and sample", async () => {
    const error = await failure(() =>
      calibrated("Square", "Tanh", [
        [1, 1, 1, 1],
        [1, Number.NaN, 1, 1],
      ]),
    );
    expect(error.where).toBe("x.npy: sample 1, element 1");
  });
});
