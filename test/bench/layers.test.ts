// The encoder layers that programs are timed on: made from seeds, the same in both spellings, and run by both onnxruntimes.
import * as node from "onnxruntime-node";
import * as web from "onnxruntime-web";
import { beforeAll, describe, expect, it } from "vitest";
import { distance } from "../../bench/programs/arrays.mjs";
import { encoderLayer, hiddenStates, LAYERS, TOKENS } from "../../bench/programs/layers.mjs";
import { type OnnxRuntime, openSession } from "../../packages/lutra/src/adapt/onnxruntime.ts";
import { trace } from "../../packages/lutra/src/model/trace/trace.ts";
import { readModel } from "../../packages/lutra/src/onnx/index.ts";

const { width } = LAYERS.tiny;
/** Another order of sums; and what int8 weights and activations may lose, by root mean squares. */
const FLOAT_ORDER = 1e-6;
const INT8 = 0.02;

beforeAll(() => {
  web.env.wasm.numThreads = 1;
});

async function run(runtime: OnnxRuntime, model: Uint8Array, count = TOKENS, mask?: readonly bigint[]) {
  const session = await openSession(runtime, model, { threads: 1 });
  const x = { shape: [1, count, width], data: hiddenStates("tiny", 1).subarray(0, count * width) };
  const masked = mask === undefined ? {} : { attention_mask: { shape: [1, count], data: BigInt64Array.from(mask) } };
  const { y } = await session.run({ x, ...masked });
  await session.release();
  return y?.data as Float32Array;
}

describe("an encoder layer with random weights", () => {
  it("is the same whenever it is made, and has as many weights as its size says", () => {
    const [float, again] = [encoderLayer("tiny"), encoderLayer("tiny")];
    expect(Buffer.compare(float, again)).toBe(0);
    const { inner } = LAYERS.tiny;
    const parameters = 4 * width * (width + 1) + inner * (width + 1) + width * (inner + 1) + 4 * width;
    expect(float.length).toBeGreaterThan(4 * parameters);
    expect(float.length).toBeLessThan(4 * parameters + 8000);
    expect(encoderLayer("tiny", { isQuantized: true }).length).toBeLessThan(0.3 * float.length);
  });

  it("answers alike in both runtimes, in binary32 and in int8", async () => {
    const [float, int8] = [encoderLayer("tiny"), encoderLayer("tiny", { isQuantized: true })];
    const wanted = await run(node, float);
    expect(distance(await run(web, float), wanted)).toBeLessThan(FLOAT_ORDER);
    for (const runtime of [node, web]) {
      const error = distance(await run(runtime, int8), wanted);
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(INT8);
    }
  });

  it("does not see what its mask hides", async () => {
    const masked = encoderLayer("tiny", { isMasked: true });
    const half = TOKENS / 2;
    const mask = Array.from({ length: TOKENS }, (_, token) => (token < half ? 1n : 0n));
    const hidden = (await run(node, masked, TOKENS, mask)).subarray(0, half * width);
    const alone = await run(node, encoderLayer("tiny"), half);
    expect(distance(hidden, alone)).toBeLessThan(FLOAT_ORDER);
    expect(distance(hidden, (await run(node, encoderLayer("tiny"))).subarray(0, half * width))).toBeGreaterThan(INT8);
  });

  it("is six products with weights, two of attention and two norms to lutra", () => {
    for (const isMasked of [false, true]) {
      const { operators } = trace(readModel(encoderLayer("tiny", { isMasked })));
      const count = (op: string) => operators.filter((operator) => operator.op === op).length;
      expect({
        product: count("product"),
        norm: count("norm"),
        softmax: count("softmax"),
        function: count("function"),
      }).toEqual({
        ...{ product: 8, norm: 2, softmax: 1, function: 1 },
      });
    }
  });
});
