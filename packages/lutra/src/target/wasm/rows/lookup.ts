// Tables of a kernel in memory. Binary32 as everywhere; integers as the answers to all codes that the argument can be, where these are at
// most 65536, and as lines with their starts where they are more.

import type { Interval } from "../../../num/index.ts";
import { evaluate, type Table } from "../../../table/index.ts";
import { type Code, i32, load, op } from "../assembler.ts";
import { littleEndian } from "../assembler-bytes.ts";
import type { DataLayout } from "../data.ts";
import { type Block, scalarLanes } from "../lanes.ts";
import { emitTable, type PlacedTable, placeTable } from "../table.ts";
import type { Plan } from "./plan.ts";
import { converted, typeOf } from "./scalar.ts";
import { emitWideTable, placeWideTable, type WideTable } from "./wide-table.ts";
import { bitsOf, fitsSigned, type Width } from "./widths.ts";

/** Of a table of answers; wider inputs go by lines. */
const MOST_ANSWERS = 2 ** 16;
/** What one vector of bytes can be asked for. */
export const MOST_IN_REGISTER = 16;
/** Vectors of 16 bytes, of answers that are not 0, up to which looking up all of them is faster than memory. */
const MOST_BLOCKS = 6;
const BYTES = 256;

export type Placed =
  | { readonly by: "float"; readonly placed: PlacedTable }
  /** Answers to lo, lo + 1, ... in `width` bits at an address: to all bit patterns if `lo` is a negative byte, whose pattern is its place. */
  | {
      readonly by: "answers";
      readonly range: Interval;
      readonly width: Width;
      readonly isSigned: boolean;
      readonly address: number;
      readonly answers: readonly number[];
      readonly isByPattern: boolean;
      /** Of bytes: those 16 places at a time of which some answer is not 0, where these are few; else null. */
      readonly blocks: readonly Block16[] | null;
    }
  | { readonly by: "lines"; readonly wide: WideTable };

export interface Block16 {
  readonly first: number;
  readonly answers: readonly number[];
}

/** The lookups of a kernel by the number of their value. */
export type Lookups = ReadonlyMap<number, Placed>;

/** Puts the tables of all lookups that are not constants into the data, each once. @throws LutraError "unsupported" */
export function placeLookups(
  { kernel, ranges, constants }: Pick<Plan, "kernel" | "ranges" | "constants">,
  data: DataLayout,
): Lookups {
  const known = new Map<string, Placed>();
  const lookups = new Map<number, Placed>();
  for (const [i, value] of kernel.values.entries()) {
    if (value.op !== "lookup" || constants[i] !== undefined) continue;
    const range = ranges[value.args[0]] as Interval | null;
    const key = `${value.hole} ${range?.lo} ${range?.hi}`;
    const placed = known.get(key) ?? place(value.table as Table, range, ranges[i] as Interval | null, data);
    known.set(key, placed);
    lookups.set(i, placed);
  }
  return lookups;
}

function place(table: Table, range: Interval | null, output: Interval | null, data: DataLayout): Placed {
  if (range === null || output === null) return { by: "float", placed: placeTable(table, data) };
  const count = range.hi - range.lo + 1;
  if (count > MOST_ANSWERS) return { by: "lines", wide: placeWideTable(table, data) };
  const isByPattern = range.lo < 0 && fitsSigned(range, 8);
  const answers = isByPattern
    ? patterns(range, (code) => evaluate(table, code))
    : Array.from({ length: count }, (_, i) => evaluate(table, range.lo + i));
  const width = bitsOf(output);
  const type = width === 8 ? "i8" : width === 16 ? "i16" : "i32";
  const address = data.bytes(new Uint8Array(littleEndian(answers, type)));
  const isOfBytes = width === 8 && answers.length <= BYTES && (range.lo === 0 || isByPattern);
  const blocks = isOfBytes && count > MOST_IN_REGISTER ? fewBlocks(answers) : null;
  return { by: "answers", range, width, isSigned: output.lo < 0, address, answers, isByPattern, blocks };
}

/** Answers to the bit patterns 0 to 255 of signed bytes; to codes beyond a range those of its nearest. */
function patterns({ lo, hi }: Interval, answer: (code: number) => number): readonly number[] {
  return Array.from({ length: BYTES }, (_, pattern) => {
    const code = pattern < BYTES / 2 ? pattern : pattern - BYTES;
    return answer(Math.min(hi, Math.max(lo, code)));
  });
}

function fewBlocks(answers: readonly number[]): readonly Block16[] | null {
  const all = Array.from({ length: Math.ceil(answers.length / 16) }, (_, n): Block16 => {
    return { first: 16 * n, answers: answers.slice(16 * n, 16 * n + 16) };
  });
  const blocks = all.filter((block) => block.answers.some((answer) => answer !== 0));
  return blocks.length <= MOST_BLOCKS ? blocks : null;
}

/** Whether vectors are looked up one element at a time, in memory. */
export function isGathered(placed: Placed): boolean {
  return placed.by === "answers" && placed.answers.length > MOST_IN_REGISTER && placed.blocks === null;
}

/** The answer to one number x, kept, in the type of the lookup's range. */
export function scalarLookup(block: Block, placed: Placed, x: Code, range: Interval | null): Code {
  switch (placed.by) {
    case "float":
      return emitTable(scalarLanes(block), placed.placed, x);
    case "lines":
      return converted(emitWideTable(block, placed.wide, converted(x, "i64")), typeOf(range));
    case "answers": {
      const { lo } = placed.range;
      const code = converted(x, "i32");
      const place = placed.isByPattern
        ? op("i32.and", code, i32(BYTES - 1))
        : lo === 0
          ? code
          : op("i32.sub", code, i32(lo));
      const offset = placed.width === 8 ? place : op("i32.shl", place, i32(placed.width === 16 ? 1 : 2));
      if (placed.width === 32 && typeOf(range) === "i64") return load("i64.load32_u", offset, placed.address);
      const sign = placed.isSigned ? "s" : "u";
      const name = placed.width === 8 ? `i32.load8_${sign}` : placed.width === 16 ? `i32.load16_${sign}` : "i32.load";
      return load(name as "i32.load", offset, placed.address);
    }
    default:
      return placed satisfies never;
  }
}
