// A module beside its program, as bytes to be compressed: u32 version, heap, number of scratch sizes, these, then the module. Little-endian.

import { type MadeModule, MODULE_VERSION } from "./emit-program.ts";

const WORD_BYTES = 4;
const HEAD_WORDS = 3;
/** Bytes per column: kernels have far fewer values. */
const MOST_SCRATCH = 2 ** 16;

export function packModule({ bytes, heapBytes, scratch }: MadeModule): Uint8Array<ArrayBuffer> {
  const head = [MODULE_VERSION, heapBytes, scratch.length, ...scratch];
  const packed = new Uint8Array(head.length * WORD_BYTES + bytes.length);
  const view = new DataView(packed.buffer);
  for (const [i, word] of head.entries()) view.setUint32(i * WORD_BYTES, word, true);
  packed.set(bytes, head.length * WORD_BYTES);
  return packed;
}

/** @returns null for modules of another version */
export function unpackModule(packed: Uint8Array<ArrayBuffer>): MadeModule | null {
  if (packed.length < HEAD_WORDS * WORD_BYTES) return null;
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const word = (i: number): number => view.getUint32(i * WORD_BYTES, true);
  const [version, heapBytes, count] = [word(0), word(1), word(2)];
  const start = (HEAD_WORDS + count) * WORD_BYTES;
  if (version !== MODULE_VERSION || start > packed.length) return null;
  const scratch = Array.from({ length: count }, (_, i) => word(HEAD_WORDS + i));
  if (scratch.some((bytes) => bytes > MOST_SCRATCH)) return null;
  return { bytes: packed.subarray(start), heapBytes, scratch };
}
