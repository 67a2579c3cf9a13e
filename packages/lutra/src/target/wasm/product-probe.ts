// A small module with one product in both ways, relaxed SIMD and plain, on numbers of its own: whoever loads a program tries it first. An
// engine may lack relaxed SIMD (the module is refused), compute it wrongly (the sums differ) or slowly (their times say so).

import { type Code, get, i32, type Local, op, repeatWhile, set, store } from "./assembler.ts";
import { assemble, FunctionBuilder, type FunctionDefinition } from "./assembler-module.ts";
import { PANEL_COLUMNS, panelBytes, productOfManyRows } from "./product.ts";

/** So many that a product goes the way of long ones. */
const M = 24;
const K = 256;
const N = 64;

/** Where the probe keeps what, in bytes from 0. */
const PLACES = (() => {
  const bytes = {
    a: M * K,
    aWide: M * K * 2,
    relaxedPanels: (N / PANEL_COLUMNS) * panelBytes("relaxed-b", K),
    simdPanels: (N / PANEL_COLUMNS) * panelBytes("simd", K),
    starts: N * 4,
    room: K * PANEL_COLUMNS * 2,
    relaxedSums: M * N * 4,
    simdSums: M * N * 4,
  };
  const at: Record<string, number> = {};
  let end = 0;
  for (const [name, length] of Object.entries(bytes)) {
    at[name] = end;
    end += length;
  }
  return { ...(at as Record<keyof typeof bytes, number>), end };
})();

export interface ProductProbe {
  /** Exports `memory`, `relaxed` and `simd`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Arguments of both: the same product, of 24 x 256 by 256 x 64. */
  readonly calls: { readonly relaxed: readonly number[]; readonly simd: readonly number[] };
  /** Addresses of what they write: `count` sums. */
  readonly sums: { readonly relaxed: number; readonly simd: number };
  readonly count: number;
}

/**
 * The probe. Compiling it fails where there is no relaxed SIMD. Engines compile in tiers that may differ: compare after the first call as
 * well as after the last.
 */
export function productProbe(): ProductProbe {
  const bytes = assemble({
    functions: { relaxed: productOfManyRows("relaxed-b", "column"), simd: productOfManyRows("simd", "column") },
    start: fill(),
    globals: {},
    data: [],
    memoryBytes: PLACES.end,
  });
  const { a, aWide, relaxedPanels, simdPanels, starts, room, relaxedSums, simdSums } = PLACES;
  const sizes = [M, N, K, room];
  return {
    bytes,
    calls: {
      relaxed: [a, K, relaxedPanels, relaxedSums, 4 * N, 0, starts, ...sizes],
      simd: [aWide, 2 * K, simdPanels, simdSums, 4 * N, 0, starts, ...sizes],
    },
    sums: { relaxed: relaxedSums, simd: simdSums },
    count: M * N,
  };
}

/** Whether both have written the same sums; never true before they have run. */
export function isProbeExact({ sums, count }: ProductProbe, memory: WebAssembly.Memory): boolean {
  const read = (at: number): Int32Array => new Int32Array(memory.buffer, at, count);
  const simd = read(sums.simd);
  return simd.some((sum) => sum !== 0) && read(sums.relaxed).every((sum, i) => sum === simd[i]);
}

/** Writes numbers without order: a of both widths, the same b as panels of four rows and of two, starts. */
function fill(): FunctionDefinition {
  const builder = new FunctionBuilder([], null);
  const [at, word] = [builder.local("i32"), builder.local("i32")];
  const draw = set(word, op("i32.mul", op("i32.add", get(at), i32(1)), i32(0x9e3779b1)));
  const upTo = (count: number, ...body: readonly Code[]): Code[] => [
    set(at, i32(0)),
    repeatWhile(op("i32.lt_s", get(at), i32(count)), draw, ...body, set(at, op("i32.add", get(at), i32(1)))),
  ];
  return builder.finish(
    ...upTo(
      M * K,
      store("i32.store8", get(at), op("i32.shr_s", get(word), i32(24)), PLACES.a),
      store("i32.store16", op("i32.shl", get(at), i32(1)), op("i32.shr_s", get(word), i32(24)), PLACES.aWide),
    ),
    ...upTo(
      K * N,
      store("i32.store8", get(at), op("i32.shr_u", get(word), i32(25)), PLACES.relaxedPanels),
      store("i32.store8", placeOfPairs(at), op("i32.shr_u", get(word), i32(25)), PLACES.simdPanels),
    ),
    ...upTo(N, store("i32.store", op("i32.shl", get(at), i32(2)), op("i32.shr_s", get(word), i32(8)), PLACES.starts)),
  );
}

/** Of the byte at [4-row group][column][2 bits] of a panel: [2-row group][column][1 bit]. */
function placeOfPairs(at: Local): Code {
  const group = op("i32.and", get(at), i32(-32));
  const pair = op("i32.shl", op("i32.and", get(at), i32(2)), i32(3));
  const column = op("i32.and", op("i32.shr_u", get(at), i32(1)), i32(14));
  return op("i32.or", op("i32.or", group, pair), op("i32.or", column, op("i32.and", get(at), i32(1))));
}
