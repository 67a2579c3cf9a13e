// The fastest way to find a segment: the 13 highest bits of the input are the offset of its line, read from memory as they stand, without
// an operation on floats. Exact for tables all of whose segments begin where sign, exponent or the first 4 mantissa bits change.

import { fromBits32, MAX_BINARY32 } from "../../num/index.ts";
import { segmentCount, segmentOf, type Table } from "../../table/index.ts";
import { type Code, i32, load, op } from "./assembler.ts";
import type { DataLayout } from "./data.ts";
import { type Block, type Lanes, type Line, pairs, scalarLanes, vectorLanes } from "./lanes.ts";
import { clamped } from "./table.ts";

const LINES = 2 ** 13;
const BITS_BELOW = 19;
/** Of the upper half of an input: 13 bits, as a multiple of the 8 bytes of a line. */
const OFFSET_MASK = 0xfff8;
const INFINITY_BITS = 0x7f800000;

/**
 * Places the line of each pattern of the 13 bits; null if the inputs of some pattern have several lines, or if the table does more
 * than multiply and add.
 */
export function placeTopBits(table: Table, data: DataLayout): number | null {
  const { reductions, clamp, coefficients, index } = table;
  const [intercepts, slopes] = coefficients;
  // A clamp to finite values changes the infinities only.
  const isClamped = clamp[0] > -MAX_BINARY32 || clamp[1] < MAX_BINARY32;
  if (reductions.length > 0 || isClamped || intercepts === undefined || slopes === undefined) return null;
  const count = segmentCount(table);
  const words = new Float64Array(2 * LINES);
  for (let pattern = 0; pattern < LINES; pattern++) {
    const first = pattern * 2 ** BITS_BELOW;
    const magnitude = first % 2 ** 31;
    // Patterns of NaNs only: any line gives a NaN.
    if (magnitude > INFINITY_BITS) continue;
    const last = magnitude === INFINITY_BITS ? first : first + 2 ** BITS_BELOW - 1;
    const segment = segmentOf(index, count, fromBits32(first));
    if (segmentOf(index, count, fromBits32(last)) !== segment) return null;
    words[2 * pattern] = slopes[segment] as number;
    words[2 * pattern + 1] = intercepts[segment] as number;
  }
  return data.words([...words], "f32");
}

/** Where an input, or four of them, are: kept, and in memory at address + offset. */
export interface InMemory {
  readonly x: Code;
  readonly address: Code;
  readonly offset: number;
}

/** The table's answers to four inputs. */
export function emitTopBitsVector(block: Block, table: Table, lines: number, at: InMemory): Code {
  const offsets = [0, 4, 8, 12].map((byte) => offsetOf(at.address, at.offset + byte));
  return emitLine(vectorLanes(block), table, at.x, pairs(block, offsets, lines));
}

/** The table's answer to one input. */
export function emitTopBitsScalar(block: Block, table: Table, lines: number, at: InMemory): Code {
  const lanes = scalarLanes(block);
  return emitLine(lanes, table, at.x, lanes.pair(lanes.keep(offsetOf(at.address, at.offset)), lines));
}

function offsetOf(address: Code, offset: number): Code {
  return op("i32.and", load("i32.load16_u", address, offset + 2), i32(OFFSET_MASK));
}

function emitLine(lanes: Lanes, table: Table, x: Code, { slope, intercept }: Line): Code {
  return lanes.binary("add", lanes.binary("mul", slope, clamped(lanes, table, x)), intercept);
}
