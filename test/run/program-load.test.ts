// `load` in Node: from every kind of source the same program; what is missing, cut off or damaged is a LutraError and never a hang.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { LutraError } from "../../packages/lutra/src/base/index.ts";
import { interpret, writeProgram } from "../../packages/lutra/src/program/index.ts";
import { type LoadOptions, load, type Source } from "../../packages/lutra/src/run/index.ts";
import { classifier } from "../program/programs.ts";
import { answersWith } from "./program-server.ts";

const PROGRAM = classifier();
const FILE = writeProgram(PROGRAM);
const INPUTS = { x: { shape: [3, 12], data: Int8Array.from({ length: 36 }, (_, i) => 7 * i - 128) } };
const EXPECTED = interpret(PROGRAM, INPUTS);

const folder = mkdtempSync(join(tmpdir(), "lutra-load-"));
const path = join(folder, "a program.lutra");
let server: Server;
let origin: string;
let closedOrigin: string;

beforeAll(async () => {
  writeFileSync(path, FILE);
  server = await listening(createServer(answersWith(FILE)));
  origin = originOf(server);
  const closed = await listening(createServer());
  closedOrigin = originOf(closed);
  closed.close();
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

function listening(made: Server): Promise<Server> {
  return new Promise((resolve) => made.listen(0, "localhost", () => resolve(made)));
}

function originOf(made: Server): string {
  return `http://localhost:${(made.address() as AddressInfo).port}`;
}

async function expectLoads(source: Source, options?: LoadOptions): Promise<void> {
  const program = await load(source, options);
  expect(program.runCodes(INPUTS)).toEqual(EXPECTED);
}

async function refusal(source: Source, options?: LoadOptions): Promise<LutraError> {
  const thrown = await load(source, options).then(
    () => new Error("was loaded"),
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(LutraError);
  return thrown as LutraError;
}

/** The file from some byte of a larger array on. */
function within(array: Uint8Array, at: number): Uint8Array {
  array.set(FILE, at);
  return array.subarray(at, at + FILE.length);
}

describe("a program is loaded", () => {
  const sources: readonly (readonly [string, () => Source])[] = [
    ["a path", () => path],
    ["a path from the working directory", () => relative(process.cwd(), path)],
    ["a file: URL", () => pathToFileURL(path)],
    ["the text of a file: URL", () => pathToFileURL(path).href],
    ["an http: URL", () => new URL(`${origin}/whole.lutra`)],
    ["the text of an http: URL", () => `${origin}/whole.lutra`],
    ["a server that does not say how long it is", () => `${origin}/without-length.lutra`],
    ["a server that compresses it", () => `${origin}/compressed.lutra`],
    ["a data: URL", () => `data:;base64,${Buffer.from(FILE).toString("base64")}`],
    ["an ArrayBuffer", () => FILE.buffer],
    ["bytes", () => FILE],
    ["bytes at an odd place of their buffer", () => within(new Uint8Array(FILE.length + 8), 1)],
    ["bytes of shared memory", () => within(new Uint8Array(new SharedArrayBuffer(FILE.length)), 0)],
    ["bytes at an odd place of shared memory", () => within(new Uint8Array(new SharedArrayBuffer(FILE.length + 8)), 3)],
    ["a Buffer", () => Buffer.from(FILE)],
    ["a Buffer at an odd place of its memory", () => within(Buffer.alloc(FILE.length + 8), 5)],
  ];
  it.each(sources)("from %s", async (_, source) => {
    await expectLoads(source());
  });

  it("from a relative path with a colon in it", async () => {
    writeFileSync(join(folder, "at 12:30.lutra"), FILE);
    await expectLoads(join(relative(process.cwd(), folder), "at 12:30.lutra"));
  });

  it("without changing bytes that it was given", async () => {
    const bytes = FILE.slice();
    await expectLoads(bytes);
    expect(bytes).toEqual(FILE);
  });
});

/** The calls of onProgress while a program is loaded. */
async function progressOf(source: Source): Promise<readonly (readonly [bytes: number, total: number | null])[]> {
  const calls: (readonly [number, number | null])[] = [];
  await load(source, { onProgress: (bytes, total) => calls.push([bytes, total]) });
  return calls;
}

describe("progress", () => {
  it("grows to the announced length", async () => {
    const calls = await progressOf(`${origin}/whole.lutra`);
    const counts = calls.map(([bytes]) => bytes);
    expect(counts.length).toBeGreaterThan(2);
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
    expect(calls.at(-1)).toEqual([FILE.length, FILE.length]);
    expect(new Set(calls.map(([, total]) => total))).toEqual(new Set([FILE.length]));
  });

  it.each(["without-length", "compressed"])("has no total where the server says none: %s", async (name) => {
    const calls = await progressOf(`${origin}/${name}.lutra`);
    expect(calls.length).toBeGreaterThan(1);
    expect(calls.at(-1)).toEqual([FILE.length, null]);
  });

  it("is told of files at once", async () => {
    expect(await progressOf(path)).toEqual([[FILE.length, FILE.length]]);
  });
});

describe("where a page does not see that a transfer is compressed", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([10, FILE.length - 1, FILE.length + 1])("%i announced bytes do not matter", async (announced) => {
    const body = new Blob([FILE]);
    vi.stubGlobal("fetch", async () => new Response(body, { headers: { "content-length": String(announced) } }));
    await expectLoads("https://elsewhere.example/model.lutra");
  });
});

describe("a load fails with", () => {
  const answers: readonly (readonly [string, string, string])[] = [
    ["missing", "io", "404"],
    ["failing", "io", "500"],
    ["broken-off", "io", "cannot be loaded"],
    ["truncated", "bad-model", "instead of"],
    ["damaged", "bad-model", "checksums"],
    ["empty", "bad-model", "not a lutra program"],
    ["page", "bad-model", "not a lutra program"],
  ];
  it.each(answers)("a server's %s file: %s", async (name, code, message) => {
    const url = `${origin}/${name}.lutra`;
    const error = await refusal(url);
    expect(error).toMatchObject({ code, where: url });
    expect(error.message).toContain(message);
  });

  it("a server that does not answer: io", async () => {
    expect(await refusal(`${closedOrigin}/model.lutra`)).toMatchObject({ code: "io" });
  });

  it("a file that is missing, and with a folder: io", async () => {
    const missing = join(folder, "missing.lutra");
    expect(await refusal(missing)).toMatchObject({ code: "io", where: missing });
    expect(await refusal(folder)).toMatchObject({ code: "io", where: folder });
  });

  it("every file that ends early: bad-model", async () => {
    for (let length = 0; length < FILE.length; length += 7) {
      expect(await refusal(FILE.subarray(0, length)), `${length} bytes`).toMatchObject({ code: "bad-model" });
    }
  });

  it("another form: bad-argument", async () => {
    expect(await refusal(FILE, { form: "scalar" as "simd" })).toMatchObject({ code: "bad-argument" });
  });
});

describe("a load that is aborted", () => {
  it.each(["whole", "stalled", "without-length"])(
    "throws cancelled while a transfer is under way: %s",
    async (name) => {
      const abort = new AbortController();
      const options = { signal: abort.signal, onProgress: () => abort.abort() };
      expect(await refusal(`${origin}/${name}.lutra`, options)).toMatchObject({ code: "cancelled" });
    },
  );

  it("throws cancelled before it begins, whatever the source", async () => {
    const signal = AbortSignal.abort();
    for (const source of [`${origin}/whole.lutra`, path, FILE]) {
      expect(await refusal(source, { signal })).toMatchObject({ code: "cancelled" });
    }
  });

  it("throws cancelled when the last byte has arrived", async () => {
    const abort = new AbortController();
    const onProgress = (bytes: number): void => {
      if (bytes === FILE.length) abort.abort();
    };
    for (const source of [`${origin}/whole.lutra`, path]) {
      expect(await refusal(source, { signal: abort.signal, onProgress })).toMatchObject({ code: "cancelled" });
    }
  });
});
