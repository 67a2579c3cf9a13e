// An integer table as statements without any floating point: what evaluate() does, in 32 bits where the sums fit and in 64 where not.

import { LutraError } from "../../base/index.ts";
import { type Lane, laneOf } from "../../kernel/index.ts";
import { codeRange, exponentOf, type IntegerFormat, type Interval } from "../../num/index.ts";
import { segmentCount, segmentStarts, type Table } from "../../table/index.ts";
import type { Type } from "./dialect.ts";
import { emitSearch } from "./search.ts";
import { Body, type Source } from "./source.ts";

/** Widest input codes: up to here a uniform index is exact without the rounding to binary32 that evaluate() does. */
const MAX_BITS = 16;

export interface IntegerTable {
  readonly table: Table;
  readonly input: IntegerFormat;
  readonly output: IntegerFormat;
}

/** Adds a function of one code under the given name. @throws LutraError "unsupported" */
export function addIntegerTable(source: Source, of: IntegerTable, name: string, part: string): void {
  const { table, input, output } = of;
  checkNumbers(of);
  const body = new Body(source, new Map([["x", 1]]));
  const { dialect } = source;
  const isSymmetric = table.reductions.length > 0;
  const code = body.let("i32", "code", "x");
  const magnitude = isSymmetric ? body.let("i32", "t", `${code} < 0 ? 0 - ${code} : ${code}`) : code;
  const reach = argumentRange(table, input);
  const t = clampedTo(body, "i32", "t", magnitude, codesReach(table, input), reach);
  const place = segment(body, of, t, part);
  const sum = line(body, table, t, place, reach, part);
  const range = codeRange(output);
  const type = sum.type === "i64" || range.hi >= 2 ** 31 ? "i64" : "i32";
  let y = clampedTo(body, type, "y", rounded(body, table, sum), UNBOUNDED, range);
  if (table.reductions[0]?.by === "odd") {
    const mirrored = clampedTo(body, type, "mirrored", body.let(type, "negative", `0 - ${y}`), UNBOUNDED, range);
    y = body.let(type, "y", `${code} < 0 ? ${mirrored} : ${y}`);
  }
  body.lines.push(`return ${y};`);
  source.add(dialect.func(name, [{ name: "x", lane: laneOf(input), over: "one" }], laneOf(output), body.lines));
}

const UNBOUNDED: Interval = { lo: -Infinity, hi: Infinity };

function checkNumbers({ table, input }: IntegerTable): void {
  if (input.bits > MAX_BITS) {
    throw new LutraError("unsupported", `source code is written for integer tables of up to ${MAX_BITS} bits`, {
      note: `this one takes ${input.bits} bits`,
    });
  }
  const wrong = table.clamp.find((end) => Number.isFinite(end) && !Number.isInteger(end));
  if (wrong !== undefined) throw new LutraError("unsupported", `the table's clamp ${wrong} is no code`);
}

/** What the argument can be before the clamp. */
function codesReach({ reductions }: Table, input: IntegerFormat): Interval {
  const { lo, hi } = codeRange(input);
  return reductions.length > 0 ? { lo: 0, hi: Math.max(-lo, hi) } : { lo, hi };
}

/** And after it. */
function argumentRange(table: Table, input: IntegerFormat): Interval {
  const { lo, hi } = codesReach(table, input);
  const clamp = (t: number): number => Math.min(table.clamp[1], Math.max(table.clamp[0], t));
  return { lo: clamp(lo), hi: clamp(hi) };
}

/** The value held to a range, where it may lie outside. */
function clampedTo(body: Body, type: Type, hint: string, value: string, from: Interval, to: Interval): string {
  const { dialect } = body;
  const low = from.lo < to.lo ? dialect.literal(type, to.lo) : null;
  const high = from.hi > to.hi ? dialect.literal(type, to.hi) : null;
  // One end after the other: gcc sees a maximum and a minimum, and no jump.
  const above = low === null ? value : body.let(type, hint, `${value} < ${low} ? ${low} : ${value}`);
  return high === null ? above : body.let(type, hint, `${above} > ${high} ? ${high} : ${above}`);
}

function segment(body: Body, { table, input }: IntegerTable, t: string, part: string): string {
  const { index } = table;
  const last = segmentCount(table) - 1;
  if (last === 0) return "0";
  const isNear = "first" in index && Number.isInteger(index.first) && Math.abs(index.first) < 2 ** 23;
  if ((index.rule === "uniform" || index.rule === "direct") && isNear) {
    const offset = index.first === 0 ? t : `(${t} - ${body.dialect.literal("i32", index.first)})`;
    const places = index.rule === "uniform" ? exponentOf(index.width) : 0;
    const place = body.let("i32", "place", places === 0 ? offset : `${offset} >> ${Math.min(31, places)}`);
    return clampedTo(body, "i32", "place", place, UNBOUNDED, { lo: 0, hi: last });
  }
  const codes = segmentStarts(index, last + 1, input);
  return emitSearch(body, { part: `${part}breakpoints`, lane: "i32", codes, greatest: 2 ** 31 - 1 }, t);
}

interface Sum {
  readonly value: string;
  readonly type: "i32" | "i64";
}

/** slope * t + intercept, in a type that also holds it plus half a unit of the shift. */
function line(body: Body, table: Table, t: string, place: string, reach: Interval, part: string): Sum {
  const { dialect, source } = body;
  const [intercepts, slopes] = table.coefficients as readonly [readonly number[], (readonly number[])?];
  const largest = (values: readonly number[]): number => values.reduce((most, c) => Math.max(most, Math.abs(c)), 0);
  const furthest = Math.max(Math.abs(reach.lo), Math.abs(reach.hi));
  const size = largest(intercepts) + largest(slopes ?? []) * furthest + 2 ** table.shift;
  const type = size < 2 ** 31 ? "i32" : "i64";
  const entry = (list: string, values: readonly number[]): string =>
    dialect.at(source.list(laneFor(values), `${part}${list}`, values), place);
  const intercept = entry("intercepts", intercepts);
  if (slopes === undefined) return { value: body.let(type, "sum", intercept), type };
  return { value: body.let(type, "sum", `${dialect.product(type, entry("slopes", slopes), t)} + ${intercept}`), type };
}

/** The narrowest lane that holds all the numbers. */
function laneFor(values: readonly number[]): Lane {
  const most = values.reduce((largest, c) => Math.max(largest, c < 0 ? -c - 1 : c), 0);
  return most < 2 ** 7 ? "i8" : most < 2 ** 15 ? "i16" : most < 2 ** 31 ? "i32" : "i64";
}

function rounded(body: Body, { shift, rounding }: Table, { value, type }: Sum): string {
  const { dialect } = body;
  if (shift === 0) return value;
  if (rounding === "floor") return body.let(type, "y", dialect.shiftDown(type, value, String(shift)));
  if (type === "i64") return body.let(type, "y", `${body.source.helper(`shift-${rounding}`)}(${value}, ${shift})`);
  const half = 2 ** (shift - 1);
  if (rounding === "half-up") return body.let(type, "y", `(${value} + ${half}) >> ${shift}`);
  // Less than half a unit where the answer below is even, so that a tie stays there.
  return body.let(type, "y", `(${value} + ${half - 1} + ((${value} >> ${shift}) & 1)) >> ${shift}`);
}
