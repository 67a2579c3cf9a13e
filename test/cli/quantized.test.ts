// lutra inspect and compile on a small quantized model, as a user runs them.

import { readFile, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { concatenate, readModel, writeModel } from "../../packages/lutra/src/onnx/index.ts";
import { quantizeModel } from "../onnx/quantize.ts";
import { lutra, temporaryFolder } from "./lutra.ts";
import { tinyModel, writeTinyDataset } from "./tiny-model.ts";

const folder = temporaryFolder();
const path = folder.path;

beforeAll(async () => {
  const ranges = new Map([
    ["h", { lo: -6, hi: 6.75 }],
    ["g", { lo: 0, hi: 5.1 }],
  ]);
  await writeFile(path("model.onnx"), concatenate(writeModel(quantizeModel(readModel(tinyModel()), ranges))));
  await writeTinyDataset(path);
});

describe("a quantized model", () => {
  test("is inspected with types, scales and zero points", async () => {
    const { stdout } = await lutra(["inspect", "model.onnx"], { cwd: path() });
    expect(stdout).toMatch(/^gelu +operator +3 +int8 0\.05000 \(qx \+ 8\) to uint8 0\.02000 qy +g_codes$/m);
  });

  test("is compiled into a table of codes that is correctly rounded", async () => {
    const { stdout } = await lutra(["compile", "model.onnx", "--data", "data.json", "-o", "out"], { cwd: path() });
    expect(stdout).toMatch(/^gelu, int8 to uint8 +1 +operator +1 +256 +256 +correctly rounded$/m);
    expect(stdout).toMatch(/^softmax +1 +operator +2 +16 /m);
    const { tables } = JSON.parse(await readFile(path("out/plan.json"), "utf8"));
    expect(tables["gelu-1"]).toMatchObject({ method: "direct", problem: { size: { segments: 256 } } });
  });

  test("has a smaller table, and says how far off, where bytes are short", async () => {
    const args = ["compile", "model.onnx", "--data", "data.json", "--only", "gelu", "--max-bytes", "60", "-o", "small"];
    const { stdout } = await lutra(args, { cwd: path() });
    expect(stdout).toMatch(/^gelu, int8 to uint8 +1 +operator +1 +\d +\d\d +\d steps?, \d\d\.\d\d % exact$/m);
    expect(stdout).toContain("of the 256 with 16 segments everywhere, one entry per code of 8 bits");
  });
});
