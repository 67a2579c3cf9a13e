// Which segment an argument belongs to, as code without branches: the fastest way that is exact for the table.
//   top bits        of the argument, where all segments begin where these change: top-bits.ts
//   uniform, bits   the index rule itself, where its positions are computed
//   buckets         any rule: one of those finds the one start of a segment that could lie near, a comparison decides
//   search          any rule: a binary search among the starts, where no 2^16 buckets part them
// An argument that is NaN gets some segment; offsets never leave the table.

import { BINARY32, MIN_NORMAL_BINARY32, toOrdered32 } from "../../num/index.ts";
import { segmentCount, segmentStarts, type Table } from "../../table/index.ts";
import type { Code } from "./assembler.ts";
import type { DataLayout } from "./data.ts";
import type { InMemory, Lanes, Line } from "./lanes.ts";
import { type Bucket, partingBits, type TopBits, tellingBits } from "./top-bits.ts";

/** Positions of arguments in a row of `count` places, monotone in the argument; before and beyond go to the first and last. */
type Positions =
  /** floor((t - first) * scale), difference and product rounded. */
  | { readonly by: "uniform"; readonly first: number; readonly scale: number; readonly count: number }
  /** floor(toOrdered32(t) / 2^shift) - first */
  | { readonly by: "bits"; readonly first: number; readonly shift: number; readonly count: number };

type Places = Positions | TopBits;

type Finder =
  | { readonly by: "places"; readonly places: Places }
  /** Words at `rows`: for each position, the start to compare with and the offset of the line below it. */
  | { readonly by: "buckets"; readonly places: Places; readonly rows: number }
  /** Starts at `starts`, NaN beyond the last, 2^steps - 1 of them. */
  | { readonly by: "search"; readonly starts: number; readonly steps: number };

/** How the lines of a table are found, and in which order they lie in memory. */
export interface Segments {
  readonly finder: Finder;
  /** Segments of the table in the order of their lines in memory, as often as it has them; -1 for a line that only NaNs find. */
  readonly order: ArrayLike<number>;
  /** Whether an argument finds its segment before it is clamped as well. */
  readonly ignoresClamp: boolean;
}

/** Bytes of a line: slope and intercept. */
const LINE_BYTES = 8;
/** From here to its double, binary32 holds the integers. */
const MANTISSA = 2 ** 23;
const MOST_LINES = MANTISSA / LINE_BYTES;
const MOST_BUCKETS = 2 ** 16;
const FEWEST_BUCKETS = 16;

/** Plans how to find a binary32 table's segments; the words it needs go into the data. */
export function planSegments(table: Table, data: DataLayout): Segments {
  const telling = tellingBits(table);
  if (telling !== null) {
    const { places, segments } = telling;
    return { finder: { by: "places", places }, order: segments, ignoresClamp: true };
  }
  const count = segmentCount(table);
  const direct = positionsOf(table, count);
  const starts = segmentStarts(table.index, count, BINARY32);
  const [low, high] = table.clamp;
  const ignoresClamp = starts.every((start) => start > low && start <= high);
  if (direct !== null) {
    return { finder: { by: "places", places: direct }, order: ascending(count), ignoresClamp };
  }
  // A segment without values has the start of the next one, or none.
  const order = [0, ...ascending(count - 1).map((i) => i + 1)].filter((i) => {
    const next = starts[i];
    const begin = i === 0 ? -Infinity : (starts[i - 1] as number);
    return begin < Infinity && (next === undefined || begin < next || i === 0);
  });
  const own = order.slice(1).map((i) => starts[i - 1] as number);
  return { finder: buckets(table, own, data) ?? search(own, data), order, ignoresClamp };
}

function ascending(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** The index rule as positions, where it is such a rule and its scale is a normal number. */
function positionsOf({ index }: Table, count: number): Positions | null {
  if (index.rule === "float-bits") return { by: "bits", first: index.first, shift: index.shift, count };
  if (index.rule !== "uniform" || count > MOST_LINES) return null;
  const isExact = index.width > LINE_BYTES * MIN_NORMAL_BINARY32 && index.width <= 1 / MIN_NORMAL_BINARY32;
  return isExact ? { by: "uniform", first: index.first, scale: 1 / index.width, count } : null;
}

// buckets and searches ------------------------------------------------------------------------------------------------

/** The upper bits or the fewest positions that part all starts; null if none do. */
function buckets(table: Table, starts: readonly number[], data: DataLayout): Finder | null {
  const parting = partingBits(table, starts);
  if (parting !== null) return { by: "buckets", places: parting.places, rows: bucketRows(parting.buckets, data) };
  for (let count = FEWEST_BUCKETS; count <= MOST_BUCKETS; count *= 2) {
    const places = [uniformPositions(starts, count), bitsPositions(starts, count)].find(
      (candidate) => candidate !== null && parts(candidate, starts),
    );
    if (places) return { by: "buckets", places, rows: bucketRows(bucketsAt(places, starts), data) };
  }
  return null;
}

function uniformPositions(starts: readonly number[], count: number): Positions | null {
  const first = starts[0] ?? 0;
  const length = (starts.at(-1) ?? 0) - first;
  const scale = Math.fround(count / Math.max(length, MIN_NORMAL_BINARY32));
  const isNormal = length < 1 / MIN_NORMAL_BINARY32 && scale >= MIN_NORMAL_BINARY32 && LINE_BYTES * scale < 2 ** 128;
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

function bucketsAt(positions: Positions, starts: readonly number[]): Bucket[] {
  let below = 0;
  return Array.from({ length: positions.count }, (_, position) => {
    const start = starts[below];
    const isHere = start !== undefined && positionOf(positions, start) === position;
    const bucket = { start: isHere ? start : Number.NaN, below };
    if (isHere) below++;
    return bucket;
  });
}

/** Of each bucket its start, and as a word the offset of the line below it. */
function bucketRows(all: readonly Bucket[], data: DataLayout): number {
  const words = new Float32Array(2 * all.length);
  const offsets = new Int32Array(words.buffer);
  all.forEach(({ start, below }, i) => {
    words[2 * i] = start;
    offsets[2 * i + 1] = below * LINE_BYTES;
  });
  return data.pairs(words);
}

function search(starts: readonly number[], data: DataLayout): Finder {
  const steps = 32 - Math.clz32(starts.length);
  const padded = Array.from({ length: 2 ** steps - 1 }, (_, i) => starts[i] ?? Number.NaN);
  return { by: "search", starts: data.words(padded, "f32"), steps };
}

// code ----------------------------------------------------------------------------------------------------------------

/** Whether a table's lines are found from the bits of an argument: fastest where these are in memory. */
export function readsBits({ finder }: Segments): boolean {
  return finder.by !== "search" && finder.places.by === "top-bits";
}

/** The line of the argument t, which must be kept. `at`: where its bits are in memory, but for the sign and a clamp, if they are. */
export function lineOf(lanes: Lanes, { finder }: Segments, t: Code, lines: number, at: InMemory | undefined): Line {
  switch (finder.by) {
    case "places":
      return pairOf(lanes, finder.places, t, lines, at);
    case "buckets": {
      const { slope: start, intercept: below } = pairOf(lanes, finder.places, t, finder.rows, at);
      const isAbove = lanes.compare("ge", t, start);
      const offset = lanes.integers("add", lanes.bits(below), lanes.where(isAbove, LINE_BYTES));
      return lanes.pair(lanes.keep(offset), lines);
    }
    case "search": {
      let offset = lanes.keep(lanes.integer(0));
      for (let step = finder.steps - 1; step >= 0; step--) {
        // The middle of the 2^(step + 1) - 1 starts that are left; offset counts starts below, in words.
        const start = lanes.word(offset, finder.starts + (2 ** step - 1) * 4);
        const isAbove = lanes.compare("ge", t, start);
        offset = lanes.keep(lanes.integers("add", offset, lanes.where(isAbove, 2 ** step * 4)));
      }
      return lanes.pair(lanes.keep(lanes.shift("shl", offset, 1)), lines);
    }
    default:
      return finder satisfies never;
  }
}

/** The pair at an argument's place. */
function pairOf(lanes: Lanes, places: Places, t: Code, address: number, at: InMemory | undefined): Line {
  if (places.by !== "top-bits") return lanes.pair(lanes.keep(emitPositions(lanes, places, t)), address);
  const { shift, mask } = places;
  if (at !== undefined) return lanes.pairBy(at, shift, mask, address);
  const shifted = lanes.shift("shr_u", lanes.bits(t), shift);
  return lanes.pair(lanes.keep(lanes.integers("and", shifted, lanes.integer(mask))), address);
}

/**
 * The offset of a position. For uniform ones it is 8 floor(s) of the scaled difference s, in five operations: 8 s is clamped to
 * [1, 8 (count - 1) + 1], which changes no position, and 2^23 - 1/2 is added. The exact sum is at least 2^23, where binary32 holds integers: it
 * is rounded to the nearest, ties to even. So m < 8 s < m + 1 gives 2^23 + m, and 8 s = m gives 2^23 + m for even m, 2^23 + m - 1 for odd m:
 * in both cases the bits above the lowest three are those of 8 floor(s), because multiples of 8 are even.
 */
function emitPositions(lanes: Lanes, positions: Positions, t: Code): Code {
  const { first, count } = positions;
  if (positions.by === "uniform") {
    const difference = first === 0 ? t : lanes.binary("sub", t, lanes.number(first));
    const scaled = lanes.binary("mul", difference, lanes.number(positions.scale * LINE_BYTES));
    const inside = lanes.lower(lanes.number((count - 1) * LINE_BYTES + 1), lanes.raise(lanes.number(1), scaled));
    const mantissa = lanes.binary("add", inside, lanes.number(MANTISSA - 0.5));
    return lanes.integers("and", lanes.bits(mantissa), lanes.integer(MANTISSA - LINE_BYTES));
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
