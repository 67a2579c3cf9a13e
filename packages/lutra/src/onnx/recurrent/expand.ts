// A recurrent operator as standard nodes: x W^T + bias for the whole sequence at once, then per direction a Scan whose body is one step
// of the cell. The nodes give the operator's own outputs, whatever its direction, layout, initial states and sequence lengths. Names
// depend on the node and the prefix alone, so that a site found in an expansion is found again when the expansion is made again.

import { create } from "@bufbuild/protobuf";
import {
  GraphProtoSchema,
  type NodeProto,
  TensorProto_DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { node as makeNode } from "../build.ts";
import { CELLS, GATES, type Weights } from "./cells.ts";
import { Nodes } from "./nodes.ts";
import type { Direction, Recurrent } from "./operator.ts";

/** What one direction gives: the last states [batch, H] and every hidden state [time, batch, H], or [batch, time, H] in layout 1. */
interface DirectionOutputs {
  readonly h: string;
  readonly c: string;
  readonly y: string;
}

/** The nodes that compute what the operator computes, in topological order; every new name begins with the prefix. */
export function expand(operator: Recurrent, prefix: string, opset: number): readonly NodeProto[] {
  const shared = new Nodes(prefix, opset);
  const mask = operator.inputs.lengths === "" ? null : sequenceMask(operator, shared);
  const nodes = [...shared.list];
  const made: DirectionOutputs[] = [];
  for (const [index, direction] of operator.directions.entries()) {
    const own = new Nodes(`${prefix}/${direction.isReverse ? "reverse" : "forward"}`, opset);
    made.push(expandDirection(operator, direction, index, mask, own));
    nodes.push(...own.list);
  }
  const { outputs, isBatchFirst } = operator;
  const joined = new Nodes(`${prefix}/all`, opset);
  stack(joined, "y", made, outputs.y, isBatchFirst ? 2 : 1);
  stack(joined, "h", made, outputs.h, isBatchFirst ? 1 : 0);
  stack(joined, "c", made, outputs.c, isBatchFirst ? 1 : 0);
  return [...nodes, ...joined.list];
}

/** Which steps of which sequences count, as bool with the shape of a hidden state of every step, but 1 for H. */
function sequenceMask({ inputs, isBatchFirst }: Recurrent, nodes: Nodes): string {
  const length = nodes.at("length", nodes.op("shape", "Shape", [inputs.x]), isBatchFirst ? 1 : 0, 0);
  const range = [nodes.integers("first", 0), length, nodes.integers("step", 1)];
  const times = nodes.unsqueeze("times", nodes.op("range", "Range", range), isBatchFirst ? 0 : 1);
  const lengths = nodes.op("lengths_int64", "Cast", [inputs.lengths], { to: BigInt(TensorProto_DataType.INT64) });
  const ends = isBatchFirst ? nodes.unsqueeze("ends", lengths, 1) : lengths;
  return nodes.unsqueeze("mask", nodes.op("counts", "Less", [times, ends]), 2);
}

function expandDirection(
  operator: Recurrent,
  direction: Direction,
  index: number,
  mask: string | null,
  nodes: Nodes,
): DirectionOutputs {
  const { inputs, type, hiddenSize, isBatchFirst, resetsAfter } = operator;
  const width = GATES[type] * hiddenSize;
  const transposed = (name: string, matrix: string): string =>
    nodes.op(`${name}_transposed`, "Transpose", [nodes.at(name, matrix, index, 0)], { perm: [1n, 0n] });
  let x = nodes.op("x", "MatMul", [inputs.x, transposed("w", inputs.w)]);
  let recurrentBias: string | null = null;
  if (inputs.bias !== "") {
    const both = nodes.split(["bias_w", "bias_r"], nodes.at("bias", inputs.bias, index, 0), [width, width]);
    const keepsApart = type === "GRU" && resetsAfter;
    if (keepsApart) recurrentBias = both[1];
    x = nodes.op("x_biased", "Add", [x, keepsApart ? both[0] : nodes.op("bias_sum", "Add", both)]);
  }
  const states = (type === "LSTM" ? (["h", "c"] as const) : (["h"] as const)).map((state) => {
    if (inputs[state] !== "") return nodes.at(`initial_${state}`, inputs[state], index, isBatchFirst ? 1 : 0);
    return zeros(operator, `initial_${state}`, nodes);
  });
  const peepholes = inputs.peepholes === "" ? null : nodes.at("peepholes", inputs.peepholes, index, 0);
  const weights = { recurrent: transposed("r", inputs.r), recurrentBias, peepholes };
  return scan(operator, direction, { x, states, weights, mask }, nodes);
}

/** The initial state where none is given: 0 of shape [batch, H]. */
function zeros({ inputs, hiddenSize, isBatchFirst }: Recurrent, name: string, nodes: Nodes): string {
  const shape = nodes.op(`${name}_x_shape`, "Shape", [inputs.x]);
  const axis = nodes.integers(`${name}_batch_axis`, [isBatchFirst ? 0 : 1]);
  const batch = nodes.op(`${name}_batch`, "Gather", [shape, axis], { axis: 0n });
  const extents = [batch, nodes.integers(`${name}_size`, [hiddenSize])];
  return nodes.op(name, "ConstantOfShape", [nodes.op(`${name}_shape`, "Concat", extents, { axis: 0n })]);
}

interface Sequence {
  readonly x: string;
  readonly states: readonly string[];
  readonly weights: Weights;
  readonly mask: string | null;
}

function scan(operator: Recurrent, direction: Direction, sequence: Sequence, nodes: Nodes): DirectionOutputs {
  const { x, states, weights, mask } = sequence;
  const { FLOAT, BOOL } = TensorProto_DataType;
  const size = operator.hiddenSize;
  const step = CELLS[operator.type](operator, direction, nodes, weights);
  const body = new Nodes(`${nodes.prefix}/step`, nodes.opset);
  const given = states.map((_, i) => `${body.prefix}/${STATES[i]}_before`);
  const stepped = step(body, `${body.prefix}/x`, given);
  const [after, y] = mask === null ? [stepped, stepped[0]] : hold(body, stepped, given);
  const results = [...after, y].map((value, i) => body.op(`result_${i}`, "Identity", [value]));
  const graph = create(GraphProtoSchema, {
    name: body.prefix,
    node: body.list,
    input: [
      ...given.map((name) => declare(name, size, FLOAT)),
      declare(`${body.prefix}/x`, GATES[operator.type] * size, FLOAT),
      ...(mask === null ? [] : [declare(`${body.prefix}/counts`, 1, BOOL)]),
    ],
    output: results.map((name) => declare(name, size, FLOAT)),
  });
  const scanned = mask === null ? [x] : [x, mask];
  const axis = operator.isBatchFirst ? 1n : 0n;
  const backwards = direction.isReverse ? 1n : 0n;
  const names = [...states.map((_, i) => `last_${STATES[i]}`), "all_h"];
  const made = nodes.ops(names, "Scan", [...states, ...scanned], {
    body: graph,
    num_scan_inputs: BigInt(scanned.length),
    scan_input_axes: scanned.map(() => axis),
    scan_input_directions: scanned.map(() => backwards),
    scan_output_axes: [axis],
    scan_output_directions: [backwards],
  });
  return { h: made[0], c: made.length > 2 ? made[1] : "", y: made[made.length - 1] };
}

const STATES: readonly string[] = ["h", "c"];

/** A sequence that has ended, or has not begun when read backwards, keeps its states and gives 0. */
function hold(
  body: Nodes,
  stepped: readonly string[],
  given: readonly string[],
): readonly [states: readonly string[], y: string] {
  const counts = `${body.prefix}/counts`;
  const states = stepped.map((value, i) => body.op(`${STATES[i]}_held`, "Where", [counts, value, given[i]]));
  return [states, body.op("y", "Where", [counts, stepped[0], body.number("nothing", 0)])];
}

/** A value of one step: [batch, width], the batch not known. Runtimes want the rank of what a Scan gives. */
function declare(name: string, width: number, element: TensorProto_DataType): ValueInfoProto {
  const dim = [{}, { value: { case: "dimValue" as const, value: BigInt(width) } }];
  const value = { elemType: element, shape: { dim } };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: "tensorType", value } } });
}

/** The directions' values side by side along a new axis, as the operator's output; nothing if the node does not give it. */
function stack(
  nodes: Nodes,
  which: keyof DirectionOutputs,
  made: readonly DirectionOutputs[],
  output: string,
  axis: number,
): void {
  if (output === "") return;
  const parts = made.map((values, i) => nodes.unsqueeze(`${which}_${i}`, values[which], axis));
  nodes.list.push(makeNode("Concat", parts, [output], { axis: BigInt(axis) }, { name: `${nodes.prefix}/${which}` }));
}
