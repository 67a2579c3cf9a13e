// npm run replay: writes the golden tables and layers as source code again and shows that every file is byte-identical to the one kept in
// test/golden/target. A refactor must leave it so; a change of what is written is made with -- --write and read in the diff.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, install, main, ROOT } from "./house.mjs";

const GOLDEN = join(ROOT, "test", "golden", "target");
const TABLES = join(GOLDEN, "tables");
const LUTRA = join(ROOT, "packages", "cli", "bin", "lutra.mjs");
const TARGETS = ["c", "typescript"];

/**
 * Emits the golden set and compares it with what is kept, or keeps it.
 * @returns the number of files, and a line for each that differs
 */
export async function replay({ write = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "lutra-replay-"));
  try {
    for (const name of readdirSync(TABLES).filter((file) => file.endsWith(".json")))
      emitTable(name, join(folder, basename(name, ".json")));
    await emitLayers(join(folder, "layers"));
    const made = contents(folder);
    if (write) keep(made);
    return { files: made.size, differences: compare(made, contents(GOLDEN)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As a user does it: the header tells the command. */
function emitTable(name, folder) {
  for (const target of TARGETS) {
    const args = [LUTRA, "emit", name, "--target", target, "-o", folder];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: TABLES, encoding: "utf8" });
    if (status !== 0) throw new Error(`lutra emit ${name} --target ${target} failed:\n${stderr}`);
  }
}

/** Layers of a row, which only the library writes. */
async function emitLayers(folder) {
  const lutra = await import("lutra");
  const table = (name) => lutra.parseTable(lutra.fromJson(readFileSync(join(TABLES, `${name}.json`), "utf8")).table);
  const norm = { epsilon: 2 ** -16, gamma: true, beta: true, maxRow: 1024 };
  const kernels = {
    softmax: lutra.fill(lutra.softmax(1024), { exp: table("exp"), reciprocal: table("reciprocal") }),
    layer_norm: lutra.fill(lutra.layerNorm(norm), { rsqrt: table("rsqrt") }),
    softermax: lutra.softermax(1024),
    i_gelu: lutra.iGelu(lutra.parseFormat("s8.5")),
  };
  mkdirSync(folder);
  for (const [name, kernel] of Object.entries(kernels)) {
    const files = [lutra.emitC, lutra.emitTypeScript].flatMap((emit) => emit(kernel, { name }));
    for (const file of files) writeFileSync(join(folder, file.name), file.text);
  }
}

/** Files of source code below a folder, by path. */
function contents(folder) {
  const names = readdirSync(folder, { recursive: true }).map((name) => name.replaceAll("\\", "/"));
  const sources = names.filter((name) => /\.(c|h|ts)(\.golden)?$/.test(name)).sort();
  return new Map(sources.map((name) => [name.replace(/\.golden$/, ""), readFileSync(join(folder, name), "utf8")]));
}

/** Kept under a name of their own, so that no compiler or linter takes them for the project's sources. */
function keep(made) {
  for (const name of contents(GOLDEN).keys()) rmSync(join(GOLDEN, `${name}.golden`));
  for (const [name, text] of made) {
    const path = join(GOLDEN, `${name}.golden`);
    if (!existsSync(dirname(path))) mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

export function compare(made, kept) {
  const names = [...new Set([...made.keys(), ...kept.keys()])].sort();
  return names.flatMap((name) => {
    if (!kept.has(name)) return [`${name}: is new`];
    if (!made.has(name)) return [`${name}: is not written any more`];
    return made.get(name) === kept.get(name) ? [] : [`${name}: differs`];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    install();
    build();
    const { files, differences } = await replay({ write: process.argv.includes("--write") });
    for (const line of differences) console.log(line);
    console.log(`${files} artefacts, ${differences.length} of them not as kept`);
    process.exitCode = differences.length > 0 ? 1 : 0;
  });
}
