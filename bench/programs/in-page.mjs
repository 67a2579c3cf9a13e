// The races in a page, with the peer that exists there. Loaded by kernels/chromium.mjs.
import * as onnxWeb from "onnxruntime-web";
import { runRaces } from "./inside.mjs";

export async function measure() {
  onnxWeb.env.wasm.wasmPaths = "/onnxruntime-web/";
  onnxWeb.env.wasm.numThreads = 1;
  const { races } = await (await fetch("/given.json")).json();
  const read = async (file) => new Uint8Array(await (await fetch(`/given/${file}`)).arrayBuffer());
  return runRaces(races, { onnxWeb }, read, (line) => console.log(line));
}
