// A headless Chromium and the server of the pages that tests open in it. The server knows only what it is given, the browser only one server.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, extname, join, normalize } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";

/** By the first part of the path: a folder, or files by the rest of the path. */
export type Served = Readonly<Record<string, string | Readonly<Record<string, string | Uint8Array>>>>;

export interface OpenPage {
  /** Calls an exported function of a served module; arguments and result travel as JSON. */
  call(module: string, name: string, ...args: readonly unknown[]): Promise<unknown>;
  /** Requests for anywhere but the server; they were refused. */
  readonly strays: readonly string[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** No sandbox, because tests may run as root; nothing that looks for the network. */
const FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** What a server says so that a page may share memory between threads. */
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

export interface PageOptions {
  /** Whether the server lets pages share memory between threads. */
  readonly isIsolated?: boolean;
  /** Answers requests for paths below /answered/. */
  readonly answer?: RequestListener;
}

export async function openPage(served: Served, { isIsolated = false, answer }: PageOptions = {}): Promise<OpenPage> {
  const server = await listen(served, isIsolated ? ISOLATED : {}, answer);
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const { context, strays, close } = await openBrowser(origin);
  const page = await context.newPage();
  await page.goto(`${origin}/`);
  return {
    strays,
    call: (module, name, ...args) =>
      page.evaluate(
        `import(${JSON.stringify(module)}).then((m) => m[${JSON.stringify(name)}](...${JSON.stringify(args)}))`,
      ),
    async close() {
      await close();
      server.close();
      server.closeAllConnections();
    },
  };
}

export interface OpenBrowser {
  readonly context: BrowserContext;
  /** Requests for anywhere but the origin; they were refused. */
  readonly strays: readonly string[];
  close(): Promise<void>;
}

/** A browser that reaches one origin and nothing else. */
export async function openBrowser(origin: string): Promise<OpenBrowser> {
  const profile = mkdtempSync(join(tmpdir(), "lutra-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: findChromium(),
    args: FLAGS,
    headless: true,
  });
  const strays: string[] = [];
  await context.route(
    (url) => url.origin !== origin,
    (route) => {
      strays.push(route.request().url());
      return route.abort();
    },
  );
  return {
    context,
    strays,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Where PATH has it: playwright-core wants a path. */
function findChromium(): string {
  const candidates = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "chromium"));
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined) throw new Error("chromium is not on PATH");
  return found;
}

function listen(served: Served, headers: Readonly<Record<string, string>>, answer?: RequestListener): Promise<Server> {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    if (answer !== undefined && path.startsWith("/answered/")) return answer(request, response);
    const content = path === "/" ? "<!doctype html><title>test</title>" : contentOf(served, path);
    if (content === null) response.writeHead(404).end();
    else
      response
        .writeHead(200, { "content-type": TYPES[extname(path) || ".html"] ?? "application/octet-stream", ...headers })
        .end(content);
  });
  return new Promise((resolve) => server.listen(0, "localhost", () => resolve(server)));
}

function contentOf(served: Served, path: string): string | Uint8Array | null {
  const [, first, ...rest] = normalize(path).split("/");
  const from = served[first];
  if (from === undefined) return null;
  if (typeof from !== "string") return from[rest.join("/")] ?? null;
  try {
    return readFileSync(join(from, ...rest));
  } catch {
    return null;
  }
}
