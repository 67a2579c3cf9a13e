// npm run check: everything about the code that is not a test. Lint and format, types, dead code, the published packages
// as a consumer gets them. Runs all checks even if one fails, then lists them; the last line counts them.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install, main, npm, ROOT, runTool } from "./house.mjs";

await main(async () => {
  install();
  const results = [
    check("lint and format", () => npm(["run", "--silent", "lint"])),
    check("types, build", () => npm(["run", "--silent", "types"])),
    check("dead code", () => npm(["run", "--silent", "dead-code"])),
    ...publishedPackages().map((name) => check(`package ${name}`, () => checkPackage(name))),
  ];
  const failed = results.filter(({ passed }) => !passed);
  console.log();
  for (const { name, passed } of results) console.log(`${passed ? "ok    " : "FAILED"} ${name}`);
  console.log(`${results.length - failed.length} checks passed, ${failed.length} failed`);
  process.exitCode = failed.length > 0 ? 1 : 0;
});

/** A check passes unless its body throws. */
function check(name, body) {
  console.log(`\n--- ${name}`);
  try {
    body();
    return { name, passed: true };
  } catch (error) {
    console.error(error.message);
    return { name, passed: false };
  }
}

/** Folders of the packages that are published: all that are not private. */
function publishedPackages() {
  const manifestOf = (name) => JSON.parse(readFileSync(join(ROOT, "packages", name, "package.json"), "utf8"));
  return readdirSync(join(ROOT, "packages")).filter((name) => !manifestOf(name).private);
}

/** Packs the package and lets publint and attw look at the tarball, which is what a user installs. */
function checkPackage(name) {
  const folder = mkdtempSync(join(tmpdir(), "lutra-pack-"));
  try {
    npm(["pack", "--silent", "--workspace", join("packages", name), "--pack-destination", folder]);
    const [tarball] = readdirSync(folder).map((file) => join(folder, file));
    runTool("publint", "publint/src/cli.js", [tarball, "--strict"]);
    // The packages are ESM only: what matters is how ESM and bundlers resolve them.
    runTool("attw", "@arethetypeswrong/cli/dist/index.js", [tarball, "--profile", "esm-only"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
