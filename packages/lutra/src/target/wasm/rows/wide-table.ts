// An integer table of codes that are too many to list: what evaluate() does, on one number in 64 bits. Its segment is found by a binary
// search among the starts.

import { LutraError } from "../../../base/index.ts";
import { codeRange, type Interval } from "../../../num/index.ts";
import { segmentCount, segmentStarts, type Table } from "../../../table/index.ts";
import { type Code, i32, i64, load, op, select } from "../assembler.ts";
import type { DataLayout } from "../data.ts";
import type { Block } from "../lanes.ts";
import { roundingTerms } from "./scalar.ts";

export interface WideTable {
  readonly table: Table;
  /** Address of 2^steps - 1 starts of 64 bits, the least codes of all segments but the first. */
  readonly starts: number;
  readonly steps: number;
  /** Address of the slope and intercept of each segment, in 64 bits. */
  readonly lines: number;
}

/** Beyond all codes. */
const NEVER = 2 ** 52;
const WORD_BYTES = 8;

/** @throws LutraError "unsupported" if the table clamps to what is no code */
export function placeWideTable(table: Table, data: DataLayout): WideTable {
  const wrong = table.clamp.find((end) => Number.isFinite(end) && !Number.isInteger(end));
  if (wrong !== undefined) throw new LutraError("unsupported", `the table's clamp ${wrong} is no code`);
  const count = segmentCount(table);
  const starts = segmentStarts(table.index, count, table.spec.input);
  const steps = 32 - Math.clz32(starts.length);
  const padded = Array.from({ length: 2 ** steps - 1 }, (_, i) => starts[i] ?? NEVER);
  const [intercepts, slopes] = table.coefficients;
  const lines = Array.from({ length: count }, (_, i) => [slopes?.[i] ?? 0, intercepts?.[i] ?? 0]).flat();
  return { table, starts: words(data, padded), steps, lines: words(data, lines) };
}

function words(data: DataLayout, values: readonly number[]): number {
  const view = new DataView(new ArrayBuffer(values.length * WORD_BYTES));
  values.forEach((value, i) => {
    view.setBigInt64(i * WORD_BYTES, BigInt(value), true);
  });
  return data.bytes(new Uint8Array(view.buffer));
}

/** The table's answer to x, kept and in 64 bits. */
export function emitWideTable(block: Block, wide: WideTable, x: Code): Code {
  const { table } = wide;
  const { lo, hi } = codeRange(table.spec.output);
  const isNegative = op("i64.lt_s", x, i64(0));
  const reduced = table.reductions.length === 0 ? x : block.keep(select(op("i64.sub", i64(0), x), x, isNegative));
  const [low, high] = table.clamp;
  const t = clamped(block, reduced, { lo: Math.max(low, -NEVER), hi: Math.min(high, NEVER) });
  const line = block.keep(op("i32.shl", search(block, wide, t), i32(4)));
  const product = op("i64.mul", load("i64.load", line, wide.lines), t);
  const sum = block.keep(op("i64.add", product, load("i64.load", line, wide.lines + WORD_BYTES)));
  const y = clamped(block, shifted(block, table, sum), { lo, hi });
  if (table.reductions[0]?.by !== "odd") return y;
  const mirrored = clamped(block, op("i64.sub", i64(0), y), { lo, hi });
  return select(mirrored, y, isNegative);
}

/** How many starts are at most t. */
function search(block: Block, { starts, steps }: WideTable, t: Code): Code {
  let found = i32(0);
  for (let step = steps - 1; step >= 0; step--) {
    const place = op("i32.shl", found, i32(3));
    const start = load("i64.load", place, starts + (2 ** step - 1) * WORD_BYTES);
    const isAbove = op("i32.eqz", op("i64.lt_s", t, start));
    found = block.keep(op("i32.add", found, op("i32.shl", isAbove, i32(step))));
  }
  return found;
}

/** Sums and half a unit of the shift stay below 2^63. */
function shifted(block: Block, { shift, rounding }: Table, sum: Code): Code {
  if (shift === 0) return sum;
  if (rounding === "floor") return op("i64.shr_s", sum, i64(shift));
  const { addend, mask } = roundingTerms(block, i64(shift), rounding);
  const half = op("i64.add", sum, addend);
  const all = mask === null ? half : op("i64.add", half, op("i64.and", op("i64.shr_s", sum, i64(shift)), mask));
  return op("i64.shr_s", all, i64(shift));
}

function clamped(block: Block, x: Code, { lo, hi }: Interval): Code {
  const kept = block.keep(x);
  const above = block.keep(select(i64(lo), kept, op("i64.lt_s", kept, i64(lo))));
  return block.keep(select(i64(hi), above, op("i64.lt_s", i64(hi), above)));
}
