// The front: what each plan that was tried costs the model, against the bytes of its tables. Plans inside the budget are filled, the
// chosen one is ringed, a line joins the plans that no smaller one beats.

import type { FrontPoint } from "lutra";
import { type Box, drawPanel, drawXAxis, line, yScale } from "./panel.ts";
import { logScale, type Scale, shortNumber } from "./scale.ts";
import { element, figure, label, linePath } from "./svg.ts";

export interface FrontFigureOptions {
  /** Unique on the page: prefix of the ids inside. */
  readonly id: string;
  /** "accuracy lost, points" */
  readonly name: string;
  /** All on the same samples. */
  readonly front: readonly FrontPoint[];
  /** Ringed where the front has it. */
  readonly chosen: FrontPoint;
  /** The plan that the others are compared with, and its label: "16 everywhere". */
  readonly uniform: FrontPoint;
  readonly uniformName: string;
  /** What is drawn of a plan, percent. */
  readonly cost: (point: FrontPoint) => number;
  /** The most that is allowed; no line without it. */
  readonly limit: number | null;
}

const WIDTH = 720;
const BOX: Box = { left: 62, right: WIDTH - 14, top: 26, bottom: 246 };
const BELOW_AXIS = 42;
const RADIUS = 4;
/** Costs beyond so many times the limit (or the dearest plan inside) would flatten the rest: they are drawn at the upper edge. */
const MAX_RATIO = 4;

/** An `<svg>` element of class "figure". */
export function frontFigure(options: FrontFigureOptions): string {
  const { id, name, front, chosen, uniform, cost, limit } = options;
  const bytes = [...front, uniform].map((point) => point.bytes);
  const ends = { lo: Math.min(...bytes) * 0.85, hi: Math.max(...bytes) * 1.15 };
  const x = logScale({ ...ends, start: BOX.left, end: BOX.right, count: 9 });
  const y = costScale(options);
  const off = front.filter((point) => cost(point) > y.hi).length;
  const panel = drawPanel({
    box: BOX,
    clipId: `${id}-front`,
    title: [
      { text: name, style: "title" },
      { text: ": every plan tried, " },
      { text: "filled inside the budget", style: "table-name" },
      { text: ", " },
      { text: "the chosen one ringed", style: "bound-name" },
      ...(off === 0 ? [] : [{ text: `; ${off} off the scale, at the upper edge`, style: "aside" }]),
    ],
    x,
    y,
    marks: [
      ...(limit === null ? [] : [line("bound", BOX.left, y.at(limit), BOX.right, y.at(limit))]),
      element("path", {
        class: "error",
        d: linePath(best(front, cost).map((p) => [x.at(p.bytes), placed(y, cost(p))])),
      }),
      ...front.map((point) => mark(point.isInside ? "plan inside" : "plan", x, y, point, cost, RADIUS)),
      ...front.filter((point) => isSame(point, chosen)).map((p) => mark("chosen", x, y, p, cost, RADIUS + 4)),
      label(
        { class: "aside", x: x.at(uniform.bytes) + RADIUS, y: placed(y, cost(uniform)) - 10, "text-anchor": "end" },
        options.uniformName,
      ),
    ],
  });
  return figure(
    {
      id,
      width: WIDTH,
      height: BOX.bottom + BELOW_AXIS,
      title: `${name} against the bytes of all tables`,
      description: description(options),
    },
    panel,
    drawXAxis(BOX, x, "bytes of all tables (logarithmic)"),
  );
}

function costScale({ front, cost, limit }: FrontFigureOptions): Scale {
  const costs = front.map(cost);
  const inside = front.filter(({ isInside }) => isInside).map(cost);
  const most = MAX_RATIO * Math.max(limit ?? 0, ...inside.map(Math.abs), 0.01);
  const hi = Math.min(Math.max(...costs, limit ?? 0), most);
  const lo = Math.min(0, ...costs);
  const margin = (hi - lo) * 0.12 || 1;
  return yScale(BOX, lo - margin, hi + margin);
}

/** Plans of which no smaller one costs as little or less; fewest bytes first. */
export function best(front: readonly FrontPoint[], cost: (point: FrontPoint) => number): readonly FrontPoint[] {
  let least = Infinity;
  const ordered = front.toSorted((a, b) => a.bytes - b.bytes || cost(a) - cost(b));
  return ordered.filter((point) => {
    const isBetter = cost(point) < least;
    least = Math.min(least, cost(point));
    return isBetter;
  });
}

function mark(
  style: string,
  x: Scale,
  y: Scale,
  point: FrontPoint,
  cost: (point: FrontPoint) => number,
  r: number,
): string {
  return element("circle", { class: style, cx: x.at(point.bytes), cy: placed(y, cost(point)), r });
}

/** What is off the scale stands at its edge. */
function placed(y: Scale, value: number): number {
  return y.at(Math.min(value, y.hi));
}

function isSame(a: FrontPoint, b: FrontPoint): boolean {
  return Object.entries(a.segments).every(([name, segments]) => b.segments[name] === segments);
}

function description({ name, front, chosen, uniform, uniformName, cost }: FrontFigureOptions): string {
  const one = (what: string, point: FrontPoint): string =>
    `${what}: ${point.bytes} bytes, ${shortNumber(cost(point))}.`;
  return `${name}, ${front.length} plans. ${one("Chosen", chosen)} ${one(uniformName, uniform)}`;
}
