// The memory behind a kernel's tables: room that a run may overwrite, and arrays for users. In memory that grows, both are taken as they are
// asked for; in a caller's region the room is all there is, and nothing outside the region is touched.

import { LutraError } from "../base/index.ts";
import type { Codes } from "./codes.ts";

const PAGE_BYTES = 65536;
const ALIGNMENT = 64;
/** Of room where the memory may grow: enough that rows of other lengths seldom need another, which makes users' arrays detach. */
const LEAST_ROOM = 256 * 1024;

/** Bytes of a memory: `base` is where the tables begin. */
export interface Region {
  readonly base: number;
  readonly bytes: number;
}

export class Workspace {
  readonly #memory: WebAssembly.Memory;
  /** The tables, and in a caller's region everything else. */
  readonly #region: Region;
  /** Of a caller's region; null where the memory may grow. */
  readonly #end: number | null;
  readonly #isShared: boolean;
  /** A shared memory's buffers of before it grew: they stay good. */
  readonly #earlier: WeakSet<ArrayBufferLike> = new WeakSet<ArrayBufferLike>();
  #buffer: ArrayBufferLike;
  #free: number;
  #room = 0;
  #roomBytes = 0;

  /**
   * @param heap the first address behind the tables
   * @param region what the caller gave; absent, the memory may grow
   */
  constructor(memory: WebAssembly.Memory, heap: number, region?: Region) {
    this.#memory = memory;
    this.#region = region ?? { base: 0, bytes: heap };
    this.#end = region === undefined ? null : region.base + region.bytes;
    this.#buffer = memory.buffer;
    this.#isShared = !(memory.buffer instanceof ArrayBuffer);
    this.#free = heap;
  }

  /** The memory's bytes as they are now: whoever has the memory may have made it grow. */
  get buffer(): ArrayBufferLike {
    // The buffer of before detached, unless it is shared.
    if (this.#isShared || this.#buffer.byteLength === 0) this.#look();
    return this.#buffer;
  }

  /** Whether an array is in this memory. */
  holds({ buffer }: Codes): boolean {
    return buffer === this.buffer || (this.#isShared && this.#earlier.has(buffer));
  }

  /** Whether an array in this memory touches the tables, or the room that runs overwrite. */
  isReserved({ byteOffset, byteLength }: Codes): boolean {
    const touches = (from: number, bytes: number): boolean =>
      byteOffset < from + bytes && from < byteOffset + byteLength;
    return byteLength > 0 && (touches(this.#region.base, this.#region.bytes) || touches(this.#room, this.#roomBytes));
  }

  /**
   * Bytes that the room can have.
   * @param isInUse whether arrays in the memory are waiting for it: then it may not grow, or they would detach
   */
  mostBytes(isInUse: boolean): number {
    if (this.#end !== null) return this.#end - this.#free;
    return isInUse && !this.#isShared ? this.#roomBytes : Infinity;
  }

  /**
   * The address of so many bytes that a run may overwrite, at most `mostBytes`: the same each time, until more are needed.
   * @throws LutraError "infeasible" if the memory cannot grow
   */
  room(bytes: number, purpose: string): number {
    if (this.#end !== null) return this.#free;
    if (bytes > this.#roomBytes) {
      const enough = Math.max(bytes, LEAST_ROOM, 2 * this.#roomBytes);
      this.#room = this.allocate(enough, purpose);
      this.#roomBytes = enough;
    }
    return this.#room;
  }

  /** What is wrong if the room is to have more than `mostBytes`. */
  tooSmall(bytes: number, purpose: string): LutraError {
    if (this.#end === null) {
      const message = `for ${purpose} the kernel's memory must grow, and the given arrays in it would detach`;
      return new LutraError("infeasible", message, { note: "ask for buffers of rows of this length" });
    }
    const needed = bytes + this.#free - this.#region.base;
    const message = `the kernel's region has ${this.#region.bytes} bytes, ${purpose} need ${needed}`;
    return new LutraError("infeasible", message, { note: "footprint(kernel, size) says beforehand how many" });
  }

  /**
   * The address of bytes that are nobody else's.
   * @throws LutraError "infeasible" if the memory cannot grow so far, "unsupported" in a caller's memory
   */
  allocate(bytes: number, purpose: string): number {
    if (this.#end !== null) {
      throw new LutraError("unsupported", "this kernel's memory is the caller's", {
        note: "make arrays on its buffer, outside the kernel's region: run works on them where they are",
      });
    }
    const address = this.#free;
    const end = aligned(address + bytes);
    const missing = Math.ceil((end - this.buffer.byteLength) / PAGE_BYTES);
    if (missing > 0) grow(this.#memory, missing, `${end} bytes, for ${purpose}`);
    this.#look();
    this.#free = end;
    return address;
  }

  #look(): void {
    const { buffer } = this.#memory;
    if (this.#isShared && buffer !== this.#buffer) this.#earlier.add(this.#buffer);
    this.#buffer = buffer;
  }
}

export function aligned(address: number): number {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT;
}

/** @throws LutraError "infeasible" */
function grow(memory: WebAssembly.Memory, pages: number, what: string): void {
  try {
    memory.grow(pages);
  } catch (cause) {
    throw new LutraError("infeasible", `the kernel's memory cannot grow to ${what}`, {
      note: "a module has 4 GiB at most: give run arrays of your own, or work in parts",
      cause,
    });
  }
}
