// Layers that are no site: each with a reason that a user can act on, and nothing reported that is no layer.

import { create, toBinary } from "@bufbuild/protobuf";
import { FunctionProtoSchema, ModelProtoSchema, TensorProto_DataType } from "onnx-buf";
import { describe, expect, test } from "vitest";
import { findLayers, node, readModel, tensor } from "../../packages/lutra/src/onnx/index.ts";
import { model, modelProto, valueInfo } from "./models.ts";

const FLOAT16 = TensorProto_DataType.FLOAT16;

describe("layers that stay as they are", () => {
  test("are told with their element type", () => {
    const { sites, skipped } = findLayers(
      model({
        inputs: [valueInfo("x", [2, 4], FLOAT16)],
        outputs: [valueInfo("y", [2, 4], FLOAT16)],
        nodes: [node("Softmax", ["x"], ["s"]), node("Tanh", ["s"], ["y"])],
      }),
    );
    expect(sites).toEqual([]);
    const reason = "its data are float16; tables are made for float32";
    expect(skipped).toEqual([
      { id: "s", operator: "Softmax", reason },
      { id: "y", operator: "Tanh", reason },
    ]);
  });

  test("are told where only the rank is missing", () => {
    const { skipped } = findLayers(
      model({
        opset: 12,
        inputs: [valueInfo("x", null)],
        outputs: [valueInfo("y", null)],
        nodes: [node("Softmax", ["x"], ["y"], { axis: 1n })],
      }),
    );
    expect(skipped).toEqual([{ id: "y", operator: "Softmax", reason: expect.stringContaining("rank") }]);
  });

  test("include recurrent operators that cannot be expanded", () => {
    const weights = (name: string) => tensor(new Float32Array(16), [1, 4, 4], name);
    const { skipped } = findLayers(
      model({
        inputs: [valueInfo("x", [3, 2, 4])],
        outputs: [valueInfo("y", [3, 1, 2, 4])],
        initializers: [weights("W"), weights("R")],
        nodes: [node("RNN", ["x", "W", "R"], ["y"], { hidden_size: 4n, direction: "sideways" })],
      }),
    );
    expect(skipped).toEqual([{ id: "y", operator: "RNN", reason: expect.stringContaining("attributes") }]);
  });

  test("include operators that no table is made for", () => {
    const nodes = [node("Atan", ["x"], ["a"]), node("ReduceLogSumExp", ["a"], ["y"])];
    const reason = "Lutra has no table for this operator";
    expect(findLayers(model({ nodes })).skipped).toEqual([
      { id: "a", operator: "Atan", reason },
      { id: "y", operator: "ReduceLogSumExp", reason },
    ]);
  });

  test("do not include calls of the model's own functions, whose layers are found inside", () => {
    const proto = modelProto({ nodes: [node("Softmax", ["x"], ["y"], {}, { domain: "mine" })], domains: ["mine"] });
    const functions = [
      create(FunctionProtoSchema, {
        name: "Softmax",
        domain: "mine",
        input: ["a"],
        output: ["b"],
        node: [node("Softmax", ["a"], ["b"], { axis: -1n })],
        opsetImport: proto.opsetImport,
      }),
    ];
    const { sites, skipped } = findLayers(readModel(toBinary(ModelProtoSchema, { ...proto, functions })));
    expect(sites.map(({ kind }) => kind)).toEqual(["softmax"]);
    expect(skipped).toEqual([]);
  });

  test("do not include what is replaced, arithmetic on shapes, or operators without a layer", () => {
    const { sites, skipped } = findLayers(
      model({
        nodes: [
          node("Shape", ["x"], ["shape"]),
          node("Cast", ["shape"], ["size"], { to: 1n }),
          node("Sqrt", ["size"], ["root"]),
          node("Tanh", ["x"], ["t"]),
          node("Transpose", ["t"], ["y"]),
        ],
      }),
    );
    expect(sites.map(({ kind }) => kind)).toEqual(["tanh"]);
    expect(skipped).toEqual([]);
  });
});
