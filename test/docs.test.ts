// The documents keep their word: every example in a code block runs, every generated table is up to date, every link leads
// somewhere. `js` blocks run as modules and print what their `// =>` comments say; of `sh` blocks the lutra commands run.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { DOCUMENTS as GENERATED, renewTables } from "../bench/tables.mjs";
import { makeDemo } from "../models/demo/make.mjs";
import { ROOT, sharedPath } from "./shared.ts";

const DOCUMENTS = readdirSync(ROOT).filter((name) => name.endsWith(".md"));

interface CodeBlock {
  readonly language: string;
  readonly code: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

function codeBlocks(text: string): readonly CodeBlock[] {
  return [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(({ 1: language, 2: code, index }) => ({
    language,
    code,
    line: text.slice(0, index).split("\n").length,
  }));
}

/** Runs a program in the root; its standard output. @throws Error with what it wrote if it fails */
function outputOf(args: readonly string[], input: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, input, encoding: "utf8" });
  if (status !== 0) throw new Error(`exit code ${status}\n${stdout}${stderr}`);
  return stdout;
}

function runModule(code: string): void {
  const expected = [...code.matchAll(/\/\/ => (.*)/g)].map(({ 1: line }) => line);
  const printed = outputOf(["--input-type=module", "-"], code);
  if (expected.length > 0) expect(printed.trim().split("\n")).toEqual(expected);
}

const SCRIPTS: readonly string[] = Object.keys(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts);
const NPM_COMMANDS = ["ci", "install", "run", ...SCRIPTS];

/** lutra commands run; of npm it is only checked that the script exists; comments and empty lines pass. */
function runShellLine(line: string): void {
  const [program, command, ...rest] = line.split(/\s+/);
  if (program === "npx" && command === "lutra") {
    const words = [...rest.join(" ").matchAll(/"([^"]*)"|(\S+)/g)].map(({ 1: quoted, 2: plain }) => quoted ?? plain);
    outputOf([join(ROOT, "packages", "cli", "bin", "lutra.mjs"), ...words], "");
  } else if (program === "npm") {
    expect(NPM_COMMANDS, line).toContain(command);
    if (command === "run") expect(SCRIPTS, line).toContain(rest[0]);
  } else {
    throw new Error(`a document shows a command that no test runs: ${line}`);
  }
}

describe.each(DOCUMENTS)("%s", (name) => {
  const text = readFileSync(join(ROOT, name), "utf8");
  const blocks = codeBlocks(text);

  // The examples compile the demo model where `npm start` puts it.
  beforeAll(async () => {
    if (blocks.some(({ code }) => code.includes("out/demo"))) await makeDemo(join(ROOT, "out", "demo"));
  });

  for (const { language, code, line } of blocks) {
    if (language === "js") it(`runs the module at line ${line}`, () => runModule(code));
    else if (language === "sh") {
      const commands = code.split("\n").filter((command) => command.trim() !== "" && !command.startsWith("#"));
      for (const command of commands) {
        it(`runs \`${command}\``, ({ skip }) => {
          if (command.includes("../shared") && !process.env.CI && !existsSync(sharedPath(".")))
            skip("../shared is missing");
          runShellLine(command);
        });
      }
    } else if (!["text", "json"].includes(language)) {
      it(`says what the code at line ${line} is`, () => expect.fail(`"${language}" is not js, sh, text or json`));
    }
  }

  it("links only to files that exist", () => {
    const prose = text.replace(/^```[\s\S]*?^```$/gm, "");
    const links = [...prose.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(({ 1: link }) => link);
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
