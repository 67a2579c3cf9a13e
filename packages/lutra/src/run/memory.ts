// The memory of a loaded kernel: its tables, then room for one part of a longer run, then the arrays that users asked for. Grows for
// the last only, so that a run never makes arrays detach.

import { LutraError } from "../base/index.ts";
import type { EmittedModule, Port } from "../target/wasm/index.ts";
import { bytesOf, type Codes, codesAt } from "./codes.ts";

export interface Memory {
  /** Codes of one part of a run. */
  readonly part: number;
  /** Where the input's codes from a place on are, after copying them if they are elsewhere. */
  addressOf(input: Codes, from: number, count: number): number;
  /** Where their answers go. */
  targetOf(output: Codes, from: number): number;
  /** Copies the answers into an array that is elsewhere. */
  collect(output: Codes, from: number, count: number): void;
  buffers(count: number): { readonly input: Codes; readonly output: Codes };
}

const PAGE_BYTES = 65536;
/** Codes copied at a time: both sides of a part fit a second-level cache. */
const PART = 16384;
/**
 * Between an input and its output: where both are a multiple of 4096 bytes apart, a processor takes a load for one of what was just
 * stored, and waits.
 */
const STAGGER = 2112;
const ALIGNMENT = 64;

export function openMemory(memory: WebAssembly.Memory, heap: number, module: EmittedModule): Memory {
  const from = (module.params[0] as Port).lane;
  const to = (module.results[0] as Port).lane;
  const inputBytes = bytesOf(from);
  const outputBytes = bytesOf(to);
  let free = heap;
  const reserve = (count: number): { readonly input: number; readonly output: number } => {
    const input = free;
    const output = aligned(input + count * inputBytes + STAGGER);
    const end = aligned(output + count * outputBytes + STAGGER);
    grow(memory, end, count);
    free = end;
    return { input, output };
  };
  const room = reserve(PART);
  let source = codesAt(from, memory.buffer, room.input, PART);
  let target = codesAt(to, memory.buffer, room.output, PART);
  const isOwn = ({ buffer }: Codes): boolean => buffer === memory.buffer;
  return {
    part: PART,
    addressOf(input, from, count) {
      if (isOwn(input)) return input.byteOffset + from * inputBytes;
      source.set(count === input.length ? input : input.subarray(from, from + count));
      return room.input;
    },
    targetOf: (output, from) => (isOwn(output) ? output.byteOffset + from * outputBytes : room.output),
    collect(output, from, count) {
      if (!isOwn(output)) output.set(target.subarray(0, count), from);
    },
    buffers(count) {
      if (!Number.isInteger(count) || count < 0) {
        throw new LutraError("bad-argument", `a number of values is 0 or more, got ${count}`);
      }
      const { input, output } = reserve(count);
      source = codesAt(from, memory.buffer, room.input, PART);
      target = codesAt(to, memory.buffer, room.output, PART);
      return {
        input: codesAt(from, memory.buffer, input, count),
        output: codesAt(to, memory.buffer, output, count),
      };
    },
  };
}

function aligned(address: number): number {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT;
}

/** @throws LutraError "infeasible" */
function grow(memory: WebAssembly.Memory, bytes: number, count: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
  if (missing <= 0) return;
  try {
    memory.grow(missing);
  } catch (cause) {
    throw new LutraError("infeasible", `the kernel's memory cannot grow to ${bytes} bytes, for ${count} values`, {
      note: "a module has 4 GiB at most: give run arrays of your own, or work in parts",
      cause,
    });
  }
}
