// lutra/run in headless Chromium: in a page, in a Web Worker, and with threads where the server lets pages share memory.

import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toJson } from "../../packages/lutra/src/base/index.ts";
import { tablesOf } from "../../packages/lutra/src/kernel/index.ts";
import { compileKernel } from "../../packages/lutra/src/run/index.ts";
import { type OpenPage, openPage } from "../runtimes/browser.ts";
import { describeWith, ROOT } from "../shared.ts";
import { kernelOf } from "./kernels.ts";

const kernel = kernelOf("binary32");
const table = toJson(tablesOf(kernel).f);
const x = Array.from({ length: 100 }, (_, i) => i / 8 - 6);
const expected = [...compileKernel(kernel).run(Float32Array.from(x))];
const COUNT = 1_000_003;

describeWith({ command: "chromium" }, "in headless Chromium", () => {
  describe.each([true, false])("cross-origin isolated: %s", (isIsolated) => {
    let page: OpenPage;
    beforeAll(async () => {
      const served = { test: import.meta.dirname, lutra: join(ROOT, "packages/lutra/dist") };
      page = await openPage(served, { isIsolated });
    });
    afterAll(() => page?.close());

    test.each(["answer", "answerInWorker"])("a kernel gives the bits that it gives in Node: %s", async (name) => {
      const answers = await page.call("/test/page.mjs", name, table, x);
      expect(answers).toMatchObject({ outside: expected, inside: expected });
    });

    test.each(["comparePool", "comparePoolInWorker"])("threads: %s", async (name) => {
      const found = await page.call("/test/page.mjs", name, table, 3, COUNT);
      const refusal = { message: "this page's memory cannot be shared with threads" };
      if (isIsolated) expect(found).toEqual({ wrong: 0 });
      else expect(found).toMatchObject(refusal);
    });

    test("a pool of one thread needs no shared memory", async () => {
      expect(await page.call("/test/page.mjs", "comparePool", table, 1, COUNT)).toEqual({ wrong: 0 });
    });
  });
});
