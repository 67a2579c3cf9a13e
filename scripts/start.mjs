// npm start: installs and builds what is missing, generates the demo model with its dataset, compiles it as a user would
// with `lutra compile`, and says where the report is. Everything it writes is in out/demo.
import { join, relative } from "node:path";
import { build, install, main, ROOT, runOrThrow } from "./house.mjs";

const FOLDER = join(ROOT, "out", "demo");
const SEGMENTS = 16;

await main(async () => {
  install();
  build();
  const folder = relative(ROOT, FOLDER);
  console.log("Generating a small seeded Transformer and its dataset ...");
  runOrThrow("the demo's generator", process.execPath, [join("models", "demo", "make.mjs"), folder]);

  const args = ["compile", join(folder, "model.onnx"), "--data", join(folder, "dataset.json")];
  args.push("--segments", String(SEGMENTS), "-o", folder);
  console.log(`\n$ npx lutra ${args.join(" ")}`);
  runOrThrow("lutra compile", process.execPath, [join("packages", "cli", "bin", "lutra.mjs"), ...args]);
  console.log(`\nOpen ${join(folder, "report.html")} in a browser: each table, its error curve and what it changes.`);
});
