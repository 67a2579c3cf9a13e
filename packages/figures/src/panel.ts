// A panel: a rectangle of a figure with a y axis, a title line above it, and marks inside. Panels of one figure share the x axis.

import { linearScale, logScale, type Scale } from "./scale.ts";
import { element, escapeMarkup, label, pixels } from "./svg.ts";

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A piece of a panel's title line; `style` names a class that gives it the colour of the mark it names. */
interface TitlePart {
  readonly text: string;
  readonly style?: string;
}

export interface Panel {
  readonly box: Box;
  readonly title: readonly TitlePart[];
  readonly x: Scale;
  readonly y: Scale;
  /** Markup, drawn inside the box and clipped to it. */
  readonly marks: readonly string[];
  readonly clipId: string;
}

/** Distance between the title's baseline and the box below it. */
const TITLE_GAP = 8;
const PIXELS_PER_TICK = 36;

export function yScale(box: Box, lo: number, hi: number): Scale {
  const count = Math.max(2, Math.floor((box.bottom - box.top) / PIXELS_PER_TICK));
  return linearScale({ lo, hi, start: box.bottom, end: box.top, count });
}

/** Powers of ten, each with a tick where there is room. */
export function yScaleLog(box: Box, lo: number, hi: number): Scale {
  const count = Math.max(2, Math.floor((box.bottom - box.top) / PIXELS_PER_TICK));
  return logScale({ lo, hi, start: box.bottom, end: box.top, count });
}

export function drawPanel({ box, title, x, y, marks, clipId }: Panel): string {
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const clip = element("clipPath", { id: clipId }, element("rect", { x: box.left, y: box.top, width, height }));
  return element(
    "g",
    {},
    clip,
    drawTitle(box, title),
    ...y.ticks.map(({ value, text }) => drawYTick(box, y.at(value), text)),
    ...x.ticks.map(({ value }) => line("grid", x.at(value), box.top, x.at(value), box.bottom)),
    element("g", { "clip-path": `url(#${clipId})` }, ...marks),
    line("axis", box.left, box.bottom, box.right, box.bottom),
  );
}

/** Tick labels and the name of the shared axis, below the lowest panel. */
export function drawXAxis(box: Box, x: Scale, name: string): string {
  const labels = x.ticks.map(({ value, text }) =>
    label({ class: "tick", x: x.at(value), y: box.bottom + 16, "text-anchor": "middle" }, text),
  );
  const middle = (box.left + box.right) / 2;
  return element("g", {}, ...labels, label({ x: middle, y: box.bottom + 34, "text-anchor": "middle" }, name));
}

function drawYTick(box: Box, y: number, text: string): string {
  const number = label({ class: "tick", x: box.left - 8, y: y + 4, "text-anchor": "end" }, text);
  return line("grid", box.left, y, box.right, y) + number;
}

function drawTitle(box: Box, title: readonly TitlePart[]): string {
  const parts = title.map(({ text, style }) => element("tspan", { class: style ?? "title" }, escapeMarkup(text)));
  return element("text", { x: box.left, y: box.top - TITLE_GAP }, ...parts);
}

export function line(style: string, x1: number, y1: number, x2: number, y2: number): string {
  return element("path", { class: style, d: `M${pixels(x1)} ${pixels(y1)}L${pixels(x2)} ${pixels(y2)}` });
}
