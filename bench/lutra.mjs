// What the benches share: running the built command line as a user would, and stating figures. A bench is a file that exports
// `name` and `measure()`, which resolves to { rows, figures }: rows feed the tables in README.md, figures are held to a limit.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromJson } from "lutra";

/** The repository's root directory, absolute. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Absolute path of ../shared/<relative>. @throws Error if it is missing */
export function shared(relative) {
  const path = join(ROOT, "..", "shared", relative);
  if (!existsSync(path)) throw new Error(`this bench needs ../shared/${relative}, which is missing`);
  return path;
}

/** The machine that the figures are from. `cores` is how many this process may use: `taskset -c 0,1 npm run bench` for two. */
export function machine() {
  return { cpu: cpus()[0].model, cores: availableParallelism(), node: process.version, platform: process.platform };
}

/** Runs `lutra <args> --json` in the root and resolves to what it printed. @throws Error with its message if it fails */
export function lutra(...args) {
  const program = join(ROOT, "packages", "cli", "bin", "lutra.mjs");
  const child = spawn(process.execPath, [program, ...args, "--json"], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let output = "";
    let messages = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      messages += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(fromJson(output));
      else reject(new Error(`lutra ${args.join(" ")} failed with exit code ${code}:\n${messages}`));
    });
  });
}

/** Median seconds of some runs of a computation in this process, after one to warm up. */
export function medianSeconds(compute, runs = 5) {
  compute();
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    compute();
    return (performance.now() - start) / 1000;
  });
  return times.toSorted((a, b) => a - b)[Math.floor(runs / 2)];
}

/** A figure that must not exceed its limit. `unit` is for printing: "", "%" (the value is a fraction), "s". */
export function atMost(what, measured, limit, unit = "") {
  return { what, measured, limit, unit, met: measured !== null && measured <= limit };
}

/** A figure that must reach its limit. */
export function atLeast(what, measured, limit, unit = "") {
  return { what, measured, limit, unit, isLeast: true, met: measured !== null && measured >= limit };
}
