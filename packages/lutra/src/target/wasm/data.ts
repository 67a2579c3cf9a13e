// The constant memory of a module: tables one after another from the first address on, each aligned so that no pair crosses a cache line.
// Long tables of few pairs are kept as runs, which the module repeats when it is made: repeat.ts. Bytes of one place in a pair lie
// together there, since they are alike: such a module compresses to two thirds.

import { littleEndian } from "./assembler-bytes.ts";
import type { DataSegment } from "./assembler-module.ts";

const ALIGNMENT = 64;
/** Of a run in memory: a pair and how many copies there are. */
export const RUN_BYTES = 11;

/**
 * Pairs that a module writes when it is made, from `to` on. Of runs there is first the first byte of each, then the second of each, and
 * so on, the number of copies being the last bytes.
 */
export interface Repetition {
  readonly runs: number;
  readonly count: number;
  readonly to: number;
}

export class DataLayout {
  readonly segments: DataSegment[] = [];
  readonly repetitions: Repetition[] = [];
  #end: number;

  /** @param base address of the first byte, a multiple of 64 */
  constructor(base: number) {
    if (!(Number.isInteger(base / ALIGNMENT) && base >= 0)) {
      throw new RangeError(`tables begin at a multiple of ${ALIGNMENT}, got ${base}`);
    }
    this.#end = base;
  }

  /** Address of the first byte behind all tables, aligned. */
  get end(): number {
    return this.#end;
  }

  /** Puts words into memory. @returns their address */
  words(values: readonly number[], type: "f32" | "i32"): number {
    return this.bytes(new Uint8Array(littleEndian(values, type)));
  }

  /** Puts pairs of floats into memory, as runs of equal ones where that is shorter. @returns their address */
  pairs(words: Float32Array): number {
    const bits = new Uint32Array(words.buffer, words.byteOffset, words.length);
    const starts = runStarts(bits);
    if (starts.length * RUN_BYTES >= words.byteLength) return this.words(Array.from(words), "f32");
    const to = this.reserve(words.byteLength);
    const count = starts.length;
    const runs = new Uint8Array(count * RUN_BYTES);
    starts.forEach((start, i) => {
      const copies = ((starts[i + 1] ?? bits.length) - start) / 2;
      const run = [bits[start] as number, bits[start + 1] as number, copies];
      const bytes = new Uint8Array(littleEndian(run, "i32"));
      for (let k = 0; k < RUN_BYTES; k++) runs[k * count + i] = bytes[k] as number;
    });
    this.repetitions.push({ runs: this.bytes(runs), count, to });
    return to;
  }

  bytes(bytes: Uint8Array): number {
    const address = this.reserve(bytes.length);
    this.segments.push({ address, bytes });
    return address;
  }

  /** Room for bytes that are 0 at first. @returns its address */
  reserve(length: number): number {
    const address = this.#end;
    this.#end = Math.ceil((address + length) / ALIGNMENT) * ALIGNMENT;
    return address;
  }
}

/** Places of the words where a pair differs from the one before. */
function runStarts(words: Uint32Array): number[] {
  const starts: number[] = [];
  for (let i = 0; i < words.length; i += 2) {
    if (i === 0 || words[i] !== words[i - 2] || words[i + 1] !== words[i - 1]) starts.push(i);
  }
  return starts;
}
