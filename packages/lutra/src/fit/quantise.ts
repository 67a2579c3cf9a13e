// From a real piecewise-linear form to a Table: coefficients rounded to what is stored, tails and clamps set.

import { LutraError } from "../base/index.ts";
import {
  codeRange,
  decode,
  encode,
  type Format,
  type IntegerFormat,
  MAX_BINARY32,
  roundHalfEven,
} from "../num/index.ts";
import { segmentStarts, type Table } from "../table/index.ts";
import { codeSpan } from "./points.ts";
import type { Piece, Pwl } from "./pwl.ts";
import type { Task } from "./task.ts";

const MAX_SHIFT = 30;
/** Integer tables are evaluated in 32-bit registers: products, sums and the rounding offset stay below this. */
const REGISTER: number = 2 ** 31;

/** The table that stores a form. @throws LutraError if an integer table cannot hold it */
export function quantise(task: Task, pwl: Pwl): Table {
  const { spec, reductions } = task.problem;
  const { input, output } = spec;
  const clamp = clampOf(task);
  const form = { ...pwl, pieces: pwl.pieces.map((piece) => store(task, piece)) };
  const common = { spec, reductions, index: pwl.index, rounding: "half-up" } as const;
  if (input.kind === "integer" && output.kind === "integer") {
    return { ...common, clamp, ...integerCoefficients(task, form, clamp, input, output) };
  }
  const [intercepts, slopes] = floatCoefficients(form.pieces);
  return { ...common, clamp: finiteWhereLevel(clamp, slopes), shift: 0, coefficients: [intercepts, slopes] };
}

/** A level line would answer an infinite argument with 0 * Infinity: it is clamped to the largest finite one instead. */
function finiteWhereLevel(
  [low, high]: readonly [number, number],
  slopes: readonly number[],
): readonly [number, number] {
  return [
    slopes[0] === 0 ? Math.max(low, -MAX_BINARY32) : low,
    slopes[slopes.length - 1] === 0 ? Math.min(high, MAX_BINARY32) : high,
  ];
}

/**
 * The reduced argument is clamped on the sides whose tail says so: above at the last point for integers, which behind a symmetry may lie
 * beyond the format's last code, as 128 for -128.
 */
function clampOf({ tails, range, problem, points }: Task): readonly [number, number] {
  const { input } = problem.spec;
  const [low, last] = codeSpan(input, range);
  const high = input.kind === "integer" ? Math.max(last, points.codes[points.codes.length - 1] as number) : last;
  return [tails[0] === "clamp" ? low : -Infinity, tails[1] === "clamp" ? high : Infinity];
}

/** Slope and intercept rounded to binary32; the intercept makes up for the slope's rounding where the piece is anchored. */
function floatCoefficients(pieces: readonly Piece[]): [intercepts: number[], slopes: number[]] {
  const slopes = pieces.map((piece) => Math.fround(piece.slope));
  const intercepts = pieces.map((piece, i) => Math.fround(piece.y - (slopes[i] as number) * piece.x));
  return [intercepts, slopes];
}

/** The nearest stored pair, as a piece anchored at 0. */
function store({ problem }: Task, piece: Piece): Piece {
  const formats = problem.coefficients;
  if (formats === undefined) return piece;
  const slope = toStored(formats.slope, piece.slope);
  return { slope, x: 0, y: toStored(formats.intercept, piece.y - slope * piece.x) };
}

/** The nearest value of a coefficient format, saturating. */
export function toStored(format: Format, value: number): number {
  if (format.kind === "float") return encode(format, value);
  const { lo, hi } = codeRange(format);
  return decode(format, Math.min(hi, Math.max(lo, roundHalfEven(value / format.scale) + format.zeroPoint)));
}

// integers ------------------------------------------------------------------------------------------------------------

/** A line in codes: output code = slope * t + intercept, anchored at the code t = at. */
interface CodeLine {
  readonly slope: number;
  readonly at: number;
  readonly value: number;
  /** First and last code that can reach it. */
  readonly from: number;
  readonly to: number;
}

function integerCoefficients(
  task: Task,
  pwl: Pwl,
  clamp: readonly [number, number],
  input: IntegerFormat,
  output: IntegerFormat,
): { shift: number; coefficients: number[][] } {
  const reach = reachOf(task, clamp, input);
  const reaches = segmentReaches(pwl, input, reach);
  const lines = pwl.pieces.map((piece, i): CodeLine => {
    const [from, to] = reaches[i] as [number, number];
    const at = piece.x / input.scale + input.zeroPoint;
    return {
      slope: (piece.slope * input.scale) / output.scale,
      at,
      value: piece.y / output.scale + output.zeroPoint,
      from,
      to,
    };
  });
  const exact = task.problem.coefficients !== undefined;
  const shift = exact ? exactShift(lines) : widestShift(lines);
  const slopes = lines.map((line) => roundHalfEven(line.slope * 2 ** shift));
  const intercepts = lines.map((line, i) => roundHalfEven(line.value * 2 ** shift - (slopes[i] as number) * line.at));
  return { shift, coefficients: [intercepts, slopes] };
}

/** Codes a reduced argument can take: all of the format (of its absolute values behind a symmetry), clamped. */
function reachOf({ problem }: Task, clamp: readonly [number, number], input: IntegerFormat): readonly [number, number] {
  const { lo, hi } = codeRange(input);
  const [first, last] = problem.reductions.length === 0 ? [lo, hi] : [0, Math.max(-lo, hi)];
  return [Math.max(first, clamp[0]), Math.min(last, clamp[1])];
}

/** First and last code of each segment within reach; of one without codes, the nearest. */
function segmentReaches(
  { index, pieces }: Pwl,
  input: Format,
  [low, high]: readonly [number, number],
): [number, number][] {
  const starts = [low, ...segmentStarts(index, pieces.length, input), high + 1];
  return pieces.map((_, i) => {
    const from = Math.min(high, Math.max(low, starts[i] as number));
    return [from, Math.max(from, Math.min(high, (starts[i + 1] as number) - 1))];
  });
}

/** The largest shift with which products, intercepts and sums stay in 32-bit registers, the rounding offset included. */
function widestShift(lines: readonly CodeLine[]): number {
  const largest = lines.reduce((max, line) => Math.max(max, magnitudeOf(line)), 1);
  let shift = MAX_SHIFT;
  while (shift > 0 && (largest + 1) * 2 ** shift >= REGISTER) shift--;
  return shift;
}

/** Largest magnitude in output codes of product, intercept and sum along a line; + 1 covers the rounding of the slope. */
function magnitudeOf({ slope, at, value, from, to }: CodeLine): number {
  const intercept = value - slope * at;
  const ends = [from, to].flatMap((t) => [slope * t, slope * t + intercept]);
  return Math.max(Math.abs(intercept), ...ends.map(Math.abs)) + 1;
}

/** The least shift with which stored coefficients are integers, exactly. @throws LutraError if there is none */
function exactShift(lines: readonly CodeLine[]): number {
  for (let shift = 0; shift <= MAX_SHIFT; shift++) {
    const scale = 2 ** shift;
    const whole = lines.every(({ slope, at, value }) => {
      return Number.isInteger(slope * scale) && Number.isInteger((value - slope * at) * scale);
    });
    if (!whole) continue;
    if (lines.every((line) => magnitudeOf(line) * scale < REGISTER)) return shift;
    throw new LutraError("infeasible", "with these coefficient formats the table's sums do not fit 32 bits", {
      note: "use coarser coefficient formats",
    });
  }
  throw new LutraError("unsupported", "these coefficients cannot be stored as integers of the input and output codes", {
    note: "with coefficient formats given, all scales must be powers of two of one another; leave them out otherwise",
  });
}
