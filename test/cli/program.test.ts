// lutra compile --to program, and what inspect and evaluate say of the program, from files to files.

import { copyFile, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { node, tensor } from "../../packages/lutra/src/onnx/index.ts";
import { load } from "../../packages/lutra/src/run/index.ts";
import { modelBytes, valueInfo } from "../onnx/models.ts";
import { describeShared, ROOT, sharedPath } from "../shared.ts";
import { lutra, lutraFails, lutraJson, temporaryFolder } from "./lutra.ts";
import { tinyModel, writeTinyDataset } from "./tiny-model.ts";

interface ProgramJson {
  readonly to: string;
  readonly bytes: number;
  readonly originalBytes: number;
  readonly steps: number;
  readonly floatSteps: number;
  readonly inputs: readonly { readonly name: string; readonly shape: readonly unknown[] }[];
  readonly choices: readonly { readonly what: string; readonly chosen: string; readonly why: string }[];
  readonly trials: readonly unknown[];
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  readonly flips: number;
  readonly logitError: { readonly max: number; readonly mean: number };
  readonly samples: number;
  readonly sensitivity: readonly { readonly layer: string; readonly roundedSignalToNoise: number }[] | null;
  readonly files: readonly string[];
  readonly seconds: number;
}

interface EvaluateJson {
  readonly metrics: Readonly<Record<string, number>>;
  readonly flips: number | null;
  readonly logitError: { readonly max: number } | null;
  readonly samples: number;
}

interface InspectJson {
  readonly program: { readonly bytes: number; readonly constantBytes: number; readonly constants: number };
  readonly sizes: readonly { readonly name: string }[];
  readonly blocks: readonly {
    readonly steps: readonly {
      readonly op: string;
      readonly computes: string | null;
      readonly constantBytes: number;
      readonly results: readonly { readonly lane: string }[];
    }[];
  }[];
}

const folder = temporaryFolder();
const path = folder.path;
const COMPILE = ["compile", "model.onnx", "--data", "data.json", "--to", "program"];
/** Nothing is left to try. */
const GIVEN = [...COMPILE, "--ranges", "min-max", "--migration", "0", "--attention", "narrow"];
let description: Readonly<Record<string, unknown>> = {};
let compiled: ProgramJson;

beforeAll(async () => {
  await writeFile(path("model.onnx"), tinyModel());
  description = await writeTinyDataset(path);
  compiled = await lutraJson<ProgramJson>([...COMPILE, "-o", "out"], { cwd: path() });
});

describe("lutra compile --to program", () => {
  test("writes the program, a report and the same data as it prints", async () => {
    expect(compiled.files).toEqual(["out/model.lutra", "out/report.html", "out/compile.json"]);
    expect((await readdir(path("out"))).sort()).toEqual(["compile.json", "model.lutra", "report.html"]);
    const { seconds, ...lasting } = compiled;
    expect(seconds).toBeGreaterThan(0);
    expect(JSON.parse(await readFile(path("out/compile.json"), "utf8"))).toEqual(lasting);
    expect(await readFile(path("out/report.html"), "utf8")).toContain("What was chosen");
  });

  test("measures before and after, and both files", async () => {
    expect(Math.abs((compiled.after.accuracy ?? Number.NaN) - (compiled.before.accuracy ?? 0))).toBeLessThan(0.05);
    expect(compiled.flips).toBeLessThanOrEqual(0.05);
    expect(compiled.logitError.max).toBeGreaterThan(0);
    expect(compiled.logitError.mean).toBeLessThan(0.05);
    expect(compiled).toMatchObject({ to: "program", samples: 100, sensitivity: null, floatSteps: 0 });
    expect(compiled.bytes).toBe((await stat(path("out/model.lutra"))).size);
    expect(compiled.originalBytes).toBe((await stat(path("model.onnx"))).size);
  });

  test("says what was chosen and why, and that nothing was where it was given", async () => {
    expect(compiled.trials.length).toBeGreaterThan(1);
    const chosen = new Map(compiled.choices.map(({ what, why }) => [what, why]));
    expect(chosen.get("ranges")).toMatch(/^mean logit error /);
    const given = await lutraJson<ProgramJson>([...GIVEN, "-o", "given"], { cwd: path() });
    expect(given.choices).toContainEqual({ what: "ranges", chosen: "min-max", why: "given" });
  });

  test("takes the cheapest program that keeps a limit", async () => {
    const { choices } = await lutraJson<ProgramJson>([...COMPILE, "--max-drop", "20", "-o", "limited"], {
      cwd: path(),
    });
    expect(choices[0]?.what).toBe("scheme");
    expect(choices[0]?.why).toMatch(/^the cheapest that loses at most 0.2 of accuracy /);
  });

  test("reports layers, those of most noise first, if asked to", async () => {
    const { sensitivity } = await lutraJson<ProgramJson>([...GIVEN, "--sensitivity", "-o", "layers"], { cwd: path() });
    const noise = sensitivity?.map(({ roundedSignalToNoise }) => roundedSignalToNoise) ?? [];
    expect(noise.length).toBeGreaterThan(0);
    expect(noise).toEqual(noise.toSorted((a, b) => a - b));
    expect(await readFile(path("layers/report.html"), "utf8")).toContain("Where the noise is");
  });

  test("gives the same files again, byte for byte", async () => {
    await lutraJson<ProgramJson>([...COMPILE, "-o", "again"], { cwd: path() });
    for (const name of ["model.lutra", "report.html"]) {
      expect(await readFile(path(`again/${name}`))).toEqual(await readFile(path(`out/${name}`)));
    }
  });

  test("gives a program that runs", async () => {
    const model = await load(path("out/model.lutra"));
    const { y } = await model.run({ x: { shape: [2, 4], data: Float32Array.of(1, 0, -1, 0.5, 0, 0, 0, 0) } });
    expect(y?.shape).toEqual([2, 3]);
    const sums = [0, 3].map((start) => [0, 1, 2].reduce((sum, i) => sum + Number(y?.data[start + i]), 0));
    for (const sum of sums) expect(sum).toBeCloseTo(1, 1);
  });

  test("needs no answers: then only outputs are compared", async () => {
    const { target: _, metrics: __, ...unlabelled } = description;
    await writeFile(path("unlabelled.json"), JSON.stringify(unlabelled));
    const args = ["compile", "model.onnx", "--data", "unlabelled.json", "--to", "program", "-o", "unlabelled"];
    const { before, after, flips, logitError } = await lutraJson<ProgramJson>(args, { cwd: path() });
    expect({ before, after }).toEqual({ before: {}, after: {} });
    expect(flips).toBeLessThanOrEqual(0.05);
    expect(logitError.max).toBeGreaterThan(0);
  });

  test("prints for people what changed, what was chosen, where the file is and how to run it", async () => {
    const { stdout } = await lutra([...COMPILE, "--sensitivity", "-o", "text"], { cwd: path() });
    expect(stdout).toMatch(/^model: \d+ steps in integers, compiled in /);
    expect(stdout).toMatch(/^[\d,]+ bytes, \d+\.\d\d % of the 418 in floats$/m);
    expect(stdout).toMatch(/^accuracy +\d+\.\d\d % +\d+\.\d\d % +[+-]?\d+\.\d\d points$/m);
    expect(stdout).toMatch(/^ranges +\S+ +mean logit error /m);
    expect(stdout).toMatch(/^g +\S+ +\d bits?|^layer +operator +bits/m);
    expect(stdout).toContain("\n  text/model.lutra\n");
    expect(stdout).toContain('const model = await load("text/model.lutra");');
    expect(stdout).toContain("const { y } = await model.run({ x: { shape: [N, 4], data } });");
  });

  test("replaces an older result and leaves other files in the folder alone", async () => {
    await lutraJson([...GIVEN, "-o", "mine"], { cwd: path() });
    await writeFile(path("mine/notes.txt"), "mine");
    await lutraJson([...COMPILE, "-o", "mine"], { cwd: path() });
    expect(await readFile(path("mine/notes.txt"), "utf8")).toBe("mine");
    expect(await readFile(path("mine/model.lutra"))).toEqual(await readFile(path("out/model.lutra")));
  });
});

describe("a run that is interrupted", () => {
  const SAMPLES = 40_000;
  const begunIn = async (place: string): Promise<boolean> =>
    (await readdir(place)).some((name) => name.startsWith(".stopped.lutra-"));

  beforeAll(async () => {
    const rows = Array.from({ length: SAMPLES }, (_, i) => `${i % 7},${i % 5},${i % 3},1,${i % 3}`);
    await writeFile(path("many.csv"), `a,b,c,d,label\n${rows.join("\n")}\n`);
    await writeFile(path("many.json"), JSON.stringify(description).replaceAll("rows.csv", "many.csv"));
  });

  const LONG = ["compile", "model.onnx", "--data", "many.json", "--to", "program"];

  test("stops at Ctrl-C with 130 and leaves nothing", async () => {
    const before = await folder.names();
    const { code, stderr } = await lutra([...LONG, "-o", "stopped"], {
      cwd: path(),
      interruptWhen: () => begunIn(path()),
    });
    expect({ code, stderr }).toEqual({ code: 130, stderr: "lutra: interrupted; nothing was written\n" });
    expect(await folder.names()).toEqual(before);
  });

  test("leaves an older result as it was; if it was killed, the next one clears up", async () => {
    await lutraJson([...GIVEN, "-o", "stopped"], { cwd: path() });
    const before = await readFile(path("stopped/model.lutra"));
    const { code } = await lutra([...LONG, "-o", "stopped"], {
      cwd: path(),
      interruptWhen: () => begunIn(path("stopped")),
      signal: "SIGKILL",
    });
    expect(code).toBe(null);
    expect(await begunIn(path("stopped"))).toBe(true);
    expect(await readFile(path("stopped/model.lutra"))).toEqual(before);
    await lutraJson([...GIVEN, "-o", "stopped"], { cwd: path() });
    expect((await readdir(path("stopped"))).sort()).toEqual(["compile.json", "model.lutra", "report.html"]);
  });

  test("hears Ctrl-C while a program is measured", async () => {
    const { code, stdout } = await lutra(["evaluate", "out/model.lutra", "--data", "many.json", "--split", "all"], {
      cwd: path(),
      interruptWhen: () => new Promise((resolve) => setTimeout(() => resolve(true), 1000)),
    });
    // On a fast machine it may be over before.
    expect(code === 130 ? stdout : "").toBe("");
  });
});

describe("lutra evaluate on a program", () => {
  test("measures what compile measured", async () => {
    const args = ["evaluate", "out/model.lutra", "--data", "data.json", "--against", "model.onnx"];
    const result = await lutraJson<EvaluateJson>(args, { cwd: path() });
    const { after, flips, logitError, samples } = compiled;
    expect(result).toMatchObject({ metrics: after, flips, logitError, samples });
  });

  test("leaves out inputs of the dataset that the program does not have", async () => {
    const inputs = description.inputs as Readonly<Record<string, unknown>>;
    await writeFile(path("further.json"), JSON.stringify({ ...description, inputs: { ...inputs, z: inputs.x } }));
    const { metrics } = await lutraJson<EvaluateJson>(["evaluate", "out/model.lutra", "--data", "further.json"], {
      cwd: path(),
    });
    expect(metrics).toEqual(compiled.after);
  });

  test("finds no difference between a program and itself", async () => {
    const args = ["evaluate", "out/model.lutra", "--data", "data.json", "--against", "again/model.lutra"];
    const { flips, logitError } = await lutraJson<EvaluateJson>(args, { cwd: path() });
    expect({ flips, logitError }).toEqual({ flips: 0, logitError: { max: 0, mean: 0 } });
  });

  test("refuses a dataset of another model", async () => {
    await writeFile(path("other.json"), JSON.stringify(description).replace('"x":', '"z":'));
    const message = await lutraFails(["evaluate", "out/model.lutra", "--data", "other.json"], { cwd: path() });
    expect(message).toContain('the dataset has no input "x"');
    expect(message).toContain("out/model.lutra");
  });
});

describe("lutra inspect on a program", () => {
  test("lists sizes, blocks, steps and bytes", async () => {
    const { program, sizes, blocks } = await lutraJson<InspectJson>(["inspect", path("out/model.lutra")]);
    expect(sizes.map(({ name }) => name)).toEqual(["N"]);
    const steps = blocks.flatMap((block) => block.steps);
    expect(steps).toHaveLength(compiled.steps);
    expect(steps.filter(({ op }) => op === "product")).toHaveLength(2);
    expect(steps.at(-1)?.results.map(({ lane }) => lane)).toEqual([expect.stringMatching(/^i(8|16|32)$/)]);
    expect(program.bytes).toBe(compiled.bytes);
    expect(program.constantBytes).toBeGreaterThan(4 * 8 + 8 * 3);
    expect(steps.reduce((sum, { constantBytes }) => sum + constantBytes, 0)).toBeGreaterThanOrEqual(
      program.constantBytes,
    );
  });

  test("prints them for people", async () => {
    const { stdout } = await lutra(["inspect", "out/model.lutra"], { cwd: path() });
    expect(stdout).toMatch(/^out\/model\.lutra: \d+ steps in integers, [\d,]+ bytes$/m);
    expect(stdout).toMatch(/^size +N, 1 to \d+$/m);
    expect(stdout).toMatch(/^input +x \[N, 4\], (8|16) bits, 4 scales$/m);
    expect(stdout).toMatch(/^output +y \[N, 3\], /m);
    expect(stdout).toMatch(/^block \w+$/m);
    expect(stdout).toMatch(/^ *0 +\w+ /m);
  });
});

describe("what cannot be compiled into a program leaves nothing behind", () => {
  const failing = async (args: readonly string[]): Promise<string> => {
    const before = await folder.names();
    const message = await lutraFails([...args, "--to", "program", "-o", "broken"], { cwd: path() });
    expect(await folder.names()).toEqual(before);
    return message;
  };

  test("an operator without integer form: its node, and what is left to do", async () => {
    const running = node("CumSum", ["x", "axis"], ["y"]);
    running.name = "running-total";
    const parts = {
      opset: 14,
      inputs: [valueInfo("x", ["N", 4])],
      outputs: [valueInfo("y", ["N", 4])],
      initializers: [tensor(Int32Array.of(1), [], "axis")],
      nodes: [running],
    };
    await writeFile(path("running.onnx"), modelBytes(parts));
    const message = await failing(["compile", "running.onnx", "--data", "data.json"]);
    expect(message).toContain("CumSum");
    expect(message).toMatch(/^ {2}at: +running\.onnx: .*(running-total|y)$/m);
    expect(message).toContain("--to onnx gives tables to the layers that it finds");
  });

  test("a model or a dataset that is not there, or not one", async () => {
    expect(await failing(["compile", "none.onnx", "--data", "data.json"])).toContain("none.onnx");
    expect(await failing(["compile", "model.onnx", "--data", "none.json"])).toContain("none.json");
    expect(await failing(["compile", "model.onnx", "--data", "rows.csv"])).toContain("rows.csv");
  });

  test("a dataset of another model", async () => {
    await writeFile(path("other.json"), JSON.stringify(description).replace('"x":', '"z":'));
    expect(await failing(["compile", "model.onnx", "--data", "other.json"])).toMatch(/input "x"/);
  });

  test("a program", async () => {
    const message = await failing(["compile", "out/model.lutra", "--data", "data.json"]);
    expect(message).toContain("the file is a lutra program, not an ONNX model");
    await copyFile(path("out/model.lutra"), path("renamed.onnx"));
    expect(await lutraFails(["inspect", path("renamed.onnx")])).toContain("the file is a lutra program");
  });
});

describe("a layer without integer form", () => {
  const QUOTIENT = ["compile", "quotient.onnx", "--data", "data.json", "--to", "program"];

  beforeAll(async () => {
    const weights = (phase: number, name: string) =>
      tensor(
        Float32Array.from({ length: 16 }, (_, i) => Math.sin(i + phase)),
        [4, 4],
        name,
      );
    const quotient = node("Div", ["h", "d"], ["y"]);
    quotient.name = "quotient";
    const parts = {
      opset: 14,
      inputs: [valueInfo("x", ["N", 4])],
      outputs: [valueInfo("y", ["N", 4])],
      initializers: [weights(0, "A"), weights(1, "B"), tensor(Float32Array.of(1), [1], "one")],
      nodes: [
        node("MatMul", ["x", "A"], ["h"]),
        node("MatMul", ["x", "B"], ["k"]),
        node("Sigmoid", ["k"], ["s"]),
        node("Add", ["s", "one"], ["d"]),
        quotient,
      ],
    };
    await writeFile(path("quotient.onnx"), modelBytes(parts));
  });

  test("stops the compilation at its node, with a word about --allow-float", async () => {
    const message = await lutraFails([...QUOTIENT, "-o", "broken"], { cwd: path() });
    expect(message).toMatch(/^ {2}at: +quotient\.onnx: .*(quotient|y)$/m);
    expect(message).toContain("--allow-float");
    expect(await folder.names()).not.toContain("broken");
  });

  test("is computed in binary32 where that is allowed, which is said", async () => {
    const { floatSteps } = await lutraJson<ProgramJson>([...QUOTIENT, "--allow-float", "-o", "floats"], {
      cwd: path(),
    });
    expect(floatSteps).toBe(1);
    const { stdout } = await lutra(["inspect", "floats/quotient.lutra"], { cwd: path() });
    expect(stdout).toMatch(/^floats\/quotient\.lutra: \d steps, 1 with binary32 inside, /);
    const args = ["evaluate", "floats/quotient.lutra", "--data", "data.json", "--against", "quotient.onnx"];
    const { logitError } = await lutraJson<EvaluateJson>(args, { cwd: path() });
    expect(logitError?.max).toBeGreaterThan(0);
    expect(logitError?.max).toBeLessThan(1);
  });
});

describe("a program's file that cannot be read", () => {
  test.each([
    ["cut short", "cut", (bytes: Buffer) => bytes.subarray(0, 1000), /has 1000 bytes instead of \d+/],
    ["changed", "changed", (bytes: Buffer) => Buffer.from(bytes).fill("!", bytes.length - 9), /damaged/],
    ["of another version", "newer", (bytes: Buffer) => Buffer.from(bytes).fill(9, 8, 9), /version 9/],
    ["text", "text", () => Buffer.from("not a program at all"), /not a lutra program/],
    ["empty", "empty", () => Buffer.alloc(0), /not a lutra program/],
  ])("%s", async (_what, name, change, message) => {
    await writeFile(path(`${name}.lutra`), change(await readFile(path("out/model.lutra"))));
    for (const args of [["inspect"], ["evaluate", "--data", "data.json"]]) {
      const [command = "", ...rest] = args;
      const stderr = await lutraFails([command, `${name}.lutra`, ...rest], { cwd: path() });
      expect(stderr).toMatch(message);
      expect(stderr).toContain(`${name}.lutra`);
    }
  });
});

describe("options of one target", () => {
  test.each([
    ["--segments", ["--to", "program", "--segments", "8"]],
    ["--method", ["--to", "program", "--method", "optimal"]],
    ["--plan", ["--to", "program", "--plan", "plan.json"]],
    ["--max-flips", ["--to", "program", "--max-flips", "1"]],
    ["--flat", ["--to", "program", "--flat"]],
    ["--ranges", ["--ranges", "mse"]],
    ["--allow-float", ["--allow-float"]],
    ["--sensitivity", ["--to", "onnx", "--sensitivity"]],
  ])("%s is refused for the other", async (name, args) => {
    const { code, stderr } = await lutra(["compile", "model.onnx", "--data", "data.json", "-o", "z", ...args], {
      cwd: path(),
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^error: ${name} is an option of --to \\w+, not of --to \\w+$`, "m"));
  });

  test.each([
    ["a strength above 1", ["--migration", "1.5"]],
    ["a strength that is none", ["--migration", "much"]],
    ["ranges that are none", ["--ranges", "best"]],
    ["widths that are none", ["--attention", "narrower"]],
    ["a loss below none", ["--max-drop", "-1"]],
  ])("%s is refused", async (_what, args) => {
    const { code } = await lutra([...COMPILE, "-o", "z", ...args], { cwd: path() });
    expect(code).toBe(2);
  });
});

describeShared("a Transformer that sorts digits", () => {
  test("answers all 729 lists in integers, from a quarter of the bytes", async () => {
    const [model, data] = [
      sharedPath("models/gpt_nano_sort/gpt_nano_sort.onnx"),
      `${ROOT}/examples/datasets/sorted-digits.json`,
    ];
    const args = ["compile", model, "--data", data, "--to", "program", "-o", "sorted"];
    const { bytes, originalBytes, after } = await lutraJson<ProgramJson>(args, { cwd: path() });
    expect(bytes).toBeLessThanOrEqual(0.27 * originalBytes + 32_000);
    expect(after["sequence-accuracy"]).toBe(1);
    const all = ["evaluate", "sorted/gpt_nano_sort.lutra", "--data", data, "--split", "all"];
    const { metrics, samples } = await lutraJson<EvaluateJson>(all, { cwd: path() });
    expect({ samples, share: metrics["sequence-accuracy"] }).toEqual({ samples: 729, share: 1 });
  });
});
