// Where races are run: this Node, another one, or Chromium. Whatever the runtime, it gets the races as JSON and gives rows back.
//
// A runtime is named as on the command line: "node" for the one at hand, "node@24" for a version that npx gets from the registry and keeps in
// npm's cache, the path of an executable, or "chromium".
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runInChromium } from "./chromium.mjs";

const SCRIPT = fileURLToPath(new URL("in-node.mjs", import.meta.url));

/**
 * A function that runs given races there and resolves to { runtime, load, rows, missing }: the runtime's name and version, and the machine's
 * load at the start.
 * @throws Error for a name that is none
 */
export function launcherOf(runtime) {
  if (runtime === "chromium") return runInChromium;
  if (runtime === "node") return (given) => runInNode([process.execPath], given);
  if (/^node@[\w.]+$/.test(runtime))
    return (given) => runInNode(["npx", "--yes", `--package=${runtime}`, "--", "node"], given);
  if (runtime.includes("/")) return (given) => runInNode([runtime], given);
  throw new Error(`a runtime is node, node@VERSION, the path of a node, or chromium; got "${runtime}"`);
}

async function runInNode([command, ...args], given) {
  const folder = mkdtempSync(join(tmpdir(), "lutra-bench-"));
  const [input, output] = ["given.json", "result.json"].map((file) => join(folder, file));
  try {
    writeFileSync(input, given);
    const child = spawn(command, [...args, SCRIPT, input, output], { stdio: "inherit" });
    const code = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
    if (code !== 0) throw new Error(`the races ended with exit code ${code} in ${command}`);
    return JSON.parse(readFileSync(output, "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
