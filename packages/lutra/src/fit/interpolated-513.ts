// 513 entries over all codes of a 16-bit input, interpolated: TFLite's gen_lut and generic_int16_table_lookup, and the two tables of
// CMSIS-NN's int16 softmax that come from them. Entry 512 serves the slope of the last segment only.

import { LutraError, type Work } from "../base/index.ts";
import { codeRange, decode, type IntegerFormat, printFormat } from "../num/index.ts";
import type { Problem } from "../table/index.ts";
import { deliverTable, NO_BOUND } from "./deliver.ts";
import { interpolatingTable, valueAt } from "./entries.ts";
import { prepare, type Task } from "./task.ts";
import type { FitResult } from "./types.ts";

export const INTERPOLATED_SEGMENTS = 512;
/** Codes of a segment. */
const WIDTH = 128;

/**
 * The published table. An entry is f rounded, less half of what interpolation is off in the middle of the segment:
 * round(s f(a)) - round((round((s f(b) + round(s f(a))) / 2) - round(s f(m))) / 2), with s the reciprocal of the output scale, in
 * binary32, halves rounded away from 0. Kept as published: the correction moves entries off f, and every entry but the last is
 * corrected for the segment that follows it alone.
 * Entries lie at every 128th code, as in softmax; TFLite's element-wise operators stretch 512 steps over 65,535 codes instead, which
 * puts them up to a code off, and that is not followed.
 * @throws LutraError "unsupported" for what such a table cannot say, "infeasible" if fewer than 512 segments are asked for
 */
export function* interpolated513(problem: Problem): Work<FitResult> {
  const { input, output } = problem.spec;
  if (input.kind !== "integer" || input.bits !== 16 || output.kind !== "integer" || output.bits !== 16) {
    throw unsupported(`16-bit integers in and out, not ${printFormat(input)} to ${printFormat(output)}`);
  }
  if (problem.reductions.length > 0) throw unsupported("no range reductions: it has entries for all codes");
  if (problem.coefficients !== undefined) throw unsupported("no coefficient formats: it stores entries");
  if (problem.tails.some((tail) => typeof tail === "object")) throw unsupported("no lines as tails");
  const task = prepare(problem);
  if (task.segments < INTERPOLATED_SEGMENTS) {
    throw new LutraError("infeasible", `interpolated-513 has 512 segments, got ${task.segments}`, {
      note: "ask for 512 segments",
    });
  }
  const entries = publishedEntries(task, input, output);
  const { lo, hi } = codeRange(input);
  const lines = Array.from({ length: INTERPOLATED_SEGMENTS }, (_, i) => {
    const from = lo + WIDTH * i;
    return { from, to: from + WIDTH, left: entries[i] as number, right: entries[i + 1] as number };
  });
  const index = { rule: "uniform", first: lo, width: WIDTH } as const;
  const table = interpolatingTable(task, { index, clamp: [lo, hi], lines, entries: INTERPOLATED_SEGMENTS + 1 });
  return deliverTable(task, table, NO_BOUND);
}

function publishedEntries(task: Task, input: IntegerFormat, output: IntegerFormat): number[] {
  const { lo, hi } = codeRange(output);
  const start = codeRange(input).lo;
  const scaled = (code: number): number => Math.fround(Math.fround(valueAt(task, decode(input, code))) / output.scale);
  const store = (value: number): number => Math.min(hi, Math.max(lo, value + output.zeroPoint));
  const entries = Array.from({ length: INTERPOLATED_SEGMENTS }, (_, i) => {
    const from = start + WIDTH * i;
    const sample = round(scaled(from));
    const interpolated = round(Math.fround(scaled(from + WIDTH) + sample) / 2);
    return store(sample - round((interpolated - round(scaled(from + WIDTH / 2))) / 2));
  });
  return [...entries, store(round(scaled(start + WIDTH * INTERPOLATED_SEGMENTS)))];
}

/** The nearest integer, halves away from 0, as C's round. */
function round(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}

function unsupported(what: string): LutraError {
  return new LutraError("unsupported", `interpolated-513 takes ${what}`);
}
