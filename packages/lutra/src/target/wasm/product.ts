// Exact products of small integers, row-major a [m, k] times packed b [k, n], as functions over addresses. b lies in panels of 8 columns;
// a tile of rows and one panel stays in registers over the whole of k. Sums begin at given numbers, so that an operand that is stored with
// 64 added costs nothing: the sum begins at -64 times the other operand's. How near they are to what dot products on
// registers alone reach, bench/programs-speed measures.

import { type Code, get, i32, type Local, load, op, repeatWhile, set, store, when } from "./assembler.ts";
import { FunctionBuilder, type FunctionDefinition } from "./assembler-module.ts";
import { advance, groupsOf, isPositive, panelsOf, VECTOR_BYTES } from "./product-code.ts";
import { DOTS, type Dot, PANEL_COLUMNS, type ProductMethod, productLayout } from "./product-methods.ts";
import { type ProductStarts, Tile, TileLocals, type TilePlace, type TileShape } from "./product-tile.ts";

export {
  PANEL_COLUMNS,
  PRODUCT_METHODS,
  type ProductMethod,
  panelBytes,
  productLayout,
} from "./product-methods.ts";
export type { ProductStarts } from "./product-tile.ts";

/** Of what is left, a shape takes as many tiles as it can; that of three rows only one, where it leaves an even number. */
const SHAPES: Readonly<Record<"four" | "two", readonly TileShape[]>> = {
  // With 15 vectors at most alive, V8 keeps all sums in registers. Long rounds are for processors that compute for somebody else besides:
  // where those take a part of the time, short rounds were slower.
  four: [
    { rows: 6, chains: 1, unrolled: 4 },
    { rows: 3, chains: 2, unrolled: 4 },
    { rows: 2, chains: 3, unrolled: 3 },
    { rows: 1, chains: 4, unrolled: 4 },
  ],
  // Sums of plain SIMD wait for an addition only, but need a vector for each product. V8 before 13 loads what a longer round needs too
  // early, and keeps it in memory: 62 instead of 89 GOPS in rounds of four.
  two: [
    { rows: 4, chains: 1, unrolled: 1 },
    { rows: 2, chains: 1, unrolled: 1 },
    { rows: 1, chains: 4, unrolled: 4 },
  ],
};
const ODD_ROWS = 3;

/** From so many rows on, a panel of bytes is widened once rather than in each tile. */
const MANY_ROWS = 13;

/**
 * A function (a, aStride, b, sums, sumsStride, rowStarts, columnStarts, m, n, k, room), all i32, addresses and strides in bytes:
 * sums[i][j] = rowStarts[i] + columnStarts[j] + a[i] b[j], all of 32 bits, without the starts that `starts` does not name.
 *
 * a is row-major [m, k] in elements of aBytes, its rows aStride apart; they are read up to k rounded up to a multiple of `step`, at most 3
 * bytes beyond. b is packed (product-pack.ts). Whole panels are written, and as many columnStarts read: n rounded up to a multiple of 8,
 * so sumsStride is at least 4 times that; what is beyond n means nothing. m, n and k are at least 1. `room`: k rounded up times roomBytes,
 * to be overwritten; any number where roomBytes is 0. Some of the columns, from a multiple of 8 on: b + first / 8 * panelBytes,
 * columnStarts + 4 * first, and their number.
 */
export function productFunction(method: ProductMethod, starts: ProductStarts): FunctionDefinition {
  return product(method, starts, "all");
}

/** The same where m is a multiple of 12, and at least 24: less code, which engines compile sooner. */
export function productOfManyRows(method: ProductMethod, starts: ProductStarts): FunctionDefinition {
  return product(method, starts, "many");
}

function product(method: ProductMethod, starts: ProductStarts, rowCounts: "all" | "many"): FunctionDefinition {
  const builder = new FunctionBuilder(Array(11).fill("i32"), null);
  const [a, aStride, b, sums, sumsStride, rowStarts, columnStarts, m, n, k, room] =
    builder.parameters as ProductParameters;
  const { group, roomBytes } = productLayout(method);
  const [groups, panelBytes, end] = [builder.local("i32"), builder.local("i32"), builder.local("i32")];
  const shapes = SHAPES[group === 4 ? "four" : "two"].slice(0, rowCounts === "all" ? undefined : 1);
  const locals = new TileLocals(builder, shapes);
  const rows = new Rows(builder, shapes, locals);
  const dot = DOTS[method];
  const allRows = (panel: Local, by: Dot): Code[] =>
    rows.code({ a, sums, rowStarts, m }, { aStride, sumsStride, columnStarts, groups, panel }, by, starts);
  const isMany = op("i32.lt_s", i32(MANY_ROWS - 1), get(m));
  const widened = (): Code[] => [...widenPanel(locals, b, end, room), ...allRows(room, DOTS.wide)];
  const widenedIfMany = (): Code[] => [when(isMany, ...widened()), when(op("i32.eqz", isMany), ...allRows(b, dot))];
  const onePanel = roomBytes === 0 ? allRows(b, dot) : rowCounts === "many" ? widened() : widenedIfMany();
  return builder.finish(
    set(groups, groupsOf(k, group)),
    set(panelBytes, op("i32.mul", get(groups), i32(dot.bytes))),
    set(n, panelsOf(n)),
    repeatWhile(
      isPositive(n),
      set(end, op("i32.add", get(b), get(panelBytes))),
      ...onePanel,
      set(b, get(end)),
      advance(sums, 4 * PANEL_COLUMNS),
      advance(columnStarts, 4 * PANEL_COLUMNS),
      advance(n, -1),
    ),
  );
}

/** Of productFunction. */
type ProductParameters = readonly [Local, Local, Local, Local, Local, Local, Local, Local, Local, Local, Local];

/** Where all rows begin. */
interface FirstRow {
  readonly a: Local;
  readonly sums: Local;
  readonly rowStarts: Local;
  readonly m: Local;
}

/** All rows by one panel, in tiles. */
class Rows {
  readonly #shapes: readonly TileShape[];
  readonly #locals: TileLocals;
  readonly #left: Local;
  readonly #at: { readonly a: Local; readonly sums: Local; readonly rowStarts: Local };

  constructor(builder: FunctionBuilder, shapes: readonly TileShape[], locals: TileLocals) {
    this.#shapes = shapes;
    this.#locals = locals;
    this.#left = builder.local("i32");
    this.#at = { a: builder.local("i32"), sums: builder.local("i32"), rowStarts: builder.local("i32") };
  }

  code(first: FirstRow, rest: Omit<TilePlace, keyof FirstRow>, dot: Dot, starts: ProductStarts): Code[] {
    const [left, at] = [this.#left, this.#at];
    const place: TilePlace = { ...rest, ...at };
    const tiles = this.#shapes.map((shape) => {
      const tile = [...new Tile(shape, dot, this.#locals).code(place, starts), advance(left, -shape.rows)];
      const isLeft = op("i32.lt_s", i32(shape.rows - 1), get(left));
      if (shape.rows !== ODD_ROWS) return when(isLeft, repeatWhile(isLeft, ...tile));
      return when(op("i32.and", get(left), op("i32.lt_s", i32(1), get(left))), ...tile);
    });
    return [
      set(at.a, get(first.a)),
      set(at.sums, get(first.sums)),
      set(at.rowStarts, get(first.rowStarts)),
      set(left, get(first.m)),
      ...tiles,
    ];
  }
}

/** A panel of bytes as one of 16 bits. */
function widenPanel({ at, end: target, a }: TileLocals, panel: Local, end: Local, room: Local): Code[] {
  return [
    set(at, get(panel)),
    set(target, get(room)),
    repeatWhile(
      op("i32.lt_u", get(at), get(end)),
      set(a, load("v128.load", get(at))),
      store("v128.store", get(target), op("i16x8.extend_low_i8x16_s", get(a))),
      store("v128.store", get(target), op("i16x8.extend_high_i8x16_s", get(a)), VECTOR_BYTES),
      advance(at, VECTOR_BYTES),
      advance(target, 2 * VECTOR_BYTES),
    ),
  ];
}
