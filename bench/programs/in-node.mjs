// The races in a Node of its own: `node in-node.mjs GIVEN RESULT`, files of JSON. Started by kernels/runtimes.mjs.
import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { openPeers } from "../kernels/peers.mjs";
import { runRaces } from "./inside.mjs";

const [given, result] = process.argv.slice(2);
const load = loadavg()[0];
const { folder, races } = JSON.parse(readFileSync(given, "utf8"));
const peers = await openPeers(["onnxNode", "onnxWeb"]);
const read = async (file) => new Uint8Array(readFileSync(join(folder, file)));
const found = await runRaces(races, peers, read, (line) => console.log(`  ${line}`));
writeFileSync(result, JSON.stringify({ runtime: `Node ${process.version}`, load, ...found }));
process.exit(0); // onnxruntime-web may keep workers
