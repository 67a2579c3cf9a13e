// The races in a Node of its own: `node in-node.mjs GIVEN RESULT`, files of JSON. Started by runtimes.mjs.
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { fromJson } from "lutra/run";
import { openCopyCrew } from "./copy-crew.mjs";
import { runRaces } from "./inside.mjs";
import { openPeers } from "./peers.mjs";

const [given, result] = process.argv.slice(2);
const load = loadavg()[0];
const peers = { openCopyCrew, ...(await openPeers(["onnxNode", "onnxWeb", "tensorflow"])) };
const found = await runRaces(fromJson(readFileSync(given, "utf8")), peers, (line) => console.log(`  ${line}`));
writeFileSync(result, JSON.stringify({ runtime: `Node ${process.version}`, load, ...found }));
process.exit(0); // TensorFlow.js and onnxruntime-web may keep workers
