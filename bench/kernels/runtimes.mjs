// Where races are run: this Node, another one, or Chromium. Whatever the runtime, it gets the races as JSON and gives rows back. A bench's races
// are run by in-node.mjs and in-page.mjs of its folder.
//
// A runtime is named as on the command line: "node" for the one at hand, "node@24" for a version that npx gets from the registry and keeps in
// npm's cache, the path of an executable, or "chromium".
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInChromium } from "./chromium.mjs";

/**
 * A function that runs given races there and resolves to { runtime, load, rows, missing }: the runtime's name and version, and the machine's
 * load at the start. Its second argument is a folder of files that the races read, if they do: a page finds them under /given/.
 * @param bench the folder of bench/ whose races these are
 * @throws Error for a name that is none
 */
export function launcherOf(runtime, bench = "kernels") {
  if (runtime === "chromium") return (given, files) => runInChromium(bench, given, files);
  const command = commandOf(runtime);
  return (given) => runInNode(command, bench, given);
}

function commandOf(runtime) {
  if (runtime === "node") return [process.execPath];
  if (/^node@[\w.]+$/.test(runtime)) return ["npx", "--yes", `--package=${runtime}`, "--", "node"];
  if (runtime.includes("/")) return [runtime];
  throw new Error(`a runtime is node, node@VERSION, the path of a node, or chromium; got "${runtime}"`);
}

async function runInNode([command, ...args], bench, given) {
  const script = fileURLToPath(new URL(`../${bench}/in-node.mjs`, import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "lutra-bench-"));
  const [input, output] = ["given.json", "result.json"].map((file) => join(folder, file));
  try {
    writeFileSync(input, given);
    const child = spawn(command, [...args, script, input, output], { stdio: "inherit" });
    const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
    if (code !== 0) throw new Error(`the races ended with exit code ${code} in ${command}`);
    return JSON.parse(readFileSync(output, "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
