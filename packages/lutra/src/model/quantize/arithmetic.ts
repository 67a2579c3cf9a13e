// Sums and products of tensors. A bias belongs to the product before it; a single number only changes a scale.

import { addCodes, mulCodes, subCodes } from "../../layer/index.ts";
import type { IntegerFormat } from "../../num/index.ts";
import { areSame, type Polynomial } from "../../program/index.ts";
import type { Operator } from "../trace/network.ts";
import { type Aligned, constantOf, fault, type Held, type Lowering, shapeIn } from "./context.ts";
import { formatFor, type Role } from "./formats.ts";
import { constantOperand, weighedAt, weighedOnce } from "./fusion.ts";
import { linear } from "./linear.ts";
import { quotient } from "./plain.ts";
import { alignedOperand } from "./repeated.ts";
import { rescaled } from "./rescaled.ts";

type Binary = Extract<Operator, { op: "binary" }>;

export function arithmetic(lowering: Lowering, operator: Binary, format: IntegerFormat, role: Role): Held {
  const weighed = weighedAt(lowering, operator.result);
  if (weighed !== null) return linear(lowering, weighed, format);
  return (
    scaledBy(lowering, operator, role) ??
    residualSum(lowering, operator, format, role) ??
    ofTensors(lowering, operator, format, role)
  );
}

/** A product and what it is added to, in 16 bits; whoever wants 8 gets them from these. */
function residualSum(lowering: Lowering, { fn, a, b, result }: Binary, format: IntegerFormat, role: Role): Held | null {
  if (fn !== "add" || role === "long") return null;
  for (const [branch, skip] of [
    [a, b],
    [b, a],
  ] as const) {
    const weighed = weighedOnce(lowering, branch);
    if (weighed === null || constantOf(lowering, skip) !== undefined || !areAlike(lowering, branch, skip)) continue;
    if (role === "wide") {
      const own = formatFor("wide", lowering.options.range(branch, "wide"));
      return linear(lowering, weighed, format, { by: "residual", held: lowering.need(skip, "wide"), branch: own });
    }
    return rescaled(lowering, lowering.need(result, "wide"), format);
  }
  return null;
}

function areAlike(lowering: Lowering, a: string, b: string): boolean {
  const [left, right] = [shapeIn(lowering, a), shapeIn(lowering, b)];
  return left.length === right.length && left.every((extent, i) => areSame(extent, right[i] as Polynomial));
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

/** Gates are products of 8-bit codes; with constants, as in rotations, and in sums operands have 16. So has the result, at most. */
function ofTensors(lowering: Lowering, operator: Binary, format: IntegerFormat, role: Role): Held {
  const { fn, a, b, result } = operator;
  if (fn === "div") return quotient(lowering, operator, format);
  if (fn !== "add" && fn !== "sub" && fn !== "mul")
    throw fault(lowering, result, `${fn} of activations has no integer form`);
  if (role === "long") return lowering.need(result, "wide");
  const shape = shapeIn(lowering, result);
  const operands: Role = fn === "mul" && !isKnown(lowering, a) && !isKnown(lowering, b) ? "even" : "wide";
  const [x, y] = [lowering.need(a, operands), lowering.need(b, operands)];
  const [left, right] = [x, y].map((held) => alignedOperand(lowering, held, shape)) as [Aligned, Aligned];
  const make = { add: addCodes, sub: subCodes, mul: mulCodes }[fn];
  const kernel = make({ a: x.format, b: y.format, output: format, over: { a: left.over, b: right.over } });
  const z = lowering.builder.codes(format, shape);
  lowering.builder.kernel(kernel, shape, { a: left.tensor, b: right.tensor }, [z.tensor]);
  return z;
}

/** Whether a tensor's numbers are known beforehand: constants, and what reshapes and moves make of them. */
function isKnown(lowering: Lowering, tensor: string): boolean {
  const operator = lowering.operatorOf(tensor);
  if (operator?.op === "reshape") return isKnown(lowering, operator.input);
  if (operator?.op === "move") return operator.pieces.every(({ from }) => isKnown(lowering, from));
  return constantOf(lowering, tensor) !== undefined;
}
