// Exact products of small integers, row-major a [m, k] times packed b [k, n], as functions over addresses. b lies in panels of 8 columns; a tile
// of rows and one panel stays in registers over the whole of k. Sums begin at given numbers, so that an operand that is stored with 64 added
// costs nothing: the sum begins at -64 times the other operand's.

import { type Code, get, i32, load, op, repeatWhile, select, set, store } from "./assembler.ts";
import { FunctionBuilder, type FunctionDefinition } from "./assembler-module.ts";

/**
 * relaxed-a, relaxed-b  relaxed dot of four bytes each: that operand holds 0 to 127, the other -128 to 127
 * simd                  dot of two: a in 16 bits, b in bytes from -128 to 127
 */
export type ProductMethod = "relaxed-a" | "relaxed-b" | "simd";

/** How a method wants its operands. */
export interface ProductLayout {
  /** Bytes of an element of a. */
  readonly aBytes: 1 | 2;
  /** Elements of k that one instruction takes: b's panels are [k / group][8 columns][group]. */
  readonly group: 2 | 4;
  /** k is a multiple of this; rows of a may be read that far, where b's panels hold zeros. */
  readonly step: number;
}

export const PANEL_COLUMNS = 8;
const UNROLLED = 4;

export function productLayout(method: ProductMethod): ProductLayout {
  return method === "simd" ? { aBytes: 2, group: 2, step: 2 * UNROLLED } : { aBytes: 1, group: 4, step: 4 * UNROLLED };
}

/** Rows of a tile: with 15 vectors at most alive, V8 keeps all sums in registers. Plain SIMD needs one more for the products. */
const ROWS: Readonly<Record<ProductMethod, number>> = { "relaxed-a": 6, "relaxed-b": 6, simd: 4 };

/**
 * A function (a, b, sums, starts, m, n, k, aStride): sums[i][j] = start + a[i] b[j], i32, rows of n. With `startsOver` "row" starts are m
 * numbers, with "column" n. a's rows are aStride bytes apart. m, n and k are at least 1, n at least 8; the last panel holds the last 8 columns.
 */
export function productFunction(method: ProductMethod, startsOver: "row" | "column"): FunctionDefinition {
  const builder = new FunctionBuilder(["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"], null);
  const [a, b, sums, starts, m, n, k, aStride] = builder.parameters as unknown as readonly [P, P, P, P, P, P, P, P];
  const rows = ROWS[method];
  const layout = productLayout(method);
  const panelBytes = op("i32.mul", get(k), i32(PANEL_COLUMNS * layout.aBytes));
  const [column, row, end, target, panel] = [1, 2, 3, 4, 5].map(() => builder.local("i32")) as [P, P, P, P, P];
  const tile = new Tile(builder, method, rows);
  // The last panel begins where 8 columns are left.
  const lastColumn = op("i32.sub", get(n), i32(PANEL_COLUMNS));
  const rowAt = (r: number): Code => least(op("i32.add", get(row), i32(r)), op("i32.sub", get(m), i32(1)));
  const startAt = (r: number): Code =>
    op("i32.add", get(starts), op("i32.shl", startsOver === "row" ? rowAt(r) : get(column), i32(2)));
  const rowBytes = op("i32.shl", get(n), i32(2));
  const tileOfRows = [
    ...tile.pointers.flatMap((pointer, r) => [
      set(pointer, op("i32.add", get(a), op("i32.mul", rowAt(r), get(aStride)))),
    ]),
    ...tile.begin((r) => startAt(r), startsOver),
    set(panel, get(b)),
    repeatWhile(op("i32.lt_u", get(panel), get(end)), ...tile.step(panel, layout)),
    set(target, op("i32.add", get(sums), op("i32.shl", get(column), i32(2)))),
    ...tile.store((r) => op("i32.add", get(target), op("i32.mul", rowAt(r), rowBytes))),
    set(row, op("i32.add", get(row), i32(rows))),
  ];
  return builder.finish(
    repeatWhile(
      op("i32.lt_s", get(column), get(n)),
      set(column, least(get(column), lastColumn)),
      set(end, op("i32.add", get(b), panelBytes)),
      set(row, i32(0)),
      repeatWhile(op("i32.lt_s", get(row), get(m)), ...tileOfRows),
      set(b, get(end)),
      set(column, op("i32.add", get(column), i32(PANEL_COLUMNS))),
    ),
  );
}

type P = FunctionBuilder["parameters"][0];

function least(x: Code, bound: Code): Code {
  return select(x, bound, op("i32.lt_s", x, bound));
}

/** Sums of rows x 8 columns in registers. */
class Tile {
  readonly pointers: readonly P[];
  readonly #method: ProductMethod;
  readonly #sums: readonly (readonly [P, P])[];
  readonly #b: readonly [P, P];
  readonly #x: P;

  constructor(builder: FunctionBuilder, method: ProductMethod, rows: number) {
    const each = <T>(of: () => T): T[] => Array.from({ length: rows }, of);
    this.#method = method;
    this.pointers = each(() => builder.local("i32"));
    this.#sums = each(() => [builder.local("v128"), builder.local("v128")] as const);
    this.#b = [builder.local("v128"), builder.local("v128")];
    this.#x = builder.local("v128");
  }

  begin(address: (row: number) => Code, over: "row" | "column"): Code[] {
    return this.#sums.flatMap((pair, r) =>
      pair.map((sum, half) =>
        set(sum, over === "row" ? load("v128.load32_splat", address(r)) : load("v128.load", address(r), 16 * half)),
      ),
    );
  }

  /** One step of k. */
  step(panel: P, { group, aBytes }: ProductLayout): Code[] {
    const bytes = 16;
    const code: Code[] = [];
    for (let u = 0; u < UNROLLED; u++) {
      for (const [half, b] of this.#b.entries()) {
        const access = "v128.load";
        code.push(set(b, load(access, get(panel), (2 * u + half) * bytes)));
      }
      for (const [r, pair] of this.#sums.entries()) {
        code.push(set(this.#x, load("v128.load32_splat", get(this.pointers[r] as P), u * group * aBytes)));
        for (const [half, sum] of pair.entries())
          code.push(set(sum, this.#dot(get(this.#x), get(this.#b[half] as P), get(sum))));
      }
    }
    const advance = this.pointers.map((pointer) =>
      set(pointer, op("i32.add", get(pointer), i32(UNROLLED * group * aBytes))),
    );
    return [...code, ...advance, set(panel, op("i32.add", get(panel), i32(2 * UNROLLED * bytes)))];
  }

  #dot(a: Code, b: Code, sum: Code): Code {
    if (this.#method === "simd") return op("i32x4.add", sum, op("i32x4.dot_i16x8_s", a, b));
    const [byte, seven] = this.#method === "relaxed-a" ? [b, a] : [a, b];
    return op("i32x4.relaxed_dot_i8x16_i7x16_add_s", byte, seven, sum);
  }

  /** Rows beyond the last are the last once more: they write the same. */
  store(address: (row: number) => Code): Code[] {
    return this.#sums.flatMap((pair, r) =>
      pair.map((sum, half) => store("v128.store", address(r), get(sum), 16 * half)),
    );
  }
}
