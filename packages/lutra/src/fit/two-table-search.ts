// Where NVDLA's two tables lie: every place of the dense table over the coarse one, compared by the error of interpolation alone.
// Positions are codes of the argument (values, for floats).

import type { Work } from "../base/index.ts";
import { codeRange, decode, exponentOf, powerOfTwo } from "../num/index.ts";
import { type EdgeLine, type EntryLine, entryOf, type Interpolation, valueAt } from "./entries.ts";
import { codeSpan } from "./points.ts";
import type { Task } from "./task.ts";
import { thinned } from "./thinned.ts";

export const LE_ENTRIES = 65;
export const LO_ENTRIES = 257;

/** One table: where its entries lie, ascending, and what they are, in codes of the output. Equally long. */
interface EntryTable {
  readonly positions: readonly number[];
  readonly entries: readonly number[];
}

/** The dense table answers wherever it hits; it lies inside the coarse one. */
export interface Pair {
  readonly coarse: EntryTable;
  readonly dense: EntryTable;
}

/** Points looked at in the search. */
const POINTS = 2048;
/** Distances of the dense entries tried, each half of the one before. */
const HALVINGS = 10;
/** Places tried between two reports of progress. */
const PLACES_PER_TURN = 64;

/** The pair of least error over the task's points. */
export function* bestPair(task: Task, le: "linear" | "exponential"): Work<Pair> {
  const make = tableMaker(task);
  const at = thinned(task.points, POINTS);
  let best: Pair | null = null;
  let least = Infinity;
  let done = 0;
  for (const pair of le === "linear" ? linearPairs(task, make) : exponentialPairs(task, make)) {
    if (done++ % PLACES_PER_TURN === 0) yield { stage: "two-table: places of the dense table", done, total: done };
    const error = errorOf(task, at, pair, least);
    if (best !== null && error >= least) continue;
    best = pair;
    least = error;
  }
  return best as Pair;
}

type Maker = (positions: readonly number[]) => EntryTable;

/** Tables whose entries are computed once per position. */
function tableMaker(task: Task): Maker {
  const { input, output } = task.problem.spec;
  const known = new Map<number, number>();
  const entry = (position: number): number => {
    const found = known.get(position) ?? entryOf(output, valueAt(task, decode(input, position)));
    known.set(position, found);
    return found;
  };
  return (positions) => ({ positions, entries: positions.map(entry) });
}

function evenPositions(start: number, step: number, entries: number): number[] {
  return Array.from({ length: entries }, (_, i) => start + step * i);
}

/** Either table in either role; a dense one begins and ends at entries of the coarse one. */
function* linearPairs(task: Task, make: Maker): Generator<Pair, void> {
  const { input } = task.problem.spec;
  const [first, end] = codeSpan(input, task.range);
  const finest = input.kind === "integer" ? 1 : 0;
  for (const [coarse, dense] of [
    [LO_ENTRIES, LE_ENTRIES],
    [LE_ENTRIES, LO_ENTRIES],
  ] as const) {
    const { start, step } = coarsePlace(first, end, coarse - 1, finest);
    const whole = make(evenPositions(start, step, coarse));
    for (let halvings = 0; halvings <= HALVINGS; halvings++) {
      const cells = (dense - 1) / 2 ** halvings;
      if (cells > coarse - 1) continue;
      if (cells < 1 || step / 2 ** halvings < finest) break;
      for (let k = 0; k + cells <= coarse - 1 && start + step * k < end; k++) {
        const positions = evenPositions(start + step * k, step / 2 ** halvings, dense);
        yield { coarse: whole, dense: make(positions) };
      }
    }
  }
}

/** Least power of two as a step, and a multiple of it as a start, that reach from the first code to the last. */
function coarsePlace(first: number, end: number, cells: number, finest: number): { start: number; step: number } {
  let step = Math.max(finest, powerOfTwo(exponentOf((end - first) / cells) - 1));
  const start = (): number => (finest === 1 ? first : Math.floor(first / step) * step);
  while (start() + step * cells < end) step *= 2;
  return { start: start(), step };
}

/** LE at 2^k, 2^(k + 1), ... beyond the zero point; LO dense from one of these on, by any power of two that keeps it inside. */
function* exponentialPairs(task: Task, make: Maker): Generator<Pair, void> {
  const { input } = task.problem.spec;
  const [first, end] = codeSpan(input, task.range);
  const [zero, finest] = input.kind === "integer" ? [input.zeroPoint, 1] : [0, 0];
  const least = exponentOf(first - zero);
  const reach = exponentOf(end - zero);
  const octaves = Math.min(LE_ENTRIES - 1, Math.max(1, reach - least + (powerOfTwo(reach) < end - zero ? 1 : 0)));
  const positions = Array.from({ length: octaves + 1 }, (_, i) => zero + powerOfTwo(least + i));
  const coarse = make(positions);
  const last = positions[octaves] as number;
  for (const start of positions.slice(0, -1)) {
    const widest = powerOfTwo(Math.max(finest === 1 ? 0 : -126, exponentOf((last - start) / (LO_ENTRIES - 1))));
    for (let halvings = 0; halvings <= HALVINGS; halvings++) {
      const step = widest / 2 ** halvings;
      if (step < finest || start + step * (LO_ENTRIES - 1) > last) continue;
      yield { coarse, dense: make(evenPositions(start, step, LO_ENTRIES)) };
    }
  }
}

/** The norm of the error over some of the points, without rounding of answers; a number of at least `enough` once it is that much. */
function errorOf({ points, problem }: Task, at: readonly number[], { coarse, dense }: Pair, enough: number): number {
  const { output } = problem.spec;
  const [start, end] = [dense.positions[0] as number, dense.positions[dense.positions.length - 1] as number];
  let error = 0;
  for (const i of at) {
    if (error >= enough) return error;
    const t = points.codes[i] as number;
    const answer = interpolated(start <= t && t < end ? dense : coarse, t);
    const off = Math.abs(decode(output, answer) - (points.y[i] as number));
    const weight = points.weights[i] as number;
    error = problem.norm === "mse" ? error + weight * off * off : Math.max(error, weight * off);
  }
  return error;
}

function interpolated({ positions, entries }: EntryTable, t: number): number {
  let low = 0;
  let high = positions.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((positions[middle] as number) <= t) low = middle;
    else high = middle - 1;
  }
  const [from, to] = [positions[low] as number, positions[low + 1] as number];
  const [left, right] = [entries[low] as number, entries[low + 1] as number];
  return left + ((right - left) * (t - from)) / (to - from);
}

// the two as one table -----------------------------------------------------------------------------------------------

/** A line and the code that it holds from. */
interface Begun {
  readonly begin: number;
  readonly line: EntryLine | EdgeLine;
}

/** One table that answers as the pair does, with the slopes beyond the ends that the tails ask for. */
export function formOf(task: Task, { coarse, dense }: Pair): Interpolation {
  const { input } = task.problem.spec;
  const format = input.kind === "integer" ? codeRange(input) : { lo: -Infinity, hi: Infinity };
  const [start, end] = [dense.positions[0] as number, dense.positions[dense.positions.length - 1] as number];
  const [first, last] = [coarse.positions[0] as number, coarse.positions[coarse.positions.length - 1] as number];
  const under = edgeLine(task, 0, first, coarse.entries[0] as number);
  const over = edgeLine(task, 1, last, coarse.entries[coarse.entries.length - 1] as number);
  const begun: Begun[] = [
    ...(under === null ? [] : [{ begin: -Infinity, line: under }]),
    ...linesOf(coarse).filter(({ begin }) => begin < start),
    ...linesOf(dense),
    ...linesOf(coarse).flatMap(({ begin, line }) => (line.to > end ? [{ begin: Math.max(begin, end), line }] : [])),
    ...(over === null ? [] : [{ begin: last, line: over }]),
  ];
  const reached = begun.filter(({ begin }) => begin <= format.hi);
  const [below, above] = task.tails;
  const [low, high] = codeSpan(input, task.range);
  return {
    index: { rule: "breakpoints", codes: reached.slice(1).map(({ begin }) => begin) },
    clamp: [below === "clamp" ? low : -Infinity, above === "clamp" ? high : Infinity],
    lines: reached.map(({ line }) => line),
    entries: LE_ENTRIES + LO_ENTRIES,
  };
}

function linesOf({ positions, entries }: EntryTable): { begin: number; line: EntryLine }[] {
  return positions.slice(1).map((to, i) => {
    const from = positions[i] as number;
    return { begin: from, line: { from, to, left: entries[i] as number, right: entries[i + 1] as number } };
  });
}

/** The line beyond an end: through the outermost entry, with the slope of the tail. Null where the tail is none of its own. */
function edgeLine({ tails, problem }: Task, side: 0 | 1, at: number, value: number): EdgeLine | null {
  const tail = tails[side];
  if (typeof tail !== "object") return null;
  const { input, output } = problem.spec;
  const scale = (input.kind === "integer" ? input.scale : 1) / (output.kind === "integer" ? output.scale : 1);
  return { at, value, slope: tail.slope * scale };
}
