// lutra inspect, compile and evaluate on a small model, from files to files.

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { lutra, lutraFails, lutraJson, temporaryFolder } from "./lutra.ts";
import { modelWithExternalData, tinyModel, writeTinyDataset } from "./tiny-model.ts";

interface CompileJson {
  readonly sites: readonly {
    readonly id: string;
    readonly kind: string;
    readonly form: string;
    readonly tables: string[];
  }[];
  readonly tables: readonly { readonly name: string }[];
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  readonly flips: number;
  readonly logitError: { readonly max: number; readonly mean: number };
  readonly files: readonly string[];
  readonly seconds: number;
}

interface EvaluateJson {
  readonly metrics: Readonly<Record<string, number>>;
  readonly flips: number | null;
  readonly logitError: { readonly max: number } | null;
  readonly samples: number;
}

const folder = temporaryFolder();
const path = folder.path;
let description: Readonly<Record<string, unknown>> = {};

beforeAll(async () => {
  await writeFile(path("model.onnx"), tinyModel());
  description = await writeTinyDataset(path);
});

const COMPILE = ["compile", "model.onnx", "--data", "data.json"];

describe("lutra inspect", () => {
  test("lists layers with kind, form and nodes", async () => {
    const { sites } = await lutraJson<{ sites: unknown[] }>(["inspect", path("model.onnx")]);
    expect(sites).toMatchObject([
      { kind: "gelu", form: "operator", nodes: ["g"] },
      { kind: "softmax", form: "operator", nodes: ["y"] },
    ]);
  });

  test("prints a table for people", async () => {
    const { stdout } = await lutra(["inspect", "model.onnx"], { cwd: path() });
    expect(stdout).toContain("model.onnx: opset 20, 4 nodes, 2 non-linear layers");
    expect(stdout).toMatch(/^gelu +operator +1 +1$/m);
  });
});

describe("lutra compile", () => {
  let compiled: CompileJson;

  beforeAll(async () => {
    compiled = await lutraJson<CompileJson>([...COMPILE, "-o", "out"], { cwd: path() });
  });

  test("writes the model, its tables, a report and the same data as it prints", async () => {
    const names = compiled.tables.map(({ name }) => `out/tables/${name}.json`);
    expect(compiled.files).toEqual([
      "out/model.lut.onnx",
      ...names,
      "out/plan.json",
      "out/report.html",
      "out/compile.json",
    ]);
    for (const file of compiled.files) expect((await readFile(path(file))).length).toBeGreaterThan(0);
    const { seconds, ...lasting } = compiled;
    expect(seconds).toBeGreaterThan(0);
    expect(JSON.parse(await readFile(path("out/compile.json"), "utf8"))).toEqual(lasting);
    expect((await readdir(path("out"))).sort()).toEqual([
      "compile.json",
      "model.lut.onnx",
      "plan.json",
      "report.html",
      "tables",
    ]);
  });

  test("measures before and after", () => {
    expect(compiled.sites.map(({ kind }) => kind)).toEqual(["gelu", "softmax"]);
    for (const name of ["accuracy", "nll"]) {
      expect(Math.abs((compiled.after[name] ?? Number.NaN) - (compiled.before[name] ?? Number.NaN))).toBeLessThan(0.02);
    }
    expect(compiled.flips).toBeLessThanOrEqual(0.02);
    expect(compiled.logitError.max).toBeGreaterThan(0);
    expect(compiled.logitError.max).toBeLessThan(0.01);
  });

  test("agrees with lutra evaluate on the same split", async () => {
    const args = ["evaluate", "out/model.lut.onnx", "--data", "data.json", "--against", "model.onnx"];
    const result = await lutraJson<EvaluateJson>(args, { cwd: path() });
    expect(result).toMatchObject({ metrics: compiled.after, flips: compiled.flips, logitError: compiled.logitError });
    expect(result.samples).toBe(100);
  });

  test("gives tables that certify proves again", async () => {
    for (const { name } of compiled.tables) {
      const { code, stderr } = await lutra(["certify", path(`out/tables/${name}.json`)]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    }
  });

  test("replaces only the layers asked for, with plain operators if asked to", async () => {
    const args = [...COMPILE, "--only", "gelu", "--flat", "--segments", "8", "-o", "flat"];
    const { sites } = await lutraJson<CompileJson>(args, { cwd: path() });
    expect(sites.map(({ kind }) => kind)).toEqual(["gelu"]);
    const left = await lutraJson<{ sites: { kind: string }[] }>(["inspect", path("flat/model.lut.onnx")]);
    expect(left.sites.map(({ kind }) => kind)).toEqual(["softmax"]);
  });

  test("replaces an older result and leaves other files in the folder alone", async () => {
    await lutraJson<CompileJson>([...COMPILE, "-o", "again"], { cwd: path() });
    await writeFile(path("again/notes.txt"), "mine");
    const { tables } = await lutraJson<CompileJson>([...COMPILE, "--only", "gelu", "-o", "again"], { cwd: path() });
    expect(await readFile(path("again/notes.txt"), "utf8")).toBe("mine");
    expect(await readdir(path("again/tables"))).toEqual(tables.map(({ name }) => `${name}.json`));
  });

  test("prints layers, tables and metrics for people", async () => {
    const { stdout } = await lutra([...COMPILE, "-o", "text"], { cwd: path() });
    expect(stdout).toMatch(/^model: 2 layers compiled into \d tables in /);
    expect(stdout).toMatch(/^softmax +1 +operator /m);
    expect(stdout).toMatch(/^accuracy +\d+\.\d\d % +\d+\.\d\d % /m);
    expect(stdout).toContain("text/report.html");
  });

  test("stops at Ctrl-C with 130 and leaves nothing", async () => {
    const before = await folder.names();
    const { code, stderr } = await lutra([...COMPILE, "--segments", "1024", "-o", "stopped"], {
      cwd: path(),
      interruptWhen: async () => (await folder.names()).some((name) => name.startsWith(".stopped.lutra-")),
    });
    expect({ code, stderr }).toEqual({ code: 130, stderr: "lutra: interrupted; nothing was written\n" });
    expect(await folder.names()).toEqual(before);
  });
});

describe("lutra evaluate", () => {
  test("measures one model alone", async () => {
    const result = await lutraJson<EvaluateJson>(["evaluate", "model.onnx", "--data", "data.json", "--split", "all"], {
      cwd: path(),
    });
    expect(result).toMatchObject({ samples: 200, flips: null, logitError: null });
    expect(result.metrics.accuracy).toBeGreaterThan(0);
  });

  test("finds no difference between a model and itself", async () => {
    const args = ["evaluate", "model.onnx", "--data", "data.json", "--against", "model.onnx"];
    const { flips, logitError } = await lutraJson<EvaluateJson>(args, { cwd: path() });
    expect({ flips, logitError }).toEqual({ flips: 0, logitError: { max: 0, mean: 0 } });
  });
});

describe("what cannot be compiled leaves nothing behind", () => {
  const failing = async (args: readonly string[]): Promise<string> => {
    const before = await folder.names();
    const message = await lutraFails([...args, "-o", "broken"], { cwd: path() });
    expect(await folder.names()).toEqual(before);
    return message;
  };

  test.each([
    ["a file that is not ONNX", "text.onnx", () => new TextEncoder().encode("not a model at all"), /not .*ONNX/],
    ["an empty file", "empty.onnx", () => new Uint8Array(0), /empty/],
    ["half a model", "half.onnx", () => tinyModel().slice(0, 200), /model/],
  ])("%s", async (_what, name, bytes, message) => {
    await writeFile(path(name), bytes());
    const stderr = await failing(["compile", name, "--data", "data.json"]);
    expect(stderr).toMatch(message);
    expect(stderr).toContain(name);
    expect(await lutraFails(["inspect", path(name)])).toMatch(message);
  });

  test("a model or a dataset that is not there", async () => {
    expect(await failing(["compile", "none.onnx", "--data", "data.json"])).toContain("none.onnx");
    expect(await failing(["compile", "model.onnx", "--data", "none.json"])).toContain("none.json");
  });

  test("a model whose external data is missing, or outside its folder", async () => {
    await writeFile(path("external.onnx"), modelWithExternalData("weights.bin"));
    expect(await failing(["compile", "external.onnx", "--data", "data.json"])).toContain("weights.bin");
    await writeFile(path("outside.onnx"), modelWithExternalData("../weights.bin"));
    expect(await lutraFails(["inspect", path("outside.onnx")])).toContain("outside the model's folder");
  });

  test("a model with external data: inspected, evaluated, and compiled into one file", async () => {
    await writeFile(path("beside.onnx"), modelWithExternalData("beside.bin"));
    await writeFile(path("beside.bin"), new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
    const { sites } = await lutraJson<{ sites: unknown[] }>(["inspect", path("beside.onnx")]);
    expect(sites).toHaveLength(1);
    const evaluated = await lutraJson<EvaluateJson>(["evaluate", "beside.onnx", "--data", "data.json"], {
      cwd: path(),
    });
    expect(evaluated.samples).toBe(100);
    const compiled = await lutraJson<CompileJson>(["compile", "beside.onnx", "--data", "data.json", "-o", "whole"], {
      cwd: path(),
    });
    expect(compiled.sites).toHaveLength(1);
    await rm(path("beside.bin"));
    const again = await lutraJson<EvaluateJson>(["evaluate", "whole/beside.lut.onnx", "--data", "data.json"], {
      cwd: path(),
    });
    expect(again.samples).toBe(100);
  });

  test("a dataset that names a missing file", async () => {
    await writeFile(path("lost.json"), JSON.stringify(description).replaceAll("rows.csv", "lost.csv"));
    expect(await failing(["compile", "model.onnx", "--data", "lost.json"])).toContain("lost.csv");
  });

  test.each([
    [
      "an input the model does not have",
      { inputs: { z: { file: "rows.csv", columns: ["a", "b", "c", "d"], type: "float32" } } },
      /z|x/,
    ],
    [
      "a shape that does not fit",
      { inputs: { x: { file: "rows.csv", columns: ["a", "b"], type: "float32" } } },
      /shape|2/,
    ],
    ["more samples than there are", { splits: { calibration: 1000 } }, /200 samples/],
  ])("a dataset with %s", async (_what, change, message) => {
    await writeFile(path("wrong.json"), JSON.stringify({ ...description, ...change }));
    expect(await failing(["compile", "model.onnx", "--data", "wrong.json"])).toMatch(message);
  });

  test("a dataset with NaN in it", async () => {
    const rows = await readFile(path("rows.csv"), "utf8");
    await writeFile(path("nan.csv"), rows.replace(/^-?\d\.\d+/m, "NaN"));
    await writeFile(path("nan.json"), JSON.stringify(description).replaceAll("rows.csv", "nan.csv"));
    expect(await failing(["compile", "model.onnx", "--data", "nan.json"])).toMatch(/NaN|finite|number/);
  });

  test.each([
    ["a thousand million segments", ["--segments", "1e9"], /segments/],
    ["an unknown method", ["--method", "magic"], /magic/],
    ["a kind the model has not", ["--only", "silu"], /silu/],
  ])("%s", async (_what, args, message) => {
    expect(await failing([...COMPILE, ...args])).toMatch(message);
  });

  test("a dataset that names an output the model has not", async () => {
    await writeFile(path("elsewhere.json"), JSON.stringify({ ...description, output: "logits" }));
    const message = await failing(["compile", "model.onnx", "--data", "elsewhere.json"]);
    expect(message).toContain('the model has no output "logits"');
    expect(message).toContain("it has y");
  });

  test("an output that is a file, or below one", async () => {
    await writeFile(path("file"), "");
    expect(await lutraFails([...COMPILE, "-o", "file"], { cwd: path() })).toContain("is a file");
    expect(await lutraFails([...COMPILE, "-o", "file/out"], { cwd: path() })).toContain("not a folder");
  });

  test("a tables folder that is someone else's", async () => {
    await mkdir(path("mine/tables"), { recursive: true });
    expect(await lutraFails([...COMPILE, "-o", "mine"], { cwd: path() })).toContain("that lutra did not write");
    expect(await readdir(path("mine"))).toEqual(["tables"]);
  });
});
