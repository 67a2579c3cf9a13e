// In the browser: a model in onnxruntime-web's WebAssembly backend. Loaded by the test's page from the test's own server.
import * as ort from "/onnxruntime-web/ort.wasm.min.mjs";

ort.env.wasm.wasmPaths = "/onnxruntime-web/";
ort.env.wasm.numThreads = 1;

const ARRAYS = { float32: Float32Array, int64: BigInt64Array };

/** The named output of every run, as plain numbers. */
export async function answer(model, output, runs) {
  const session = await ort.InferenceSession.create(`/models/${model}/onnx/model.onnx`, {
    executionProviders: ["wasm"],
  });
  const answers = [];
  for (const inputs of runs) {
    const feeds = Object.entries(inputs).map(([name, { type, shape, data }]) => {
      const values = ARRAYS[type].from(data, type === "int64" ? BigInt : Number);
      return [name, new ort.Tensor(type, values, shape)];
    });
    const results = await session.run(Object.fromEntries(feeds));
    answers.push([...results[output].data]);
  }
  return answers;
}
