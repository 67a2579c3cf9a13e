// Packs the second factor of a product into panels, at load time or at run time, and sums the columns of packed panels. Whatever is read
// beyond a row of b, at most 16 bytes, has no influence on columns below n.

import {
  type Code,
  get,
  i16x8,
  i32,
  i32x4,
  type Local,
  load,
  op,
  repeatWhile,
  select,
  set,
  store,
} from "./assembler.ts";
import { FunctionBuilder, type FunctionDefinition } from "./assembler-module.ts";
import {
  advance,
  bytesBelow,
  groupsOf,
  interleave,
  isPositive,
  least,
  panelsOf,
  VECTOR_BYTES,
} from "./product-code.ts";
import { PANEL_COLUMNS, type ProductLayout, type ProductMethod, productLayout } from "./product-methods.ts";
import { packTransposed } from "./product-transpose.ts";

/** Panels that are packed together, row by row: a line of memory of 64 bytes, or two. */
const PANELS_AT_ONCE = 8;

/**
 * A function (b, bStride, panels, n, k, offset), all i32, addresses and strides in bytes: b [k, n], or [n, k] if transposed, of integers
 * of bBytes (8 or 16 bits), rows bStride apart, as the panels that productFunction takes. The offset is added to bytes, which must stay
 * bytes, and ignored where elements have 16 bits. Rows of panels from k on are 0, columns from n on mean nothing. Writes ceil(n / 8) *
 * panelBytes; reads at most 16 bytes beyond a row. n and k are at least 1.
 */
export function packFunction(method: ProductMethod, isTransposed: boolean): FunctionDefinition {
  const layout = productLayout(method);
  return isTransposed ? packTransposed(layout) : packRows(layout);
}

/** Rows of a group, then panels, of eight panels at once: each row's line of memory is used whole while it is near. */
function packRows(layout: ProductLayout): FunctionDefinition {
  const { group, bBytes } = layout;
  const builder = new FunctionBuilder(Array(6).fill("i32"), null);
  const [b, bStride, panels, n, k, offset] = builder.parameters as readonly [Local, Local, Local, Local, Local, Local];
  const groups = new GroupsOfRows(builder, layout, bStride);
  const [left, row, rowsLeft, target] = numbers(builder);
  const oneGroup = [
    ...groups.code({ row, rowsLeft, target, panelsLeft: left }),
    advance(row, op("i32.mul", get(bStride), i32(group))),
    advance(target, groups.bytes),
    advance(rowsLeft, -group),
  ];
  return builder.finish(
    set(groups.panelBytes, op("i32.mul", groupsOf(k, group), i32(groups.bytes))),
    set(groups.added, op("i8x16.splat", get(offset))),
    set(left, panelsOf(n)),
    repeatWhile(
      isPositive(left),
      set(row, get(b)),
      set(target, get(panels)),
      set(rowsLeft, get(k)),
      repeatWhile(isPositive(rowsLeft), ...oneGroup),
      advance(b, PANELS_AT_ONCE * PANEL_COLUMNS * bBytes),
      advance(panels, op("i32.mul", get(groups.panelBytes), i32(PANELS_AT_ONCE))),
      advance(left, -PANELS_AT_ONCE),
    ),
  );
}

function numbers(builder: FunctionBuilder): readonly [Local, Local, Local, Local] {
  const number = (): Local => builder.local("i32");
  return [number(), number(), number(), number()];
}

/** The rows of one group, in one panel after another. */
class GroupsOfRows {
  /** Of a group in a panel. */
  readonly bytes: number;
  /** To be set first. */
  readonly panelBytes: Local;
  readonly added: Local;
  readonly #layout: ProductLayout;
  readonly #bStride: Local;
  readonly #mask: Local;
  /** From each row of the group to the next. */
  readonly #steps: readonly Local[];
  readonly #numbers: readonly [Local, Local, Local, Local];

  constructor(builder: FunctionBuilder, layout: ProductLayout, bStride: Local) {
    this.bytes = PANEL_COLUMNS * layout.group * layout.bBytes;
    this.panelBytes = builder.local("i32");
    this.added = builder.local("v128");
    this.#layout = layout;
    this.#bStride = bStride;
    this.#mask = builder.local("v128");
    this.#steps = Array.from({ length: layout.group - 1 }, () => builder.local("i32"));
    this.#numbers = numbers(builder);
  }

  code({
    row,
    rowsLeft,
    target,
    panelsLeft,
  }: Readonly<Record<"row" | "rowsLeft" | "target" | "panelsLeft", Local>>): Code[] {
    const { group, bBytes } = this.#layout;
    const [from, to, panel] = this.#numbers;
    const isLeft = op("i32.lt_s", get(panel), get(panelsLeft));
    // Rows beyond the last are not read: the last is, once more.
    const stepTo = (i: number): Code => select(get(this.#bStride), i32(0), op("i32.lt_s", i32(i), get(rowsLeft)));
    return [
      ...this.#steps.map((step, i) => set(step, stepTo(i + 1))),
      set(
        this.#mask,
        bytesBelow(least(get(rowsLeft), i32(group)), (byte) => Math.floor(byte / bBytes) % group),
      ),
      set(from, get(row)),
      set(to, get(target)),
      set(panel, i32(0)),
      repeatWhile(
        op("i32.and", isLeft, op("i32.lt_s", get(panel), i32(PANELS_AT_ONCE))),
        ...this.#vectors(from).map((v, i) => store("v128.store", get(to), v, VECTOR_BYTES * i)),
        advance(from, PANEL_COLUMNS * bBytes),
        advance(to, get(this.panelBytes)),
        advance(panel, 1),
      ),
    ];
  }

  #vectors(from: Local): Code[] {
    const isBytes = this.#layout.bBytes === 1;
    const addresses: Code[] = [get(from)];
    for (const step of this.#steps) addresses.push(op("i32.add", addresses.at(-1) as Code, get(step)));
    const rows = addresses.map((address) => load(isBytes ? "v128.load64_zero" : "v128.load", address));
    return interleaved(rows, this.#layout.bBytes).map((v) =>
      op("v128.and", isBytes ? op("i8x16.add", v, get(this.added)) : v, get(this.#mask)),
    );
  }
}

/** Columns of 2 or 4 rows, each with its elements together: one vector of 8, or two of 4. */
function interleaved(rows: readonly Code[], bBytes: 1 | 2): readonly Code[] {
  const [a, b, c, d] = rows as readonly [Code, Code, Code?, Code?];
  if (bBytes === 2) return [interleave(a, b, 2, 0), interleave(a, b, 2, 1)];
  if (c === undefined || d === undefined) return [interleave(a, b, 1, 0)];
  const [first, second] = [interleave(a, b, 1, 0), interleave(c, d, 1, 0)];
  return [interleave(first, second, 2, 0), interleave(first, second, 2, 1)];
}

/**
 * A function (panels, starts, n, k, factor), all i32, addresses in bytes: starts[j] = factor times the sum over k of column j of panels
 * that were packed with offset 0, modulo 2^32. With a = q + 64, products begin at -64 times the sums. Writes n rounded up to a multiple of
 * 8 numbers.
 */
export function columnSumsFunction(method: ProductMethod): FunctionDefinition {
  const builder = new FunctionBuilder(Array(5).fill("i32"), null);
  const [panels, starts, n, k, factor] = builder.parameters as readonly [Local, Local, Local, Local, Local];
  const { group, bBytes } = productLayout(method);
  const [left, rowsLeft] = numbers(builder);
  const v = builder.local("v128");
  const sums = [builder.local("v128"), builder.local("v128")] as const;
  const scaled = (sum: Local): Code => op("i32x4.mul", get(sum), op("i32x4.splat", get(factor)));
  return builder.finish(
    set(left, panelsOf(n)),
    repeatWhile(
      isPositive(left),
      set(rowsLeft, get(k)),
      ...sums.map((sum) => set(sum, i32x4(0))),
      repeatWhile(
        isPositive(rowsLeft),
        ...addGroup(productLayout(method), panels, v, sums),
        advance(panels, PANEL_COLUMNS * group * bBytes),
        advance(rowsLeft, -group),
      ),
      ...sums.map((sum, half) => store("v128.store", get(starts), scaled(sum), VECTOR_BYTES * half)),
      advance(starts, 4 * PANEL_COLUMNS),
      advance(left, -1),
    ),
  );
}

/** Adds a group of each of 8 columns to their sums. */
function addGroup({ group, bBytes }: ProductLayout, panel: Local, v: Local, sums: readonly [Local, Local]): Code[] {
  const vector = (half: number): Code => load("v128.load", get(panel), VECTOR_BYTES * half);
  const add = (sum: Local, value: Code): Code => set(sum, op("i32x4.add", get(sum), value));
  if (bBytes === 1 && group === 2) {
    return [
      set(v, op("i16x8.extadd_pairwise_i8x16_s", vector(0))),
      add(sums[0], op("i32x4.extend_low_i16x8_s", get(v))),
      add(sums[1], op("i32x4.extend_high_i16x8_s", get(v))),
    ];
  }
  return sums.map((sum, half) => {
    const pairs = bBytes === 2 ? vector(half) : op("i16x8.extadd_pairwise_i8x16_s", vector(half));
    return add(sum, op("i32x4.dot_i16x8_s", pairs, i16x8(1)));
  });
}
