// Runs an emitted module over a tile, as a user without the library would: each array at an address in its memory. What lies between arrays must
// be left alone.

import {
  type KernelInputs,
  LANE_ARRAYS,
  type LaneArray,
  laneBits,
  type Over,
} from "../../../packages/lutra/src/kernel/index.ts";
import type { EmittedModule, Port } from "../../../packages/lutra/src/target/wasm/index.ts";

/** Bytes between arrays, and what they hold. */
const GAP = 48;
const UNTOUCHED = 0xa5;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly heap: number;
  run(...numbers: readonly number[]): void;
}

export interface Tile {
  readonly inputs: KernelInputs;
  readonly rows: number;
  readonly columns: number;
  /** Results that begin where a param does: the param's name by the result's. */
  readonly inPlace?: Readonly<Record<string, string>>;
}

/** @param imported the memory of modules that have none of their own */
export function instantiate({ bytes }: EmittedModule, imported?: WebAssembly.Memory): Exports {
  const imports = imported === undefined ? {} : { lutra: { memory: imported } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  const { memory, heap, run } = exports as unknown as Omit<Exports, "heap"> & {
    readonly heap: { readonly value: number };
  };
  return { memory: imported ?? memory, heap: heap.value >>> 0, run };
}

/** The results as numbers. @throws Error if the module writes beside its arrays */
export function runTile(
  module: EmittedModule,
  { inputs, rows, columns, inPlace = {} }: Tile,
  exports: Exports = instantiate(module),
): Float64Array[] {
  const { memory, heap, run } = exports;
  const sizes: Readonly<Record<Over, number>> = { one: 1, row: rows, column: columns, element: rows * columns };
  const places = new Map<string, number>();
  let end = Math.ceil(heap / GAP) * GAP + GAP;
  const reserve = (bytes: number): number => {
    const at = end;
    end = Math.ceil((at + bytes) / 16) * 16 + GAP;
    return at;
  };
  const bytesOf = ({ lane, over }: Port): number => (sizes[over] * laneBits(lane)) / 8;
  for (const port of module.params) places.set(port.name, reserve(bytesOf(port)));
  const outputs = module.results.map((port) => places.get(inPlace[port.name] ?? "") ?? reserve(bytesOf(port)));
  const scratch = reserve(module.scratchBytesPerColumn * Math.ceil(columns / 16) * 16);
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const all = new Uint8Array(memory.buffer);
  all.fill(UNTOUCHED, heap, end);
  const arrayAt = ({ lane, over }: Port, at: number): LaneArray | BigInt64Array =>
    lane === "i64"
      ? new BigInt64Array(memory.buffer, at, sizes[over])
      : new LANE_ARRAYS[lane](memory.buffer, at, sizes[over]);
  const taken: [from: number, to: number][] = [[scratch, end - GAP]];
  for (const port of module.params) {
    const at = places.get(port.name) as number;
    const array = arrayAt(port, at);
    const input = inputs[port.name] as ArrayLike<number>;
    if (array instanceof BigInt64Array) array.set(Array.from(input, BigInt));
    else array.set(input);
    taken.push([at, at + bytesOf(port)]);
  }
  module.results.forEach((port, i) => {
    taken.push([outputs[i] as number, (outputs[i] as number) + bytesOf(port)]);
  });
  const addresses = [...module.params.map(({ name }) => places.get(name) as number), ...outputs];
  if (module.isOverRows) run(...addresses, scratch, rows, columns);
  else run(...addresses, rows * columns);
  for (let at = heap; at < end; at++) {
    if (all[at] !== UNTOUCHED && !taken.some(([from, to]) => from <= at && at < to)) {
      throw new Error(`the byte at ${at} was written`);
    }
  }
  return module.results.map((port, i) => Float64Array.from(arrayAt(port, outputs[i] as number), Number));
}
