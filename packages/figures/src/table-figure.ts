// The figure of one table, three panels over one axis: the function under its table, the error of the table between its proven
// bounds, and the inputs that the layer was seen to get.

import { type Certificate, decode, type Histogram, type Interval, type Table } from "lutra";
import { type ErrorKind, errorOf, type Sample, sampleCurves } from "./curves.ts";
import { binsOn } from "./histogram-bins.ts";
import { type Box, drawPanel, drawXAxis, line, type Panel, yScale } from "./panel.ts";
import { linearScale, logScale, type Scale, shortNumber } from "./scale.ts";
import { element, figure, linePath, thinned } from "./svg.ts";
import { type View, viewOf } from "./view.ts";

export interface TableFigureOptions {
  /** Unique on the page: prefix of the ids inside. */
  readonly id: string;
  /** What a screen reader announces: "gelu". */
  readonly name: string;
  readonly table: Table;
  /** The function the table stands for. */
  readonly exact: (x: number) => number;
  readonly certificate: Certificate;
  /** Inputs seen; no third panel without it. */
  readonly histogram?: Histogram | null;
  readonly range?: Interval | undefined;
  /** Which error was made small; "absolute" if absent. */
  readonly error?: ErrorKind;
}

const WIDTH = 720;
const LEFT = 62;
const RIGHT = 14;
/** Enough that a table of 16 segments is followed through 20 octaves. */
const SAMPLES = 3600;
/** Pixels that share the two points drawn of a curve. */
const BUCKET = 1.5;
const BARS = 110;
/** A bar of this many percent of all inputs is a spike. */
const SPIKE_PERCENT = 12;
/** Where a logarithmic axis of percent begins. */
const LEAST_PERCENT = 0.001;
/** More breakpoints than this would be a grey wall. */
const MAX_MARKED_BREAKPOINTS = 72;
/** A bound this many times larger than every error in view would flatten the curve: it is told, not drawn. */
const MAX_BOUND_RATIO = 20;

const VALUE_BOX: Box = { left: LEFT, right: WIDTH - RIGHT, top: 26, bottom: 216 };
const ERROR_BOX: Box = { left: LEFT, right: WIDTH - RIGHT, top: 250, bottom: 372 };
const INPUT_BOX: Box = { left: LEFT, right: WIDTH - RIGHT, top: 406, bottom: 470 };
const BELOW_AXIS = 42;

interface Drawing extends TableFigureOptions {
  readonly view: View;
  readonly x: Scale;
  readonly samples: readonly Sample[];
}

/** An `<svg>` element of class "figure", to stand in a page with FIGURE_STYLE or to be made `standalone`. */
export function tableFigure(options: TableFigureOptions): string {
  const { table, exact, histogram } = options;
  const view = viewOf(table, { range: options.range, histogram: histogram ?? null });
  const ends = { lo: view.lo, hi: view.hi, start: LEFT, end: WIDTH - RIGHT, count: 9 };
  const x = view.axis === "log" ? logScale(ends) : linearScale(ends);
  const drawing: Drawing = { ...options, view, x, samples: sampleCurves(table, exact, view, SAMPLES) };
  const panels = [valuePanel(drawing), errorPanel(drawing)];
  if (histogram !== undefined && histogram !== null) panels.push(inputPanel(drawing, histogram));
  const last = panels.at(-1)?.box ?? ERROR_BOX;
  return figure(
    {
      id: options.id,
      width: WIDTH,
      height: last.bottom + BELOW_AXIS,
      title: `${options.name}: function, table and error`,
      description: description(drawing),
    },
    ...panels.map(drawPanel),
    drawXAxis(last, x, view.axis === "log" ? "input x (logarithmic)" : "input x"),
  );
}

function valuePanel({ id, name, view, x, samples }: Drawing): Panel {
  const values = samples.flatMap(({ exact, delivered }) => [exact, delivered]).filter(Number.isFinite);
  const y = yScale(VALUE_BOX, ...withMargin(Math.min(...values), Math.max(...values)));
  const curve = (pick: (sample: Sample) => number): string =>
    linePath(
      thinned(
        samples.map((sample) => [x.at(sample.x), y.at(pick(sample))]),
        BUCKET,
      ),
    );
  return {
    box: VALUE_BOX,
    clipId: `${id}-values`,
    title: [
      { text: name, style: "exact-name" },
      { text: " under " },
      { text: "its table", style: "table-name" },
      ...breakpointNote(view),
    ],
    x,
    y,
    marks: [
      ...breakpointMarks(view, x, VALUE_BOX),
      element("path", { class: "exact", d: curve((sample) => sample.exact) }),
      element("path", { class: "table", d: curve((sample) => sample.delivered) }),
    ],
  };
}

function errorPanel(drawing: Drawing): Panel {
  const { id, view, x, samples, certificate, error: kind = "absolute" } = drawing;
  const { upper } = certificate[kind];
  const errors = samples.map((sample) => errorOf(sample, kind, certificate.relative.floor));
  const largest = Math.max(...errors.filter(Number.isFinite).map(Math.abs), 0);
  const isBoundDrawn = upper <= largest * MAX_BOUND_RATIO;
  const reach = (isBoundDrawn ? Math.max(upper, largest) : largest) * 1.25 || 1;
  const y = yScale(ERROR_BOX, -reach, reach);
  const points = samples.map((sample, i) => [x.at(sample.x), y.at(errors[i] as number)] as const);
  const curve = linePath(thinned(points, BUCKET));
  return {
    box: ERROR_BOX,
    clipId: `${id}-errors`,
    title: [
      { text: kind === "relative" ? "relative error" : "error", style: "table-name" },
      { text: " and its " },
      { text: `proven bound \u00b1${shortNumber(upper)}`, style: "bound-name" },
      ...(isBoundDrawn ? [] : [{ text: " (off the scale; attained beyond this view)", style: "aside" }]),
    ],
    x,
    y,
    marks: [
      ...breakpointMarks(view, x, ERROR_BOX),
      line("axis", LEFT, y.at(0), WIDTH - RIGHT, y.at(0)),
      element("path", { class: "error", d: curve }),
      ...(isBoundDrawn
        ? [-upper, upper].map((value) => line("bound", LEFT, y.at(value), WIDTH - RIGHT, y.at(value)))
        : []),
      ...worstMark(drawing, errors, y),
    ],
  };
}

/** A dot at the input where the largest error was measured, if it is in view. */
function worstMark(
  { table, view, x, samples, certificate, error: kind = "absolute" }: Drawing,
  errors: readonly number[],
  y: Scale,
): readonly string[] {
  const { at, lower } = certificate[kind];
  if (at === null) return [];
  const worst = decode(table.spec.input, at);
  if (worst < view.lo || worst > view.hi) return [];
  const sign = nearestError(samples, errors, worst) < 0 ? -1 : 1;
  return [element("circle", { class: "worst", cx: x.at(worst), cy: y.at(sign * lower), r: 4 })];
}

function inputPanel({ id, view, x }: Drawing, histogram: Histogram): Panel {
  const { bars, largest, outside } = binsOn(x, histogram, BARS);
  const y = shareScale(largest * 100 || 1);
  const drawn = bars
    .filter(({ share }) => share * 100 > y.lo)
    .map(({ lo, hi, share }) => {
      const top = y.at(share * 100);
      const start = x.at(Math.max(lo, view.lo));
      const width = Math.max(0.5, x.at(Math.min(hi, view.hi)) - start - 0.6);
      return element("rect", { class: "bars", x: start, y: top, width, height: INPUT_BOX.bottom - top });
    });
  const scale = y.kind === "log" ? ", logarithmic" : "";
  const beyond = outside > 5e-4 ? `; ${shortNumber(outside * 100, 2)} % beyond this view` : "";
  return {
    box: INPUT_BOX,
    clipId: `${id}-inputs`,
    title: [{ text: "inputs seen" }, { text: `, % of all in each bar${scale}${beyond}`, style: "aside" }],
    x,
    y,
    marks: drawn,
  };
}

/** Percent from 0, or logarithmic where one spike would leave nothing of the rest. */
function shareScale(largest: number): Scale {
  if (largest < SPIKE_PERCENT) return yScale(INPUT_BOX, 0, largest * 1.08);
  return logScale({ lo: LEAST_PERCENT, hi: 100, start: INPUT_BOX.bottom, end: INPUT_BOX.top, count: 3 });
}

function breakpointMarks(view: View, x: Scale, box: Box): readonly string[] {
  if (view.breakpoints.length > MAX_MARKED_BREAKPOINTS) return [];
  return view.breakpoints
    .filter((value) => value > view.lo && value < view.hi)
    .map((value) => line("breakpoint", x.at(value), box.top, x.at(value), box.bottom));
}

function breakpointNote(view: View): readonly { readonly text: string; readonly style: string }[] {
  const marked = view.breakpoints.length > 0 && view.breakpoints.length <= MAX_MARKED_BREAKPOINTS;
  return marked ? [{ text: ", dotted where its segments meet", style: "aside" }] : [];
}

/** Sign of the error drawn closest to the worst input, so that its dot sits on the curve. */
function nearestError(samples: readonly Sample[], errors: readonly number[], at: number): number {
  let best = 0;
  samples.forEach(({ x }, i) => {
    if (Math.abs(x - at) < Math.abs((samples[best]?.x ?? Infinity) - at)) best = i;
  });
  return errors[best] ?? 0;
}

function withMargin(lo: number, hi: number): [number, number] {
  const margin = (hi - lo) * 0.06 || 1;
  return [lo - margin, hi + margin];
}

function description({ name, table, view, certificate, error: kind = "absolute", histogram }: Drawing): string {
  const { upper, lower, at } = certificate[kind];
  const worst = at === null ? null : shortNumber(decode(table.spec.input, at), 6);
  const attained = worst === null ? "" : `, ${shortNumber(lower)} is attained at x = ${worst}`;
  return [
    `${name} and its lookup table for inputs from ${shortNumber(view.lo)} to ${shortNumber(view.hi)}.`,
    `The ${kind} error is proven to be at most ${shortNumber(upper)} over ${certificate.over}${attained}.`,
    histogram === undefined || histogram === null ? "" : "Below, the distribution of the inputs seen in calibration.",
  ]
    .join(" ")
    .trim();
}
