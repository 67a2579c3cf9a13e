// What every script of the house needs: the root, running a command, and "install and build what is missing".
// Plain Node 20.19+ without dependencies, because these scripts run before anything is installed.
// Nothing here decides what to test or to check.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root directory, absolute. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** A command ended with a non-zero exit code. The command has said why; the caller only passes the code on. */
export class CommandFailed extends Error {
  constructor(command, exitCode) {
    super(`${command} failed with exit code ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a program in the root with its output passed through and stdin closed.
 * @returns its exit code; 1 if a signal ended it
 * @throws Error if it cannot be started
 */
export function run(program, args, env = {}) {
  const result = spawnSync(program, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (result.error !== undefined) throw result.error;
  return result.status ?? 1;
}

/** Like run. @throws CommandFailed on a non-zero exit code */
export function runOrThrow(name, program, args, env = {}) {
  const exitCode = run(program, args, env);
  if (exitCode !== 0) throw new CommandFailed(name, exitCode);
}

/** Runs a JavaScript program of an installed package, for example "typescript/bin/tsc". @throws CommandFailed */
export function runTool(name, path, args) {
  runOrThrow(name, process.execPath, [join(ROOT, "node_modules", path), ...args]);
}

/** Runs npm: the one that runs this script, else the one on PATH. @throws CommandFailed */
export function npm(args, env = {}) {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js")) runOrThrow(`npm ${args[0]}`, process.execPath, [script, ...args], env);
  else runOrThrow(`npm ${args[0]}`, process.platform === "win32" ? "npm.cmd" : "npm", args, env);
}

/** Installs the npm packages unless they are there in the locked versions. @throws CommandFailed */
export function install() {
  const lockfile = join(ROOT, "package-lock.json");
  if (existsSync(lockfile) && isInstalled(lockfile)) return;
  const started = Date.now();
  const command = existsSync(lockfile) ? "ci" : "install";
  console.log(`Installing packages (npm ${command}); this happens once ...`);
  // onnxruntime-node would otherwise try to download GPU libraries. .npmrc says the same to npm 10 and 11, this to any other.
  npm([command], { ONNXRUNTIME_NODE_INSTALL: "skip" });
  console.log(`Installed in ${seconds(started)}.`);
}

/** Whether every package of the lockfile is there in the locked version; packages for other platforms do not count. */
function isInstalled(lockfile) {
  const { packages } = JSON.parse(readFileSync(lockfile, "utf8"));
  return Object.entries(packages).every(
    ([path, { version, link, optional }]) =>
      !path.includes("node_modules/") || link || optional || installedVersion(path) === version,
  );
}

function installedVersion(path) {
  const manifest = join(ROOT, path, "package.json");
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : null;
}

/** Compiles the TypeScript of the packages and of the training where it is missing or out of date. @throws CommandFailed */
export function build() {
  const started = Date.now();
  const unbuilt = projects().filter((folder) => !existsSync(join(ROOT, folder, "dist")));
  if (unbuilt.length > 0) console.log(`Building ${unbuilt.join(", ")} ...`);
  // tsc -b rebuilds what is older than its sources, but trusts its records where the output was deleted: hence --force.
  runTool("tsc", "typescript/bin/tsc", ["-b", ...(unbuilt.length > 0 ? ["--force"] : [])]);
  if (unbuilt.length > 0) console.log(`Built in ${seconds(started)}.`);
}

/** Folders that tsc -b compiles. */
function projects() {
  const { references } = JSON.parse(readFileSync(join(ROOT, "tsconfig.json"), "utf8"));
  return references.map(({ path }) => path);
}

function seconds(started) {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`;
}

/** Runs a script's main function; a failed command ends the process with its exit code, without a stack trace. */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    console.error(error.message);
    process.exitCode = error.exitCode;
  }
}
