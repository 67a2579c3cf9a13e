// lutra compare as a user types it: JSON, text, figures, and what it refuses.

import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { lutra, lutraFails, lutraJson, temporaryFolder } from "./lutra.ts";

const folder = temporaryFolder();
const FEW = ["--methods", "optimal,uniform,direct"];

interface Printed {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly refused: readonly Readonly<Record<string, unknown>>[];
}

describe("lutra compare", () => {
  test("prints a row per function, size and method as JSON", async () => {
    const { rows, refused } = await lutraJson<Printed>(["compare", "gelu", "exp", "--segments", "8,16", ...FEW]);
    expect(rows).toHaveLength(8);
    expect(rows[0]).toMatchObject({ method: "optimal", fn: "gelu", segments: 8, ratio: 1 });
    for (const name of ["mse", "max", "ratio", "bytes", "operations", "seconds"])
      expect(rows[0]?.[name], name).toEqual(expect.any(Number));
    expect(refused.map(({ method }) => method)).toEqual(["direct", "direct", "direct", "direct"]);
  });

  test("prints a table per question, best first, and who is not in it", async () => {
    const { code, stdout, stderr } = await lutra(["compare", "gelu", "--segments", "8", ...FEW]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/gelu, 8 segments, grid gqa\nmethod .*\noptimal .*\nuniform .*\n\nnot in it/);
  });

  test("takes parameters of methods, says so, and averages over questions", async () => {
    const asked = ["compare", "gelu", "exp", "--segments", "8", "--methods", "genetic,uniform", "--seeds", "3"];
    const options = ["--with", "lines=least-squares,generations=5", "--breakpoint-rounding", "exact"];
    const { parameters, rows } = await lutraJson<Printed & { parameters: unknown }>([...asked, ...options]);
    expect(parameters).toEqual({ lines: "least-squares", generations: 5, breakpointRounding: "exact" });
    expect(rows[0]).toMatchObject({ method: expect.any(String), seeds: expect.anything() });
    const { stdout } = await lutra([...asked, ...options]);
    expect(stdout).toContain("exp, 8 segments, grid gqa, lines=least-squares, generations=5, breakpointRounding=exact");
    const means = rows.filter(({ method }) => method === "uniform").map(({ ratio }) => Number(ratio));
    const mean = Math.sqrt((means[0] ?? 0) * (means[1] ?? 0)).toPrecision(3);
    expect(stdout).toMatch(new RegExp(`geometric means .*\\n(.*\\n)?uniform +${mean} +2 `));
  });

  test("prints a function, a size or a method once, however often it is named", async () => {
    const twice = ["gelu", "gelu", "--segments", "8,8", "--methods", "uniform,uniform"];
    expect((await lutraJson<Printed>(["compare", ...twice])).rows).toHaveLength(1);
  });

  test("writes figures that stand alone, and the rows", async () => {
    const out = folder.path("compared");
    const { stdout } = await lutra(["compare", "x*tanh(x)", "--range", "-2,2", "--segments", "4,8", ...FEW, "-o", out]);
    expect(stdout).toContain("compare.json");
    const { rows } = JSON.parse(await readFile(folder.path("compared/compare.json"), "utf8")) as Printed;
    expect(rows).toHaveLength(4);
    for (const name of ["segments", "bytes", "uniform-4", "optimal-8"]) {
      const svg = await readFile(folder.path(`compared/x_tanh_x_-${name}.svg`), "utf8");
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg".*<\/svg>\n$/s);
    }
  });

  test.each([
    ["a grid that does not exist", ["--grid", "gpa"], "known grids: gqa, int8, nn-lut, huang"],
    ["a function the grid has no range for", ["--grid", "nn-lut"], "has no range for tanh"],
    ["a method that does not exist", ["--methods", "best", "--range", "-1,1"], 'unknown method "best"'],
    ["scales on a grid that has none", ["--range", "-1,1", "--scales", "0..3"], "no scales"],
    ["a parameter that no method has", ["--range", "-1,1", "--with", "line=chords"], "none of the methods"],
    [
      "a file where a folder should be",
      ["--range", "-1,1", "--methods", "uniform", "-o", "package.json"],
      "package.json",
    ],
  ])("refuses %s", async (_what, options, message) => {
    expect(await lutraFails(["compare", "tanh", ...options])).toContain(message);
  });

  test.each([
    ["scales from high to low", ["--scales", "6..0"], "A..B"],
    ["scales that are no powers of two", ["--scales", "0.5"], "not an integer"],
    ["a rounding of breakpoints that does not exist", ["--breakpoint-rounding", "up"], "nearest, exact"],
  ])("refuses %s on the command line", async (_what, options, message) => {
    const { code, stderr } = await lutra(["compare", "gelu", "--grid", "int8", ...options]);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  });
});
