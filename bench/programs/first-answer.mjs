// Loads a model and answers once: `node first-answer.mjs WHO MODEL SAMPLE` prints how long that took. Started by fresh.mjs.
import { readFileSync } from "node:fs";

const OPENERS = {
  lutra: async () => {
    const { load } = await import("lutra/run");
    return async (bytes, inputs) => (await load(bytes)).run(inputs);
  },
  "onnxruntime-web": async () => {
    const web = await import("onnxruntime-web");
    web.env.wasm.numThreads = 1;
    web.env.logLevel = "error";
    return onnxruntime(web, { executionProviders: ["wasm"] });
  },
  "onnxruntime-node": async () => onnxruntime(await import("onnxruntime-node"), { intraOpNumThreads: 1 }),
};

const [who, model, sample] = process.argv.slice(2);
const given = Object.entries(JSON.parse(readFileSync(sample, "utf8"))).map(([name, { shape, data, isFloat }]) => {
  return [name, { shape, data: isFloat ? Float32Array.from(data) : BigInt64Array.from(data, BigInt) }];
});
const inputs = Object.fromEntries(given);
const start = performance.now();
const answer = await OPENERS[who]();
const imported = performance.now();
// As bytes of a buffer of their own.
const outputs = await answer(new Uint8Array(readFileSync(model)), inputs);
const end = performance.now();
if (Object.keys(outputs).length === 0) throw new Error(`${who} answers nothing`);
console.log(JSON.stringify({ importing: imported - start, milliseconds: end - imported }));
process.exit(0); // onnxruntime-web may keep workers

function onnxruntime({ InferenceSession, Tensor }, options) {
  return async (bytes, tensors) => {
    const session = await InferenceSession.create(bytes, {
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      ...options,
    });
    const feeds = Object.entries(tensors).map(([name, { shape, data }]) => {
      return [name, new Tensor(data instanceof Float32Array ? "float32" : "int64", data, shape)];
    });
    return session.run(Object.fromEntries(feeds));
  };
}
