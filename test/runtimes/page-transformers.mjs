// In the browser: a folder of models in transformers.js, which may load from the test's own server only.
import { AutoModel, env, pipeline, Tensor } from "/transformers/transformers.js";

env.allowRemoteModels = false;
env.allowLocalModels = true;
env.localModelPath = "/models/";
env.useBrowserCache = false;
env.useWasmCache = false;
env.backends.onnx.wasm.wasmPaths = "/transformers-onnxruntime-web/";
env.backends.onnx.wasm.numThreads = 1;

const OPTIONS = { device: "wasm", dtype: "fp32", local_files_only: true };
const ARRAYS = { float32: Float32Array, int64: BigInt64Array };

/** The named output of every run, as plain numbers. */
export async function answer(model, output, runs) {
  const opened = await AutoModel.from_pretrained(model, OPTIONS);
  const answers = [];
  for (const inputs of runs) {
    const feeds = Object.entries(inputs).map(([name, { type, shape, data }]) => {
      const values = ARRAYS[type].from(data, type === "int64" ? BigInt : Number);
      return [name, new Tensor(type, values, shape)];
    });
    const results = await opened(Object.fromEntries(feeds));
    answers.push([...results[output].data]);
  }
  return answers;
}

/** The probability of every label for each text, by the pipeline of a task. */
export async function classify(task, model, texts) {
  const classifier = await pipeline(task, model, OPTIONS);
  const answers = [];
  for (const text of texts) answers.push(await classifier(text, { top_k: null }));
  return answers;
}
