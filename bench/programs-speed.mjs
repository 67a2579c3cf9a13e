// Programs in races: encoder layers with random weights, two whole models and one product of integers, beside onnxruntime-web and -node, all
// contestants of one race in one process and on one thread, in seeded shuffled turns; medians of times and of each round's ratios. After every
// turn Lutra's answers are compared with the interpreter's, bit by bit, and the peers' with binary32's. The parts are in programs/:
//   layers, product -> races    models, inputs, answers: plain data and files
//   in-node, in-page -> inside  each runtime runs the same races: contestants, arrays, dot-limit
//   speed-figures               the goals, judged on Node 24 or later, that of plain SIMD on Node 20 too, and Chromium beside Node
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launcherOf } from "./kernels/runtimes.mjs";
import { ROOT } from "./lutra.mjs";
import { makeRaces } from "./programs/races.mjs";
import { speedFigures } from "./programs/speed-figures.mjs";

export const name = "programs-speed";

const CHROMIUM_BESIDE = "node-24";

/** @param runtime names of runtimes, as kernels/runtimes.mjs has them; the Node at hand if absent */
export async function measure({ runtime: runtimes = ["node"] } = {}) {
  const launchers = runtimes.map((runtime) => launcherOf(runtime, "programs"));
  const folder = mkdtempSync(join(tmpdir(), "lutra-programs-"));
  try {
    const races = await makeRaces(folder, (line) => console.log(`  ${line}`));
    const results = [];
    for (const [i, launch] of launchers.entries()) {
      console.log(`  in ${runtimes[i]}:`);
      const { rows, missing: all, ...where } = await launch(JSON.stringify({ folder, races }), folder);
      const missing = all.filter(({ isElsewhere }) => !isElsewhere);
      for (const { race, contestant, why } of missing) console.log(`  without ${contestant} (${race}): ${why}`);
      const variant = variantOf(where.runtime);
      const beside = results.find((one) => one.variant === CHROMIUM_BESIDE) ?? earlier(CHROMIUM_BESIDE);
      results.push({ variant, ...where, missing, rows, figures: speedFigures(variant, rows, beside?.rows ?? []) });
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What this bench found in a runtime before; undefined if it was never measured. */
function earlier(variant) {
  const path = join(ROOT, "bench", "results", `${name}-${variant}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/** "Node v24.1.0" -> "node-24", "Chromium 150.0" -> "chromium" */
function variantOf(runtime) {
  const [, named, major] = /^(\w+) v?(\d+)/.exec(runtime);
  return named === "Node" ? `node-${major}` : named.toLowerCase();
}
