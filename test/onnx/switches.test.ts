// Switches that round one value of a graph: off nothing changes, on every reader sees the value of a code.
import * as ort from "onnxruntime-node";
import { expect, it } from "vitest";
import { openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import {
  concatenate,
  node,
  type Rounding,
  readModel,
  SWITCHES,
  withSwitches,
  writeModel,
} from "../../packages/lutra/src/onnx/index.ts";
import { modelBytes, valueInfo } from "./models.ts";

/** y = (x + x) (x + x) - sqrt|x|, x 4 numbers; the sum is read twice. */
const MODEL = readModel(
  modelBytes({
    ...{ opset: 17, irVersion: 8, initializers: [] },
    inputs: [valueInfo("x", ["N", 4])],
    outputs: [valueInfo("y", ["N", 4])],
    nodes: [
      node("Add", ["x", "x"], ["sum"]),
      node("Mul", ["sum", "sum"], ["square"]),
      node("Abs", ["x"], ["size"]),
      node("Sqrt", ["size"], ["root"]),
      node("Sub", ["square", "root"], ["y"]),
    ],
  }),
);

const ROUNDINGS = new Map<string, Rounding>([
  ["sum", { scale: 0.5, zeroPoint: 1, lo: -128, hi: 4 }],
  ["root", { scale: 0.25, zeroPoint: 0, lo: -3, hi: 3 }],
]);
const X = [0.1, -0.9, 1.3, 4];

async function answers(switches: readonly number[]): Promise<readonly number[]> {
  const session = await openSession(ort, concatenate(writeModel(withSwitches(MODEL, ROUNDINGS))));
  const x = { shape: [1, 4], data: Float32Array.from(X) };
  const { y } = await session.run({ x, [SWITCHES]: { shape: [2], data: Float32Array.from(switches) } });
  return Array.from(y?.data as Float32Array);
}

const rounded = (x: number, { scale, zeroPoint, lo, hi }: Rounding): number =>
  scale * (Math.min(hi, Math.max(lo, Math.floor(x / scale + 0.5) + zeroPoint)) - zeroPoint);

it.each([
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
])("sum rounded %d, root rounded %d", async (sumOn, rootOn) => {
  const given = await answers([sumOn, rootOn]);
  for (const [i, x] of X.entries()) {
    const sum = sumOn === 1 ? rounded(2 * x, ROUNDINGS.get("sum") as Rounding) : 2 * x;
    const root = Math.sqrt(Math.abs(x));
    const expected = sum * sum - (rootOn === 1 ? rounded(root, ROUNDINGS.get("root") as Rounding) : root);
    expect(given[i]).toBeCloseTo(expected, 4);
  }
});
