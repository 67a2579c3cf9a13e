// A small classifier as ONNX, and a dataset for it: four numbers, a matrix, a nonlinear layer, another matrix, Softmax.

import { writeFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { TensorProto_DataLocation, TensorProto_DataType, TensorProtoSchema } from "onnx-buf";
import { random } from "../../packages/lutra/src/num/index.ts";
import { node, tensor } from "../../packages/lutra/src/onnx/index.ts";
import { modelBytes, valueInfo } from "../onnx/models.ts";

const FEATURES = 4;
const HIDDEN = 8;
const CLASSES = 3;
const SAMPLES = 200;

/** softmax(gelu(x A) B) as an ONNX file; Gelu came with opset 20. */
export function tinyModel(): Uint8Array {
  const { normal } = random(5);
  const weights = (rows: number, columns: number, name: string) =>
    tensor(Float32Array.from({ length: rows * columns }, normal), [rows, columns], name);
  return modelBytes({
    opset: 20,
    irVersion: 9,
    inputs: [valueInfo("x", ["N", FEATURES])],
    outputs: [valueInfo("y", ["N", CLASSES])],
    initializers: [weights(FEATURES, HIDDEN, "A"), weights(HIDDEN, CLASSES, "B")],
    nodes: [
      node("MatMul", ["x", "A"], ["h"]),
      node("Gelu", ["h"], ["g"]),
      node("MatMul", ["g", "B"], ["s"]),
      node("Softmax", ["s"], ["y"], { axis: -1n }),
    ],
  });
}

/** y = gelu(x) + B, with B in a file beside the model. */
export function modelWithExternalData(location: string): Uint8Array {
  const B = create(TensorProtoSchema, {
    name: "B",
    dims: [BigInt(FEATURES)],
    dataType: TensorProto_DataType.FLOAT,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [{ key: "location", value: location }],
  });
  return modelBytes({
    opset: 20,
    irVersion: 9,
    inputs: [valueInfo("x", ["N", FEATURES])],
    outputs: [valueInfo("y", ["N", FEATURES])],
    initializers: [B],
    nodes: [node("Gelu", ["x"], ["g"]), node("Add", ["g", "B"], ["y"])],
  });
}

/** Writes rows.csv and the description that names it; returns the description for changes. */
export async function writeTinyDataset(path: (name: string) => string): Promise<Readonly<Record<string, unknown>>> {
  const { normal, below } = random(9);
  const rows = Array.from({ length: SAMPLES }, () => {
    const features = Array.from({ length: FEATURES }, () => normal().toFixed(4));
    return [...features, below(CLASSES)].join(",");
  });
  await writeFile(path("rows.csv"), `a,b,c,d,label\n${rows.join("\n")}\n`);
  const description = {
    name: "made up",
    inputs: { x: { file: "rows.csv", columns: ["a", "b", "c", "d"], type: "float32" } },
    target: { kind: "labels", file: "rows.csv", key: "label" },
    metrics: ["accuracy", "nll"],
    splits: { calibration: 100, seed: 1 },
  };
  await writeFile(path("data.json"), JSON.stringify(description));
  return description;
}
