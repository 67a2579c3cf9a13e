// Compiling models whose only layers are inside attention operators: calibration sees what goes into them, and the compiled model runs.

import { create, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { compile } from "../../packages/lutra/src/compile.ts";
import { loadDataset, parseDescription } from "../../packages/lutra/src/data/index.ts";
import { type AttributeValue, constant, int64, node, readModel } from "../../packages/lutra/src/onnx/index.ts";

const COLUMNS = [..."abcdefghijklmnop"];

/** Rows of 16 numbers as 4 steps of 4, which attend to each other. */
function modelOf(type: string, domain: string, opset: bigint, attributes: Readonly<Record<string, AttributeValue>>) {
  const dims = ["n", "16"].map((dimParam, i) =>
    i === 0
      ? { value: { case: "dimParam" as const, value: dimParam } }
      : { value: { case: "dimValue" as const, value: 16n } },
  );
  const tensor = (name: string) => ({
    name,
    type: { value: { case: "tensorType" as const, value: { elemType: 1, shape: { dim: dims } } } },
  });
  const graph = {
    name: "attends",
    node: [
      constant("steps_shape", int64([-1, 4, 4]), [3]),
      constant("row_shape", int64([-1, 16]), [2]),
      node("Reshape", ["x", "steps_shape"], ["steps"]),
      node(type, ["steps", "steps", "steps"], ["attended"], attributes, { domain }),
      node("Reshape", ["attended", "row_shape"], ["y"]),
    ],
    input: [tensor("x")],
    output: [tensor("y")],
  };
  const opsetImport = [
    { domain: "", version: opset },
    { domain: "com.microsoft", version: 1n },
  ];
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 10n, opsetImport, graph }));
}

const description = parseDescription(
  new TextEncoder().encode(
    JSON.stringify({
      name: "steps",
      inputs: { x: { file: "steps.csv", columns: COLUMNS, type: "float32" } },
      splits: { calibration: 12, seed: 1 },
    }),
  ),
  "steps.json",
);

/** 24 rows between -2 and 2. */
function rows(): Uint8Array {
  const lines = Array.from({ length: 24 }, (_, r) =>
    COLUMNS.map((_, c) => ((r * 31 + c * 17) % 41) / 10 - 2).join(","),
  );
  return new TextEncoder().encode([COLUMNS.join(","), ...lines].join("\n"));
}

const tools = { openSession: (bytes: Uint8Array) => openSession(ort, bytes), now: () => 0 };

it.each([
  ["MultiHeadAttention", "com.microsoft", 17n, { num_heads: 2n, unidirectional: 1n }, ["softmax"]],
  ["Attention", "", 23n, { q_num_heads: 2n, kv_num_heads: 2n, is_causal: 1n, softcap: 3 }, ["tanh", "softmax"]],
] as const)(
  "compile replaces the layers inside %s (%s), in calls and flat",
  async (type, domain, opset, attributes, kinds) => {
    const dataset = await loadDataset(description, async () => rows());
    const model = readModel(modelOf(type, domain, opset, attributes));
    const options = { segments: 8, method: "optimal", norm: "mse", seed: 1 } as const;
    const called = await compile(model, dataset, { ...options, flat: false }, tools);
    expect(called.sites.map(({ kind }) => kind)).toEqual(kinds);
    // The mean square is over what calibration saw going into the tanh; the softmax's tables are for the largest error in any case.
    expect(called.tables.some(({ problem }) => problem.norm === "mse")).toBe(kinds.some((kind) => kind === "tanh"));
    expect(called.logitError.max).toBeGreaterThan(0);
    expect(called.logitError.max).toBeLessThan(0.02);
    const flat = await compile(model, dataset, { ...options, flat: true }, tools);
    expect(flat.logitError).toEqual(called.logitError);
  },
);
