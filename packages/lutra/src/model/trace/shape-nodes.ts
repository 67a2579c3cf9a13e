// Nodes that only say where elements go: shapes, concatenations, transpositions, repetitions. On constants and sizes they are done here, on what a run
// computes they become moves and reshapes.

import { integersAttribute, type NodeProto, numberAttribute, numbersAttribute } from "../../onnx/index.ts";
import { areSame, numberOf, over, type Polynomial, plus, times } from "../../program/index.ts";
import type { Handler } from "./arithmetic-nodes.ts";
import { fromFirst, known, moved, operand, ZERO } from "./moved.ts";
import type { Shape } from "./network.ts";
import { ONE, stridesOf, type Tracer, whole } from "./tracer.ts";
import { constant, shapeOf, sizes, type Traced } from "./values.ts";

const shape: Handler = (tracer, [x], node) => {
  const all = shapeOf(operand(tracer, x));
  const [start, end] = [numberAttribute(node, "start", 0), numberAttribute(node, "end", all.length)];
  return [sizes(all.slice(start, end), true)];
};

/** Axes as an attribute or, since opset 13, as an input. */
function axesOf(tracer: Tracer, node: NodeProto, input: Traced | undefined): readonly number[] | null {
  return integersAttribute(node, "axes") ?? (input === undefined ? null : known(tracer, input, []));
}

const unsqueeze: Handler = (tracer, [x, given], node) => {
  const value = operand(tracer, x);
  const axes = axesOf(tracer, node, given) ?? [];
  if (value.kind === "sizes") return [{ ...value, isList: true }];
  const before = shapeOf(value);
  const rank = before.length + axes.length;
  const places = new Set(axes.map((axis) => fromFirst(axis, rank)));
  let next = 0;
  return [
    tracer.reshape(
      value,
      Array.from({ length: rank }, (_, i) => (places.has(i) ? ONE : (before[next++] as Polynomial))),
    ),
  ];
};

const squeeze: Handler = (tracer, [x, given], node) => {
  const value = operand(tracer, x);
  if (value.kind === "sizes") return [{ ...value, isList: false }];
  const before = shapeOf(value);
  const axes = axesOf(tracer, node, given)?.map((axis) => fromFirst(axis, before.length));
  return [
    tracer.reshape(
      value,
      before.filter((size, i) => (axes === undefined ? !areSame(size, ONE) : !axes.includes(i))),
    ),
  ];
};

const reshape: Handler = (tracer, [x, target]) => {
  const value = operand(tracer, x);
  const before = shapeOf(value);
  const wanted = tracer
    .sizes(operand(tracer, target))
    .map((size, i) => (numberOf(size) === 0 ? (before[i] as Polynomial) : size));
  // Axes that stay are left out on both sides: a polynomial can only be divided by one term.
  const left = [...before];
  const rest = wanted.filter((size) => {
    const at = left.findIndex((other) => areSame(other, size));
    if (at >= 0) left.splice(at, 1);
    return at < 0 && numberOf(size) !== -1;
  });
  const open = over(left.reduce(times, ONE), rest.reduce(times, ONE));
  if (open === null) throw tracer.fault("a shape depends on the data");
  return [
    tracer.reshape(
      value,
      wanted.map((size) => (numberOf(size) === -1 ? open : size)),
    ),
  ];
};

const transpose: Handler = (tracer, [x], node) => {
  const value = operand(tracer, x);
  const before = shapeOf(value);
  const order = integersAttribute(node, "perm") ?? before.map((_, i) => before.length - 1 - i);
  const strides = stridesOf(before);
  const pick = (of: Shape): Shape => order.map((axis) => of[axis] as Polynomial);
  return [moved(tracer, value, pick(before), { start: ZERO, strides: pick(strides) })];
};

const expand: Handler = (tracer, [x, target]) => {
  const value = operand(tracer, x);
  const before = shapeOf(value);
  const wanted = tracer.sizes(operand(tracer, target));
  const rank = Math.max(before.length, wanted.length);
  const aligned = Array.from({ length: rank }, (_, i) => before.at(i - rank) ?? ONE);
  const to = aligned.map((size, i) => (areSame(size, ONE) ? (wanted.at(i - rank) ?? ONE) : size));
  if (to.every((size, i) => areSame(size, aligned[i] as Polynomial))) return [tracer.reshape(value, to)];
  const strides = stridesOf(aligned).map((stride, i) => (areSame(aligned[i] as Polynomial, ONE) ? ZERO : stride));
  return [moved(tracer, value, to, { start: ZERO, strides })];
};

const concat: Handler = (tracer, inputs, node) => {
  const lists = inputs.map((value) => (shapeOf(value).length === 1 && value.kind !== "tensor" ? value : null));
  if (lists.every((value) => value !== null) && lists.some((value) => value?.kind === "sizes")) {
    return [
      sizes(
        lists.flatMap((value) => (value === null ? [] : tracer.sizes(value))),
        true,
      ),
    ];
  }
  const shapes = inputs.map(shapeOf);
  const rank = (shapes[0] as Shape).length;
  const axis = fromFirst(numberAttribute(node, "axis", 0), rank);
  const to = [...(shapes[0] as Shape)];
  to[axis] = shapes.map((one) => one[axis] as Polynomial).reduce((a, b) => plus(a, b));
  const strides = stridesOf(to);
  let start = ZERO;
  if (inputs.every((value) => value.kind === "constant")) return [joinedConstants(inputs, to, axis)];
  const pieces = inputs.map((value, i) => {
    const box = shapes[i] as Shape;
    const piece = { from: tracer.tensor(value), box, read: whole(box), write: { start, strides } };
    start = plus(start, times(box[axis] as Polynomial, strides[axis] as Polynomial));
    return piece;
  });
  return [tracer.move(pieces, to)];
};

function joinedConstants(inputs: readonly Traced[], to: Shape, axis: number): Traced {
  const extents = to.map((size) => numberOf(size) as number);
  const inner = extents.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = extents.slice(0, axis).reduce((a, b) => a * b, 1);
  const data = new Float64Array(extents.reduce((x, y) => x * y, 1));
  let end = 0;
  for (let i = 0; i < outer; i++) {
    for (const value of inputs) {
      if (value.kind !== "constant") continue;
      const length = (value.constant.shape[axis] as number) * inner;
      data.set(value.constant.data.subarray(i * length, (i + 1) * length), end);
      end += length;
    }
  }
  return constant(extents, data);
}

const tile: Handler = (tracer, [x, repeats]) => {
  const value = operand(tracer, x);
  const before = shapeOf(value);
  const copies = tracer.sizes(operand(tracer, repeats));
  const strides = stridesOf(before);
  // Each axis becomes two: which copy, which element.
  const box = before.flatMap((size, i) => [copies[i] as Polynomial, size]);
  const read = { start: ZERO, strides: strides.flatMap((stride) => [ZERO, stride]) };
  const to = before.map((size, i) => times(size, copies[i] as Polynomial));
  return [tracer.reshape(moved(tracer, value, box, read), to)];
};

const pad: Handler = (tracer, [x, pads, fill]) => {
  const value = operand(tracer, x);
  const before = shapeOf(value);
  const amounts = tracer.sizes(operand(tracer, pads));
  const rank = before.length;
  const to = before.map((size, i) => plus(plus(size, amounts[i] as Polynomial), amounts[i + rank] as Polynomial));
  const strides = stridesOf(to);
  const start = strides.map((stride, i) => times(stride, amounts[i] as Polynomial)).reduce((a, b) => plus(a, b), ZERO);
  const piece = { from: tracer.tensor(value), box: before, read: whole(before), write: { start, strides } };
  return [tracer.move([piece], to, known(tracer, fill, [0])[0] ?? 0)];
};

const filled: Handler = (tracer, [target], node) => {
  const to = tracer.sizes(operand(tracer, target));
  const fill = numbersAttribute(node, "value")?.[0] ?? 0;
  const extents = to.map(numberOf).filter((x) => x !== null);
  if (extents.length < to.length) return [tracer.move([], to, fill)];
  return [constant(extents, new Float64Array(extents.reduce((a, b) => a * b, 1)).fill(fill))];
};

const same: Handler = (tracer, [x]) => [operand(tracer, x)];

export const SHAPES: Readonly<Record<string, Handler>> = {
  Shape: shape,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Reshape: reshape,
  Transpose: transpose,
  Expand: expand,
  Concat: concat,
  Tile: tile,
  Pad: pad,
  ConstantOfShape: filled,
  Identity: same,
  Dropout: same,
};
