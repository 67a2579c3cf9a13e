// What ends in the kernel of a product with weights: a bias, a function or a residual sum of what nothing else reads.

import type { Constant, Operator } from "../trace/network.ts";
import { constantOf, type Lowering } from "./context.ts";

type Product = Extract<Operator, { op: "product" }>;
type Binary = Extract<Operator, { op: "binary" }>;

/** A product with weights, and what is added to it. */
export interface Weighed {
  readonly product: Product;
  readonly bias: Constant | null;
}

/** The operand that is known beforehand, and the other one. */
export function constantOperand(
  lowering: Lowering,
  { a, b }: Binary,
): { readonly constant: Constant; readonly other: string } | null {
  const [left, right] = [constantOf(lowering, a), constantOf(lowering, b)];
  if (right !== undefined) return { constant: right, other: a };
  return left === undefined ? null : { constant: left, other: b };
}

/** The product that a tensor is, with or without a bias; null of others. */
export function weighedAt(lowering: Lowering, tensor: string): Weighed | null {
  const operator = lowering.operatorOf(tensor);
  if (operator?.op === "product")
    return constantOf(lowering, operator.b) === undefined ? null : { product: operator, bias: null };
  const found = operator?.op === "binary" && operator.fn === "add" ? constantOperand(lowering, operator) : null;
  const inner = found === null ? null : weighedAt(lowering, found.other);
  if (found === null || inner === null || inner.bias !== null) return null;
  const isVector = found.constant.shape.filter((extent) => extent !== 1).length <= 1;
  return isVector ? { product: inner.product, bias: found.constant } : null;
}

/** The same if one operand alone is the tensor, and it is no output. */
export function weighedOnce(lowering: Lowering, tensor: string): Weighed | null {
  const { network } = lowering;
  const isOnce = lowering.readersOf(tensor).length === 1 && !Object.values(network.outputs).includes(tensor);
  return isOnce ? weighedAt(lowering, tensor) : null;
}
