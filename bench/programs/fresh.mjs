// What a new process sees of a program: how soon it answers, and how much memory that takes. Each measurement is a process of its own.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toJson } from "lutra";
import { median } from "../kernels/timing.mjs";
import { middleSample } from "./compiled.mjs";

const RUNS = 9;
const MEMORY_RUNS = 3;

/**
 * Medians over processes that take turns. The time is from the call that loads the model, reading its file included, to the first answer; that of
 * importing the library before it stands beside.
 * @returns {lutra, "onnxruntime-web", "onnxruntime-node"}: { milliseconds, importing } of each
 */
export async function firstAnswers(file, onnxFile, dataset) {
  return withSample(dataset, async (sample) => {
    const entrants = { lutra: file, "onnxruntime-web": onnxFile, "onnxruntime-node": onnxFile };
    const times = Object.fromEntries(Object.keys(entrants).map((who) => [who, []]));
    for (let run = 0; run < RUNS; run++) {
      for (const [who, model] of Object.entries(entrants))
        times[who].push(await child("first-answer.mjs", [who, model, sample]));
    }
    const rows = Object.entries(times).map(([who, all]) => [
      who,
      {
        milliseconds: median(all.map(({ milliseconds }) => milliseconds)),
        importing: median(all.map(({ importing }) => importing)),
      },
    ]);
    return Object.fromEntries(rows);
  });
}

/**
 * The largest of some processes: { bytes, webAssembly, buffers, resident }. `bytes` is the most that array buffers and WebAssembly memories had
 * together above the start, from before loading to after an answer; `resident` is by how much the process grew, JavaScript's own heap and compiled
 * code included.
 */
export async function peakMemory(file, dataset) {
  return withSample(dataset, async (sample) => {
    const runs = [];
    for (let run = 0; run < MEMORY_RUNS; run++)
      runs.push(await child("peak-memory.mjs", [file, sample], ["--expose-gc"]));
    return runs.reduce((most, one) => (one.bytes > most.bytes ? one : most));
  });
}

/** With a file of a sample of usual length. */
async function withSample(dataset, use) {
  const { inputs } = middleSample(dataset);
  const plain = Object.entries(inputs).map(([name, { shape, data }]) => {
    return [name, { shape, data: Array.from(data, Number), isFloat: data instanceof Float32Array }];
  });
  const folder = mkdtempSync(join(tmpdir(), "lutra-fresh-"));
  try {
    const path = join(folder, "sample.json");
    writeFileSync(path, toJson(Object.fromEntries(plain)));
    return await use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a script of this folder prints, as JSON. */
function child(script, args, flags = []) {
  const options = { stdio: ["ignore", "pipe", "inherit"] };
  const process_ = spawn(process.execPath, [...flags, join(import.meta.dirname, script), ...args], options);
  return new Promise((resolve, reject) => {
    let output = "";
    process_.stdout.on("data", (chunk) => {
      output += chunk;
    });
    process_.on("error", reject);
    process_.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(output));
      else reject(new Error(`${script} ended with exit code ${code}`));
    });
  });
}
