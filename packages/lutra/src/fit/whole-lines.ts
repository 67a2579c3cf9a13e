// Lines of 8-bit codes that begin at a whole output code, found by search: at the j-th code of a segment the answer is
//   base + floor(slope j / 2^shift),   slope in 8 bits with a sign, one shift for all lines.
// With segments of 16 codes, slopes and bases are two vector registers, and code of the wasm target answers 16 codes at a time.

import { LutraError } from "../base/index.ts";
import { codeRange, type IntegerFormat, printFormat } from "../num/index.ts";
import type { Problem, Table } from "../table/index.ts";
import type { Points } from "./points.ts";
import type { Task } from "./task.ts";

const BITS = 8;
const SLOPES: { readonly least: number; readonly greatest: number } = { least: -128, greatest: 127 };
/** With a larger one no slope of 8 bits rises by a code from one code to the next. */
const MOST_SHIFT = 7;
/** By how many output codes the ends of a segment may be off before another slope is better, at most. */
const SLACK = 4;

/** A segment: its first code, and the points in it. */
interface Segment {
  readonly start: number;
  readonly offsets: readonly number[];
  /** In output codes, real. */
  readonly targets: readonly number[];
  readonly weights: readonly number[];
}

interface Line {
  readonly slope: number;
  readonly base: number;
  /** Largest weighted error, or weighted sum of squares; in output codes. */
  readonly cost: number;
}

interface Lines {
  readonly shift: number;
  readonly lines: readonly Line[];
  readonly cost: number;
}

/**
 * The table of the best such lines in segments of a width from code `first` on, the shift included.
 * @throws LutraError "unsupported" for other than 8-bit codes, coefficient formats, reductions, or tails that are lines
 */
export function wholeLines(task: Task, first: number, last: number, width: number): Table {
  const [input, output] = checkedFormats(task.problem);
  const segments = segmentsOf(task.points, output, first, last, width);
  const attempts = Array.from({ length: MOST_SHIFT + 1 }, (_, shift) => best(segments, shift, output, task.problem));
  const { shift, lines } = attempts.reduce((a, b) => (b.cost < a.cost ? b : a));
  const [low, high] = task.tails;
  const { lo, hi } = codeRange(input);
  return {
    spec: task.problem.spec,
    reductions: [],
    // At the format's own ends nothing is clamped.
    clamp: [low === "clamp" && first > lo ? first : -Infinity, high === "clamp" && last < hi ? last : Infinity],
    index: { rule: "uniform", first, width },
    coefficients: [
      lines.map(({ slope, base }, i) => base * 2 ** shift - slope * (segments[i] as Segment).start),
      lines.map(({ slope }) => slope),
    ],
    shift,
    rounding: "floor",
  };
}

function checkedFormats({ spec, coefficients, reductions, tails }: Problem): readonly [IntegerFormat, IntegerFormat] {
  const { input, output } = spec;
  const isNarrow = (format: typeof input): format is IntegerFormat => format.kind === "integer" && format.bits <= BITS;
  if (!isNarrow(input) || !isNarrow(output)) {
    const formats = `${printFormat(input)} and ${printFormat(output)}`;
    throw new LutraError("unsupported", `lines=whole is for integers of at most ${BITS} bits, got ${formats}`);
  }
  const refused = [
    coefficients !== undefined && "coefficient formats",
    reductions.length > 0 && "reductions",
    tails.some((tail) => typeof tail === "object") && "lines as tails",
  ].find((what) => what !== false);
  if (refused === undefined) return [input, output];
  throw new LutraError("unsupported", `lines=whole takes no ${refused}: it says itself what is stored`);
}

function segmentsOf(points: Points, output: IntegerFormat, first: number, last: number, width: number): Segment[] {
  return Array.from({ length: Math.ceil((last - first + 1) / width) }, (_, k) => {
    const start = first + k * width;
    const inside = Array.from(points.codes.keys()).filter((i) => {
      const code = points.codes[i] as number;
      return start <= code && code < start + width;
    });
    return {
      start,
      offsets: inside.map((i) => (points.codes[i] as number) - start),
      targets: inside.map((i) => (points.y[i] as number) / output.scale + output.zeroPoint),
      weights: inside.map((i) => points.weights[i] as number),
    };
  });
}

function best(segments: readonly Segment[], shift: number, output: IntegerFormat, { norm }: Problem): Lines {
  const lines = segments.map((segment) => bestLine(segment, shift, output, norm === "mse"));
  const costs = lines.map(({ cost }) => cost);
  return { shift, lines, cost: norm === "mse" ? costs.reduce((a, b) => a + b, 0) : Math.max(...costs) };
}

/** The best of the slopes that are not much steeper than f is anywhere in the segment. */
function bestLine(segment: Segment, shift: number, output: IntegerFormat, isSum: boolean): Line {
  const { offsets, targets } = segment;
  const end = offsets.length - 1;
  const steps = offsets.slice(1).map((offset, i) => {
    return ((targets[i + 1] as number) - (targets[i] as number)) / (offset - (offsets[i] as number));
  });
  const slack = end > 0 ? SLACK / ((offsets[end] as number) - (offsets[0] as number)) : 0;
  const least = Math.max(SLOPES.least, Math.floor((Math.min(...steps, 0) - slack) * 2 ** shift));
  const greatest = Math.min(SLOPES.greatest, Math.ceil((Math.max(...steps, 0) + slack) * 2 ** shift));
  let found: Line = { slope: 0, base: 0, cost: Infinity };
  for (let slope = least; slope <= greatest; slope++) {
    const line = bestBase(segment, slope, shift, output, isSum);
    if (line.cost < found.cost) found = line;
  }
  return found;
}

/** The best base of a slope: the cost is convex in it, so it is descended from the mean. Answers stay within the output format. */
function bestBase(segment: Segment, slope: number, shift: number, output: IntegerFormat, isSum: boolean): Line {
  const { offsets, targets, weights } = segment;
  const rises = offsets.map((offset) => (slope * offset) >> shift);
  const costOf = (base: number): number =>
    rises.reduce((cost, rise, i) => {
      const error = Math.abs(base + rise - (targets[i] as number));
      const weight = weights[i] as number;
      return isSum ? cost + weight * error * error : Math.max(cost, weight * error);
    }, 0);
  const { lo, hi } = codeRange(output);
  const least = lo - Math.min(...rises, 0);
  const greatest = hi - Math.max(...rises, 0);
  if (least > greatest) return { slope, base: 0, cost: Infinity };
  const mean = targets.reduce((sum, target, i) => sum + target - (rises[i] as number), 0) / Math.max(1, targets.length);
  let base = Math.min(greatest, Math.max(least, Math.round(mean)));
  let cost = costOf(base);
  for (const step of [1, -1]) {
    for (let next = base + step; next >= least && next <= greatest; next += step) {
      const other = costOf(next);
      if (other >= cost) break;
      [base, cost] = [next, other];
    }
  }
  return { slope, base, cost };
}
