// Methods beside each other on logarithmic axes: error against segments, or error against bytes with the line of what no other method
// beats. Each series is named at its right end, in its colour; labels move apart rather than overlap.

import { type Box, drawPanel, drawXAxis, yScaleLog } from "./panel.ts";
import { logScale, type Scale, shortNumber } from "./scale.ts";
import { element, figure, label, linePath, type Point } from "./svg.ts";

export interface MethodSeries {
  readonly name: string;
  /** [x, error], all positive; in any order. */
  readonly points: readonly Point[];
  /** Drawn heavier: the yardstick. */
  readonly isYardstick: boolean;
}

export interface MethodsFigureOptions {
  /** Unique on the page: prefix of the ids inside. */
  readonly id: string;
  readonly title: string;
  /** "segments", "bytes" */
  readonly xName: string;
  /** "mean square error" */
  readonly yName: string;
  readonly series: readonly MethodSeries[];
  /** Joins the points that no point with less on both axes beats, instead of the points of each series. */
  readonly front: boolean;
}

const WIDTH = 720;
const LABEL_ROOM = 150;
const BOX: Box = { left: 62, right: WIDTH - LABEL_ROOM, top: 26, bottom: 346 };
const BELOW_AXIS = 42;
const RADIUS = 3.5;
const LABEL_HEIGHT = 13;
/** Eight colours that colour-blind readers tell apart (Okabe and Ito 2008, black and yellow made to show on both papers); then dashes. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#8a6fd1", "#7f7f7f"] as const;

/** Beside FIGURE_STYLE; part of the figure, for no other has series. */
const SERIES_STYLE = [
  ".figure .series{stroke:var(--series);stroke-width:1.6;fill:none}",
  ".figure circle.series{fill:var(--series);stroke:var(--paper);stroke-width:.8}",
  ".figure .dashed{stroke-dasharray:5 3}",
  ".figure .yardstick{stroke-width:3}",
  ".figure .leader{stroke:var(--axis);stroke-width:.6}",
  ".figure .series-name{fill:var(--series);font-size:11px}",
  ...COLOURS.map((colour, i) => `.figure .series-${i}{--series:${colour}}`),
].join("\n");

/** An `<svg>` element of class "figure". Points that are not positive cannot be placed and are left out. */
export function methodsFigure(options: MethodsFigureOptions): string {
  const { id, title, xName, yName, front } = options;
  const series = options.series
    .map((one) => ({ ...one, points: one.points.filter(([x, y]) => x > 0 && y > 0 && y < Infinity) }))
    .filter(({ points }) => points.length > 0);
  const all = series.flatMap(({ points }) => points);
  const [xs, ys] = [all.map(([x]) => x), all.map(([, y]) => y)];
  const x = logScale({ lo: least(xs) * 0.9, hi: Math.max(...xs, 1) * 1.1, start: BOX.left, end: BOX.right, count: 9 });
  const y = yScaleLog(BOX, least(ys) / 1.6, Math.max(...ys, Number.MIN_VALUE) * 1.6);
  const placed = series.map((one, i) => drawSeries(one, i, x, y, front));
  const panel = drawPanel({
    box: BOX,
    clipId: `${id}-methods`,
    title: [{ text: title, style: "title" }, { text: `, ${yName}` }],
    x,
    y,
    marks: [...(front ? [frontLine(all, x, y)] : []), ...placed.map(({ marks }) => marks)],
  });
  return figure(
    {
      id,
      width: WIDTH,
      height: BOX.bottom + BELOW_AXIS,
      title: `${title}: ${yName} against ${xName}`,
      description: description(series, yName),
    },
    element("style", {}, SERIES_STYLE),
    panel,
    ...drawLabels(placed),
    drawXAxis(BOX, x, `${xName} (logarithmic)`),
  );
}

function least(values: readonly number[]): number {
  return values.length === 0 ? 0.1 : Math.min(...values);
}

interface Drawn {
  readonly name: string;
  readonly style: string;
  readonly marks: string;
  /** Right end of the series. */
  readonly end: Point;
}

function drawSeries({ name, points, isYardstick }: MethodSeries, i: number, x: Scale, y: Scale, front: boolean): Drawn {
  const ordered = points.toSorted(([a], [b]) => a - b).map(([px, py]): Point => [x.at(px), y.at(py)]);
  const dashes = i >= COLOURS.length ? " dashed" : "";
  const style = `series series-${i % COLOURS.length}${dashes}${isYardstick ? " yardstick" : ""}`;
  const path = front || ordered.length < 2 ? "" : element("path", { class: style, d: linePath(ordered) });
  const dots = ordered.map(([cx, cy]) => element("circle", { class: style, cx, cy, r: RADIUS }));
  return {
    name,
    style: `series-name series-${i % COLOURS.length}`,
    marks: path + dots.join(""),
    end: ordered.at(-1) as Point,
  };
}

/** What no point with less of both beats, from left to right. */
function frontLine(points: readonly Point[], x: Scale, y: Scale): string {
  let lowest = Infinity;
  const kept = points
    .toSorted(([ax, ay], [bx, by]) => ax - bx || ay - by)
    .filter(([, error]) => {
      const isBetter = error < lowest;
      lowest = Math.min(lowest, error);
      return isBetter;
    });
  return element("path", { class: "bound", d: linePath(kept.map(([px, py]) => [x.at(px), y.at(py)])) });
}

/** Names at the right edge, as near to their series' ends as they can be without overlapping, joined to them by a thin line. */
function drawLabels(drawn: readonly Drawn[]): readonly string[] {
  const ordered = drawn.toSorted((a, b) => a.end[1] - b.end[1]);
  const heights: number[] = [];
  for (const { end } of ordered) heights.push(Math.max(end[1], (heights.at(-1) ?? -Infinity) + LABEL_HEIGHT));
  const overflow = Math.max(0, (heights.at(-1) ?? 0) - BOX.bottom);
  if (overflow > 0) {
    let limit = BOX.bottom;
    for (let i = heights.length - 1; i >= 0; i--) {
      heights[i] = Math.min(heights[i] as number, limit);
      limit = (heights[i] as number) - LABEL_HEIGHT;
    }
  }
  return ordered.map(({ name, style, end }, i) => {
    const at = heights[i] as number;
    const leader = linePath([
      [end[0] + RADIUS + 1, end[1]],
      [BOX.right + 8, at],
    ]);
    const text = label({ class: style, x: BOX.right + 12, y: at + 4 }, name);
    return element("path", { class: "leader", d: leader }) + text;
  });
}

function description(series: readonly MethodSeries[], yName: string): string {
  return series
    .map(
      ({ name, points }) =>
        `${name}: ${yName} ${points.map(([x, y]) => `${shortNumber(y)} at ${shortNumber(x)}`).join(", ")}.`,
    )
    .join(" ");
}
