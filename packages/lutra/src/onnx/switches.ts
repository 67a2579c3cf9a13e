// Values of a graph that can be rounded to the codes of a format, each by a switch that a run sets: what one layer's rounding does to the answers
// while all others stay as they are. One model and one session for all of them.

import { create } from "@bufbuild/protobuf";
import {
  type NodeProto,
  TensorProto_DataType,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { constant, node } from "./build.ts";
import { changed } from "./changed.ts";
import { unfuse } from "./fused.ts";
import type { Model } from "./types.ts";

/** Codes that a value is rounded to: clamp(floor(x / scale + 1/2) + zeroPoint, lo, hi). */
export interface Rounding {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly lo: number;
  readonly hi: number;
}

/** The input that holds the switches, binary32: 1 rounds, 0 does not. */
export const SWITCHES = "lutra.switches";

/**
 * The model with a further input of one switch for each value, in their order. What nodes of the main graph read of a value is rounded where its
 * switch is on; outputs of the model stay as they are.
 * @param roundings by value, of binary32, that a node of the main graph gives
 */
export function withSwitches(model: Model, roundings: ReadonlyMap<string, Rounding>): Model {
  const plain = unfuse(model, (name) => roundings.has(name));
  const places = new Map([...roundings.keys()].map((name, i) => [name, i]));
  const nodes = plain.graph.node.flatMap((each): readonly NodeProto[] => {
    const input = each.input.map((name) => (roundings.has(name) ? rounded(name) : name));
    const added = each.output.flatMap((name) => {
      const rounding = roundings.get(name);
      return rounding === undefined ? [] : switched(name, rounding, places.get(name) as number);
    });
    return [changed(each, { input }), ...added];
  });
  const graph = changed(plain.graph, { node: nodes, input: [...plain.graph.input, switchesInput(roundings.size)] });
  return { ...plain, graph, proto: changed(plain.proto, { graph }) };
}

function rounded(value: string): string {
  return `${value}.lutra.rounded`;
}

/** value + switch (round(value) - value). */
function switched(value: string, { scale, zeroPoint, lo, hi }: Rounding, place: number): readonly NodeProto[] {
  const name = (suffix: string): string => `${value}.lutra.${suffix}`;
  const op = (type: string, inputs: readonly string[], suffix: string): NodeProto => node(type, inputs, [name(suffix)]);
  const number = (suffix: string, x: number): NodeProto => constant(name(suffix), x);
  return [
    number("scale", scale),
    number("half", 0.5),
    number("least", lo - zeroPoint),
    number("most", hi - zeroPoint),
    constant(name("place"), BigInt64Array.of(BigInt(place)), []),
    op("Div", [value, name("scale")], "steps"),
    op("Add", [name("steps"), name("half")], "above"),
    op("Floor", [name("above")], "whole"),
    op("Max", [name("whole"), name("least")], "raised"),
    op("Min", [name("raised"), name("most")], "code"),
    op("Mul", [name("code"), name("scale")], "number"),
    op("Sub", [name("number"), value], "error"),
    op("Gather", [SWITCHES, name("place")], "switch"),
    op("Mul", [name("error"), name("switch")], "added"),
    op("Add", [value, name("added")], "rounded"),
  ];
}

function switchesInput(count: number): ReturnType<typeof create<typeof ValueInfoProtoSchema>> {
  const dim = create(TensorShapeProto_DimensionSchema, { value: { case: "dimValue", value: BigInt(count) } });
  const shape = create(TensorShapeProtoSchema, { dim: [dim] });
  const tensor = create(TypeProto_TensorSchema, { elemType: TensorProto_DataType.FLOAT, shape });
  const type = create(TypeProtoSchema, { value: { case: "tensorType", value: tensor } });
  return create(ValueInfoProtoSchema, { name: SWITCHES, type });
}
