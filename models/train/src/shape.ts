// The model's shape, its constants and its parameters before training. No graph: that is model.ts for training, export.ts for ONNX.
import { type Random, random } from "lutra";
import type { HostArray } from "./array.ts";

export interface Shape {
  /** Ids of the vocabulary; 0 is padding. */
  readonly characters: number;
  /** Longest text. */
  readonly length: number;
  readonly width: number;
  readonly heads: number;
  /** Width of the feed-forward layers. */
  readonly hidden: number;
  readonly layers: number;
}

/** Digits of YYYYMMDD. */
export const DIGITS = 8;

export const EPSILON = 1e-5;

/** Added to the scores of padding; exp of it is 0. */
export const MASKED = -10000;

/** What a parameter begins as: normal with a deviation, or a constant. */
type Start = { readonly deviation: number } | { readonly value: number };

export interface ParameterShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly start: Start;
}

/** Every parameter of the model, in the order in which they are stored. */
export function parameterShapes(model: Shape): readonly ParameterShape[] {
  const { characters, length, width, hidden, layers } = model;
  const weight = (name: string, from: number, to: number): readonly ParameterShape[] => [
    { name: `${name}.weight`, shape: [from, to], start: { deviation: 1 / Math.sqrt(from) } },
    { name: `${name}.bias`, shape: [to], start: { value: 0 } },
  ];
  const norm = (name: string): readonly ParameterShape[] => [
    { name: `${name}.gain`, shape: [width], start: { value: 1 } },
    { name: `${name}.bias`, shape: [width], start: { value: 0 } },
  ];
  const layer = (name: string): readonly ParameterShape[] => [
    ...norm(`${name}.norm1`),
    ...["query", "key", "value", "output"].flatMap((part) => weight(`${name}.${part}`, width, width)),
    ...norm(`${name}.norm2`),
    ...weight(`${name}.up`, width, hidden),
    ...weight(`${name}.down`, hidden, width),
  ];
  return [
    { name: "embedding.characters", shape: [characters, width], start: { deviation: 0.5 } },
    { name: "embedding.positions", shape: [length, width], start: { deviation: 0.5 } },
    { name: "embedding.digits", shape: [DIGITS, width], start: { deviation: 0.5 } },
    ...Array.from({ length: layers }, (_, i) => layer(`layer${i}`)).flat(),
    ...norm("norm"),
    ...weight("classifier", width, 10),
  ];
}

export type Parameters = readonly HostArray[];

export function initialParameters(model: Shape, seed: number): Parameters {
  const source = random(seed);
  return parameterShapes(model).map(({ shape, start }) => ({ shape, data: initial(shape, start, source) }));
}

function initial(shape: readonly number[], start: Start, source: Random): Float32Array {
  const size = shape.reduce((product, extent) => product * extent, 1);
  return Float32Array.from({ length: size }, () =>
    "value" in start ? start.value : start.deviation * source.normal(),
  );
}
