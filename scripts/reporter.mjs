// A vitest reporter: one line per skipped test with its reason, and the counts that scripts/test.mjs prints.
// It writes the counts to the file named by LUTRA_TEST_SUMMARY, if any. With CI set, a skipped test counts as failed unless it
// needs hardware that the machine does not have.
import { writeFileSync } from "node:fs";

const NEEDS_HARDWARE = /\b(GPU|nvcc|nvidia-smi)\b/;

// vitest loads reporters by their default export.
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      let failedInModule = 0;
      for (const test of module.children.allTests()) {
        const { state, note } = test.result();
        if (state === "passed") counts.passed++;
        else if (state === "failed") failedInModule++;
        else {
          const reason = note ?? "skipped in the source";
          const allowed = !process.env.CI || NEEDS_HARDWARE.test(reason);
          counts[allowed ? "skipped" : "failed"]++;
          console.log(
            `${allowed ? "skipped" : "FAILED, may not be skipped with CI set"}: ${test.fullName} (${reason})`,
          );
        }
      }
      // A file that does not load, or a failing hook, is a failure even where no single test is to blame.
      if (failedInModule === 0 && module.state() === "failed") failedInModule = 1;
      counts.failed += failedInModule;
    }
    counts.failed += unhandledErrors.length;
    const file = process.env.LUTRA_TEST_SUMMARY;
    if (file) writeFileSync(file, JSON.stringify(counts));
  }
}
