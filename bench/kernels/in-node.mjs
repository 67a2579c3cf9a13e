// The races in a Node of its own: `node in-node.mjs GIVEN RESULT`, files of JSON. Started by runtimes.mjs.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { loadavg } from "node:os";
import { dirname } from "node:path";
import { fromJson } from "lutra/run";
import { openCopyCrew } from "./copy-crew.mjs";
import { runRaces } from "./inside.mjs";

const [given, result] = process.argv.slice(2);
const load = loadavg()[0];
const found = await runRaces(fromJson(readFileSync(given, "utf8")), await openPeers(), (line) =>
  console.log(`  ${line}`),
);
writeFileSync(result, JSON.stringify({ runtime: `Node ${process.version}`, load, ...found }));
process.exit(0); // TensorFlow.js and onnxruntime-web may keep workers

/** Those that load: a peer that does not is missing from the races. */
async function openPeers() {
  const openers = { onnxNode: () => import("onnxruntime-node"), onnxWeb: openWeb, tensorflow: openTensorflow };
  const peers = { openCopyCrew };
  for (const [peer, open] of Object.entries(openers)) {
    try {
      peers[peer] = await open();
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

/** In its WebAssembly backend, on one thread. */
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
