// The races in a page, with the peers that exist there. Loaded by chromium.mjs.
import { fromJson } from "lutra/run";
import * as onnxWeb from "onnxruntime-web";
import { runRaces } from "./inside.mjs";

export async function measure() {
  onnxWeb.env.wasm.wasmPaths = "/onnxruntime-web/";
  onnxWeb.env.wasm.numThreads = 1;
  const given = fromJson(await (await fetch("/given.json")).text());
  return runRaces(given, { onnxWeb }, (line) => console.log(line));
}
