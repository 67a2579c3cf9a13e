// The bytes of a file, wherever a program is loaded from: a page, a worker, Node.

import { LutraError } from "../../base/index.ts";

export type Source = string | URL | ArrayBuffer | Uint8Array;

export interface FetchOptions {
  /** Called as bytes arrive: how many there are, and how many there will be, null where the server does not say. */
  readonly onProgress?: (bytes: number, total: number | null) => void;
  /** Stops the transfer. */
  readonly signal?: AbortSignal;
}

/** What is used of Node. */
interface NodeProcess {
  getBuiltinModule?(name: "node:fs/promises"): {
    readFile(path: string | URL, options: { readonly signal?: AbortSignal }): Promise<Uint8Array<ArrayBuffer>>;
  };
}

/** Of the first byte in its buffer: what readers of programs want. */
const ALIGNMENT = 64;
/** Room for what comes without a length, at first. */
const FIRST_BYTES = 65536;

/**
 * @param source bytes, a URL, or a path: in Node of a file, elsewhere of a URL beside the page
 * @returns bytes that begin at a multiple of 64 in their buffer; those given, where they do
 * @throws LutraError "io" for what cannot be read; "cancelled"
 */
export async function fetchBytes(source: Source, options: FetchOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (source instanceof Uint8Array) return alignedBytes(source);
  const where = String(source);
  try {
    const file = fileOf(source);
    return file === null ? await transferred(where, options) : await readFrom(file, options);
  } catch (cause) {
    if (cause instanceof LutraError) throw cause;
    if (options.signal?.aborted) throw new LutraError("cancelled", "stopped while loading", { where, cause });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LutraError("io", `cannot be loaded: ${why}`, { where, cause });
  }
}

/** The file that a source names in Node; null where it is to be fetched. */
function fileOf(source: string | URL): string | URL | null {
  if (source instanceof URL) return source.protocol === "file:" ? source : null;
  if (source.startsWith("file:")) return new URL(source);
  const isRelative = !/^[a-z][a-z0-9+.-]+:/i.test(source);
  return isRelative && files() !== undefined ? source : null;
}

function files(): ReturnType<NonNullable<NodeProcess["getBuiltinModule"]>> | undefined {
  return (globalThis as { readonly process?: NodeProcess }).process?.getBuiltinModule?.("node:fs/promises");
}

async function readFrom(file: string | URL, { onProgress, signal }: FetchOptions): Promise<Uint8Array<ArrayBuffer>> {
  const read = files();
  if (read === undefined) throw new LutraError("io", "there are no files here", { where: String(file) });
  const bytes = alignedBytes(await read.readFile(file, signal === undefined ? {} : { signal }));
  onProgress?.(bytes.length, bytes.length);
  return bytes;
}

/**
 * How many bytes a server announces is a hint: of what is compressed on its way, pages may not see that it is. What a transfer lacks is for the
 * reader of the bytes to find.
 */
async function transferred(url: string, { onProgress, signal }: FetchOptions): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url, signal === undefined ? {} : { signal });
  if (!response.ok) throw new LutraError("io", `the server answers ${response.status}`, { where: url });
  let total = announced(response.headers);
  let bytes = new Uint8Array(total ?? FIRST_BYTES);
  let length = 0;
  const reader = response.body?.getReader();
  // A transfer that failed says so again here; undici of Node 20 ends no read that waits when its last byte has arrived.
  const stop = (): void => void reader?.cancel().catch(() => undefined);
  signal?.addEventListener("abort", stop);
  try {
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
      const end = length + part.value.length;
      if (end > bytes.length) {
        total = null;
        bytes = copied(bytes, Math.max(end, 2 * bytes.length));
      }
      bytes.set(part.value, length);
      length = end;
      onProgress?.(length, total);
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    stop();
  }
  signal?.throwIfAborted();
  return bytes.subarray(0, length);
}

function announced(headers: Headers): number | null {
  const length = Number(headers.get("content-length") ?? 0);
  return headers.get("content-encoding") === null && length > 0 && Number.isSafeInteger(length) ? length : null;
}

/** A plain array, whatever comes: the `slice` of Node's buffers is a view. */
function alignedBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = bytes;
  const isUsable = buffer instanceof ArrayBuffer && byteOffset % ALIGNMENT === 0;
  return isUsable ? new Uint8Array(buffer, byteOffset, length) : copied(bytes, length);
}

/** In a buffer of its own, with zeros behind. */
function copied(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytes);
  return copy;
}
