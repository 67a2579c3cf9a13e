// How tests run: the sources directly, no build needed for the library's own tests. Several tests compile models or
// enumerate 2^16 codes, hence the long timeouts; the reporter lists each skipped test with its reason. Every core has a worker: vitest's own
// choice leaves one free, which on two cores is half of the time.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    maxWorkers: "100%",
    // TensorFlow.js has its gradients in files that Node itself cannot import; its bundle is left to Node.
    server: { deps: { inline: [/tfjs-core\/dist\/(?!tf-core)/] } },
    reporters: ["default", "./scripts/reporter.mjs"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
