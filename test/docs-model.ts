// What the reader of docs/your-own-model.md brings: a model of their own, as an exporter writes it, and a table of measurements. Made up here.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { openSession } from "../packages/lutra/src/adapt/onnxruntime.ts";
import { random } from "../packages/lutra/src/num/index.ts";
import { node, tensor } from "../packages/lutra/src/onnx/index.ts";
import { modelBytes, valueInfo } from "./onnx/models.ts";

const [FEATURES, HIDDEN, CLASSES, SAMPLES] = [4, 16, 3, 600];

/** logits = silu(layerNorm(features A)) B: SiLU as Sigmoid and Mul, the norm as an operator. */
function ownModel(): Uint8Array {
  const { normal } = random(11);
  const weights = (shape: readonly number[], name: string) =>
    tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, normal), shape, name);
  return modelBytes({
    inputs: [valueInfo("features", ["batch", FEATURES])],
    outputs: [valueInfo("logits", ["batch", CLASSES])],
    initializers: [
      weights([FEATURES, HIDDEN], "A"),
      weights([HIDDEN, CLASSES], "B"),
      tensor(new Float32Array(HIDDEN).fill(1), [HIDDEN], "scale"),
    ],
    nodes: [
      node("MatMul", ["features", "A"], ["h"]),
      node("LayerNormalization", ["h", "scale"], ["n"], { axis: -1n }),
      node("Sigmoid", ["n"], ["gate"]),
      node("Mul", ["n", "gate"], ["s"]),
      node("MatMul", ["s", "B"], ["logits"]),
    ],
  });
}

/** Writes my-model.onnx and measurements.csv. Every tenth label is not what the model says. */
export async function writeOwnModel(folder: string): Promise<void> {
  const model = ownModel();
  writeFileSync(join(folder, "my-model.onnx"), model);
  const { normal } = random(12);
  const features = Float32Array.from({ length: SAMPLES * FEATURES }, () => Number(normal().toFixed(3)));
  const session = await openSession(ort, model);
  const { logits } = await session.run({ features: { shape: [SAMPLES, FEATURES], data: features } });
  await session.release();
  const lines = Array.from({ length: SAMPLES }, (_, i) => {
    const scores = Array.from(logits.data.slice(i * CLASSES, (i + 1) * CLASSES), Number);
    const answer = scores.indexOf(Math.max(...scores));
    const label = i % 10 === 0 ? (answer + 1) % CLASSES : answer;
    const row = Array.from(features.slice(i * FEATURES, (i + 1) * FEATURES), (x) => x.toFixed(3));
    return [...row, label].join(",");
  });
  writeFileSync(join(folder, "measurements.csv"), `length,width,height,weight,kind\n${lines.join("\n")}\n`);
}
