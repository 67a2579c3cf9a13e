// npm test: installs and builds what is missing, runs every test, and ends with `N passed, N failed` alone on a line.
// Arguments are passed on to vitest: `npm test -- test/num`. The exit code is non-zero when a test fails, when the
// runner itself fails, and when no test ran at all.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main, prepare, runTool } from "./house.mjs";

await main(async () => {
  prepare();
  const folder = mkdtempSync(join(tmpdir(), "lutra-test-"));
  const summary = join(folder, "summary.json");
  let exitCode;
  let counts;
  try {
    exitCode = runTool("vitest/vitest.mjs", ["run", ...process.argv.slice(2)], { LUTRA_TEST_SUMMARY: summary });
    counts = readCounts(summary);
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (exitCode === 0 && counts.passed === 0) {
    console.error("no test ran");
    exitCode = 1;
  }
  const failed = exitCode !== 0 && counts.failed === 0 ? 1 : counts.failed; // a crashed runner counts as one failure
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  console.log(`${counts.passed} passed, ${failed} failed${skipped}`);
  process.exitCode = exitCode !== 0 || failed > 0 ? exitCode || 1 : 0;
});

/** The reporter's counts; all zero if the runner ended before it wrote them. */
function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    console.error("the test runner ended without a summary");
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
