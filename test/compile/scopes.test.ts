// What compile does about layers that calibration cannot see, on a model with the same two layers in the main graph and in a body.

import { create } from "@bufbuild/protobuf";
import { GraphProtoSchema } from "onnx-buf";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { compile } from "../../packages/lutra/src/compile.ts";
import { concatenate, findSites, node, readModel } from "../../packages/lutra/src/onnx/index.ts";
import { npyFloats } from "../data/bytes.ts";
import { load } from "../data/fixture.ts";
import { model, valueInfo } from "../onnx/models.ts";

const ROWS = 6;
const COLUMNS = 3;

/** y = sin(tanh) of x, then the same in the body of a Scan over rows; a MatMul between the layers keeps each on its own. */
function twice() {
  const shape = ["batch", COLUMNS];
  const layers = (x: string, y: string) => [
    node("Tanh", [x], [`${y}_t`]),
    node("ReduceSum", [`${y}_t`], [`${y}_r`], { keepdims: 1n }),
    node("Add", [`${y}_t`, `${y}_r`], [`${y}_a`]),
    node("Sin", [`${y}_a`], [y]),
  ];
  const body = create(GraphProtoSchema, {
    name: "row",
    node: [node("Identity", ["count"], ["next"]), ...layers("row", "done")],
    input: [valueInfo("count", [1]), valueInfo("row", [COLUMNS])],
    output: [valueInfo("next", [1]), valueInfo("done", [COLUMNS])],
  });
  return model({
    nodes: [...layers("x", "h"), node("Scan", ["start", "h"], ["end", "y"], { body, num_scan_inputs: 1n })],
    inputs: [valueInfo("x", shape), valueInfo("start", [1])],
    outputs: [valueInfo("y", shape)],
  });
}

describe("compiling layers inside a body", () => {
  it("replaces those that need no range from data, and leaves the others as they are", async () => {
    const values = Array.from({ length: ROWS * COLUMNS }, (_, i) => (i % COLUMNS) - 0.6);
    const dataset = await load(
      {
        inputs: { x: { file: "x.npy", type: "float32" }, start: { constant: 0, type: "float32" } },
        splits: { calibration: 2 },
      },
      { "x.npy": npyFloats([ROWS, COLUMNS], values) },
    );
    const tools = {
      openSession: (bytes: Uint8Array) => openSession(ort, bytes, { threads: 1 }),
      now: () => performance.now(),
    };
    const options = { segments: 16, method: "optimal", norm: "max", flat: false, seed: 1 } as const;
    const result = await compile(twice(), dataset, options, tools);
    expect(result.sites.map(({ id, kind }) => `${kind} ${id}`)).toEqual(["tanh h_t", "sin h", "tanh done_t"]);
    expect(result.tables.map(({ histogram }) => histogram !== null)).toEqual([true, true]);
    expect(result.logitError.max).toBeLessThan(0.05);
    const left = findSites(readModel(concatenate(result.model)));
    expect(left.map(({ id, scope }) => [id, scope])).toEqual([["done", ["end.body"]]]);
  });
});
