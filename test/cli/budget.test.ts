// lutra compile with a budget, and with the plan of an earlier run, on a small model.

import { readFile, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { lutra, lutraFails, lutraJson, temporaryFolder } from "./lutra.ts";
import { tinyModel, writeTinyDataset } from "./tiny-model.ts";

interface CompileJson {
  readonly tables: readonly { readonly name: string; readonly bytes: number }[];
  readonly allocation: {
    readonly chosenOn: string;
    readonly chosen: { readonly bytes: number };
    readonly uniform: { readonly bytes: number };
    readonly why: string;
  } | null;
}

const folder = temporaryFolder();
const path = folder.path;
const COMPILE = ["compile", "model.onnx", "--data", "data.json"];
/** One kind of layer: few tables of every size to solve. */
const BUDGET = [...COMPILE, "--only", "gelu"];

beforeAll(async () => {
  await writeFile(path("model.onnx"), tinyModel());
  await writeTinyDataset(path);
});

describe("lutra compile with a budget", () => {
  let compiled: CompileJson;

  beforeAll(async () => {
    compiled = await lutraJson<CompileJson>([...BUDGET, "--max-drop", "1", "--max-flips", "2", "-o", "out"], {
      cwd: path(),
    });
  });

  test("chooses smaller tables and says what they were chosen on", () => {
    const bytes = compiled.tables.reduce((sum, table) => sum + table.bytes, 0);
    expect(compiled.allocation?.chosen.bytes).toBe(bytes);
    expect(bytes).toBeLessThan((compiled.allocation?.uniform.bytes ?? 0) / 2);
    expect(compiled.allocation?.chosenOn).toContain("the 100 samples of the calibration split");
  });

  test("shows the front in the report", async () => {
    const html = await readFile(path("out/report.html"), "utf8");
    expect(html).toContain("What the budget bought");
    expect(html).toContain("accuracy lost, points");
  });

  test("writes a plan that gives the same model again", async () => {
    await lutraJson<CompileJson>([...COMPILE, "--plan", "out/plan.json", "-o", "again"], { cwd: path() });
    for (const name of ["model.lut.onnx", "plan.json"]) {
      expect(await readFile(path(`again/${name}`))).toEqual(await readFile(path(`out/${name}`)));
    }
  });

  test("prints what was saved, for people", async () => {
    const { stdout } = await lutra([...BUDGET, "--max-bytes", "100", "-o", "text"], { cwd: path() });
    expect(stdout).toMatch(/^\d+ bytes of tables, \d+\.\d\d % of the 188 with 16 segments everywhere$/m);
    expect(stdout).toContain("the most accurate tables found in 100 bytes");
  });
});

describe("what a budget or a plan cannot be", () => {
  test("more than can be kept", async () => {
    const args = [...BUDGET, "--max-bytes", "5", "-o", "broken"];
    expect(await lutraFails(args, { cwd: path() })).toMatch(/the smallest tables found take 8 bytes, more than 5/);
  });

  test("a plan with a mistake in it, which is named with its place", async () => {
    const plan = await readFile(path("out/plan.json"), "utf8");
    await writeFile(path("edited.json"), plan.replace(/"segments": \d+/, '"segments": "many"'));
    const message = await lutraFails([...COMPILE, "--plan", "edited.json", "-o", "broken"], { cwd: path() });
    expect(message).toMatch(/must be a number, got "many"/);
    expect(message).toMatch(/edited\.json: tables\.[\w.-]+\.problem\.size\.segments/);
  });

  test("a plan beside another choice", async () => {
    const { code, stderr } = await lutra([...COMPILE, "--plan", "out/plan.json", "--segments", "8", "-o", "broken"], {
      cwd: path(),
    });
    expect(code).toBe(2);
    expect(stderr).toContain("either --plan or --segments");
  });
});
