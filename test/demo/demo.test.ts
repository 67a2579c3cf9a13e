// The demo model and its dataset, which stand in for a user's own: reproducible, valid, with answers that rounding does not change.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeDemo } from "../../models/demo/make.mjs";
import { buildTransformer } from "../../models/demo/transformer.mjs";
import { findSites, readModel } from "../../packages/lutra/src/onnx/index.ts";

const folder = mkdtempSync(join(tmpdir(), "lutra-demo-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the demo model", () => {
  it("has the same bytes for the same seed, and others for another", () => {
    const model = buildTransformer(1);
    expect(Buffer.compare(buildTransformer(1), model)).toBe(0);
    expect(Buffer.compare(buildTransformer(2), model)).not.toBe(0);
  });

  it("has every kind of layer that it is meant to show, one of them decomposed", () => {
    const kinds = findSites(readModel(buildTransformer(1))).map(({ kind, form }) => `${kind} ${form}`);
    const counts = Object.fromEntries(
      [...new Set(kinds)].map((kind) => [kind, kinds.filter((k) => k === kind).length]),
    );
    expect(counts).toEqual({
      "gelu decomposed": 1,
      "gelu operator": 1,
      "layer-norm operator": 5,
      "softmax operator": 2,
      "tanh operator": 1,
    });
  });
});

describe("the demo dataset", () => {
  it("has files that agree in their number of samples, and every class", async () => {
    const count = await makeDemo(folder);
    expect(readdirSync(folder).sort()).toEqual(["dataset.json", "ids.npy", "labels.npy", "model.onnx"]);
    const labels = readFileSync(join(folder, "labels.npy")).subarray(-count);
    const header = readFileSync(join(folder, "labels.npy")).subarray(10, 128).toString();
    expect(header).toContain(`'shape': (${count},)`);
    expect(new Set(labels).size).toBe(8);
  });
});
