// npm run replay: writes the golden tables and layers as code again and shows that every file is byte-identical to the one kept in
// test/golden/target. A refactor must leave it so; a change of what is written is made with -- --write and read in the diff.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, install, main, ROOT } from "./house.mjs";

const GOLDEN = join(ROOT, "test", "golden", "target");
const TABLES = join(GOLDEN, "tables");
const LUTRA = join(ROOT, "packages", "cli", "bin", "lutra.mjs");
const TARGETS = ["c", "typescript", "wasm"];
/** Layers of a row that tables make, by the name of their files. */
const LAYERS = {
  softmax: ["exp.json", "reciprocal.json", "--layer", "softmax", "--max-row", "1024"],
  layer_norm: [
    ...["rsqrt.json", "--layer", "layer-norm", "--max-row", "1024", "--epsilon", "0.0000152587890625"],
    ...["--gamma", "--beta"],
  ],
};

/**
 * Emits the golden set and compares it with what is kept, or keeps it.
 * @returns the number of files, and a line for each that differs
 */
export async function replay({ write = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "lutra-replay-"));
  try {
    for (const file of readdirSync(TABLES).filter((name) => name.endsWith(".json")))
      emit([file], join(folder, basename(file, ".json")));
    for (const [name, args] of Object.entries(LAYERS)) emit([...args, "--name", name], join(folder, "layers"));
    await emitMethods(join(folder, "layers"));
    const made = contents(folder);
    if (write) keep(made);
    return { files: made.size, differences: compare(made, contents(GOLDEN)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As a user does it: the header tells the command. */
function emit(given, folder) {
  for (const target of TARGETS) {
    const args = [LUTRA, "emit", ...given, "--target", target, "-o", folder];
    const { status, stderr } = spawnSync(process.execPath, args, { cwd: TABLES, encoding: "utf8" });
    if (status !== 0) throw new Error(`lutra emit ${given.join(" ")} --target ${target} failed:\n${stderr}`);
  }
}

/** Methods without tables, which only the library writes. */
async function emitMethods(folder) {
  const lutra = await import("lutra");
  const kernels = { softermax: lutra.softermax(1024), i_gelu: lutra.iGelu(lutra.parseFormat("s8.5")) };
  for (const [name, kernel] of Object.entries(kernels)) {
    const files = [lutra.emitC, lutra.emitTypeScript, lutra.emitWasm].flatMap((write) => write(kernel, { name }));
    for (const file of files) writeFileSync(join(folder, file.name), file.text ?? file.bytes);
  }
}

/** Emitted files below a folder, by path: their text, and of modules, which nobody reads, how long they are and their digest. */
function contents(folder) {
  const names = readdirSync(folder, { recursive: true }).map((name) => name.replaceAll("\\", "/"));
  const files = names.filter((name) => /\.(c|h|js|ts|wasm)(\.golden)?$/.test(name)).sort();
  return new Map(files.map((name) => [name.replace(/\.golden$/, ""), textOf(name, readFileSync(join(folder, name)))]));
}

function textOf(name, bytes) {
  if (!name.endsWith(".wasm")) return bytes.toString("utf8");
  return `${bytes.length} bytes, SHA-256 ${createHash("sha256").update(bytes).digest("hex")}\n`;
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
