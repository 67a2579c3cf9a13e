// A compiled module made ready to be called: its exports, and its run over addresses whatever arrays the kernel has.

import type { EmittedModule } from "../target/wasm/index.ts";
import type { Compute } from "./runner.ts";

/** A module in memory of its own, compiled: tried, measured and, unless the memory is to be another, used. */
export interface Choice {
  readonly emitted: EmittedModule;
  readonly compiled: WebAssembly.Module;
}

/** What modules export. */
export interface Exports {
  /** Of modules that have memory of their own. */
  readonly memory: WebAssembly.Memory;
  /** The first address behind the tables. */
  readonly heap: number;
  readonly run: (...numbers: readonly number[]) => void;
}

/** @param memory where the module imports it */
export function instantiate(compiled: WebAssembly.Module, memory?: WebAssembly.Memory): Exports {
  const { exports } = new WebAssembly.Instance(compiled, memory === undefined ? {} : { lutra: { memory } });
  const { heap, run } = exports as unknown as Omit<Exports, "heap"> & { readonly heap: { readonly value: number } };
  // Addresses are unsigned, an i32 is read as signed.
  return { memory: memory ?? (exports.memory as WebAssembly.Memory), heap: heap.value >>> 0, run };
}

export function computeOf({ isOverRows, params, results }: EmittedModule, { run }: Exports): Compute {
  const isOneToOne = params.length === 1 && results.length === 1;
  if (isOverRows) {
    return isOneToOne
      ? ([x, y], scratch, { rows, columns }) => run(x as number, y as number, scratch, rows, columns)
      : (addresses, scratch, { rows, columns }) => run(...addresses, scratch, rows, columns);
  }
  return (addresses, _scratch, { rows }) => run(...addresses, rows);
}
