// Which way a function goes, and whether a table follows it in every answer it delivers.

import { LutraError } from "../base/index.ts";
import { nextDown32, nextUp32 } from "../num/index.ts";
import { evaluate, type Table } from "../table/index.ts";
import { keeps } from "./keep.ts";
import type { Direction } from "./linked-tube.ts";
import type { Task } from "./task.ts";

/** Units in the last place by which a breakpoint may fall before it is not rounding. */
const MOST_BUMPS = 64;

/** The way the function goes over all points; 0 if that need not be kept. @throws LutraError "infeasible" if it turns */
export function directionOf({ problem, points, fn }: Task): Direction {
  if (!keeps(problem, "monotone")) return 0;
  const { y, x } = points;
  const direction = (y[y.length - 1] as number) >= (y[0] as number) ? 1 : -1;
  const turn = y.findIndex((value, i) => i > 0 && direction * (value - (y[i - 1] as number)) < 0);
  if (turn < 0) return direction;
  throw new LutraError("infeasible", `${fn.text} is not monotone: it turns near x = ${x[turn]}`, {
    note: "choose a domain where it only rises or only falls",
  });
}

/** Whether answers never run against a direction: at every sample, and for binary32 along every line and at every breakpoint. */
export function isMonotone({ samples }: Task, table: Table, direction: Direction): boolean {
  let before = -direction * Infinity;
  for (const code of samples.codes.toSorted()) {
    const answer = evaluate(table, code);
    if (direction * (answer - before) < 0) return false;
    before = answer;
  }
  if (table.spec.input.kind === "integer") return true;
  const [, slopes = []] = table.coefficients;
  return slopes.every((slope) => direction * slope >= 0) && bordersOf(table).every((b) => !falls(table, b, direction));
}

function bordersOf({ index }: Table): readonly number[] {
  return index.rule === "breakpoints" ? index.codes : [];
}

/** Whether the answer at a binary32 breakpoint runs against the direction. */
function falls(table: Table, border: number, direction: Direction): boolean {
  return direction * (evaluate(table, border) - evaluate(table, nextDown32(border))) < 0;
}

/**
 * A binary32 table without the falls that rounding left at its breakpoints: outward from the segment of 0, whose answer may be
 * kept, intercepts move by units in the last place.
 */
export function withoutFalls(table: Table, direction: Direction): Table {
  if (direction === 0 || table.spec.input.kind === "integer") return table;
  const borders = bordersOf(table);
  const intercepts = [...(table.coefficients[0] ?? [])];
  const moved: Table = { ...table, coefficients: [intercepts, ...table.coefficients.slice(1)] };
  const origin = borders.filter((b) => b <= 0).length;
  const lift = (segment: number, border: number, up: boolean): void => {
    for (let k = 0; k < MOST_BUMPS && falls(moved, border, direction); k++) {
      const b = intercepts[segment] as number;
      intercepts[segment] = up ? nextUp32(b) : nextDown32(b);
    }
  };
  for (let s = origin + 1; s < intercepts.length; s++) lift(s, borders[s - 1] as number, direction > 0);
  for (let s = origin - 1; s >= 0; s--) lift(s, borders[s] as number, direction < 0);
  return moved;
}
