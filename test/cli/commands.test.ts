// The command line itself: help, version, usage errors, and how fast it answers.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { lutra } from "./lutra.ts";

const COMMANDS = ["fit", "certify", "inspect", "compile", "evaluate", "compare"];

describe("lutra", () => {
  test("lists its commands and exit codes", async () => {
    const { code, stdout, stderr } = await lutra(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const name of COMMANDS) expect(stdout).toContain(`\n  ${name} `);
    for (const exitCode of [0, 1, 2, 70, 130]) expect(stdout).toMatch(new RegExp(`^ {2}${exitCode} +\\S`, "m"));
  });

  test.each(COMMANDS)("%s --help has an example", async (name) => {
    const { code, stdout } = await lutra([name, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Examples:\n  lutra ${name} `);
  });

  test("prints its version", async () => {
    const { code, stdout } = await lutra(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("says so when its output does not fit on the disk", async () => {
    const program = fileURLToPath(new URL("../../packages/cli/bin/lutra.mjs", import.meta.url));
    const command = `"${process.execPath}" "${program}" fit gelu --in s8.5 --segments 4 --json > /dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "lutra: cannot write the output: no space left on the device\n  at:   standard output\n",
    });
  });

  test("answers --help without loading the library", async () => {
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      await lutra(["--help"]);
      times.push(performance.now() - start);
    }
    // 80 ms on an idle machine; the bound leaves room for a busy one.
    expect(Math.min(...times)).toBeLessThan(400);
  });

  test.each([
    ["no command", []],
    ["an unknown command", ["fitt", "gelu"]],
    ["an unknown option", ["fit", "gelu", "--in", "s8.5", "--segments", "8", "--colour"]],
    ["a missing argument", ["certify"]],
    ["a missing option", ["compile", "model.onnx", "-o", "out"]],
    ["a number that is none", ["fit", "gelu", "--in", "s8.5", "--segments", "many"]],
    ["a grid that is none", ["fit", "gelu", "--grid", "-4:4", "--segments", "8"]],
    ["neither segments nor an error", ["fit", "gelu", "--in", "s8.5"]],
    ["both segments and an error", ["fit", "gelu", "--in", "s8.5", "--segments", "8", "--max-error", "0.1"]],
    ["neither formats nor a grid", ["fit", "gelu", "--segments", "8"]],
    ["both formats and a grid", ["fit", "gelu", "--in", "s8.5", "--grid", "-4:4:0.1", "--segments", "8"]],
    ["no segments", ["fit", "gelu", "--in", "s8.5", "--segments", "0"]],
    ["half a segment", ["fit", "gelu", "--in", "s8.5", "--segments", "1.5"]],
    ["an error of nothing", ["fit", "gelu", "--in", "s8.5", "--max-error", "0"]],
    ["a range from right to left", ["fit", "gelu", "--in", "s8.5", "--range", "3,-3", "--segments", "8"]],
    ["a grid from right to left", ["fit", "gelu", "--grid", "4:-4:0.01", "--segments", "8"]],
    ["a grid that stands still", ["fit", "gelu", "--grid", "-4:4:0", "--segments", "8"]],
    ["breakpoints that fall", ["fit", "gelu", "--in", "s8.5", "--breakpoints", "1,0"]],
    ["half a seed", ["fit", "gelu", "--in", "s8.5", "--segments", "8", "--seed", "0.5"]],
    ["less than no loss", ["compile", "model.onnx", "--data", "data.json", "-o", "out", "--max-drop", "-1"]],
    ["no bytes", ["compile", "model.onnx", "--data", "data.json", "-o", "out", "--max-bytes", "0"]],
    ["no threads", ["certify", "table.json", "--exhaustive", "--threads", "0"]],
    ["no entries to compare", ["compare", "gelu", "--segments", "8,0"]],
    ["a norm that is none", ["fit", "gelu", "--in", "s8.5", "--segments", "8", "--norm", "best"]],
  ])("exits with 2 for %s", async (_what, args) => {
    const { code, stdout, stderr } = await lutra(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toBe("");
  });
});
