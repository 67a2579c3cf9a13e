// The memory of a program's module, and arrays in it.

import { LutraError } from "../../base/index.ts";
import { LANE_ARRAYS } from "../../kernel/index.ts";
import type { Codes, TensorLane } from "../../program/index.ts";

/** What a module exports, by name. */
export type Functions = Readonly<Record<string, (...numbers: readonly number[]) => number>>;

const PAGE_BYTES = 65536;

export class ProgramMemory {
  readonly #memory: WebAssembly.Memory;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  /** The memory itself, for other modules. */
  get shared(): WebAssembly.Memory {
    return this.#memory;
  }

  get bytes(): number {
    return this.#memory.buffer.byteLength;
  }

  get buffer(): ArrayBuffer {
    return this.#memory.buffer as ArrayBuffer;
  }

  /** Arrays made before are no longer of this memory when it has grown. @throws LutraError "infeasible" where the engine has no more */
  grow(bytes: number): void {
    const missing = bytes - this.bytes;
    if (missing <= 0) return;
    try {
      this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    } catch (cause) {
      const needed = Math.ceil(bytes / 2 ** 20);
      throw new LutraError("infeasible", `a run of these lengths needs ${needed} MiB of WebAssembly memory`, { cause });
    }
  }

  codes(lane: TensorLane, address: number, length: number): Codes {
    return new LANE_ARRAYS[lane](this.buffer, address, length);
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.buffer, address, length);
  }

  put(codes: Codes, address: number): void {
    const bytes = new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
    new Uint8Array(this.buffer, address, bytes.length).set(bytes);
  }
}
