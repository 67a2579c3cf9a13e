// The documents keep their word: every command and module they show runs, every generated table is up to date, every link leads
// somewhere. Commands run in order, in a folder that has what a reader has: model.onnx, other.onnx, data.json, examples/, ../shared,
// a model of their own, and the files that documents tell them to save (```json title="name").
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { DOCUMENTS as GENERATED, renewTables } from "../bench/tables.mjs";
import { makeDemo } from "../models/demo/make.mjs";
import { parseDescription } from "../packages/lutra/src/data/index.ts";
import { writeOwnModel } from "./docs-model.ts";
import { ROOT, sharedPath } from "./shared.ts";

const DOCUMENTS = [".", "docs"].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name)),
);
const SCRIPTS: readonly string[] = Object.keys(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts);
const NPM_COMMANDS = ["ci", "install", "run", ...SCRIPTS];

const temporary = mkdtempSync(join(tmpdir(), "lutra-docs-"));
const reader = join(temporary, "reader");

beforeAll(async () => {
  mkdirSync(reader);
  makeDemo(reader);
  await writeOwnModel(reader);
  copyFileSync(join(reader, "dataset.json"), join(reader, "data.json"));
  for (const name of ["model.onnx", "other.onnx"]) copyFileSync(join(reader, "dates.onnx"), join(reader, name));
  symlinkSync(join(ROOT, "examples"), join(reader, "examples"));
  symlinkSync(sharedPath("."), join(temporary, "shared"));
});
afterAll(() => rmSync(temporary, { recursive: true }));

interface CodeBlock {
  readonly language: string;
  /** Name of the file that the reader is told to save it as. */
  readonly title: string | null;
  readonly code: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

const FENCED = /^```(.*)\n([\s\S]*?)^```$/gm;

function codeBlocks(text: string): readonly CodeBlock[] {
  return [...text.matchAll(FENCED)].map(({ 1: info, 2: code, index }) => ({
    language: info.split(" ")[0],
    title: / title="(.*)"$/.exec(info)?.[1] ?? null,
    code,
    line: text.slice(0, index).split("\n").length,
  }));
}

/** The commands of a document in order: lines of shell blocks, and `npx lutra ...` in running text. */
function commandsOf(text: string): readonly string[] {
  return [...text.matchAll(/^(np[mx] .*)$|(?<!`)`(npx lutra [^`]+)`(?!`)/gm)].map(
    ({ 1: line, 2: inline }) => line ?? inline,
  );
}

/** Runs `npx lutra ...`; of npm it is only checked that the script exists. */
function runCommand(line: string): void {
  const [program, command, ...rest] = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ({ 1: quoted, 2: plain }) => quoted ?? plain,
  );
  if (program === "npm") {
    expect(NPM_COMMANDS, line).toContain(command);
    if (command === "run") expect(SCRIPTS, line).toContain(rest[0]);
    return;
  }
  expect(command, `no test runs ${line}`).toBe("lutra");
  const lutra = join(ROOT, "packages", "cli", "bin", "lutra.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [lutra, ...rest], { cwd: reader, encoding: "utf8" });
  if (status !== 0) throw new Error(`exit code ${status}\n${stdout}${stderr}`);
}

/** Runs a TypeScript or JavaScript module in the reader's folder; `// => text` says what a line prints. */
async function runModule({ code, line }: CodeBlock, name: string): Promise<void> {
  const folder = join(ROOT, "out", "docs"); // inside the project, so that "lutra" resolves
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${basename(name)}-${line}.ts`);
  const fromReader = code.replaceAll('from "./', `from "${pathToFileURL(reader).href}/`); // what commands wrote there
  writeFileSync(file, fromReader);
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => void printed.push(values.join(" ")));
  const here = process.cwd();
  process.chdir(reader);
  try {
    await import(file);
  } finally {
    process.chdir(here);
    log.mockRestore();
  }
  const expected = [...code.matchAll(/\/\/ => (.*)/g)].map(({ 1: text }) => text);
  if (expected.length > 0) expect(printed).toEqual(expected);
}

describe.each(DOCUMENTS)("%s", (name) => {
  const text = readFileSync(join(ROOT, name), "utf8");

  for (const { title, code, line } of codeBlocks(text).filter(({ language }) => language === "json")) {
    it(`has a dataset description at line ${line}${title === null ? "" : `, saved as ${title}`}`, () => {
      expect(parseDescription(Buffer.from(code), name).name).not.toBe("");
      if (title !== null) writeFileSync(join(reader, title), code);
    });
  }

  for (const command of commandsOf(text)) {
    it(`${command.startsWith("npm") ? "names an npm script in" : "runs"} \`${command}\``, ({ skip }) => {
      if (command.includes("../shared") && !process.env.CI && !existsSync(sharedPath(".")))
        skip("../shared is missing");
      runCommand(command);
    });
  }

  for (const block of codeBlocks(text).filter(({ language }) => ["ts", "js"].includes(language))) {
    it(`runs the module at line ${block.line}`, () => runModule(block, name));
  }

  it("links only to files that exist", () => {
    const links = [...text.replace(FENCED, "").matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(({ 1: link }) => link);
    const local = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(local.filter((link) => !existsSync(join(ROOT, dirname(name), link)))).toEqual([]);
  });
});

describe.each(GENERATED)("the generated tables of %s", (name) => {
  it("are what `npm run tables` writes from bench/results", () => {
    const text = readFileSync(join(ROOT, name), "utf8");
    expect(text).toBe(renewTables(text));
  });
});

describe("renewing tables", () => {
  it("refuses a marker that names no table", () => {
    expect(() => renewTables("<!-- generated: nothing -->\n<!-- end -->")).toThrow('no table is called "nothing"');
  });

  it("refuses a marker that is not closed", () => {
    expect(() => renewTables("<!-- generated: models -->\n")).toThrow(
      "1 generated tables are opened, 0 are well-formed",
    );
  });

  it("leaves other text alone", () => {
    expect(renewTables("# Title\n\n| a | b |\n")).toBe("# Title\n\n| a | b |\n");
  });
});
