// A kernel as WebAssembly on a page: its loader fetches the module that lies beside it, and answers with interpret's bits.

import { afterAll, beforeAll, expect, it } from "vitest";
import { finish } from "../../packages/lutra/src/base/index.ts";
import { solve } from "../../packages/lutra/src/fit/index.ts";
import { fill, interpret } from "../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../packages/lutra/src/layer/index.ts";
import { BINARY32, random } from "../../packages/lutra/src/num/index.ts";
import { problemOf } from "../../packages/lutra/src/question.ts";
import { emit } from "../../packages/lutra/src/target/loader/index.ts";
import { describeWith } from "../shared.ts";
import { type OpenPage, openPage } from "./browser.ts";

/** Calls a loader's kernel on numbers, once on an array of the page's and once in the kernel's own memory. */
const PAGE = `export async function answer(module, numbers) {
  const { load } = await import(module);
  const kernel = await load();
  const { x, y } = kernel.buffers(numbers.length);
  x.set(numbers);
  return [[...kernel(Float32Array.from(numbers))], [...kernel(x, y)]];
}
`;

describeWith({ command: "chromium" }, "a kernel and its loader in headless Chromium", () => {
  const { table } = finish(
    solve(problemOf({ fn: "gelu", input: BINARY32, segments: 16, norm: "max" }), "optimal", { seed: 1 }),
  );
  const kernel = fill(elementwise(table.spec), { f: table });
  let page: OpenPage;

  beforeAll(async () => {
    const files = emit(kernel, { forms: ["relaxed", "simd"] }).map((file) => [
      file.name,
      "text" in file ? file.text : file.bytes,
    ]);
    const loader = files.filter(([name]) => name === "lut_gelu.js");
    page = await openPage({
      emitted: Object.fromEntries(files),
      lost: Object.fromEntries(loader),
      test: { "page.mjs": PAGE },
    });
  });
  afterAll(() => page?.close());

  it("answer 20,000 seeded numbers", async () => {
    const source = random(4);
    const x = Array.from({ length: 20_000 }, () => Math.fround(3 * source.normal()));
    const meant = Array.from(interpret(kernel, { x: Float64Array.from(x) }, 1, x.length)[0] as Float64Array);
    expect(await page.call("/test/page.mjs", "answer", "/emitted/lut_gelu.js", x)).toEqual([meant, meant]);
  });

  it("name the file that the server does not have", async () => {
    const lost = page.call("/lost/lut_gelu.js", "load");
    await expect(lost).rejects.toThrow(/\/lost\/lut_gelu\.relaxed\.wasm: 404/);
  });
});
