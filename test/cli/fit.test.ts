// lutra fit and lutra certify, from the command line to the file and back.

import { readFile, symlink, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type Certificate, evaluate, type Problem, parseTable, type Table } from "../../packages/lutra/src/index.ts";
import { lutra, lutraFails, lutraJson, temporaryFolder } from "./lutra.ts";

interface FitJson {
  readonly problem: Problem;
  readonly table: Table;
  readonly certificate: Certificate;
  readonly error: { readonly max: number; readonly mse: number; readonly points: number };
  readonly objective: number;
  readonly bound: number;
  readonly unconstrained: { readonly objective: number; readonly bound: number } | null;
  readonly segments: number;
  readonly seconds: number;
}

const folder = temporaryFolder();

describe("lutra fit", () => {
  test("fits integer formats and proves what it measures", async () => {
    const fit = await lutraJson<FitJson>(["fit", "gelu", "--in", "s8.5", "--out", "s8.5", "--segments", "8"]);
    expect(fit.problem.spec.input).toEqual({ kind: "integer", signed: true, bits: 8, scale: 2 ** -5, zeroPoint: 0 });
    expect(fit.segments).toBeLessThanOrEqual(8);
    expect(fit.error.points).toBe(256);
    expect(fit.certificate.shown).toBe("enumerated");
    expect(fit.certificate.absolute.lower).toBeCloseTo(fit.error.max, 12);
    expect(fit.certificate.mse).toBeCloseTo(fit.error.mse, 12);
    expect(fit.seconds).toBeGreaterThan(0);
  });

  test("fits a grid that leaves its end out, with negative numbers on the command line", async () => {
    const args = ["fit", "gelu", "--grid", "-4:4:0.01", "--range", "-8,8", "--segments", "8", "--norm", "mse"];
    const fit = await lutraJson<FitJson>([...args, "--coefficients", "s16.6"]);
    expect(fit.problem.grid).toEqual({ lo: -4, hi: 4, step: 0.01 });
    expect(fit.problem.spec.domain).toEqual({ lo: -8, hi: 8 });
    expect(fit.error.points).toBe(800);
    expect(fit.error.mse).toBeCloseTo(fit.objective, 12);
    expect(fit.table.coefficients.flat().every((c) => Number.isInteger(c * 64))).toBe(true);
  });

  test("takes an expression, and a bound instead of a number of segments", async () => {
    const args = ["fit", "x*sigmoid(1.702*x)", "--grid", "-8:8:0.02", "--max-error", "0.01"];
    const fit = await lutraJson<FitJson>(args);
    expect(fit.error.max).toBeLessThanOrEqual(0.01);
    expect(fit.segments).toBeGreaterThan(2);
  });

  test("writes a table file that certify proves again, with the same certificate", async () => {
    const file = folder.path("gelu.json");
    const fit = await lutraJson<FitJson>(["fit", "gelu", "--in", "s8.5", "--segments", "8", "-o", file]);
    const written = JSON.parse(await readFile(file, "utf8")) as { format: string; version: number; table: Table };
    expect([written.format, written.version]).toEqual(["lutra-table", 1]);
    expect(written.table).toEqual(fit.table);
    expect(await lutraJson<Certificate>(["certify", file])).toEqual(fit.certificate);
  });

  test("certifies an edited table anew: the certificate moves, and a remark says why", async () => {
    const file = folder.path("edited.json");
    const fit = await lutraJson<FitJson>(["fit", "gelu", "--in", "s8.5", "--segments", "8", "-o", file]);
    const content = JSON.parse(await readFile(file, "utf8"));
    content.table.coefficients[0][3] += 2 ** content.table.shift;
    await writeFile(file, JSON.stringify(content));
    const { code, stdout, stderr } = await lutra(["certify", file, "--json"]);
    expect(code).toBe(0);
    expect(stderr).toContain("is about another table");
    const certificate = JSON.parse(stdout) as Certificate;
    expect(certificate.kernelHash).not.toBe(fit.certificate.kernelHash);
    expect(certificate.segments).not.toEqual(fit.certificate.segments);
  });

  test("--with gives a method its parameters, numbers and words, and --json says which", async () => {
    const args = ["fit", "gelu", "--in", "s8.4", "--segments", "12", "--method", "nested"];
    const fit = await lutraJson<FitJson & { readonly parameters: unknown }>([
      ...args,
      "--with",
      "lines=minimax,intervals=3",
    ]);
    expect(fit.parameters).toEqual({ lines: "minimax", intervals: 3 });
    expect(fit.table.index).toMatchObject({ rule: "nested" });
    const chords = await lutraJson<FitJson>([...args, "--with", "intervals=3"]);
    expect(fit.objective).toBeLessThan(chords.objective);
  });

  test("--breakpoint-rounding says how genetic's breakpoints become codes, and is refused by methods that have none", async () => {
    const args = [
      "fit",
      "gelu",
      "--in",
      "s8.2",
      "--out",
      "s16.12",
      "--range",
      "-4,4",
      "--segments",
      "8",
      "--norm",
      "mse",
    ];
    const objective = async (rounding: string): Promise<number> => {
      const fit = await lutraJson<FitJson>([...args, "--method", "genetic", "--breakpoint-rounding", rounding]);
      return fit.objective;
    };
    expect(await objective("exact")).toBeLessThan(await objective("nearest"));
    expect(await lutraFails([...args, "--breakpoint-rounding", "exact"])).toContain("breakpointRounding");
  });

  test("gives the same document for the same seed", async () => {
    const args = ["fit", "tanh", "--in", "s8.5", "--segments", "6", "--seed", "3"];
    const [a, b] = [await lutraJson<FitJson>(args), await lutraJson<FitJson>(args)];
    expect({ ...a, seconds: 0 }).toEqual({ ...b, seconds: 0 });
  });

  test("weighs inputs by a histogram", async () => {
    const file = folder.path("histogram.json");
    await writeFile(file, JSON.stringify({ edges: [-4, -3, 4], counts: [1000, 1] }));
    const args = ["fit", "gelu", "--grid", "-4:4:0.01", "--segments", "4", "--norm", "mse"];
    const [plain, weighed] = [await lutraJson<FitJson>(args), await lutraJson<FitJson>([...args, "--histogram", file])];
    expect(weighed.objective).toBeLessThan(plain.objective);
    expect(weighed.error.mse).toBeGreaterThan(plain.error.mse);
  });

  test("reduces the range by the function's own identity", async () => {
    const args = ["fit", "tanh", "--in", "binary32", "--range", "-8,8", "--segments", "8", "--reduce", "auto"];
    const { table } = await lutraJson<FitJson>(args);
    expect(table.reductions).toEqual([{ by: "odd" }]);
    for (const x of [0.3, 1.7, 5]) expect(evaluate(table, Math.fround(-x))).toBe(-evaluate(table, Math.fround(x)));
  });

  test("keeps what it is asked to, and says what that costs", async () => {
    const args = ["fit", "gelu", "--in", "s8.5", "--segments", "8", "--keep", "zero,continuous"];
    const { table, problem, objective, unconstrained } = await lutraJson<FitJson>(args);
    expect(problem.keep).toEqual(["zero", "continuous"]);
    expect(evaluate(table, 0)).toBe(0);
    expect(unconstrained?.objective).toBeLessThanOrEqual(objective);
    const { stdout } = await lutra(args);
    expect(stdout).toMatch(/^kept +zero, continuous$/m);
    expect(stdout).toMatch(/^without that +0\.\d+: the table is [\d.]+ % above; at least 0\.\d+ for any table/m);
  });

  test("takes given breakpoints, which say how many segments there are", async () => {
    const { table } = await lutraJson<FitJson>(["fit", "gelu", "--in", "s8.5", "--breakpoints", "-1,0,2.5"]);
    expect(table.index).toEqual({ rule: "breakpoints", codes: [-32, 0, 80] });
  });

  test("prints the same facts for people", async () => {
    const { code, stdout } = await lutra(["fit", "gelu", "--in", "s8.5", "--segments", "8"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^gelu on \[-4, 3\.96875\]: \d segments, \d+ bytes\n/);
    expect(stdout).toContain("max error");
    expect(stdout).not.toContain("\x1b[");
  });

  test("reads a table back that evaluates", async () => {
    const { table } = await lutraJson<FitJson>(["fit", "sigmoid", "--in", "s8.4", "--out", "u8.8", "--segments", "8"]);
    const read = parseTable(JSON.parse(JSON.stringify(table)));
    expect(Math.abs(evaluate(read, 0) - 128)).toBeLessThanOrEqual(2);
  });
});

describe("what cannot be fitted", () => {
  test.each([
    ["an unknown function, with the nearest one", ["gelo", "--in", "s8.5", "--segments", "8"], /gelu/],
    ["an expression with a hole, at its column", ["x*+", "--in", "s8.5", "--segments", "8"], /column \d/],
    ["an unknown format", ["gelu", "--in", "s8_5", "--segments", "8"], /unknown number format "s8_5"/],
    ["a thousand million segments", ["gelu", "--in", "s8.5", "--segments", "1e9"], /segments/],
    ["an unknown method", ["gelu", "--in", "s8.5", "--segments", "8", "--method", "magic"], /magic/],
    [
      "a range where the function is not defined",
      ["log", "--in", "binary32", "--range", "-3,-1", "--segments", "8"],
      /not defined/,
    ],
    [
      "an identity that the function lacks",
      ["gelu", "--in", "s8.5", "--reduce", "odd", "--segments", "8"],
      /no identity "odd"/,
    ],
    ["something it cannot keep", ["gelu", "--in", "s8.5", "--segments", "8", "--keep", "calm"], /cannot keep "calm"/],
    [
      "a symmetry that is not there",
      ["exp", "--in", "s8.5", "--segments", "8", "--keep", "symmetric"],
      /not symmetric/,
    ],
    [
      "a grid beyond the range",
      ["gelu", "--grid", "-4:4:0.1", "--range", "-1,1", "--segments", "8"],
      /beyond the range/,
    ],
    [
      "a histogram that is missing",
      ["gelu", "--in", "s8.5", "--segments", "8", "--histogram", "none.json"],
      /none\.json/,
    ],
  ])("%s", async (_what, args, message) => {
    expect(await lutraFails(["fit", ...args], { cwd: folder.path() })).toMatch(message);
  });

  test.each([
    ["edges that fall", { edges: [0, 2, 1], counts: [1, 1] }, /edges\[2\]/],
    ["a negative count", { edges: [0, 1, 2], counts: [1, -1] }, /counts\[1\]/],
    ["a count too few", { edges: [0, 1, 2], counts: [1] }, /n \+ 1 numbers/],
  ])("a histogram with %s", async (_what, histogram, message) => {
    const file = folder.path("bad-histogram.json");
    await writeFile(file, JSON.stringify(histogram));
    const args = ["fit", "gelu", "--in", "s8.5", "--segments", "8", "--histogram", file];
    expect(await lutraFails(args)).toMatch(message);
  });
});

describe("table files that are none", () => {
  test.each([
    ["an empty file", "", /not JSON/],
    ["a JSON file of another kind", '{"format":"other"}', /not a table file/],
    ["a later version", '{"format":"lutra-table","version":2,"table":{}}', /version 2/],
    ["a table without fields", '{"format":"lutra-table","version":1,"table":{}}', /spec/],
    ["half a file", '{"format":"lutra-table","ver', /not JSON/],
  ])("%s", async (_what, content, message) => {
    const file = folder.path("bad.json");
    await writeFile(file, content);
    const stderr = await lutraFails(["certify", file]);
    expect(stderr).toMatch(message);
    expect(stderr).toContain(file);
  });

  test("a coefficient that is no number, with its place", async () => {
    const file = folder.path("broken.json");
    await lutraJson(["fit", "gelu", "--in", "s8.5", "--segments", "4", "-o", file]);
    const content = JSON.parse(await readFile(file, "utf8"));
    content.table.coefficients[1][2] = "much";
    await writeFile(file, JSON.stringify(content));
    expect(await lutraFails(["certify", file])).toContain("coefficients[1][2]");
  });

  test("a file that is not there, a folder", async () => {
    expect(await lutraFails(["certify", folder.path("none.json")])).toContain("there is no such file");
    expect(await lutraFails(["certify", folder.path()])).toContain("it is a folder");
  });
});

describe("writing a table", () => {
  const fit = ["fit", "gelu", "--in", "s8.5", "--segments", "4"];

  test("says which folder is missing, and leaves nothing", async () => {
    const before = await folder.names();
    expect(await lutraFails([...fit, "-o", folder.path("none/gelu.json")])).toContain("none/gelu.json");
    expect(await folder.names()).toEqual(before);
  });

  test("says that the disk is full", async ({ skip }) => {
    if (process.platform !== "linux") skip("needs /dev/full");
    expect(await lutraFails([...fit, "-o", "/dev/full"])).toContain("no space left");
  });

  test("keeps a symbolic link and writes what it points to", async () => {
    await writeFile(folder.path("target.json"), "");
    await symlink("target.json", folder.path("link.json"));
    await lutraJson([...fit, "-o", folder.path("link.json")]);
    expect(await readFile(folder.path("target.json"), "utf8")).toContain("lutra-table");
  });

  test("leaves the old file as it was if the new one fails", async () => {
    const file = folder.path("kept.json");
    await writeFile(file, "kept");
    await lutraFails(["fit", "gelu", "--in", "s8.5", "--segments", "1e9", "-o", file]);
    expect(await readFile(file, "utf8")).toBe("kept");
  });
});
