// Sums of some rows of a by one panel of b, in registers over the whole of k. What counts is how many of them are independent: two dot
// products of four bytes begin in a cycle (Zen 5) and each takes four or five, so 8 sums wait for one another where 12 do not.
// Rows in tiles of 6 and 5, as even as possible, were slower than 6 and a rest. So tiles have 12 sums where they can:
// one of few rows has several of each element, of every other group or every third, and adds them at the end.

import {
  type Code,
  get,
  i32,
  i32x4,
  type Local,
  load,
  op,
  repeatWhile,
  set,
  shuffle,
  store,
  when,
} from "./assembler.ts";
import type { FunctionBuilder } from "./assembler-module.ts";
import { advance, VECTOR_BYTES } from "./product-code.ts";
import { type Dot, GROUP_BYTES } from "./product-methods.ts";

/** What sums begin at. */
export type ProductStarts = "none" | "row" | "column" | "both";

/** Where a tile is. It leaves the addresses at the next rows. */
export interface TilePlace {
  /** The first row of a. */
  readonly a: Local;
  readonly aStride: Local;
  readonly sums: Local;
  readonly sumsStride: Local;
  readonly rowStarts: Local;
  /** These stay. */
  readonly columnStarts: Local;
  readonly panel: Local;
  /** Groups of k. */
  readonly groups: Local;
}

export interface TileShape {
  readonly rows: number;
  /** Sums of each element. */
  readonly chains: number;
  /** Groups of one round of the loop, a multiple of the chains; 4 for a lone row, which are one vector of a. */
  readonly unrolled: number;
}

const HALVES = [0, 1] as const;
/** Groups of one vector of a: a lone row is read so, since each of its loads would serve two instructions only. */
const VECTOR_GROUPS = VECTOR_BYTES / GROUP_BYTES;

/** Locals that tiles of all shapes share. */
export class TileLocals {
  readonly #pointers: readonly Local[];
  readonly #sums: readonly Local[];
  readonly b: readonly [Local, Local];
  readonly a: Local;
  readonly row: Local;
  readonly at: Local;
  readonly end: Local;

  constructor(builder: FunctionBuilder, shapes: readonly TileShape[]) {
    const some = (count: number, type: "i32" | "v128"): Local[] =>
      Array.from({ length: count }, () => builder.local(type));
    this.#pointers = some(Math.max(...shapes.map(({ rows }) => rows)), "i32");
    this.#sums = some(Math.max(...shapes.map(({ rows, chains }) => 2 * rows * chains)), "v128");
    this.b = [builder.local("v128"), builder.local("v128")];
    this.a = builder.local("v128");
    this.row = builder.local("v128");
    this.at = builder.local("i32");
    this.end = builder.local("i32");
  }

  pointer(row: number): Local {
    return this.#pointers[row] as Local;
  }

  sum(place: number): Local {
    return this.#sums[place] as Local;
  }
}

/** The statements of one tile. Its groups are the whole rounds of as many as it unrolls, then those that are left, one by one. */
export class Tile {
  readonly #shape: TileShape;
  readonly #dot: Dot;
  readonly #locals: TileLocals;

  constructor(shape: TileShape, dot: Dot, locals: TileLocals) {
    this.#shape = shape;
    this.#dot = dot;
    this.#locals = locals;
  }

  code(place: TilePlace, starts: ProductStarts): Code[] {
    return [
      ...this.#aim(place),
      ...this.#begin(place, starts),
      ...this.#products(place),
      ...this.#gather(),
      ...this.#write(place),
      advance(place.rowStarts, 4 * this.#shape.rows),
    ];
  }

  #rows(): number[] {
    return Array.from({ length: this.#shape.rows }, (_, row) => row);
  }

  /** Sums of an element besides the first. */
  #others(): number[] {
    return Array.from({ length: this.#shape.chains - 1 }, (_, i) => i + 1);
  }

  #sum(row: number, half: 0 | 1, chain = 0): Local {
    return this.#locals.sum(2 * (chain * this.#shape.rows + row) + half);
  }

  /** Pointers to rows of a. */
  #aim({ a, aStride }: TilePlace): Code[] {
    return this.#rows().flatMap((row) => [set(this.#locals.pointer(row), get(a)), advance(a, get(aStride))]);
  }

  /** Each start is loaded once, however many sums begin at it. */
  #begin({ rowStarts, columnStarts }: TilePlace, starts: ProductStarts): Code[] {
    const { a, b } = this.#locals;
    const [isOverRows, isOverColumns] = [
      starts === "row" || starts === "both",
      starts === "column" || starts === "both",
    ];
    const start = (half: 0 | 1): Code => {
      if (starts === "both") return op("i32x4.add", get(a), get(b[half]));
      return isOverRows ? get(a) : isOverColumns ? get(b[half]) : i32x4(0);
    };
    const ofColumns = HALVES.map((half) => set(b[half], load("v128.load", get(columnStarts), VECTOR_BYTES * half)));
    const ofRow = (row: number): Code => set(a, load("v128.load32_splat", get(rowStarts), 4 * row));
    return [
      ...(isOverColumns ? ofColumns : []),
      ...this.#rows().flatMap((row) => [
        ...(isOverRows ? [ofRow(row)] : []),
        ...HALVES.map((half) => set(this.#sum(row, half), start(half))),
      ]),
      ...this.#others().flatMap((chain) => this.#each((row, half) => set(this.#sum(row, half, chain), i32x4(0)))),
    ];
  }

  #each(code: (row: number, half: 0 | 1) => Code): Code[] {
    return this.#rows().flatMap((row) => HALVES.map((half) => code(row, half)));
  }

  #products({ panel, groups }: TilePlace): Code[] {
    const { at, end } = this.#locals;
    const { unrolled } = this.#shape;
    const isBefore = op("i32.lt_u", get(at), get(end));
    const upTo = (count: Code, round: readonly Code[]): Code[] => [
      set(end, op("i32.add", get(panel), op("i32.mul", count, i32(this.#dot.bytes)))),
      when(isBefore, repeatWhile(isBefore, ...round)),
    ];
    const whole = op("i32.mul", op("i32.div_s", get(groups), i32(unrolled)), i32(unrolled));
    return [
      set(at, get(panel)),
      ...(unrolled === 1 ? [] : upTo(whole, this.#round(unrolled))),
      ...upTo(get(groups), this.#round(1)),
    ];
  }

  /** So many groups. */
  #round(groups: number): Code[] {
    const { at } = this.#locals;
    const code = Array.from({ length: groups }, (_, group) =>
      this.#group(group, this.#shape.rows === 1 && groups === VECTOR_GROUPS),
    ).flat();
    const pointers = this.#rows().map((row) => advance(this.#locals.pointer(row), groups * GROUP_BYTES));
    return [...code, ...pointers, advance(at, groups * this.#dot.bytes)];
  }

  #group(group: number, isVector: boolean): Code[] {
    const { b, at, a } = this.#locals;
    const { bytes, columns, add } = this.#dot;
    const chain = group % this.#shape.chains;
    return [
      ...HALVES.map((half) => set(b[half], columns(get(at), group * bytes + (half * bytes) / 2))),
      ...this.#rows().flatMap((row) => [
        ...(isVector
          ? this.#laneOfRow(group)
          : [set(a, load("v128.load32_splat", get(this.#locals.pointer(row)), group * GROUP_BYTES))]),
        ...HALVES.map((half) => {
          const sum = this.#sum(row, half, chain);
          return set(sum, add(get(a), get(b[half]), get(sum)));
        }),
      ]),
    ];
  }

  /** Sets a to one group of the lone row, whose vector is loaded with the first. */
  #laneOfRow(group: number): Code[] {
    const { a, row } = this.#locals;
    const lanes = Array.from({ length: VECTOR_BYTES }, (_, byte) => group * GROUP_BYTES + (byte % GROUP_BYTES));
    const vector = set(row, load("v128.load", get(this.#locals.pointer(0))));
    return [...(group === 0 ? [vector] : []), set(a, shuffle(lanes, get(row), get(row)))];
  }

  /** The sums of each element together. */
  #gather(): Code[] {
    return this.#others().flatMap((chain) =>
      this.#each((row, half) => {
        const sum = this.#sum(row, half);
        return set(sum, op("i32x4.add", get(sum), get(this.#sum(row, half, chain))));
      }),
    );
  }

  #write({ sums, sumsStride }: TilePlace): Code[] {
    return this.#rows().flatMap((row) => [
      ...HALVES.map((half) => store("v128.store", get(sums), get(this.#sum(row, half)), VECTOR_BYTES * half)),
      advance(sums, get(sumsStride)),
    ]);
  }
}
