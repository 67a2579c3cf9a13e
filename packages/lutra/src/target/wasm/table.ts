// evaluate() of a binary32 table as code on Lanes, operation for operation: reductions, clamp, segment, line. NaN gives NaN.

import { LutraError } from "../../base/index.ts";
import { printFormat } from "../../num/index.ts";
import type { Table } from "../../table/index.ts";
import type { Code } from "./assembler.ts";
import type { DataLayout } from "./data.ts";
import type { InMemory, Lanes } from "./lanes.ts";
import { emitReduction, zeroCounts } from "./reductions.ts";
import { lineOf, planSegments, type Segments } from "./segments.ts";

/** A table whose lines and index are in memory. */
export interface PlacedTable {
  readonly table: Table;
  readonly segments: Segments;
  /** Address of the lines: slope and intercept of each segment, in the order of `segments`. */
  readonly lines: number;
}

/** Puts a table's lines and index into the data. @throws LutraError "unsupported" for tables of other floats */
export function placeTable(table: Table, data: DataLayout): PlacedTable {
  checkFormats(table);
  const segments = planSegments(table, data);
  const [intercepts, slopes] = table.coefficients;
  const words = new Float32Array(2 * segments.order.length);
  for (let i = 0; i < segments.order.length; i++) {
    const segment = segments.order[i] as number;
    words.set([slopes?.[segment] ?? 0, intercepts?.[segment] ?? 0], 2 * i);
  }
  return { table, segments, lines: data.pairs(words) };
}

function checkFormats({ spec: { input, output } }: Table): void {
  const other = [input, output].find((format) => format.kind !== "float" || format.name !== "binary32");
  if (other === undefined) return;
  throw new LutraError("unsupported", `the wasm target does not write floats of the format ${printFormat(other)}`, {
    note: "floats are binary32; integers have at most 16 bits where a table reads them",
  });
}

/** The table's answer to x, which must be kept. `at`: where x is in memory too, if it is. */
export function emitTable(lanes: Lanes, placed: PlacedTable, x: Code, at?: InMemory): Code {
  const y = emitFrom(lanes, placed, 0, x, bitsStay(placed.table) ? at : undefined);
  // A NaN goes through every operation by itself, but not through constants.
  const isConstant = placed.table.coefficients.length === 1;
  return isConstant ? lanes.choose(lanes.compare("eq", x, x), y, x) : y;
}

/** Whether no reduction changes more of an argument than its sign. */
function bitsStay({ reductions }: Table): boolean {
  return reductions.every(({ by }) => by === "odd" || by === "even" || by === "reflect" || by === "complement");
}

function emitFrom(lanes: Lanes, placed: PlacedTable, depth: number, x: Code, at: InMemory | undefined): Code {
  const { reductions } = placed.table;
  if (depth === reductions.length) return emitLine(lanes, placed, x, at);
  return emitReduction(lanes, placed.table, depth, x, (t) => emitFrom(lanes, placed, depth + 1, lanes.keep(t), at));
}

function emitLine(lanes: Lanes, { table, segments, lines }: PlacedTable, x: Code, at: InMemory | undefined): Code {
  const t = clamped(lanes, table, x);
  const { slope, intercept } = lineOf(lanes, segments, segments.ignoresClamp ? x : t, lines, at);
  if (table.coefficients.length === 1) return intercept;
  return lanes.binary("add", lanes.binary("mul", slope, t), intercept);
}

/** Math.min and Math.max, by cheaper instructions where the sign of a zero does not count; these keep a NaN. */
function clamped(lanes: Lanes, table: Table, x: Code): Code {
  const [low, high] = table.clamp;
  const last = table.reductions.at(-1)?.by;
  const isSigned = zeroCounts(table);
  let t = x;
  // Behind odd and even the argument is not negative, but may be -0; behind reflect and complement not positive, behind reflect not +0.
  const isAboveLow = low === 0 && !isSigned && (last === "odd" || last === "even");
  if (low > -Infinity && !isAboveLow) {
    t = lanes.keep(
      low === 0 && isSigned ? lanes.exact("max", t, lanes.number(low)) : lanes.atLeast(t, lanes.number(low)),
    );
  }
  const isBelowHigh = high === 0 && (last === "reflect" || (last === "complement" && !isSigned));
  if (high < Infinity && !isBelowHigh) {
    t = lanes.keep(
      high === 0 && isSigned ? lanes.exact("min", t, lanes.number(high)) : lanes.atMost(t, lanes.number(high)),
    );
  }
  return t;
}
