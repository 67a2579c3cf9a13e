// npm test: installs and builds what is missing, runs every test, and ends with `N passed, N failed` alone on a line.
// Arguments are passed on to vitest: `npm test -- test/num`. The exit code is non-zero when a test fails, when the
// build or the runner itself fails (counted as one failure), and when no test ran at all.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, install, ROOT, run } from "./house.mjs";

const counts = { passed: 0, failed: 0, skipped: 0 };
try {
  install();
  build();
  runTests(process.argv.slice(2), counts);
  if (counts.passed + counts.failed === 0) throw new Error("no test ran");
} catch (error) {
  console.error(error.message);
  counts.failed ||= 1;
}
if (counts.skipped > 0) console.log(`${counts.skipped} skipped, listed above`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 ? 1 : 0;

/** Fills in the reporter's counts. @throws Error if the runner fails for a reason of its own */
function runTests(args, result) {
  const folder = mkdtempSync(join(tmpdir(), "lutra-test-"));
  const summary = join(folder, "summary.json");
  const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
  try {
    const exitCode = run(process.execPath, [vitest, "run", ...args], { LUTRA_TEST_SUMMARY: summary });
    Object.assign(result, JSON.parse(readFileSync(summary, "utf8")));
    if (exitCode !== 0 && result.failed === 0) throw new Error(`vitest failed with exit code ${exitCode}`);
  } catch (error) {
    throw error.code === "ENOENT" ? new Error("vitest ended without a summary") : error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
