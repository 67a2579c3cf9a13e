// Builds the page: `node examples/dates-page/build.mjs [folder]`, out/dates-page if left out. Compiles the date model with `lutra compile` and puts
// the program, the page and the library side by side in folder/site, as files that any web server serves.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeDemo } from "../../models/demo/make.mjs";

const ROOT = join(import.meta.dirname, "..", "..");
const LUTRA = join(ROOT, "packages", "cli", "bin", "lutra.mjs");

/** Of `lutra`. */
export function compileArguments(folder) {
  const data = ["--data", join(folder, "dataset.json")];
  return ["compile", join(folder, "dates.onnx"), ...data, "--to", "program", "-o", folder];
}

/** @returns the path of the program */
export function compileDates(folder, stdio = "inherit") {
  makeDemo(folder);
  execFileSync(process.execPath, [LUTRA, ...compileArguments(folder)], { stdio });
  return join(folder, "dates.lutra");
}

/** Puts together what is served. */
export function assemble(program, site) {
  rmSync(site, { recursive: true, force: true });
  mkdirSync(site, { recursive: true });
  cpSync(join(import.meta.dirname, "site"), site, { recursive: true });
  cpSync(program, join(site, "dates.lutra"));
  const library = dirname(dirname(fileURLToPath(import.meta.resolve("lutra/run"))));
  cpSync(library, join(site, "lutra"), { recursive: true, filter: (path) => !/\.(map|d\.ts)$/.test(path) });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? join("out", "dates-page");
  const program = compileDates(join(folder, "model"));
  assemble(program, join(folder, "site"));
  console.log(`Wrote ${join(folder, "site")}. To see it: node examples/dates-page/serve.mjs ${join(folder, "site")}`);
}
