// The peers that races in Node meet, each on one thread.
import { createRequire } from "node:module";
import { dirname } from "node:path";

const OPENERS = { onnxNode: () => import("onnxruntime-node"), onnxWeb: openWeb, tensorflow: openTensorflow };

/** Those of the named peers that load: one that does not is missing from the races. */
export async function openPeers(names) {
  const peers = {};
  for (const peer of names) {
    try {
      peers[peer] = await OPENERS[peer]();
    } catch (error) {
      console.log(`  without ${peer}: ${error.message}`);
    }
  }
  return peers;
}

async function openWeb() {
  const web = await import("onnxruntime-web");
  web.env.wasm.numThreads = 1;
  web.env.logLevel = "error";
  return web;
}

/** In its WebAssembly backend. */
async function openTensorflow() {
  const require = createRequire(import.meta.url);
  const tensorflow = require("@tensorflow/tfjs-core");
  const backend = require("@tensorflow/tfjs-backend-wasm");
  backend.setWasmPaths(`${dirname(require.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  backend.setThreadsCount(1);
  await tensorflow.setBackend("wasm");
  await tensorflow.ready();
  return tensorflow;
}
