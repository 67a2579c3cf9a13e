// Signal to noise of each layer: a bar for the noise that its own codes make, a ring for all that has arrived there. Short bars come first:
// those layers would gain from more bits.

import type { CompiledProgram } from "lutra";
import { type Box, line } from "./panel.ts";
import { linearScale, type Scale, shortNumber } from "./scale.ts";
import { element, figure, label } from "./svg.ts";

type Layer = NonNullable<CompiledProgram["sensitivity"]>[number];

export interface LayersFigureOptions {
  /** Unique on the page: prefix of the ids inside. */
  readonly id: string;
  /** Worst first; at least one. */
  readonly layers: readonly Layer[];
}

const WIDTH = 720;
const LEFT = 268;
const RIGHT = WIDTH - 56;
const TOP = 26;
const ROW = 18;
const BAR = 11;
const RADIUS = 4;
const MARGIN = 1.25;
const BELOW_AXIS = 42;
/** Layers beyond these, better than those shown, are counted. */
const MOST_LAYERS = 32;
/** Longest name shown, in characters: its end tells layers apart. */
const NAME_LENGTH = 38;

/** An `<svg>` element of class "figure". */
export function layersFigure({ id, layers }: LayersFigureOptions): string {
  const shown = layers.slice(0, MOST_LAYERS);
  const box: Box = { left: LEFT, right: RIGHT, top: TOP, bottom: TOP + shown.length * ROW + 4 };
  const x = noiseScale(shown);
  const rest = layers.length - shown.length;
  const aside = rest === 0 ? "" : `; ${rest} better ones are not shown`;
  return figure(
    {
      id,
      width: WIDTH,
      height: box.bottom + BELOW_AXIS,
      title: "Signal to noise of each layer, dB",
      description: `${layers.length} layers, those of most noise first. ${shown.map(describe).join(" ")}`,
    },
    element(
      "text",
      { x: 0, y: TOP - 10 },
      element("tspan", { class: "title" }, "signal to noise: "),
      element("tspan", { class: "table-name" }, "of its own codes alone"),
      element("tspan", {}, ", and "),
      element("tspan", { class: "bound-name" }, "of all that has arrived"),
      element("tspan", {}, aside),
    ),
    ...x.ticks.map(({ value }) => line("grid", x.at(value), box.top, x.at(value), box.bottom)),
    ...shown.map((layer, i) => bar(layer, TOP + i * ROW, x)),
    line("axis", LEFT, box.top, LEFT, box.bottom),
    ...x.ticks.map(({ value, text }) =>
      label({ class: "tick", x: x.at(value), y: box.bottom + 16, "text-anchor": "middle" }, text),
    ),
    label({ x: (LEFT + RIGHT) / 2, y: box.bottom + 34, "text-anchor": "middle" }, "dB: 20 is a factor of 10"),
  );
}

/** As far as the noise that arrived: a layer of wide codes, whose own noise is nothing, would flatten the rest. */
function noiseScale(layers: readonly Layer[]): Scale {
  const arrived = layers.map(({ signalToNoise }) => signalToNoise).filter(Number.isFinite);
  const [lo, hi] = [Math.min(0, ...arrived), Math.max(10, ...arrived) * MARGIN];
  return linearScale({ lo, hi, start: LEFT, end: RIGHT, count: 8 });
}

function bar({ layer, bits, signalToNoise, roundedSignalToNoise }: Layer, top: number, x: Scale): string {
  const middle = top + ROW / 2;
  // What is beyond the scale ends with it.
  const [own, arrived] = [roundedSignalToNoise, signalToNoise].map((value) =>
    x.at(Math.max(x.lo, Math.min(x.hi, value))),
  ) as [number, number];
  const [from, to] = [Math.min(x.at(0), own), Math.max(x.at(0), own)];
  return element(
    "g",
    {},
    label({ x: LEFT - 8, y: middle + 4, "text-anchor": "end" }, shortName(layer)),
    element("rect", { class: "bars", x: from, y: middle - BAR / 2, width: to - from, height: BAR }),
    element("circle", { class: "worst", cx: arrived, cy: middle, r: RADIUS }),
    label({ class: "tick", x: Math.max(to, arrived + RADIUS) + 5, y: middle + 4 }, `${bits} bits`),
  );
}

function shortName(name: string): string {
  return name.length <= NAME_LENGTH ? name : `\u2026${name.slice(1 - NAME_LENGTH)}`;
}

function describe({ layer, signalToNoise, roundedSignalToNoise }: Layer): string {
  return `${layer}: ${shortNumber(roundedSignalToNoise)} dB, arrived ${shortNumber(signalToNoise)}.`;
}
