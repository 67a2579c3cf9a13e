// The fastest way to find a segment: the upper bits of a binary32 argument are the offset of its line, without an operation on floats. Exact
// for tables all of whose segments begin where those bits change. There is a line for each pattern of the bits, so that equal lines repeat.
// For other tables they are the offset of a bucket, in which at most one segment begins.

import { BINARY32, fromBits32, toBits32 } from "../../num/index.ts";
import { type Reduction, segmentCount, segmentOf, segmentStarts, type Table } from "../../table/index.ts";

/** Where the pair of an argument is: at the offset (its bits >> shift) & mask. */
export interface TopBits {
  readonly by: "top-bits";
  readonly shift: number;
  readonly mask: number;
}

/** Of lines in memory, 1 MiB. */
const MOST_PATTERNS = 2 ** 17;
const MOST_BUCKETS = 2 ** 16;
/** Logarithm of the 8 bytes of a pair. */
const LINE_SHIFT = 3;
const WIDTH = 32;
/** With sign and exponent an infinity has a pattern that it shares with NaNs only. */
const FEWEST_BITS = 9;
const INFINITY_BITS = 0x7f800000;
const SIGN = 2 ** 31;

/** Bits of arguments of one sign, from zero outwards. */
interface Stretch {
  readonly first: number;
  readonly last: number;
}

const POSITIVE: Stretch = { first: 0, last: INFINITY_BITS };
const NEGATIVE: Stretch = { first: SIGN, last: SIGN + INFINITY_BITS };
const ONE = 0x3f800000;
const OCTAVE = 2 ** 23;

/** The arguments that the last reduction leaves, and how many of their upper bits tell nothing. A NaN may have any pattern. */
function argumentsBehind(reductions: readonly Reduction[]): {
  readonly stretches: readonly Stretch[];
  readonly constantBits: number;
} {
  const last = reductions.at(-1);
  switch (last?.by) {
    case undefined:
      return { stretches: [POSITIVE, NEGATIVE], constantBits: 0 };
    case "odd":
    case "even":
    case "exponential":
      return { stretches: [POSITIVE], constantBits: 1 };
    case "reflect":
    case "complement":
      return { stretches: [NEGATIVE], constantBits: 1 };
    case "octave":
    case "logarithm": {
      // [1, 2), or [1, 4), in which the lowest bit of the exponent varies too.
      const step = last.by === "octave" ? last.step : 1;
      return { stretches: [{ first: ONE, last: ONE + step * OCTAVE - 1 }], constantBits: FEWEST_BITS + 1 - step };
    }
    default:
      return last satisfies never;
  }
}

/** What has one pattern of so many upper bits: its number, and the least and greatest argument after the clamp. */
interface Pattern {
  readonly place: number;
  readonly least: number;
  readonly greatest: number;
}

function* patterns({ reductions, clamp: [low, high] }: Table, bits: number): Generator<Pattern> {
  const { stretches, constantBits } = argumentsBehind(reductions);
  const width = 2 ** (WIDTH - bits);
  const clamped = (code: number): number => Math.min(high, Math.max(low, fromBits32(code)));
  for (const { first, last } of stretches) {
    for (let begin = first; begin <= last; begin += width) {
      const place = (begin / width) % 2 ** (bits - constantBits);
      const ends = [clamped(begin), clamped(Math.min(last, begin + width - 1))] as const;
      yield { place, least: first < SIGN ? ends[0] : ends[1], greatest: first < SIGN ? ends[1] : ends[0] };
    }
  }
}

function topBits(bits: number, count: number): TopBits {
  return { by: "top-bits", shift: WIDTH - bits - LINE_SHIFT, mask: (count - 1) * 2 ** LINE_SHIFT };
}

/**
 * The upper bits that tell the segment, and the segment of each pattern, -1 if only NaNs have it. Null if segments begin where more bits change
 * than memory has patterns for.
 */
export function tellingBits(table: Table): { readonly places: TopBits; readonly segments: Int32Array } | null {
  const { stretches, constantBits } = argumentsBehind(table.reductions);
  const count = segmentCount(table);
  const [low, high] = table.clamp;
  const starts = segmentStarts(table.index, count, BINARY32).filter((start) => start > low && start <= high);
  const needed = stretches.flatMap((stretch) => bitsThatTell(starts, stretch));
  const bits = needed.reduce((most, one) => Math.max(most, one), FEWEST_BITS);
  const places = 2 ** (bits - constantBits);
  if (places > MOST_PATTERNS) return null;
  const segments = new Int32Array(places).fill(-1);
  for (const { place, least } of patterns(table, bits)) segments[place] = segmentOf(table.index, count, least);
  return { places: topBits(bits, places), segments };
}

/** Of one pattern: the start among its arguments, NaN if there is none, and how many starts are at or below all of them. */
export interface Bucket {
  readonly start: number;
  readonly below: number;
}

/** The fewest upper bits of which no pattern holds two of the ascending starts, and the bucket of each pattern. Null if that takes too many. */
export function partingBits(
  table: Table,
  starts: readonly number[],
): { readonly places: TopBits; readonly buckets: readonly Bucket[] } | null {
  const { constantBits } = argumentsBehind(table.reductions);
  for (let bits = FEWEST_BITS; 2 ** (bits - constantBits) <= MOST_BUCKETS; bits++) {
    const count = 2 ** (bits - constantBits);
    const buckets = bucketsOf(patterns(table, bits), count, starts);
    if (buckets !== null) return { places: topBits(bits, count), buckets };
  }
  return null;
}

function bucketsOf(all: Iterable<Pattern>, count: number, starts: readonly number[]): readonly Bucket[] | null {
  const buckets: Bucket[] = Array.from({ length: count }, () => ({ start: Number.NaN, below: 0 }));
  for (const { place, least, greatest } of all) {
    const below = countAtMost(starts, least);
    if ((starts[below + 1] ?? Number.NaN) <= greatest) return null;
    const start = starts[below] ?? Number.NaN;
    buckets[place] = { start: start <= greatest ? start : Number.NaN, below };
  }
  return buckets;
}

/** How many of the ascending numbers are <= x. */
function countAtMost(numbers: readonly number[], x: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** For each start of a segment inside a stretch, how many upper bits of an argument tell whether it is at or above it. */
function bitsThatTell(starts: readonly number[], { first, last }: Stretch): number[] {
  const isNegative = first >= SIGN;
  const [least, greatest] = isNegative ? [fromBits32(last), -0] : [fromBits32(first), fromBits32(last)];
  return starts
    .filter((start) => least < start && start <= greatest)
    .map((start) => {
      // Negative values fall as their bits rise: what is below a start begins with the bits behind its own. A start at 0 is one at -0.
      const border = (toBits32(start) % SIGN) + (isNegative ? 1 : 0);
      return WIDTH - trailingZeros(border);
    });
}

function trailingZeros(n: number): number {
  return 31 - Math.clz32(n & -n);
}
