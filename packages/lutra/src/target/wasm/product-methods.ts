// The ways in which products of small integers are computed: what each instruction takes, how operands lie in memory. Four bytes of a row
// of a meet four bytes, or two, of each of 8 columns of b.

import { type Code, load, op } from "./assembler.ts";

/**
 * relaxed-a, relaxed-b  relaxed dot of four bytes each: that operand holds 0 to 127, the other -128 to 127
 * simd                  dot of two: a in 16 bits, b in bytes, both of their whole range
 * wide                  dot of two: both in 16 bits, not -32768 in both
 */
export type ProductMethod = (typeof PRODUCT_METHODS)[number];
export const PRODUCT_METHODS = ["relaxed-a", "relaxed-b", "simd", "wide"] as const;

/** How a method wants its operands. */
export interface ProductLayout {
  /** Bytes of an element of a, and of b. */
  readonly aBytes: 1 | 2;
  readonly bBytes: 1 | 2;
  /** Elements of k that one instruction takes: b's panels are [depth / group][8 columns][group]. */
  readonly group: 2 | 4;
  /** The depth of panels is k rounded up to a multiple of this. Rows of a may be read that far, where b's panels hold zeros. */
  readonly step: number;
  /** Bytes of room that a product needs for each element of the depth. */
  readonly roomBytes: number;
}

/** Columns of b that lie together. */
export const PANEL_COLUMNS = 8;
/** What one instruction takes of a row of a, whatever the method. */
export const GROUP_BYTES = 4;

const RELAXED: ProductLayout = { aBytes: 1, bBytes: 1, group: 4, step: 4, roomBytes: 0 };
const WIDE: ProductLayout = { aBytes: 2, bBytes: 2, group: 2, step: 2, roomBytes: 0 };
const LAYOUTS: Readonly<Record<ProductMethod, ProductLayout>> = {
  "relaxed-a": RELAXED,
  "relaxed-b": RELAXED,
  simd: { ...WIDE, bBytes: 1, roomBytes: PANEL_COLUMNS * WIDE.bBytes },
  wide: WIDE,
};

export function productLayout(method: ProductMethod): ProductLayout {
  return LAYOUTS[method];
}

/** Bytes of one panel of 8 columns. Columns j, ..., j + 7 are at j / 8 times as many behind the first. */
export function panelBytes(method: ProductMethod, k: number): number {
  const { bBytes, step } = productLayout(method);
  return Math.ceil(k / step) * step * PANEL_COLUMNS * bBytes;
}

/** What a tile does with one group of each of 8 columns: two vectors of 4 columns. */
export interface Dot {
  /** Of the 8 columns, in memory. */
  readonly bytes: 16 | 32;
  readonly columns: (address: Code, offset: number) => Code;
  /** sum + a b, in four lanes; a is the same in all. */
  readonly add: (a: Code, b: Code, sum: Code) => Code;
}

const words = (a: Code, b: Code, sum: Code): Code => op("i32x4.add", sum, op("i32x4.dot_i16x8_s", a, b));
const whole = (address: Code, offset: number): Code => load("v128.load", address, offset);

export const DOTS: Readonly<Record<ProductMethod, Dot>> = {
  "relaxed-a": {
    bytes: 32,
    columns: whole,
    add: (a, b, sum) => op("i32x4.relaxed_dot_i8x16_i7x16_add_s", b, a, sum),
  },
  "relaxed-b": {
    bytes: 32,
    columns: whole,
    add: (a, b, sum) => op("i32x4.relaxed_dot_i8x16_i7x16_add_s", a, b, sum),
  },
  simd: {
    bytes: 16,
    columns: (address, offset) => op("i16x8.extend_low_i8x16_s", load("v128.load64_zero", address, offset)),
    add: words,
  },
  wide: { bytes: 32, columns: whole, add: words },
};
