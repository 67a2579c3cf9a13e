// A kernel made runnable in this process: emitted as WebAssembly, loaded into memory of its own or the caller's, and called on typed arrays.

import { LutraError } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import type { EmittedModule, Form } from "../target/wasm/index.ts";
import { checkedExtent, type Extent, signatureOf } from "./call.ts";
import { type CompiledKernel, callable } from "./callable.ts";
import { chooseForm, emitFor } from "./form.ts";
import { roomBytes } from "./layout.ts";
import { type Choice, computeOf, type Exports, instantiate } from "./load.ts";
import { aligned, type Region, Workspace } from "./workspace.ts";

export interface CompileKernelOptions {
  /**
   * Absent, the fastest that the engine has: between "simd" and "relaxed", where their modules differ, a measurement of 4 ms decides, once
   * in a process for each kind of kernel. It looks at time alone: every form has the same bits.
   */
  readonly form?: Form;
  /** Of the caller: the kernel takes a region of it. Absent, it has its own. */
  readonly memory?: KernelMemory;
}

/** A region for a kernel in somebody's memory. Nothing outside it is written but the arrays that run is given. */
export interface KernelMemory {
  /** May be shared, and may grow at any time. */
  readonly memory: WebAssembly.Memory;
  /** Where the region begins: a multiple of 64. */
  readonly base: number;
  /** Length of the region; footprint(kernel) if absent, which has no room for rows of intermediate values or copies. */
  readonly bytes?: number;
}

/**
 * Emits and loads a filled kernel.
 *
 *     compileKernel(fill(elementwise(table.spec), { f: table })).run(Float32Array.of(-1, 0, 2))
 *
 * @throws LutraError "unsupported" for kernels the wasm target does not write, or a form the engine does not have; "bad-argument" for a
 * region that is outside the memory, too small or unaligned
 */
export function compileKernel(kernel: Kernel, options: CompileKernelOptions = {}): CompiledKernel {
  const choice = chooseForm(kernel, options.form);
  const { emitted } = choice;
  const region = options.memory === undefined ? undefined : checkedRegion(emitted, options.memory);
  const exports = region === undefined ? instantiate(choice.compiled) : loadInto(kernel, choice, region);
  return callable(emitted, exports.run, {
    signature: signatureOf(emitted),
    needs: { ...emitted, threads: 1 },
    workspace: new Workspace(exports.memory, exports.heap, region),
    compute: computeOf(emitted, exports),
  });
}

/**
 * Bytes of the region that a kernel needs in a caller's memory: its tables. With a size, also the intermediate values of its rows, and
 * room to copy so many values (or rows) at a time of arrays that are elsewhere; { rows: 0, columns } is for arrays that are all inside.
 *
 *     const base = allocate(footprint(kernel)); // a multiple of 64
 *     compileKernel(kernel, { memory: { memory, base } });
 *
 * @param form as it will be given to compileKernel
 * @throws LutraError as compileKernel; "bad-argument" for a size that is none
 */
export function footprint(kernel: Kernel, size?: number | Extent, form?: Form): number {
  const choice = chooseForm(kernel, form);
  if (size === undefined) return choice.emitted.tableBytes;
  const extent = checkedExtent(signatureOf(choice.emitted), size);
  return choice.emitted.tableBytes + roomBytes({ ...choice.emitted, threads: 1 }, extent);
}

type CheckedRegion = Region & Pick<KernelMemory, "memory">;

function checkedRegion({ tableBytes: needed }: EmittedModule, { memory, base, bytes }: KernelMemory): CheckedRegion {
  const region = { memory, base, bytes: bytes ?? needed };
  if (Object.prototype.toString.call(memory) !== "[object WebAssembly.Memory]") {
    throw new LutraError("bad-argument", `a kernel's memory is a WebAssembly.Memory, got ${typeof memory}`);
  }
  if (!Number.isInteger(base) || base < 0 || aligned(base) !== base) {
    throw new LutraError("bad-argument", `a kernel's region begins at a multiple of 64, got ${base}`);
  }
  if (!Number.isInteger(region.bytes) || region.bytes < needed) {
    throw new LutraError("bad-argument", `the kernel's tables need a region of ${needed} bytes, got ${bytes}`, {
      note: "footprint(kernel) says how many",
    });
  }
  const { byteLength } = memory.buffer;
  if (base + region.bytes > byteLength) {
    const range = `${region.bytes} bytes from ${base} on`;
    throw new LutraError(
      "bad-argument",
      `the kernel's region of ${range} is outside the memory of ${byteLength} bytes`,
    );
  }
  return region;
}

function loadInto(kernel: Kernel, choice: Choice, { memory, base }: CheckedRegion): Exports {
  const isShared = !(memory.buffer instanceof ArrayBuffer);
  return instantiate(emitFor(kernel, choice, { kind: "imported", base, isShared }), memory);
}
