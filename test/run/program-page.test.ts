// Programs in headless Chromium: the example page as it is built and served, and `load` in a page and in a Web Worker.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assemble, compileArguments, compileDates } from "../../examples/dates-page/build.mjs";
import { serve } from "../../examples/dates-page/serve.mjs";
import { decode, encode, LENGTH } from "../../examples/dates-page/site/dates.js";
import { EXAMPLES } from "../../models/demo/examples.mjs";
import { answersOf } from "../../models/train/src/batch.ts";
import { distinctSamples } from "../../models/train/src/dates.ts";
import { encode as encodeInTraining } from "../../models/train/src/vocabulary.ts";
import type { Tensor, Tensors } from "../../packages/lutra/src/base/index.ts";
import { interpret, readProgram } from "../../packages/lutra/src/program/index.ts";
import { type LoadedProgram, load } from "../../packages/lutra/src/run/index.ts";
import { type OpenBrowser, type OpenPage, openBrowser, openPage } from "../runtimes/browser.ts";
import { describeWith, ROOT } from "../shared.ts";
import { FAMILIES, withoutBaselineCompiler } from "../target/wasm/forms.ts";
import { answersWith } from "./program-server.ts";

withoutBaselineCompiler();

const folder = mkdtempSync(join(tmpdir(), "lutra-page-"));
const site = join(folder, "site");
let path: string;
let file: Uint8Array<ArrayBuffer>;
/** As read and run in Node, which the first test holds against the interpreter. */
let loaded: LoadedProgram;
/** Some texts as ids, and what the interpreter answers. */
let known: { readonly ids: readonly (readonly number[])[]; readonly codes: readonly number[]; readonly scale: number };

beforeAll(async () => {
  path = compileDates(join(folder, "model"), "pipe");
  assemble(path, site);
  file = new Uint8Array(readFileSync(path));
  loaded = await load(path, { form: "simd" });
  const program = readProgram(file);
  const ids = EXAMPLES.slice(0, 4).map(([text]) => [...encode(text as string)]);
  const scale = loaded.outputs.digits?.quantization?.scale as number;
  known = { ids, codes: codesOf(interpret(program, inputsOf(ids))), scale };
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("the example's dates", () => {
  const texts = [...EXAMPLES, ...distinctSamples("demo", 500, 5).map(({ text, iso }) => [text, iso])];

  it("become the ids that the model was trained with", () => {
    for (const [text] of [...texts, ["Ж, emoji 🗓 and a text that is longer than any date"], [""]]) {
      expect([...encode(text as string)], text).toEqual(encodeInTraining(text as string));
    }
  });

  it("are read off the scores as in training", () => {
    const scores = Float32Array.from({ length: 80 }, (_, i) => ((i * 37) % 80) / 10);
    expect(decode(scores).iso).toBe(answersOf(scores)[0]);
  });

  it("are of the calendar or not, and sure or not", () => {
    const scoresOf = (digits: string): Float32Array =>
      Float32Array.from({ length: 80 }, (_, i) => (Number(digits[Math.floor(i / 10)]) === i % 10 ? 9 : 0));
    expect(decode(scoresOf("20240229"))).toMatchObject({ iso: "2024-02-29", isDay: true });
    expect(decode(scoresOf("20230229"))).toMatchObject({ iso: "2023-02-29", isDay: false });
    expect(decode(scoresOf("20231301"))).toMatchObject({ iso: "2023-13-01", isDay: false });
    expect(Math.min(...decode(scoresOf("20240229")).sure)).toBeCloseTo(1 / (1 + 9 * Math.exp(-9)), 6);
    expect(decode(new Float32Array(80)).sure).toEqual(Array(8).fill(0.1));
  });
});

describe("the example's README", () => {
  const example = join(ROOT, "examples", "dates-page");
  const text = readFileSync(join(example, "README.md"), "utf8");

  it("names scripts and files that there are", () => {
    const scripts = [...text.matchAll(/^node (\S+)/gm)].map(([, script]) => join(ROOT, script as string));
    const links = [...text.matchAll(/\]\((?!http)([^)]+)\)/g)].map(([, link]) => join(example, link as string));
    expect(scripts.length).toBeGreaterThan(2);
    for (const path of [...scripts, ...links]) expect(existsSync(path), path).toBe(true);
  });

  it("compiles as the build does", () => {
    const command = /^npx lutra (.*)$/m.exec(text)?.at(1);
    const built = compileArguments(join("out", "dates-page", "model")).join(" ");
    expect(command).toBe(built);
  });
});

describe("the example's server", () => {
  const root = join(folder, "served");
  let server: Awaited<ReturnType<typeof serve>>;
  let origin: string;
  beforeAll(async () => {
    mkdirSync(join(root, "inner"), { recursive: true });
    for (const name of ["index.html", "a b.js", "model.lutra"]) writeFileSync(join(root, name), name);
    writeFileSync(join(folder, "served-secret"), "secret");
    server = await serve(root, 0);
    origin = `http://localhost:${(server.address() as { readonly port: number }).port}`;
  });
  afterAll(() => server.close());

  it.each([
    ["/", "index.html", "text/html; charset=utf-8"],
    ["/a%20b.js?x#y", "a b.js", "text/javascript; charset=utf-8"],
    ["/model.lutra", "model.lutra", "application/octet-stream"],
  ])("sends %s with its type and length", async (path, content, type) => {
    const response = await fetch(origin + path);
    expect(await response.text()).toBe(content);
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("content-length")).toBe(String(content.length));
    const head = await fetch(origin + path, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it.each(["/missing", "/inner", "/%2e%2e/served-secret", "/..%2fserved-secret", "/%00", "/%zz", "/model.lutra/x"])(
    "has no %s",
    async (path) => {
      expect((await fetch(origin + path)).status).toBe(404);
    },
  );

  it("takes nothing", async () => {
    expect((await fetch(`${origin}/model.lutra`, { method: "PUT", body: "x" })).status).toBe(404);
    expect(readFileSync(join(root, "model.lutra"), "utf8")).toBe("model.lutra");
  });
});

function inputsOf(ids: readonly (readonly number[])[]): Tensors {
  return { ids: { shape: [ids.length, LENGTH], data: Int32Array.from(ids.flat()) } };
}

function codesOf({ digits }: Tensors): readonly number[] {
  return Array.from((digits as Tensor).data, Number);
}

describe("the program in Node", () => {
  it.each(FAMILIES)("gives the bits of the interpreter from its path, form %s", async (form) => {
    const loaded = await load(path, { form });
    expect(codesOf(loaded.runCodes(inputsOf(known.ids)))).toEqual(known.codes);
  });
});

describeWith({ command: "chromium" }, "the example page", () => {
  let child: ChildProcess;
  let url: string;
  let browser: OpenBrowser;
  beforeAll(async () => {
    child = spawn(process.execPath, [join(ROOT, "examples", "dates-page", "serve.mjs"), site, "0"]);
    const printed = await new Promise((resolve) => child.stdout?.once("data", (text) => resolve(String(text))));
    url = String(printed).split(" ")[0] as string;
    browser = await openBrowser(new URL(url).origin);
  });
  afterAll(async () => {
    await browser?.close();
    child?.kill();
  });

  /** The page once its model is ready; what its console says is collected. */
  async function opened(): Promise<{ readonly page: Page; readonly says: readonly string[] }> {
    const page = await browser.context.newPage();
    const says: string[] = [];
    page.on("console", (message) => says.push(message.text()));
    page.on("pageerror", (error) => says.push(error.message));
    await page.goto(url);
    await page.getByText(/^Ready/).waitFor();
    return { page, says };
  }

  it("reads dates, each in some time, and asks for nothing from elsewhere", async () => {
    const { page, says } = await opened();
    const date = page.locator("#date");
    await expect.poll(() => date.textContent()).toBe("1969-03-06");
    for (const [text, iso] of EXAMPLES) {
      await page.getByRole("textbox", { name: "A date" }).fill(text as string);
      await expect.poll(() => date.textContent(), { message: text as string }).toBe(iso);
      expect(await page.locator("#time").textContent()).toMatch(/^Read in (\d+\.\d\d|less than 0.1) ms\.$/);
      expect(await page.locator("#doubt").textContent()).toBe("");
    }
    expect(await page.locator("#status").textContent()).toMatch(/SIMD, \d+ kB of memory\.$/);
    expect(await page.getByRole("progressbar").count()).toBe(0);
    expect(says).toEqual([]);
    expect(browser.strays).toEqual([]);
    await page.close();
  });

  it("reads its own examples as the model does in Node", async () => {
    const { page } = await opened();
    const buttons = await page.getByRole("listitem").getByRole("button").all();
    expect(buttons.length).toBeGreaterThan(5);
    for (const button of buttons) {
      const text = (await button.textContent()) as string;
      await button.click();
      expect(await page.getByRole("textbox").inputValue()).toBe(text);
      await expect.poll(() => page.locator("#date").textContent(), { message: text }).toBe(isoInNode(text));
    }
    await page.close();
  });

  it("says what it is not sure of, and which days there are none", async () => {
    const { page } = await opened();
    await page.getByRole("textbox").fill("30 February 2021");
    await page.getByText("no day of the calendar").waitFor();
    await page.getByRole("textbox").fill("hello");
    await page.getByText(/^not sure of the/).waitFor();
    await page.getByRole("textbox").fill("");
    await expect.poll(() => page.locator("#doubt").textContent()).toBe("");
    await page.close();
  });

  it("fits a phone, light and dark", async () => {
    const { page } = await opened();
    await page.setViewportSize({ width: 320, height: 640 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      const heights = await page.getByRole("button").evaluateAll((all) => all.map((each) => each.clientHeight));
      expect(Math.min(...heights)).toBeGreaterThanOrEqual(42);
    }
    await page.close();
  });

  it("says what is wrong, and tries again", async () => {
    const page = await browser.context.newPage();
    await browser.context.route("**/dates.lutra", (route) => route.fulfill({ status: 404 }), { times: 1 });
    await page.goto(url);
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(
      /The model does not run here: the server answers 404; http.*dates\.lutra\./,
    );
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("1969-03-06").waitFor();
    expect(await alert.count()).toBe(0);
    await page.close();
  });

  it("says what a site's policy has to allow", async () => {
    const page = await browser.context.newPage();
    await page.route("**/reader.js", async (route) => {
      const response = await route.fetch();
      const headers = { ...response.headers(), "content-security-policy": "default-src 'self'" };
      await route.fulfill({ response, headers });
    });
    await page.goto(url);
    await page.getByRole("alert").waitFor();
    expect(await page.getByRole("alert").textContent()).toMatch(
      /may not be compiled here.*'wasm-unsafe-eval' in script-src/,
    );
    await page.close();
  });

  function isoInNode(text: string): string {
    const codes = codesOf(loaded.runCodes(inputsOf([[...encode(text)]])));
    return decode(Float32Array.from(codes)).iso;
  }
});

describeWith({ command: "chromium" }, "load in headless Chromium", () => {
  let page: OpenPage;
  beforeAll(async () => {
    const served = { test: import.meta.dirname, lutra: join(ROOT, "packages/lutra/dist") };
    page = await openPage(served, { answer: answersWith(file) });
  });
  afterAll(() => page?.close());

  describe.each(["inPage", "inWorker"])("%s", (place) => {
    const call = (name: string, file: string, ...args: readonly unknown[]): Promise<unknown> =>
      page.call("/test/program-page.mjs", place, name, `/answered/${file}.lutra`, ...args);

    it.each(["simd", "relaxed"])("gives the bits of the interpreter, form %s", async (form) => {
      const { ids, codes, scale } = known;
      const answers = await call("answersOf", "whole", ids, form);
      expect(answers).toMatchObject({ form, codes, numbers: codes.map((code) => Math.fround(scale * code)) });
    });

    it("tells how far it is", async () => {
      const { progress } = (await call("answersOf", "whole", [[...encode("1.3.21")]])) as {
        readonly progress: readonly (readonly [number, number])[];
      };
      const counts = progress.map(([bytes]) => bytes);
      expect(counts.length).toBeGreaterThan(2);
      expect(counts[0]).toBeGreaterThan(0);
      expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
      expect(new Set(progress.map(([, total]) => total))).toEqual(new Set([file.length]));
      expect(counts.at(-1)).toBe(file.length);
    });

    it.each(["without-length", "compressed"])("has no total where there is none: %s", async (name) => {
      const { progress } = (await call("answersOf", name, [[...encode("1.3.21")]])) as { readonly progress: unknown[] };
      expect(progress.at(-1)).toEqual([file.length, null]);
    });

    it.each([
      ["missing", "io"],
      ["failing", "io"],
      ["broken-off", "io"],
      ["truncated", "bad-model"],
      ["damaged", "bad-model"],
      ["empty", "bad-model"],
      ["page", "bad-model"],
    ])("refuses what is %s: %s", async (name, code) => {
      const where = `/answered/${name}.lutra`;
      expect(await call("refusalOf", name)).toMatchObject({ isLutraError: true, code, where });
    });

    it.each([
      ["whole", "start"],
      ["whole", "first bytes"],
      ["stalled", "first bytes"],
    ])("is cancelled: %s, %s", async (name, moment) => {
      expect(await call("cancelledAt", name, moment)).toMatchObject({ isLutraError: true, code: "cancelled" });
    });
  });

  it("asks for nothing from elsewhere", () => {
    expect(page.strays).toEqual([]);
  });
});
