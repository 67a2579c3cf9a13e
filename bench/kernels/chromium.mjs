// Races in a page of headless Chromium, which reaches nothing but the files below. Isolated from other origins, for a clock of 5 us.
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { delimiter, extname, join } from "node:path";
import { chromium } from "playwright-core";
import { ROOT } from "../lutra.mjs";

const ORIGIN = "http://localhost";
const FOLDERS = {
  bench: join(ROOT, "bench"),
  lutra: join(ROOT, "packages", "lutra", "dist"),
  "onnxruntime-web": join(ROOT, "node_modules", "onnxruntime-web", "dist"),
};
const IMPORTS = { "lutra/run": "/lutra/run/index.js", "onnxruntime-web": "/onnxruntime-web/ort.wasm.min.mjs" };
const PAGE = `<!doctype html><script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
/** No sandbox, because benches may run as root. */
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];

/** Runs bench/BENCH/in-page.mjs. @param files a folder that the page finds under /given/, if there is one */
export async function runInChromium(bench, given, files) {
  const load = loadavg()[0];
  const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
  try {
    const page = await browser.newPage();
    page.on("console", (message) => console.log(`  ${message.text()}`));
    const folders = files === undefined ? FOLDERS : { ...FOLDERS, given: files };
    await page.route("**/*", (route) => answer(route, given, folders));
    await page.goto(`${ORIGIN}/`);
    const found = await page.evaluate(`import("/bench/${bench}/in-page.mjs").then((module) => module.measure())`);
    return { runtime: `Chromium ${browser.version()}`, load, ...found };
  } finally {
    await browser.close();
  }
}

/** Files of the folders above, the page and what it is given; nothing else exists. */
function answer(route, given, folders) {
  const { origin, pathname } = new URL(route.request().url());
  if (origin !== ORIGIN) return route.abort();
  if (pathname === "/") return route.fulfill({ body: PAGE, contentType: "text/html", headers: HEADERS });
  if (pathname === "/given.json") return route.fulfill({ body: given, contentType: "application/json" });
  const [, first, ...rest] = pathname.split("/");
  const path = first in folders ? join(folders[first], ...rest) : null;
  if (path === null || !existsSync(path)) return route.fulfill({ status: 404 });
  return route.fulfill({ path, contentType: TYPES[extname(path)], headers: HEADERS });
}

/** Where PATH has it: playwright-core wants a path. */
function findChromium() {
  const candidates = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "chromium"));
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) throw new Error("chromium is not on PATH");
  return found;
}
