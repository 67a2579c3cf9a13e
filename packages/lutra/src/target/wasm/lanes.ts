// The same code in two widths: one value at a time (f32 and i32), or four (v128). Everything a table does is written once, on Lanes,
// and comes out in both; each operation rounds once, as in the definition, so both give the same bits.

import {
  bytesOf,
  type Code,
  extractLane,
  f32,
  f32x4,
  get,
  i32,
  i32x4,
  i64,
  load,
  loadLane,
  op,
  select,
  set,
  shuffle,
  store,
  type ValueType,
} from "./assembler.ts";
import type { FunctionBuilder } from "./assembler-module.ts";

/** Where an input, or four of them, are in memory: at address + offset. */
export interface InMemory {
  readonly address: Code;
  readonly offset: number;
}

/** Slope and intercept of a segment. */
export interface Line {
  readonly slope: Code;
  readonly intercept: Code;
}

/**
 * Floats, integers of 32 bits and masks (the result of a comparison). `keep` makes a value usable more than once; everything else is
 * an expression that may stand in one place only.
 */
export interface Lanes {
  keep(value: Code): Code;
  number(x: number): Code;
  integer(n: number): Code;
  binary(name: "add" | "sub" | "mul", a: Code, b: Code): Code;
  floor(a: Code): Code;
  /** As Math.min and Math.max: NaN and the sign of zero count. */
  exact(name: "min" | "max", a: Code, b: Code): Code;
  /** The bound where it is above (below) x, else x; the bound if x is NaN. One instruction where min and max take five. */
  raise(bound: Code, x: Code): Code;
  lower(bound: Code, x: Code): Code;
  /** The same, but x if x is NaN. x is kept. */
  atLeast(x: Code, bound: Code): Code;
  atMost(x: Code, bound: Code): Code;
  compare(name: "eq" | "lt" | "gt" | "ge", a: Code, b: Code): Code;
  /** a where the mask holds, else b: floats. */
  choose(mask: Code, a: Code, b: Code): Code;
  /** The integer n where the mask holds, else 0. */
  where(mask: Code, n: number): Code;
  bits(x: Code): Code;
  fromBits(n: Code): Code;
  toFloat(n: Code): Code;
  integers(name: "add" | "sub" | "and" | "or" | "xor", a: Code, b: Code): Code;
  shift(name: "shl" | "shr_s" | "shr_u", n: Code, by: number): Code;
  least(a: number, b: Code): Code;
  greatest(a: number, b: Code): Code;
  /** The pair of words at address + offset. The offset is kept. */
  pair(offset: Code, address: number): Line;
  /** The pair of words at address + ((bits >> shift) & mask) for the bits of inputs, straight from memory; shift + 32 bits hold the mask. */
  pairBy(at: InMemory, shift: number, mask: number, address: number): Line;
  /** The word at address + offset, as floats. The offset is kept. */
  word(offset: Code, address: number): Code;
}

/** What gives new locals: a function, or a part of it that may use the same ones as another part. */
export type Locals = Pick<FunctionBuilder, "local">;

/** Statements of one round of a loop, with constants that are set before it. */
export class Block {
  readonly statements: Code[] = [];
  readonly prologue: Code[];
  readonly #cuts: number[] = [];
  readonly #locals: Locals;
  readonly #ofConstants: Locals;
  readonly #constants: Map<string, Code>;

  /** @param shared the block whose constants this one uses too */
  constructor(locals: Locals, shared?: Block) {
    this.#locals = locals;
    this.#ofConstants = shared === undefined ? locals : shared.#ofConstants;
    this.prologue = shared === undefined ? [] : shared.prologue;
    this.#constants = shared === undefined ? new Map() : shared.#constants;
  }

  keep(value: Code): Code {
    const local = this.#locals.local(value.type as ValueType);
    this.statements.push(set(local, value));
    return get(local);
  }

  /** Parts the statements here: what comes next loads what was just stored, and is faster after some time. */
  cut(): void {
    this.#cuts.push(this.statements.length);
  }

  /** The statements between cuts. */
  parts(): readonly (readonly Code[])[] {
    const ends = [...this.#cuts, this.statements.length];
    return ends.map((end, i) => this.statements.slice(ends[i - 1] ?? 0, end));
  }

  /** A constant in a local: vectors of constants would be loaded again in every round. */
  constant(value: Code): Code {
    const key = (value.operands.length === 0 ? value.bytes : bytesOf(value)).join();
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const local = this.#ofConstants.local(value.type as ValueType);
    this.prologue.push(set(local, value));
    this.#constants.set(key, get(local));
    return get(local);
  }
}

/** One value. Masks are 0 and 1. */
export function scalarLanes(block: Block): Lanes {
  return {
    keep: (value) => block.keep(value),
    number: f32,
    integer: i32,
    binary: (name, a, b) => op(`f32.${name}`, a, b),
    floor: (a) => op("f32.floor", a),
    exact: (name, a, b) => op(`f32.${name}`, a, b),
    raise: (bound, x) => {
      const kept = block.keep(x);
      return select(kept, bound, op("f32.lt", bound, kept));
    },
    lower: (bound, x) => {
      const kept = block.keep(x);
      return select(kept, bound, op("f32.lt", kept, bound));
    },
    atLeast: (x, bound) => select(bound, x, op("f32.lt", x, bound)),
    atMost: (x, bound) => select(bound, x, op("f32.gt", x, bound)),
    compare: (name, a, b) => op(`f32.${name}`, a, b),
    choose: (mask, a, b) => select(a, b, mask),
    where: (mask, n) => select(i32(n), i32(0), mask),
    bits: (x) => op("i32.reinterpret_f32", x),
    fromBits: (n) => op("f32.reinterpret_i32", n),
    toFloat: (n) => op("f32.convert_i32_s", n),
    integers: (name, a, b) => op(`i32.${name}`, a, b),
    shift: (name, n, by) => op(`i32.${name}`, n, i32(by)),
    least: (a, b) => whereComparing(block, "i32.lt_s", a, b),
    greatest: (a, b) => whereComparing(block, "i32.gt_s", a, b),
    pair: linePair,
    pairBy: (at, shift, mask, address) => {
      const bits = op("i32.shr_u", load("i32.load", at.address, at.offset), i32(shift));
      return linePair(block.keep(op("i32.and", bits, i32(mask))), address);
    },
    word: (offset, address) => load("f32.load", offset, address),
  };
}

/** b where it compares so with a, else a. */
function whereComparing(block: Block, name: "i32.lt_s" | "i32.gt_s", a: number, b: Code): Code {
  const kept = block.keep(b);
  return select(kept, i32(a), op(name, kept, i32(a)));
}

function linePair(offset: Code, address: number): Line {
  return { slope: load("f32.load", offset, address), intercept: load("f32.load", offset, address + 4) };
}

/** Bytes of the first and of the second words of two pairs in each of two vectors. */
const FIRST_WORDS = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];
const SECOND_WORDS = FIRST_WORDS.map((byte) => byte + 4);

/**
 * Four values. Masks are all bits of a lane.
 * @param room 16 bytes that lookups may overwrite: addresses reach scalar registers faster through memory, but for a cut in between
 */
export function vectorLanes(block: Block, form: "simd" | "relaxed" = "simd", room?: InMemory): Lanes {
  const constant = (value: Code): Code => block.constant(value);
  return {
    keep: (value) => block.keep(value),
    number: (x) => constant(f32x4(x)),
    integer: (n) => constant(i32x4(n)),
    binary: (name, a, b) => op(`f32x4.${name}`, a, b),
    floor: (a) => op("f32x4.floor", a),
    exact: (name, a, b) => op(`f32x4.${name}`, a, b),
    raise: (bound, x) => op("f32x4.pmax", bound, x),
    lower: (bound, x) => op("f32x4.pmin", bound, x),
    atLeast: (x, bound) => op("f32x4.pmax", x, bound),
    atMost: (x, bound) => op("f32x4.pmin", x, bound),
    compare: (name, a, b) => op(`f32x4.${name}`, a, b),
    choose: (mask, a, b) => op(form === "relaxed" ? "i32x4.relaxed_laneselect" : "v128.bitselect", a, b, mask),
    where: (mask, n) => op("v128.and", mask, constant(i32x4(n))),
    bits: (x) => x,
    fromBits: (n) => n,
    toFloat: (n) => op("f32x4.convert_i32x4_s", n),
    integers: (name, a, b) => (name === "add" || name === "sub" ? op(`i32x4.${name}`, a, b) : op(`v128.${name}`, a, b)),
    shift: (name, n, by) => op(`i32x4.${name}`, n, i32(by)),
    least: (a, b) => op("i32x4.min_s", b, constant(i32x4(a))),
    greatest: (a, b) => op("i32x4.max_s", b, constant(i32x4(a))),
    pair: (offset, address) => pairs(block, offsetsOf(block, offset, room), address),
    pairBy: (at, shift, mask, address) => pairs(block, offsetsInMemory(block, at, shift, mask), address),
    word: (offset, address) => words(block, offsetsOf(block, offset, room), address),
  };
}

/** The lanes of a vector of integers. Two halves cost less than four extractions. */
function offsetsOf(block: Block, offset: Code, room: InMemory | undefined): readonly Code[] {
  if (room !== undefined) {
    block.statements.push(store("v128.store", room.address, offset, room.offset));
    block.cut();
  }
  return [0, 1].flatMap((half) => {
    const both = block.keep(
      room === undefined
        ? extractLane("i64x2.extract_lane", half, offset)
        : load("i64.load", room.address, room.offset + 8 * half),
    );
    return [op("i32.wrap_i64", both), op("i32.wrap_i64", op("i64.shr_u", both, i64(32)))];
  });
}

/** The same from four inputs in memory: two 64-bit loads and masks cost less than four of everything. */
function offsetsInMemory(block: Block, { address, offset }: InMemory, shift: number, mask: number): readonly Code[] {
  const upper = (mask << shift) | 0;
  const masks = block.constant(i64(upper * 2 ** 32 + (upper >>> 0)));
  return [0, 8].flatMap((byte) => {
    const both = block.keep(op("i64.and", load("i64.load", address, offset + byte), masks));
    return [
      op("i32.shr_u", op("i32.wrap_i64", both), i32(shift)),
      op("i32.wrap_i64", op("i64.shr_u", both, i64(32 + shift))),
    ];
  });
}

/** Slopes and intercepts at four addresses: each pair is one load, and two shuffles part them. */
function pairs(block: Block, offsets: readonly Code[], address: number): Line {
  const [a, b, c, d] = offsets as readonly [Code, Code, Code, Code];
  const both = (first: Code, second: Code): Code =>
    block.keep(loadLane("v128.load64_lane", second, load("v128.load64_zero", first, address), 1, address));
  const low = both(a, b);
  const high = both(c, d);
  return { slope: shuffle(FIRST_WORDS, low, high), intercept: shuffle(SECOND_WORDS, low, high) };
}

function words(block: Block, offsets: readonly Code[], address: number): Code {
  const [first, ...others] = offsets as readonly [Code, ...Code[]];
  const start = load("v128.load32_zero", first, address);
  return block.keep(others.reduce((v, offset, i) => loadLane("v128.load32_lane", offset, v, i + 1, address), start));
}
