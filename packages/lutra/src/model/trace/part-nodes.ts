// Nodes that take parts: slices, splits, single places and rows by id.

import { integersAttribute, numberAttribute } from "../../onnx/index.ts";
import { areSame, fromNumber, numberOf, over, type Polynomial, plus, times } from "../../program/index.ts";
import type { Handler } from "./arithmetic-nodes.ts";
import { fromFirst, known, moved, operand, ZERO } from "./moved.ts";
import type { Shape } from "./network.ts";
import { ONE, stridesOf, type Tracer } from "./tracer.ts";
import { shapeOf, sizes } from "./values.ts";

/** Ends of slices beyond any axis mean the axis' end. */
const BEYOND = 2 ** 31 - 1;

const slice: Handler = (tracer, [x, starts, ends, axes, steps]) => {
  const value = operand(tracer, x);
  const first = tracer.sizes(operand(tracer, starts));
  const last = tracer.sizes(operand(tracer, ends));
  const along = known(
    tracer,
    axes,
    first.map((_, i) => i),
  );
  const by = known(
    tracer,
    steps,
    first.map(() => 1),
  );
  if (by.some((step) => step !== 1)) throw tracer.fault("a slice with steps");
  if (value.kind === "sizes") {
    const [from, to] = [numberOf(first[0] as Polynomial), numberOf(last[0] as Polynomial)];
    if (from === null || to === null) throw tracer.fault("a shape depends on the data");
    return [sizes(value.sizes.slice(from, to), true)];
  }
  const before = shapeOf(value);
  const strides = stridesOf(before);
  const to = [...before];
  let start = ZERO;
  for (const [i, axis] of along.entries()) {
    const at = fromFirst(axis, before.length);
    const extent = before[at] as Polynomial;
    const [from, end] = [
      clipped(tracer, first[i] as Polynomial, extent),
      clipped(tracer, last[i] as Polynomial, extent),
    ];
    const length = plus(end, from, -1);
    to[at] = (numberOf(length) ?? 0) < 0 ? ZERO : length;
    start = plus(start, times(from, strides[at] as Polynomial));
  }
  const isAll = to.every((size, i) => areSame(size, before[i] as Polynomial));
  return [isAll ? value : moved(tracer, value, to, { start, strides })];
};

/** A slice's bound inside its axis. Of an axis that a run decides, only bounds are known that every run has, or every run with one place. */
function clipped(tracer: Tracer, bound: Polynomial, extent: Polynomial): Polynomial {
  const [number, whole] = [numberOf(bound), numberOf(extent)];
  if (number === null) return bound;
  if (number > BEYOND) return extent;
  if (number < -BEYOND) return ZERO;
  if (whole !== null) return fromNumber(Math.min(whole, Math.max(0, number < 0 ? number + whole : number)));
  if (number > Math.max(1, extent.get("") ?? 0))
    throw tracer.fault(`a slice up to ${number} of an axis that a run decides`);
  return number < 0 ? plus(extent, bound) : bound;
}

const split: Handler = (tracer, [x, given], node) => {
  const value = operand(tracer, x);
  const before = shapeOf(value);
  const axis = fromFirst(numberAttribute(node, "axis", 0), before.length);
  const count = node.output.length;
  const even = over(before[axis] as Polynomial, fromNumber(count));
  const lengths =
    integersAttribute(node, "split")?.map(fromNumber) ?? (given === undefined ? null : tracer.sizes(given));
  if (lengths === null && even === null) throw tracer.fault("a split into uneven parts");
  const strides = stridesOf(before);
  let start = ZERO;
  return Array.from({ length: count }, (_, i) => {
    const length = lengths?.[i] ?? (even as Polynomial);
    const to = before.map((size, at) => (at === axis ? length : size));
    const part = moved(tracer, value, to, { start, strides });
    start = plus(start, times(length, strides[axis] as Polynomial));
    return part;
  });
};

const gather: Handler = (tracer, [x, ids], node) => {
  const value = operand(tracer, x);
  const places = operand(tracer, ids);
  const before = shapeOf(value);
  const axis = fromFirst(numberAttribute(node, "axis", 0), before.length);
  if (value.kind === "sizes") {
    const at = known(tracer, places, []).map((i) => value.sizes.at(i) as Polynomial);
    return [sizes(at, shapeOf(places).length > 0)];
  }
  if (places.kind === "constant" && places.constant.data.length === 1) {
    const extent = before[axis] as Polynomial;
    const at = places.constant.data[0] as number;
    const strides = stridesOf(before);
    const start = times(strides[axis] as Polynomial, at < 0 ? plus(extent, fromNumber(at)) : fromNumber(at));
    const rest = (of: Shape): Shape => of.filter((_, i) => i !== axis);
    const one = moved(tracer, value, rest(before), { start, strides: rest(strides) });
    const isList = places.constant.shape.length > 0;
    return [
      isList
        ? tracer.reshape(
            one,
            before.map((size, i) => (i === axis ? ONE : size)),
          )
        : one,
    ];
  }
  if (axis !== 0) throw tracer.fault("a gather along another axis than the first");
  return [
    tracer.append({ op: "gather", table: tracer.tensor(value), ids: tracer.tensor(places) }, [
      ...shapeOf(places),
      ...before.slice(1),
    ]),
  ];
};

export const PARTS: Readonly<Record<string, Handler>> = {
  Slice: slice,
  Split: split,
  Gather: gather,
};
