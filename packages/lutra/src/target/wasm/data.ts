// The constant memory of a module: tables one after another from the first address on, each aligned so that no pair crosses a cache line.

import { littleEndian } from "./assembler-bytes.ts";
import type { DataSegment } from "./assembler-module.ts";

const ALIGNMENT = 64;

export class DataLayout {
  readonly segments: DataSegment[] = [];
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
