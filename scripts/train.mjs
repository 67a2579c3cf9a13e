// npm run train: installs and builds what is missing, then trains the demo model, or goes on with a training that was stopped.
import { join } from "node:path";
import { build, install, main, runOrThrow } from "./house.mjs";

await main(async () => {
  install();
  build();
  runOrThrow("the training", process.execPath, [join("models", "train", "dist", "main.js")]);
});
