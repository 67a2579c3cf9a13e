// Runs an emitted module on arrays, as a user without the library would: by addresses in its memory.

import type { EmittedModule } from "../../../packages/lutra/src/target/wasm/index.ts";

type Codes = Float32Array | Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly heap: WebAssembly.Global<"i32">;
  run(input: number, output: number, count: number): void;
}

/** The answers to `input`, written into an array of `output`'s type. */
export function runModule<T extends Codes>({ bytes }: EmittedModule, input: Codes, output: T): T {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { memory, heap, run } = instance.exports as unknown as Exports;
  const from = heap.value;
  const to = Math.ceil((from + input.byteLength) / 16) * 16;
  const missing = to + output.byteLength - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const bytesOf = (codes: Codes): Uint8Array => new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
  const all = new Uint8Array(memory.buffer);
  all.set(bytesOf(input), from);
  run(from, to, input.length);
  bytesOf(output).set(all.subarray(to, to + output.byteLength));
  return output;
}
