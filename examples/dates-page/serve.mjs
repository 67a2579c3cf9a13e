// A folder as a web site on this machine: `node examples/dates-page/serve.mjs [folder] [port]`, out/dates-page/site on 8080 if left out.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Without the right type a browser takes no module, style sheet or picture. */
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

const HEADERS = {
  // The page asks for nothing from elsewhere and evaluates no text; WebAssembly is what it needs besides.
  "content-security-policy": "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
  // Not needed to run programs. Browsers then let the page measure hundredths of a millisecond.
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cache-control": "no-cache",
  "x-content-type-options": "nosniff",
};

/** A server that listens on this machine alone, once it does. @param port 0 for any that is free */
export function serve(folder, port) {
  const root = resolve(folder);
  const server = createServer(async (request, response) => {
    const file = request.method === "GET" || request.method === "HEAD" ? await fileFor(root, request.url) : null;
    if (file === null) return response.writeHead(404, HEADERS).end("not found");
    const type = TYPES[extname(file.path)] ?? "application/octet-stream";
    response.writeHead(200, { ...HEADERS, "content-type": type, "content-length": file.bytes });
    if (request.method === "HEAD") return response.end();
    return createReadStream(file.path)
      .on("error", () => response.destroy())
      .pipe(response);
  });
  return new Promise((listening, failed) => {
    server.on("error", failed).listen(port, "localhost", () => listening(server));
  });
}

/** The file below the root that a URL names; null if there is none. */
async function fileFor(root, url) {
  try {
    const path = resolve(root, `.${decodeURIComponent(new URL(url, "http://localhost").pathname)}`);
    if (path !== root && !path.startsWith(root + sep)) return null;
    const found = await stat(path);
    if (found.isDirectory()) return path === root ? await fileFor(root, "/index.html") : null;
    return { path, bytes: found.size };
  } catch {
    // No such file, or no URL.
    return null;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = join("out", "dates-page", "site"), port = "8080"] = process.argv.slice(2);
  const server = await serve(folder, Number(port));
  console.log(`http://localhost:${server.address().port}/ (Ctrl-C ends it)`);
}
