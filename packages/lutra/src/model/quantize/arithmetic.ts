// Sums and products of tensors. A bias belongs to the product before it; a single number only changes a scale.

import { addCodes, mulCodes, subCodes } from "../../layer/index.ts";
import type { IntegerFormat } from "../../num/index.ts";
import type { Constant, Operator } from "../trace/network.ts";
import { type Aligned, constantOf, fault, type Held, type Lowering, shapeIn } from "./context.ts";
import type { Role } from "./formats.ts";
import { linear } from "./linear.ts";

type Binary = Extract<Operator, { op: "binary" }>;

export function arithmetic(lowering: Lowering, operator: Binary, format: IntegerFormat, role: Role): Held {
  return (
    withBias(lowering, operator, format) ?? scaledBy(lowering, operator, role) ?? ofTensors(lowering, operator, format)
  );
}

/** The operand that a run computes, and the other one. */
function constantOperand(
  lowering: Lowering,
  { a, b }: Binary,
): { readonly constant: Constant; readonly other: string } | null {
  const [left, right] = [constantOf(lowering, a), constantOf(lowering, b)];
  if (right !== undefined) return { constant: right, other: a };
  return left === undefined ? null : { constant: left, other: b };
}

function withBias(lowering: Lowering, operator: Binary, format: IntegerFormat): Held | null {
  const found = constantOperand(lowering, operator);
  const from = found === null ? undefined : lowering.operatorOf(found.other);
  if (operator.fn !== "add" || found === null || from?.op !== "product") return null;
  const isWeighed = constantOf(lowering, from.b) !== undefined;
  const isVector = found.constant.shape.filter((extent) => extent !== 1).length <= 1;
  return isWeighed && isVector ? linear(lowering, from, found.constant, format) : null;
}

function scaledBy(lowering: Lowering, operator: Binary, role: Role): Held | null {
  const factor = factorOf(lowering, operator);
  if (factor === null || !(factor.by > 0)) return null;
  const held = lowering.need(factor.other, role);
  const format = { ...held.format, scale: held.format.scale * factor.by };
  const same = lowering.builder.codes(format, shapeIn(lowering, operator.result));
  lowering.builder.emit({ op: "reshape", input: held.tensor, result: same.tensor });
  return same;
}

/** The single number that an operator multiplies with; null if it does something else. */
export function factorOf(lowering: Lowering, operator: Binary): { readonly by: number; readonly other: string } | null {
  const found = constantOperand(lowering, operator);
  if (found?.constant.data.length !== 1) return null;
  const by = found.constant.data[0] as number;
  if (operator.fn === "mul") return { by, other: found.other };
  return operator.fn === "div" && found.other === operator.a ? { by: 1 / by, other: found.other } : null;
}

/** Gates are products of 8-bit codes; with constants, as in rotations, and in sums operands have 16. */
function ofTensors(lowering: Lowering, operator: Binary, format: IntegerFormat): Held {
  const { fn, a, b, result } = operator;
  if (fn !== "add" && fn !== "sub" && fn !== "mul")
    throw fault(lowering, result, `${fn} of activations has no integer form`);
  const shape = shapeIn(lowering, result);
  const role: Role = fn === "mul" && constantOperand(lowering, operator) === null ? "even" : "wide";
  const [x, y] = [lowering.need(a, role), lowering.need(b, role)];
  const [left, right] = [x, y].map(({ tensor }) => lowering.builder.aligned(tensor, shape)) as [Aligned, Aligned];
  const make = { add: addCodes, sub: subCodes, mul: mulCodes }[fn];
  const kernel = make({ a: x.format, b: y.format, output: format, over: { a: left.over, b: right.over } });
  const z = lowering.builder.codes(format, shape);
  lowering.builder.kernel(kernel, shape, { a: left.tensor, b: right.tensor }, [z.tensor]);
  return z;
}
