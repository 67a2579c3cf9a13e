// The module that a file brings along, so that none need be emitted: inflated, and used if it is one of this version.

import { type MadeModule, unpackModule } from "../../target/wasm/index.ts";

/** Modules are much shorter: a file that says otherwise is not believed. */
const MOST_BYTES = 2 ** 26;

/** @returns null for what is no module of this version, or where nothing inflates it */
export async function madeModule(deflated: Uint8Array<ArrayBuffer>): Promise<MadeModule | null> {
  try {
    const packed = await inflated(deflated);
    return packed === null ? null : unpackModule(packed);
  } catch {
    return null;
  }
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | null> {
  const zlib = nodeZlib();
  // In Node, where streams take 20 ms to begin with.
  if (zlib !== undefined) return new Uint8Array(zlib.inflateRawSync(bytes, { maxOutputLength: MOST_BYTES }));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > MOST_BYTES) {
      await reader.cancel();
      return null;
    }
    parts.push(part.value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** What is used of Node. */
interface NodeZlib {
  /** @throws RangeError for more than so many bytes */
  inflateRawSync(bytes: Uint8Array, options: { readonly maxOutputLength: number }): Uint8Array;
}

function nodeZlib(): NodeZlib | undefined {
  const node = globalThis as { readonly process?: { getBuiltinModule?(name: "node:zlib"): NodeZlib } };
  return node.process?.getBuiltinModule?.("node:zlib");
}
