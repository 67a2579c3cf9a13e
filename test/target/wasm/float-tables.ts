// What the tests of binary32 modules share: tables with drawn lines, the inputs they are held against, and runs at any address.
// LUTRA_FLOATS=10000000 visits more inputs.

import { fill } from "../../../packages/lutra/src/kernel/index.ts";
import { elementwise } from "../../../packages/lutra/src/layer/index.ts";
import { BINARY32, nextDown32, nextUp32, random } from "../../../packages/lutra/src/num/index.ts";
import { evaluate, type Index, segmentStarts, type Table } from "../../../packages/lutra/src/table/index.ts";
import { type EmittedModule, emit, type Form } from "../../../packages/lutra/src/target/wasm/index.ts";

const COUNT = Number(process.env.LUTRA_FLOATS ?? 200_000);
const PAGE_BYTES = 65536;
const spec = { fn: "x", domain: { lo: -Infinity, hi: Infinity }, input: BINARY32, output: BINARY32 };

/** Numbers of a seed. */
export function drawing(seed: number): {
  draw(count: number, spread: number): number[];
  ascending(count: number, spread: number): number[];
} {
  const source = random(seed);
  const draw = (count: number, spread: number): number[] =>
    Array.from({ length: count }, () => Math.fround(spread * source.normal()));
  return { draw, ascending: (count, spread) => draw(count, spread).sort((a, b) => a - b) };
}

/** Every pattern of the upper 16 bits, NaNs included, then seeded bit patterns and ordinary values. */
export function floatInputs(count: number = COUNT): Float32Array {
  const source = random(29);
  const x = new Float32Array(65536 + count);
  const bits = new Uint32Array(x.buffer);
  for (let i = 0; i < 65536; i++) bits[i] = i * 65536;
  for (let i = 65536; i < x.length; i++) {
    if (i % 2 === 0) bits[i] = source.uniform() * 2 ** 32;
    else x[i] = 3 * source.normal();
  }
  return x;
}

export function floatTable(index: Index, coefficients: Table["coefficients"], overrides: Partial<Table> = {}): Table {
  const clamp = [-Infinity, Infinity] as const;
  return { spec, reductions: [], clamp, index, coefficients, shift: 0, rounding: "half-even", ...overrides };
}

export function emitTable(table: Table, form: Form): EmittedModule {
  return emit(fill(elementwise(table.spec), { f: table }), { form });
}

/** Where segments begin and clamps end, their neighbours and opposites. */
export function edges({ index, coefficients, clamp }: Table): number[] {
  const starts = segmentStarts(index, coefficients[0]?.length ?? 0, BINARY32);
  return [...starts, ...clamp].flatMap((x) => [x, -x, nextUp32(x), nextDown32(x), -nextUp32(x), -nextDown32(x)]);
}

export function meaning(table: Table, x: Float32Array): Float32Array {
  return x.map((value) => evaluate(table, value));
}

/** How many answers are not the same value, either zero and NaN included. */
export function countDifferent(y: Float32Array, expected: Float32Array): number {
  return y.reduce((count, value, i) => count + (Object.is(value, expected[i]) ? 0 : 1), 0);
}

/** A loaded module, called at any address. */
export interface Placed {
  /** The first address that is free. */
  readonly heap: number;
  /** All of the memory, after it has grown to so many bytes. */
  floats(bytes: number): Float32Array;
  run(input: number, output: number, count: number): void;
}

export function load({ bytes }: EmittedModule): Placed {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { memory, heap, run } = exports as unknown as Pick<Placed, "run"> & {
    readonly memory: WebAssembly.Memory;
    readonly heap: WebAssembly.Global<"i32">;
  };
  return {
    heap: heap.value,
    floats(least) {
      const missing = Math.ceil((least - memory.buffer.byteLength) / PAGE_BYTES);
      if (missing > 0) memory.grow(missing);
      return new Float32Array(memory.buffer);
    },
    run,
  };
}
