// The command line's README is run: every lutra command in it, in order, in a folder with the files it speaks of.

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../shared.ts";
import { lutra, temporaryFolder } from "./lutra.ts";
import { tinyModel, writeTinyDataset } from "./tiny-model.ts";

const README = readFileSync(join(ROOT, "packages/cli/README.md"), "utf8");
const COMMANDS = codeBlocks("sh").flatMap((block) => block.trim().split("\n"));
const folder = temporaryFolder();

function codeBlocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map((match) => match[1] as string);
}

/** Splits at spaces, but not inside double quotes. */
function words(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word);
}

beforeAll(async () => {
  await writeFile(folder.path("model.onnx"), tinyModel());
  await writeTinyDataset(folder.path);
  await writeFile(folder.path("data.json"), codeBlocks("json")[0] ?? "");
});

describe("packages/cli/README.md", () => {
  test("has commands", () => {
    expect(COMMANDS.length).toBeGreaterThan(5);
  });

  test.each(COMMANDS)("%s", async (command) => {
    const [program, ...args] = words(command);
    expect(program).toBe("lutra");
    const { code, stdout, stderr } = await lutra(args, { cwd: folder.path() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toBe("");
  });
});
