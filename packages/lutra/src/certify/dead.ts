// Dead entries: which numbers of a table can be bumped by one code without changing any output. Nothing is listed on a sample's word.

import { fromOrdered32, nextDown32, nextUp32, toOrdered32, ulp32 } from "../num/index.ts";
import { evaluate, type Table } from "../table/index.ts";
import type { Piece } from "./pieces.ts";
import type { DeadEntry } from "./types.ts";

export type Direction = 1 | -1;
const DIRECTIONS: readonly Direction[] = [1, -1];

/** The next code up or down: integers by 1, binary32 numbers to their neighbour. */
export function bumped(table: Table, value: number, direction: Direction): number {
  if (table.spec.input.kind === "integer") return value + direction;
  return direction === 1 ? nextUp32(value) : nextDown32(value);
}

/** A table of one segment: answers like `table` on the inputs that reach `segment`, but with other coefficients. */
export function alone(table: Table, coefficients: readonly number[]): Table {
  return { ...table, index: { rule: "breakpoints", codes: [] }, coefficients: coefficients.map((c) => [c]) };
}

/** The coefficients of one segment, with one of them replaced. */
export function entriesOf(table: Table, segment: number, degree = -1, value = 0): readonly number[] {
  return table.coefficients.map((column, d) => (d === degree ? value : (column[segment] as number)));
}

/** All entries for which `isDead` decides that a bump in a direction changes nothing, coefficients first, then breakpoints. */
export function collectDead(
  table: Table,
  hole: string,
  isDead: {
    readonly coefficient: (degree: number, segment: number, direction: Direction) => boolean;
    readonly breakpoint: (position: number, direction: Direction) => boolean;
  },
): readonly DeadEntry[] {
  const dead: DeadEntry[] = [];
  const note = (degree: number | "breakpoint", segment: number, test: (direction: Direction) => boolean): void => {
    const [up, down] = DIRECTIONS.map(test);
    if (up === true || down === true) {
      dead.push({ hole, degree, segment, bump: up === down ? "both" : up === true ? "up" : "down" });
    }
  };
  table.coefficients.forEach((column, degree) => {
    for (let i = 0; i < column.length; i++) note(degree, i, (direction) => isDead.coefficient(degree, i, direction));
  });
  if (table.index.rule === "breakpoints") {
    for (let i = 0; i < table.index.codes.length; i++)
      note("breakpoint", i, (direction) => isDead.breakpoint(i, direction));
  }
  return dead;
}

/** Segments that few inputs reach are enumerated. */
const FEW_INPUTS = 4096;

/**
 * Dead entries of a binary32 table by where its pieces reach. A coefficient is dead if no piece has its segment, if rounding provably
 * absorbs the bump for every argument of the segment, or, where few inputs reach it, if none of them changes.
 */
export function deadByReach(table: Table, hole: string, pieces: readonly Piece[]): readonly DeadEntry[] {
  const bySegment = new Map<number, Piece[]>();
  for (const piece of pieces) {
    const same = bySegment.get(piece.segment);
    if (same === undefined) bySegment.set(piece.segment, [piece]);
    else same.push(piece);
  }
  const reach = (segment: number): readonly Piece[] => bySegment.get(segment) ?? [];
  return collectDead(table, hole, {
    coefficient: (degree, segment, direction) => {
      const value = bumped(table, table.coefficients[degree]?.[segment] as number, direction);
      return coefficientIsDead(table, segment, degree, value, reach(segment));
    },
    breakpoint: (position, direction) => {
      // Up: arguments equal to the breakpoint move to the left segment. Down: those just below move to the right one.
      const codes = table.index.rule === "breakpoints" ? table.index.codes : [];
      const code = codes[position] as number;
      const moved = direction === 1 ? code : nextDown32(code);
      const from = direction === 1 ? position + 1 : position;
      const other = alone(table, entriesOf(table, direction === 1 ? position : position + 1));
      const inputs = reach(from).flatMap((piece) => [
        ...(piece.from === moved ? [piece.first] : []),
        ...(piece.to === moved ? [piece.last] : []),
      ]);
      return inputs.every((x) => evaluate(table, x) === evaluate(other, x));
    },
  });
}

function coefficientIsDead(
  table: Table,
  segment: number,
  degree: number,
  value: number,
  pieces: readonly Piece[],
): boolean {
  if (pieces.length === 0) return true;
  const other = alone(table, entriesOf(table, segment, degree, value));
  const changes = (x: number): boolean => evaluate(table, x) !== evaluate(other, x);
  if (pieces.some(({ first, last }) => changes(first) || changes(last))) return false;
  if (isAbsorbed(table, segment, degree, value, pieces)) return true;
  const spans = pieces.map(({ first, last }) => ({ first: toOrdered32(first), last: toOrdered32(last) }));
  const inputs = spans.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  if (inputs > FEW_INPUTS) return false;
  return spans.every(({ first, last }) => {
    for (let key = first; key <= last; key++) if (changes(fromOrdered32(key))) return false;
    return true;
  });
}

/**
 * fround(p + b) is p if |b| < ulp(p) / 4, and b if |p| < ulp(b) / 4. So a bump of the intercept is absorbed if both intercepts are that
 * small beside the least product, a bump of the slope if both products are that small beside the intercept.
 */
function isAbsorbed(table: Table, segment: number, degree: number, value: number, pieces: readonly Piece[]): boolean {
  const [intercept = 0, slope = 0] = entriesOf(table, segment);
  const crosses = pieces.some(({ from, to }) => Math.min(from, to) <= 0 && Math.max(from, to) >= 0);
  const ends = pieces.flatMap(({ from, to }) => [Math.abs(from), Math.abs(to)]);
  if (degree === 0) {
    const leastProduct = crosses ? 0 : Math.abs(slope) * Math.min(...ends);
    return Math.max(Math.abs(intercept), Math.abs(value)) < quarterUlpBelow(leastProduct);
  }
  const largestProduct = Math.max(Math.abs(slope), Math.abs(value)) * Math.max(...ends);
  return largestProduct < quarterUlpBelow(Math.abs(intercept));
}

/** A quarter of the spacing just below a number, with room for the rounding of the product itself. */
function quarterUlpBelow(size: number): number {
  return size < 2 ** -120 ? 0 : ulp32(size * (1 - 2 ** -20)) / 8;
}
