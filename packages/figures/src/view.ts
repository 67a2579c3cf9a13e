// Which inputs a figure of a table shows: the range that matters for the layer, on a linear or logarithmic axis, and where the
// table's segments meet. Decides nothing about pixels.

import { decode, type Histogram, type Interval, type Table } from "lutra";

export interface View {
  readonly lo: number;
  readonly hi: number;
  readonly axis: "linear" | "log";
  /** Inputs at which two segments meet, ascending; empty if they repeat in every octave. */
  readonly breakpoints: readonly number[];
}

export interface ViewOptions {
  /** Inputs seen; the view covers all but the outermost few thousandths of them. */
  readonly histogram?: Histogram | null;
  /** The inputs the table was fitted for, if narrower than its domain. */
  readonly range?: Interval | undefined;
}

/** Range for a table of which nothing else is known. */
const DEFAULT_RANGE: Interval = { lo: -8, hi: 8 };
/** Of the distance between the outermost breakpoints. */
const BREAKPOINT_MARGIN = 0.12;
/** Share of the inputs left out on each side. */
const OUTLYING = 0.002;
/** Decades shown below the upper end when a logarithmic axis would begin at 0. */
const DECADES = 6;

export function viewOf(table: Table, options: ViewOptions = {}): View {
  const axis = repeatsByOctave(table) ? "log" : "linear";
  const breakpoints = breakpointsOf(table);
  const range = clipped(wantedRange(table, breakpoints, options), table.spec.domain);
  if (axis === "linear") return { ...padded(range), axis, breakpoints };
  const hi = range.hi > 0 ? range.hi : 1;
  return { lo: range.lo > 0 ? range.lo : hi * 10 ** -DECADES, hi, axis, breakpoints };
}

function wantedRange(table: Table, breakpoints: readonly number[], { histogram, range }: ViewOptions): Interval {
  if (range !== undefined) return range;
  const { lo, hi } = table.spec.domain;
  if (histogram !== undefined && histogram !== null) {
    const seen = { lo: quantile(histogram, OUTLYING), hi: quantile(histogram, 1 - OUTLYING) };
    return hull(seen, breakpoints);
  }
  if (Number.isFinite(lo) && Number.isFinite(hi)) return { lo, hi };
  const first = breakpoints[0];
  const last = breakpoints.at(-1);
  return first === undefined || last === undefined ? DEFAULT_RANGE : padded(hull({ lo: first, hi: last }, breakpoints));
}

/** With room beyond the outermost breakpoints, so that the outermost segments show. */
function hull(range: Interval, breakpoints: readonly number[]): Interval {
  const first = breakpoints[0];
  const last = breakpoints.at(-1);
  if (first === undefined || last === undefined) return range;
  const margin = (last - first) * BREAKPOINT_MARGIN;
  return { lo: Math.min(range.lo, first - margin), hi: Math.max(range.hi, last + margin) };
}

function clipped({ lo, hi }: Interval, domain: Interval): Interval {
  return { lo: Math.max(lo, domain.lo), hi: Math.min(hi, domain.hi) };
}

/** A range of no width cannot be drawn. */
function padded({ lo, hi }: Interval): Interval {
  return lo < hi ? { lo, hi } : { lo: lo - 1, hi: lo + 1 };
}

/** Whether the table repeats in every octave of positive inputs; exp repeats too, but along a linear axis. */
function repeatsByOctave({ reductions, spec }: Table): boolean {
  return spec.domain.lo >= 0 && reductions.some(({ by }) => by === "octave" || by === "logarithm");
}

/** The x below which a share of the histogram's mass lies, each bin's mass spread evenly. */
function quantile({ edges, counts }: Histogram, share: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let rest = share * total;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] as number;
    const start = edges[i] as number;
    const end = edges[i + 1] as number;
    if (rest <= count && count > 0) return start + ((end - start) * rest) / count;
    rest -= count;
  }
  return edges.at(-1) ?? 0;
}

/** In inputs of the whole table: mirrored where a symmetry folds the input, empty where an octave does. */
function breakpointsOf(table: Table): readonly number[] {
  const folded = reducedBreakpoints(table).map((t) => decode(table.spec.input, t));
  const inside = folded.filter((x) => Number.isFinite(x));
  if (table.reductions.length === 0) return inside;
  if (table.reductions.some(({ by }) => by === "octave" || by === "logarithm" || by === "exponential")) return [];
  return [...new Set([...inside, ...inside.map((x) => -x)])].sort((a, b) => a - b);
}

/** Reduced arguments, in codes. Direct and float-bits tables have too many segments to mark. */
function reducedBreakpoints({ index, coefficients }: Table): readonly number[] {
  if (index.rule === "breakpoints") return index.codes;
  if (index.rule !== "uniform") return [];
  const segments = coefficients[0]?.length ?? 0;
  return Array.from({ length: Math.max(0, segments - 1) }, (_, i) => index.first + (i + 1) * index.width);
}
