// `import "lutra/tfjs"` in headless Chromium, in the build of TensorFlow.js's wasm backend without threads and in that with threads, whose memory
// is shared: the same bits as in Node.

import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kernelOf } from "../../packages/lutra/src/adapt/tfjs/kernels.ts";
import { interpret } from "../../packages/lutra/src/kernel/index.ts";
import { random } from "../../packages/lutra/src/num/index.ts";
import { describeWith, ROOT } from "../shared.ts";
import { type OpenPage, openPage } from "./browser.ts";

const NAMES = { tanh: "Tanh", sigmoid: "Sigmoid", exp: "Exp", elu: "Elu" } as const;

interface Answers {
  readonly own: readonly number[][];
  readonly found: readonly number[][];
  readonly isShared: boolean;
}

describeWith({ command: "chromium" }, "the TensorFlow.js drop-in in headless Chromium", () => {
  describe.each([
    { build: "without threads", isIsolated: false },
    { build: "with threads", isIsolated: true },
  ])("$build", ({ isIsolated }) => {
    let page: OpenPage;
    beforeAll(async () => {
      page = await openPage(served(), { isIsolated });
    });
    afterAll(() => page?.close());

    it("answers with the bits of interpret, near TensorFlow.js's own answers", async () => {
      const source = random(13);
      const values = Array.from({ length: 5000 }, () => Math.fround(3 * source.normal()));
      const answers = (await page.call("/test/page-tfjs.mjs", "answer", Object.keys(NAMES), values)) as Answers;
      expect(answers.isShared).toBe(isIsolated);
      Object.values(NAMES).forEach((name, i) => {
        const expected = interpret(kernelOf(name), { x: values }, values.length, 1)[0];
        expect(answers.found[i]).toEqual([...expected]);
        expect(answers.found[i]).not.toEqual(answers.own[i]);
        const errors = answers.found[i].map((y, j) => Math.abs(y - answers.own[i][j]) / Math.max(1, Math.abs(y)));
        expect(Math.max(...errors)).toBeLessThan(3e-6);
      });
      expect(page.strays).toEqual([]);
    });
  });
});

/** The library as it is built, and TensorFlow.js as it is installed. */
function served(): Readonly<Record<string, string>> {
  const require = createRequire(import.meta.url);
  return {
    test: import.meta.dirname,
    lutra: join(ROOT, "packages/lutra/dist"),
    "tfjs-core": dirname(require.resolve("@tensorflow/tfjs-core")),
    "tfjs-backend-wasm": dirname(require.resolve("@tensorflow/tfjs-backend-wasm")),
  };
}
