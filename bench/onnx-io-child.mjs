// Reads the model argv[2] and writes it to argv[3]; prints the seconds both took and how far memory rose above where it started.
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { readModel, writeModel } from "lutra";

const [, , from, to] = process.argv;
const startBytes = process.memoryUsage.rss();
const start = performance.now();
const model = readModel(readFileSync(from));
const file = openSync(to, "w");
for (const chunk of writeModel(model)) {
  for (let written = 0; written < chunk.length; ) written += writeSync(file, chunk, written);
}
closeSync(file);
const seconds = (performance.now() - start) / 1000;
const extraBytes = process.resourceUsage().maxRSS * 1024 - startBytes;
console.log(JSON.stringify({ seconds, extraBytes, nodes: model.graph.node.length }));
