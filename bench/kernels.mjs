// Emitted WebAssembly against what else computes the same, in races: all contestants of one in one process, in seeded shuffled turns; medians
// of times and of each round's ratios; every contestant's answers are checked after every turn. A kernel of onnxruntime is measured as
// (chain of 9 operators - chain of 1) / 8, which leaves the cost of a call out. The parts are in kernels/:
//   questions -> races      what is computed, by whom, and the answers: plain data
//   runtimes -> inside      each runtime runs the same races: timing, contestants, arena, copies, data
//   figures                 the goals, judged on Node 24 or later, which has relaxed SIMD
import { gzipSync } from "node:zlib";
import { emitWasm, toJson } from "lutra";
import { figuresOf } from "./kernels/figures.mjs";
import { makeRaces } from "./kernels/races.mjs";
import { launcherOf } from "./kernels/runtimes.mjs";

export const name = "kernels";

const LEAST_JUDGED = 24;
/** The kernels whose files are weighed; the goal is for the first. */
const SIZED = ["gelu-coarse", "gelu-uniform-64", "sigmoid-exact", "softmax-codes", "layer-norm"];

/** @param runtime names of runtimes, as runtimes.mjs has them; the Node at hand if absent */
export async function measure({ runtime: runtimes = ["node"] } = {}) {
  const launchers = runtimes.map((runtime) => launcherOf(runtime));
  const made = makeRaces();
  const given = toJson(made);
  const sizes = Object.fromEntries(SIZED.map((kernel) => [kernel, sizeOf(made.kernels[kernel])]));
  const results = [];
  for (const [i, launch] of launchers.entries()) {
    console.log(`  in ${runtimes[i]}:`);
    const { rows, missing: all, ...where } = await launch(given);
    const missing = all.filter(({ isElsewhere }) => !isElsewhere);
    for (const { race, dims, contestant, why } of missing) {
      console.log(`  without ${contestant} (${race}, ${dims.join("x")}): ${why}`);
    }
    const figures = isJudged(where.runtime) ? figuresOf(rows, sizes) : [];
    results.push({ variant: variantOf(where.runtime), ...where, sizes, missing, rows, figures });
  }
  return results;
}

/** Bytes after gzip of what a page loads: module and loader. */
function sizeOf(kernel) {
  const files = emitWasm(kernel).filter(({ name: file }) => !file.endsWith(".d.ts"));
  return files.reduce((sum, { bytes, text }) => sum + gzipSync(bytes ?? text).length, 0);
}

function isJudged(runtime) {
  const [, major] = /^Node v(\d+)/.exec(runtime) ?? [];
  return Number(major) >= LEAST_JUDGED;
}

/** "Node v24.1.0" -> "node-24", "Chromium 150.0" -> "chromium" */
function variantOf(runtime) {
  const [, named, major] = /^(\w+) v?(\d+)/.exec(runtime);
  return named === "Node" ? `node-${major}` : named.toLowerCase();
}
