// Linked lines: neighbouring segments meet at the first point of the right one. The form between a search and its table, with
// integer coefficients chosen so that the lines of a table meet exactly.

import { segmentCount, type Table } from "../table/index.ts";
import { formOf } from "./borders.ts";
import { anchoredAtZero } from "./exact-zero.ts";
import type { Direction } from "./linked-tube.ts";
import { linePiece, type Piece, type Pwl, pieceAt } from "./pwl.ts";
import { quantise } from "./quantise.ts";
import type { Task } from "./task.ts";

/** Linked lines by the values where they meet. */
export interface Linked {
  /** First points of the segments, strictly increasing, `starts[0]` = 0; lines given for the ends are segments. */
  readonly starts: readonly number[];
  /** Values at `knotsOf(task, starts)`. */
  readonly values: readonly number[];
}

/** Points where lines begin, meet and end; lines given for the ends reach from their knot outward. */
export function knotsOf({ tails, points }: Task, starts: readonly number[]): readonly number[] {
  const [below, above] = tails;
  const first = typeof below === "object" ? starts.slice(1) : starts;
  return typeof above === "object" ? first : [...first, points.codes.length - 1];
}

/** Whether given lines for both ends have room: they are two segments, and meet if there is none between them. */
export function areLinkable({ tails: [below, above], points }: Task, starts: readonly number[]): boolean {
  if (typeof below !== "object" || typeof above !== "object") return true;
  if (starts.length !== 2) return starts.length > 2;
  const x = points.x[starts[1] as number] as number;
  return pieceAt(linePiece(below), x) === pieceAt(linePiece(above), x);
}

/** Values that knots must have because a given line ends there; NaN for any. */
export function fixedValues({ tails, points }: Task, knots: readonly number[]): readonly number[] {
  const [below, above] = tails;
  return knots.map((knot, k) => {
    const x = points.x[knot] as number;
    if (k === 0 && typeof below === "object") return pieceAt(linePiece(below), x);
    if (k === knots.length - 1 && typeof above === "object") return pieceAt(linePiece(above), x);
    return Number.NaN;
  });
}

/** The form of linked lines, for measuring and storing as any other. */
function linkedForm(task: Task, { starts, values }: Linked): Pwl {
  const { points, tails, problem } = task;
  const [below, above] = tails;
  const knots = knotsOf(task, starts);
  const offset = typeof below === "object" ? 1 : 0;
  const pieces = starts.map((_, s): Piece => {
    if (s === 0 && typeof below === "object") return linePiece(below);
    if (s === starts.length - 1 && typeof above === "object") return linePiece(above);
    const k = s - offset;
    const [from, to] = [points.x[knots[k] as number] as number, points.x[knots[k + 1] as number] as number];
    const [start, end] = [values[k] as number, values[k + 1] as number];
    const slope = to > from ? (end - start) / (to - from) : 0;
    return { slope, x: from, y: start };
  });
  return formOf({ points, borders: task.borders ?? atPoints(task, starts) }, starts, pieces, problem.spec.input);
}

/** Each segment begins at the code of its first point. */
function atPoints({ points }: Task, starts: readonly number[]): NonNullable<Task["borders"]> {
  return { starts, codes: starts.map((start) => points.codes[start] as number), all: false };
}

/** The table of linked lines. */
export function linkedTable(task: Task, linked: Linked, direction: Direction): Table {
  const table = quantise(task, anchoredAtZero(task, linkedForm(task, linked)));
  return task.problem.spec.input.kind === "integer" ? joined(task, table, linked, direction) : table;
}

/**
 * An integer table whose lines meet: each slope is the rounded one that leads from where its line begins nearest to where it should
 * end, so that errors do not add up, and each intercept follows. A line given above keeps its own coefficients.
 */
function joined(task: Task, table: Table, { starts, values }: Linked, direction: Direction): Table {
  const { points, tails, problem } = task;
  const { output } = problem.spec;
  const knots = knotsOf(task, starts);
  const [given = [], givenSlopes = []] = table.coefficients;
  const toSum = (y: number): number => {
    const code = output.kind === "integer" ? y / output.scale + output.zeroPoint : y;
    return Math.round(code * 2 ** table.shift);
  };
  const codeAt = (k: number): number => points.codes[knots[k] as number] as number;
  const offset = typeof tails[0] === "object" ? 1 : 0;
  const free = segmentCount(table) - offset - (typeof tails[1] === "object" ? 1 : 0);
  const [intercepts, slopes] = [[...given], [...givenSlopes]];
  let sum = offset === 1 ? (slopes[0] as number) * codeAt(0) + (intercepts[0] as number) : toSum(values[0] as number);
  for (let k = 0; k < free; k++) {
    const width = codeAt(k + 1) - codeAt(k);
    const ideal = width === 0 ? 0 : Math.round((toSum(values[k + 1] as number) - sum) / width);
    const slope = direction === 0 ? ideal : direction * Math.max(0, direction * ideal);
    slopes[k + offset] = slope + 0;
    intercepts[k + offset] = sum - slope * codeAt(k);
    sum += slope * width;
  }
  return { ...table, coefficients: [intercepts, slopes] };
}

/** Places a step away to which a segment's start can move. */
export function neighbours(
  { borders, points }: Task,
  starts: readonly number[],
  s: number,
  step: number,
): readonly number[] {
  const at = starts[s] as number;
  const [before, after] = [starts[s - 1] as number, starts[s + 1] ?? points.codes.length - 1];
  const place = (k: number): number => {
    if (borders === null) return at + k;
    return borders.starts[borders.starts.indexOf(at) + k] ?? at;
  };
  return [place(-step), place(step)].filter((to) => before < to && to < after && to !== at);
}
