// npm start: installs and builds what is missing, compiles the trained date model as a user would with `lutra compile`, shows a
// dozen dates as both models read them, and says where the report is. Everything it writes is in out/demo.
import { join, relative } from "node:path";
import { build, install, main, ROOT, runOrThrow } from "./house.mjs";

const FOLDER = join(ROOT, "out", "demo");
const SEGMENTS = 16;

await main(async () => {
  install();
  build();
  const folder = relative(ROOT, FOLDER);
  const node = (name, ...args) => runOrThrow(name, process.execPath, args);
  console.log("The demo model is a Transformer that reads dates, trained by this project.");
  node("the demo's dataset", join("models", "demo", "make.mjs"), folder);

  const args = ["compile", join(folder, "dates.onnx"), "--data", join(folder, "dataset.json")];
  args.push("--segments", String(SEGMENTS), "-o", folder);
  console.log(`\n$ npx lutra ${args.join(" ")}`);
  node("lutra compile", join("packages", "cli", "bin", "lutra.mjs"), ...args);

  console.log();
  node("the demo's examples", join("models", "demo", "examples.mjs"), folder);
  console.log(`\nOpen ${join(folder, "report.html")} in a browser: each table, its error curve and what it changes.`);
});
