// A program's file as servers may send it, well or badly.
import type { RequestListener, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";

/** Parts of a file, and the pause between them: so that they arrive one by one. */
const PARTS = 8;
const PAUSE_MS = 20;

type Answer = (response: ServerResponse, file: Uint8Array) => unknown;

/** By the name of the file that is asked for. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  "whole.lutra": (response, file) => send(response, file, { "content-length": file.length }),
  "without-length.lutra": (response, file) => send(response, file),
  "compressed.lutra": (response, file) => {
    const bytes = gzipSync(file);
    return send(response, bytes, { "content-length": bytes.length, "content-encoding": "gzip" });
  },
  "damaged.lutra": (response, file) => {
    const bytes = Uint8Array.from(file);
    bytes[bytes.length - 100] ^= 1;
    return send(response, bytes, { "content-length": bytes.length });
  },
  "truncated.lutra": (response, file) => {
    const half = file.subarray(0, file.length / 2);
    return send(response, half, { "content-length": half.length });
  },
  "broken-off.lutra": async (response, file) => {
    response.writeHead(200, { "content-length": file.length }).write(file.subarray(0, file.length / 2));
    await wait(PAUSE_MS);
    response.destroy();
  },
  "stalled.lutra": (response, file) => {
    response.writeHead(200, { "content-length": file.length }).write(file.subarray(0, file.length / 2));
  },
  "empty.lutra": (response) => response.writeHead(200, { "content-length": 0 }).end(),
  "page.lutra": (response) => response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>"),
  "failing.lutra": (response) => response.writeHead(500).end("what went wrong"),
};

/** Sends a file as its name in the URL says; 404 for other names. */
export function answersWith(file: Uint8Array): RequestListener {
  return (request, response) => {
    const name = request.url?.split("/").at(-1) ?? "";
    const answer = ANSWERS[name];
    if (answer === undefined) response.writeHead(404).end("not found");
    else answer(response, file);
  };
}

async function send(
  response: ServerResponse,
  bytes: Uint8Array,
  headers: Record<string, number | string> = {},
): Promise<void> {
  response.writeHead(200, headers);
  const size = Math.ceil(bytes.length / PARTS);
  for (let at = 0; at < bytes.length; at += size) {
    response.write(bytes.subarray(at, at + size));
    await wait(PAUSE_MS);
  }
  response.end();
}
