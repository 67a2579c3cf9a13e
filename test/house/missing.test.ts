// What happens to tests whose prerequisites are missing: one line each, and with CI set a failure.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../shared.ts";

interface Outcome {
  readonly output: string;
  readonly counts: { readonly passed: number; readonly failed: number; readonly skipped: number };
}

function runFixtures(ci: string): Outcome {
  const folder = mkdtempSync(join(tmpdir(), "lutra-house-"));
  const summary = join(folder, "summary.json");
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  try {
    const { stdout } = spawnSync(
      process.execPath,
      [vitest, "run", "--config", "test/house/fixtures/vitest.config.ts"],
      {
        cwd: ROOT,
        env: { ...process.env, CI: ci, LUTRA_TEST_SUMMARY: summary },
        encoding: "utf8",
      },
    );
    return { output: stdout, counts: JSON.parse(readFileSync(summary, "utf8")) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it("a test that lacks something is skipped with one line that says what", () => {
  const { output, counts } = runFixtures("");
  expect(counts).toEqual({ passed: 1, failed: 0, skipped: 2 });
  expect(output).toContain("needs no-such-command (no-such-command is missing)");
  expect(output).toContain("needs ../shared/no/such/file (../shared/no/such/file is missing)");
});

it("with CI set it fails", () => {
  expect(runFixtures("true").counts).toEqual({ passed: 1, failed: 2, skipped: 0 });
});
