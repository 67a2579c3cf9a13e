// Which segment an argument belongs to, as code without branches: the fastest way that is exact for the table.
//   uniform, bits   the index rule itself, where its positions are computed
//   buckets         any rule: a uniform or bits position finds the one start of a segment that could lie near, one comparison decides
//   search          any rule: a binary search among the starts, where no 4096 buckets part them
// An argument that is NaN gets some segment; offsets never leave the table.

import { BINARY32, MIN_NORMAL_BINARY32, toOrdered32 } from "../../num/index.ts";
import { segmentCount, segmentStarts, type Table } from "../../table/index.ts";
import type { Code } from "./assembler.ts";
import type { DataLayout } from "./data.ts";
import type { Lanes } from "./lanes.ts";

/** Positions of arguments in a row of `count` places, monotone in the argument; before and beyond go to the first and last. */
type Positions =
  /** floor((t - first) * scale), difference and product rounded. */
  | { readonly by: "uniform"; readonly first: number; readonly scale: number; readonly count: number }
  /** floor(toOrdered32(t) / 2^shift) - first */
  | { readonly by: "bits"; readonly first: number; readonly shift: number; readonly count: number };

type Finder =
  | { readonly by: "positions"; readonly positions: Positions }
  /** Words at `rows`: for each position, the start to compare with and the offset of the line below it. */
  | { readonly by: "buckets"; readonly positions: Positions; readonly rows: number }
  /** Starts at `starts`, NaN beyond the last, 2^steps - 1 of them. */
  | { readonly by: "search"; readonly starts: number; readonly steps: number };

/** How the lines of a table are found, and in which order they lie in memory. */
export interface Segments {
  readonly finder: Finder;
  /** Segments of the table in the order of their lines in memory. */
  readonly order: readonly number[];
}

/** Bytes of a line: slope and intercept. */
const LINE_BYTES = 8;
/** Positions of at most 2^20 lines come out of the mantissa of 2^20 + position. */
const MOST_LINES = 2 ** 20;
const MOST_BUCKETS = 4096;
const FEWEST_BUCKETS = 16;

/** Plans how to find a binary32 table's segments; the words it needs go into the data. */
export function planSegments(table: Table, data: DataLayout): Segments {
  const count = segmentCount(table);
  const direct = positionsOf(table, count);
  if (direct !== null) return { finder: { by: "positions", positions: direct }, order: ascending(count) };
  const starts = segmentStarts(table.index, count, BINARY32);
  // A segment without values has the start of the next one, or none.
  const order = [0, ...ascending(count - 1).map((i) => i + 1)].filter((i) => {
    const next = starts[i];
    const begin = i === 0 ? -Infinity : (starts[i - 1] as number);
    return begin < Infinity && (next === undefined || begin < next || i === 0);
  });
  const own = order.slice(1).map((i) => starts[i - 1] as number);
  return { finder: buckets(own, data) ?? search(own, data), order };
}

function ascending(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** The index rule as positions, where it is such a rule and its scale is a normal number. */
function positionsOf({ index }: Table, count: number): Positions | null {
  if (index.rule === "float-bits") return { by: "bits", first: index.first, shift: index.shift, count };
  if (index.rule !== "uniform" || count > MOST_LINES) return null;
  const isExact = index.width > MIN_NORMAL_BINARY32 && index.width <= 1 / MIN_NORMAL_BINARY32;
  return isExact ? { by: "uniform", first: index.first, scale: 1 / index.width, count } : null;
}

// buckets and searches ------------------------------------------------------------------------------------------------

/** The fewest positions that part all starts; null if none do. */
function buckets(starts: readonly number[], data: DataLayout): Finder | null {
  for (let count = FEWEST_BUCKETS; count <= MOST_BUCKETS; count *= 2) {
    const positions = [uniformPositions(starts, count), bitsPositions(starts, count)].find(
      (candidate) => candidate !== null && parts(candidate, starts),
    );
    if (positions) return { by: "buckets", positions, rows: bucketRows(positions, starts, data) };
  }
  return null;
}

function uniformPositions(starts: readonly number[], count: number): Positions | null {
  const first = starts[0] ?? 0;
  const length = (starts.at(-1) ?? 0) - first;
  const scale = Math.fround(count / Math.max(length, MIN_NORMAL_BINARY32));
  const isNormal = length < 1 / MIN_NORMAL_BINARY32 && scale >= MIN_NORMAL_BINARY32 && scale < Infinity;
  return isNormal ? { by: "uniform", first, scale, count } : null;
}

function bitsPositions(starts: readonly number[], count: number): Positions | null {
  const [low, high] = [toOrdered32(starts[0] ?? 0), toOrdered32(starts.at(-1) ?? 0)];
  const shift = ascending(32).find((by) => Math.floor(high / 2 ** by) - Math.floor(low / 2 ** by) < count);
  return shift === undefined ? null : { by: "bits", first: Math.floor(low / 2 ** shift), shift, count };
}

function positionOf(positions: Positions, t: number): number {
  const { count, first } = positions;
  const position =
    positions.by === "uniform"
      ? Math.floor(Math.fround(Math.fround(t - first) * positions.scale))
      : Math.floor(toOrdered32(t) / 2 ** positions.shift) - first;
  return Math.min(count - 1, Math.max(0, position));
}

/** Whether no two starts share a position. */
function parts(positions: Positions, starts: readonly number[]): boolean {
  return starts.every(
    (start, i) => i === 0 || positionOf(positions, starts[i - 1] as number) < positionOf(positions, start),
  );
}

function bucketRows(positions: Positions, starts: readonly number[], data: DataLayout): number {
  const rows = new DataView(new ArrayBuffer(positions.count * LINE_BYTES));
  let below = 0;
  for (let position = 0; position < positions.count; position++) {
    const start = starts[below];
    const isHere = start !== undefined && positionOf(positions, start) === position;
    rows.setFloat32(position * LINE_BYTES, isHere ? start : Number.NaN, true);
    rows.setInt32(position * LINE_BYTES + 4, below * LINE_BYTES, true);
    if (isHere) below++;
  }
  return data.bytes(new Uint8Array(rows.buffer));
}

function search(starts: readonly number[], data: DataLayout): Finder {
  const steps = 32 - Math.clz32(starts.length);
  const padded = Array.from({ length: 2 ** steps - 1 }, (_, i) => starts[i] ?? Number.NaN);
  return { by: "search", starts: data.words(padded, "f32"), steps };
}

// code ----------------------------------------------------------------------------------------------------------------

/** The byte offset of the line of the argument t, which must be kept. */
export function offsetOf(lanes: Lanes, { finder }: Segments, t: Code): Code {
  switch (finder.by) {
    case "positions":
      return emitPositions(lanes, finder.positions, t);
    case "buckets": {
      const offset = lanes.keep(emitPositions(lanes, finder.positions, t));
      const { slope: start, intercept: below } = lanes.pair(offset, finder.rows);
      const isAbove = lanes.compare("ge", t, start);
      return lanes.integers("add", lanes.bits(below), lanes.where(isAbove, LINE_BYTES));
    }
    case "search": {
      let offset = lanes.keep(lanes.integer(0));
      for (let step = finder.steps - 1; step >= 0; step--) {
        // The middle of the 2^(step + 1) - 1 starts that are left; offset counts starts below, in words.
        const start = lanes.word(offset, finder.starts + (2 ** step - 1) * 4);
        const isAbove = lanes.compare("ge", t, start);
        offset = lanes.keep(lanes.integers("add", offset, lanes.where(isAbove, 2 ** step * 4)));
      }
      return lanes.shift("shl", offset, 1);
    }
    default:
      return finder satisfies never;
  }
}

function emitPositions(lanes: Lanes, positions: Positions, t: Code): Code {
  const { first, count } = positions;
  if (positions.by === "uniform") {
    const difference = first === 0 ? t : lanes.binary("sub", t, lanes.number(first));
    const scaled = lanes.binary("mul", difference, lanes.number(positions.scale));
    const inside = lanes.lower(lanes.number(count - 1), lanes.raise(lanes.number(0), scaled));
    // The bits of 2^20 + i hold 8 i in their lowest places: the offset.
    const mantissa = lanes.binary("add", lanes.floor(inside), lanes.number(MOST_LINES));
    return lanes.integers("and", lanes.bits(mantissa), lanes.integer((MOST_LINES - 1) * LINE_BYTES));
  }
  // toOrdered32: negative values count down from 0.
  const bits = lanes.keep(lanes.bits(t));
  const isNegative = lanes.keep(lanes.shift("shr_s", bits, 31));
  const magnitude = lanes.integers("and", bits, lanes.integer(0x7fffffff));
  const key = lanes.integers("sub", lanes.integers("xor", magnitude, isNegative), isNegative);
  const inside = lanes.least(first + count - 1, lanes.greatest(first, lanes.shift("shr_s", key, positions.shift)));
  const position = lanes.integers("sub", inside, lanes.integer(first));
  return lanes.shift("shl", position, 3);
}
