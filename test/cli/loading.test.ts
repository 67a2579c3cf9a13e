// Which parts of the library a command loads: inspect answers in the time that loading all of it would take again.

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { lutraJson, temporaryFolder } from "./lutra.ts";
import { tinyModel } from "./tiny-model.ts";

const folder = temporaryFolder();
const path = folder.path;

/** The folders of the library that a run loads modules from, as Node's coverage lists them. */
async function foldersLoaded(...args: readonly string[]): Promise<readonly string[]> {
  await mkdir(path("coverage"));
  await lutraJson(args, { cwd: path(), within: ["env", `NODE_V8_COVERAGE=${path("coverage")}`] });
  const [file] = await readdir(path("coverage"));
  const { result } = JSON.parse(await readFile(path(`coverage/${file}`), "utf8")) as {
    readonly result: readonly { readonly url: string }[];
  };
  const folders = result.flatMap(({ url }) => /packages\/lutra\/dist\/(\w+)\//.exec(url)?.[1] ?? []);
  return [...new Set(folders)].sort();
}

test("inspect loads what reads and searches a model, nothing that fits or proves", async () => {
  await writeFile(path("model.onnx"), tinyModel());
  expect(await foldersLoaded("inspect", "model.onnx")).toEqual(["base", "fn", "num", "onnx"]);
});
