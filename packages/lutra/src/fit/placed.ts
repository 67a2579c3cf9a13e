// Tables whose segments are placed beforehand, by borders or by evenly cut sub-intervals: lines found, tails put beside them, delivered.

import { LutraError } from "../base/index.ts";
import { nextUp32 } from "../num/index.ts";
import { type Index, type NestedIndex, segmentStarts } from "../table/index.ts";
import { deliver, NO_BOUND } from "./deliver.ts";
import { codeSpan } from "./points.ts";
import { linePiece, type Piece, toBreakpoint } from "./pwl.ts";
import { type Lines, lineOver } from "./segment-lines.ts";
import type { Task } from "./task.ts";
import type { FitResult } from "./types.ts";

/** Consecutive codes, the first included and the last not, cut into so many segments of equal width. */
export interface SubInterval {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Segments per code. */
  readonly scale: number;
}

/** The segments left for a method's own lines. @throws LutraError "infeasible" if the tails take them all */
export function innerSegments({ segments, tails }: Task, method: string): number {
  const lines = tails.filter((tail) => typeof tail === "object").length;
  if (segments > lines) return segments - lines;
  throw new LutraError(
    "infeasible",
    `${method} needs a segment besides its tails, got ${segments} segments with ${lines} tails`,
  );
}

/** First code of a task's range and the first one behind it. */
export function spanOf({ problem, range }: Task): { readonly first: number; readonly end: number } {
  const { input } = problem.spec;
  const [first, last] = codeSpan(input, range);
  return { first, end: input.kind === "integer" ? last + 1 : nextUp32(last) };
}

/** The table of segments between ascending borders: n + 1 codes for n segments, the last one behind the range. */
export function betweenBorders(task: Task, borders: readonly number[], lines: Lines): FitResult {
  const codes = borders.slice(1, -1);
  const [head, tail] = tailPieces(task);
  if (head.length > 0) codes.unshift(borders[0] as number);
  if (tail.length > 0) codes.push(borders[borders.length - 1] as number);
  const pieces = [...head, ...linesBetween(task, borders, lines), ...tail];
  return deliver(task, { index: { rule: "breakpoints", codes }, pieces }, NO_BOUND);
}

/** The table of evenly cut sub-intervals, each beginning where the one before ends. */
export function subIntervalTable(task: Task, parts: readonly SubInterval[], lines: Lines): FitResult {
  const [head, tail] = tailPieces(task);
  const first = (parts[0] as SubInterval).from;
  const end = (parts[parts.length - 1] as SubInterval).to;
  const line = { count: 1, scale: 1 };
  const all = [
    ...head.map(() => ({ ...line, from: first, to: first })),
    ...parts,
    ...tail.map(() => ({ ...line, from: end, to: end })),
  ];
  const index = nestedIndex(all);
  const starts = startsOf(task, nestedIndex(parts), parts);
  const pieces = [...head, ...linesBetween(task, [...starts, end], lines), ...tail];
  return deliver(task, { index, pieces }, NO_BOUND);
}

function nestedIndex(parts: readonly SubInterval[]): NestedIndex {
  return {
    rule: "nested",
    first: (parts[0] as SubInterval).from,
    codes: parts.slice(1).map(({ from }) => from),
    scales: parts.map(({ scale }) => scale),
    counts: parts.map(({ count }) => count),
  };
}

function startsOf({ problem }: Task, index: Index, parts: readonly SubInterval[]): number[] {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  return [(parts[0] as SubInterval).from, ...segmentStarts(index, count, problem.spec.input)];
}

/** A line for each pair of neighbouring borders; the last one ends at the range's last code. */
export function linesBetween(task: Task, borders: readonly number[], lines: Lines): Piece[] {
  const [, last] = codeSpan(task.problem.spec.input, task.range);
  return borders.slice(1).map((border, k) => {
    const from = Math.min(last, borders[k] as number);
    return lineOver(task, lines, from, Math.max(from, Math.min(last, border)));
  });
}

function tailPieces({ tails: [below, above] }: Task): readonly [head: Piece[], tail: Piece[]] {
  return [typeof below === "object" ? [linePiece(below)] : [], typeof above === "object" ? [linePiece(above)] : []];
}

/** Borders at real breakpoints: the ends of the range and, between them, the codes that compare as the breakpoints do, each once. */
export function bordersAt(task: Task, breakpoints: readonly number[]): number[] {
  const { first, end } = spanOf(task);
  const codes = breakpoints.map((x) => toBreakpoint(x, task.problem.spec.input)).filter((code) => code !== null);
  const inside = codes.filter((code) => first < code && code < end).sort((a, b) => a - b);
  return [first, ...inside.filter((code, i) => code !== inside[i - 1]), end];
}
