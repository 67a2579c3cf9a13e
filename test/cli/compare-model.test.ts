// lutra compare-model and refit as a user types them, on a small model: JSON, text, and what they refuse.

import { readdir, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { lutra, lutraFails, lutraJson, temporaryFolder } from "./lutra.ts";
import { tinyModel, writeTinyDataset } from "./tiny-model.ts";

const folder = temporaryFolder();
const path = folder.path;
const MODEL = ["model.onnx", "--data", "data.json"];

beforeAll(async () => {
  await writeFile(path("model.onnx"), tinyModel());
  await writeTinyDataset(path);
});

interface Compared {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly before: Readonly<Record<string, number>>;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly refused: readonly Readonly<Record<string, unknown>>[];
}

describe("lutra compare-model", () => {
  const asked = ["compare-model", ...MODEL, "--methods", "optimal,uniform,h-gelu,optimal", "--segments", "4"];

  test("prints a row for each method and kind of layer as JSON, each once", async () => {
    const { rows, refused } = await lutraJson<Compared>(asked, { cwd: path() });
    expect(rows.map(({ method, replaced }) => `${method} ${replaced}`)).toEqual([
      ...["optimal gelu", "optimal softmax", "optimal all"],
      ...["uniform gelu", "uniform softmax", "uniform all"],
      "h-gelu gelu",
    ]);
    expect(refused).toEqual([]);
    for (const { bytes, flips } of rows) expect([typeof bytes, typeof flips]).toEqual(["number", "number"]);
  });

  test("says in its title what methods were given, and begins with the model as it is", async () => {
    const { code, stdout, stderr } = await lutra([...asked, "--with", "lines=minimax"], { cwd: path() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^model.onnx on \d+ samples of .*, lines=minimax\nreplaced .*\nnone +the model as it is /);
  });

  test.each([
    ["a method that does not exist", ["--methods", "best"], 'unknown method "best"'],
    ["a kind of layer that the model has not", ["--replace", "tanh"], 'unknown kind of layer "tanh"'],
    ["a grid that does not exist", ["--ranges", "gpa"], 'unknown grid "gpa"'],
    ["a parameter that no method has", ["--with", "le=linear"], 'none of the methods has a parameter "le"'],
  ])("refuses %s", async (_what, options, message) => {
    expect(await lutraFails(["compare-model", ...MODEL, ...options], { cwd: path() })).toContain(message);
  });
});

describe("lutra refit", () => {
  test("takes the plan of a compilation and says what its tables lost and what is left", async () => {
    const compile = ["compile", ...MODEL, "--method", "uniform", "--segments", "4", "-o", "planned"];
    expect((await lutra(compile, { cwd: path() })).code).toBe(0);
    const refit = ["refit", ...MODEL, "--plan", "planned/plan.json", "-o", "refitted"];
    const { code, stdout, stderr } = await lutra(refit, { cwd: path() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/original +tables as planned +refitted\n/);
    expect(await readdir(path("refitted"))).toContain("model.lut.onnx");
  });

  test("refuses a plan of another model, and writes nothing", async () => {
    await writeFile(path("other.json"), JSON.stringify({ tables: {}, sites: [{ id: "z", kind: "gelu", tables: {} }] }));
    const refit = ["refit", ...MODEL, "--plan", "other.json", "-o", "none"];
    expect(await lutraFails(refit, { cwd: path() })).toContain("other.json");
    expect(await readdir(path())).not.toContain("none");
  });
});
