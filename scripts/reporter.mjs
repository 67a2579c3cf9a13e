// A vitest reporter: one line per skipped test with its reason, and the counts that scripts/test.mjs prints.
// It writes the counts to the file named by LUTRA_TEST_SUMMARY, if any, and prints only the skipped tests itself.
import { writeFileSync } from "node:fs";

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
          counts.skipped++;
          console.log(`skipped: ${test.fullName} (${note ?? "skipped in the source"})`);
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
