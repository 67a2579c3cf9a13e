// Races in a page of headless Chromium, which reaches nothing but the files below. Isolated from other origins, for a clock of 5 us.
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { delimiter, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { ROOT } from "../lutra.mjs";

const ORIGIN = "http://localhost";
const HERE = fileURLToPath(new URL(".", import.meta.url));
const FOLDERS = {
  bench: HERE,
  lutra: join(ROOT, "packages", "lutra", "dist"),
  "onnxruntime-web": join(ROOT, "node_modules", "onnxruntime-web", "dist"),
};
const IMPORTS = { "lutra/run": "/lutra/run/index.js", "onnxruntime-web": "/onnxruntime-web/ort.wasm.min.mjs" };
const PAGE = `<!doctype html><script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };
const HEADERS = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
/** No sandbox, because benches may run as root. */
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"];

export async function runInChromium(given) {
  const load = loadavg()[0];
  const browser = await chromium.launch({ executablePath: findChromium(), args: FLAGS });
  try {
    const page = await browser.newPage();
    page.on("console", (message) => console.log(`  ${message.text()}`));
    await page.route("**/*", (route) => answer(route, given));
    await page.goto(`${ORIGIN}/`);
    const found = await page.evaluate(`import("/bench/in-page.mjs").then((module) => module.measure())`);
    return { runtime: `Chromium ${browser.version()}`, load, ...found };
  } finally {
    await browser.close();
  }
}

/** Files of the folders above, the page and what it is given; nothing else exists. */
function answer(route, given) {
  const { origin, pathname } = new URL(route.request().url());
  if (origin !== ORIGIN) return route.abort();
  if (pathname === "/") return route.fulfill({ body: PAGE, contentType: "text/html", headers: HEADERS });
  if (pathname === "/given.json") return route.fulfill({ body: given, contentType: "application/json" });
  const [, first, ...rest] = pathname.split("/");
  const path = first in FOLDERS ? join(FOLDERS[first], ...rest) : null;
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
