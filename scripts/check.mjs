// npm run check: everything about the code that is not a test. Lint and format, types, dead code, the published packages
// as a consumer gets them. Runs all checks even if one fails, then lists them; the last line counts them.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { install, main, npm, ROOT, runOrThrow, runTool } from "./house.mjs";

await main(async () => {
  install();
  const packages = publishedPackages();
  const results = [
    check("lint and format", () => npm(["run", "--silent", "lint"])),
    check("types, build", () => npm(["run", "--silent", "types"])),
    check("dead code", () => npm(["run", "--silent", "dead-code"])),
    ...packages.map((manifest) => check(`package ${manifest.name}`, () => checkPackage(manifest))),
    check("installation of the packages", () => checkInstallation(packages)),
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

/** Manifests of the packages that are published: all that are not private. */
function publishedPackages() {
  const folders = readdirSync(join(ROOT, "packages")).map((name) => join("packages", name));
  const manifests = folders.map((folder) => ({
    folder,
    ...JSON.parse(readFileSync(join(ROOT, folder, "package.json"), "utf8")),
  }));
  return manifests.filter((manifest) => !manifest.private);
}

/** Packs the package and lets publint, and attw where something can be imported, look at the tarball. */
function checkPackage(manifest) {
  withPacked([manifest], (_folder, [tarball]) => {
    runTool("publint", "publint/src/cli.js", [tarball, "--strict"]);
    if (manifest.exports === undefined) return;
    // The packages are ESM only: what matters is how ESM and bundlers resolve them.
    runTool("attw", "@arethetypeswrong/cli/dist/index.js", [tarball, "--profile", "esm-only"]);
  });
}

/** Installs all packages from their tarballs into an empty project, as a user gets them, and runs what they bring. */
function checkInstallation(manifests) {
  withPacked(manifests, (folder, tarballs) => {
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
    npm(["install", "--loglevel", "error", "--prefix", folder, ...tarballs], { ONNXRUNTIME_NODE_INSTALL: "skip" });
    runOrThrow("lutra", process.execPath, [join(folder, "node_modules", "lutra-cli", "bin", "lutra.mjs"), "--version"]);
    writeFileSync(
      join(folder, "use.mjs"),
      'import { parseFn } from "lutra";\nif (!(parseFn("gelu").evaluate(1) > 0.84)) throw new Error("gelu(1)");\n',
    );
    runOrThrow("using lutra", process.execPath, [join(folder, "use.mjs")]);
  });
}

/** Calls `body` with a temporary folder and the paths of the packages' tarballs in it. */
function withPacked(manifests, body) {
  const folder = mkdtempSync(join(tmpdir(), "lutra-pack-"));
  try {
    for (const { folder: source } of manifests)
      npm(["pack", "--silent", "--workspace", source, "--pack-destination", folder]);
    body(
      folder,
      readdirSync(folder).map((file) => join(folder, file)),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
