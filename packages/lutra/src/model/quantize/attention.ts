// Attention: scores of 7-bit queries and 8-bit keys become unnormalised 7-bit exponentials, whose products with 8-bit values are divided by
// their sums.

import { fill } from "../../kernel/index.ts";
import { attentionContext, attentionShares, attentionWeights } from "../../layer/index.ts";
import type { IntegerFormat } from "../../num/index.ts";
import type { Operator } from "../trace/network.ts";
import { factorOf } from "./arithmetic.ts";
import { constantOf, fault, type Held, type Lowering, shapeIn } from "./context.ts";
import { codedOf, maskOf } from "./masks.ts";

type Product = Extract<Operator, { op: "product" }>;
type Softmax = Extract<Operator, { op: "softmax" }>;

/** A product whose first factor is a Softmax. */
export function attention(lowering: Lowering, operator: Product, format: IntegerFormat): Held {
  const { builder, options } = lowering;
  const softmax = lowering.operatorOf(operator.a);
  if (softmax?.op !== "softmax") throw fault(lowering, operator.result, "a product of activations is no attention");
  const { exponentials, total } = weightsOf(lowering, softmax);
  const v = lowering.need(operator.b, "even");
  const y = builder.codes(format, shapeIn(lowering, operator.result));
  builder.emit({
    op: "product",
    a: exponentials,
    b: v.tensor,
    isTransposed: false,
    kernel: attentionContext({ values: v.format, output: format, maxRow: options.maxRow }),
    arguments: { total },
    results: [y.tensor],
  });
  return y;
}

/** The probabilities themselves, where somebody reads them. */
export function probabilities(lowering: Lowering, softmax: Softmax, format: IntegerFormat): Held {
  const { builder, options } = lowering;
  const { exponentials, total } = weightsOf(lowering, softmax);
  const shape = shapeIn(lowering, softmax.result);
  const y = builder.codes(format, shape);
  const kernel = attentionShares({ output: format, maxRow: options.maxRow });
  builder.kernel(kernel, shape, { weights: exponentials, total }, [y.tensor]);
  return y;
}

/** u8 exponentials and their i32 sums. */
interface Weights {
  readonly exponentials: string;
  readonly total: string;
}

function weightsOf(lowering: Lowering, softmax: Softmax): Weights {
  return lowering.once(`weights ${softmax.result}`, () => makeWeights(lowering, softmax));
}

function makeWeights(lowering: Lowering, softmax: Softmax): Weights {
  const { builder, options } = lowering;
  const { product, factor, masks } = scoresOf(lowering, softmax.input);
  const shape = shapeIn(lowering, softmax.result);
  const q = lowering.need(product.a, "seven");
  const k = lowering.need(product.b, "even");
  const [mask, ...others] = masks.map((each) => builder.aligned(each, shape));
  if (others.length > 0) throw fault(lowering, softmax.result, "an attention has several masks");
  const scale = q.format.scale * k.format.scale * factor;
  const empty = attentionWeights({ scale, mask: mask?.over ?? null, maxRow: options.maxRow });
  const exponentials = builder.declare("u8", shape, { range: [0, 127] });
  const total = builder.declare("i32", shape.slice(0, -1), { range: [0, 127 * options.maxRow] });
  builder.emit({
    op: "product",
    a: q.tensor,
    b: k.tensor,
    isTransposed: false,
    kernel: fill(empty.kernel, { exp: options.table(empty.exp) }),
    arguments: mask === undefined ? {} : { mask: mask.tensor },
    results: [exponentials, total],
  });
  return { exponentials, total };
}

interface Scores {
  readonly product: Product;
  /** What the product is multiplied with. */
  readonly factor: number;
  /** u8 tensors of the program: 1 where a score is left out. */
  readonly masks: readonly string[];
}

/** From the input of a Softmax back to the product of queries and keys. */
function scoresOf(lowering: Lowering, name: string): Scores {
  const operator = lowering.operatorOf(name);
  if (operator?.op === "product") return { product: operator, factor: 1, masks: [] };
  if (operator?.op === "select") return selected(lowering, operator);
  const factor = operator?.op === "binary" ? factorOf(lowering, operator) : null;
  if (factor !== null) {
    const inner = scoresOf(lowering, factor.other);
    return { ...inner, factor: inner.factor * factor.by };
  }
  if (operator?.op === "binary" && operator.fn === "add") {
    for (const [mask, rest] of [
      [operator.b, operator.a],
      [operator.a, operator.b],
    ] as const) {
      const coded = codedOf(lowering, mask);
      if (coded === null) continue;
      if (coded.table.some((x) => x !== 0 && !isExcluding(x)))
        throw fault(lowering, name, "a mask of other numbers than 0 and less than -1000");
      const inner = scoresOf(lowering, rest);
      const excluded = maskOf(lowering, coded, isExcluding, shapeIn(lowering, mask));
      return { ...inner, masks: [...inner.masks, excluded] };
    }
  }
  throw fault(lowering, name, "a Softmax of other than scaled, masked products has no integer form");
}

/** So far below the others that its exponential is 0. */
function isExcluding(x: number): boolean {
  return x <= -1000;
}

/** A condition that chooses between scores and one number far below. */
function selected(lowering: Lowering, { condition, a, b, result }: Extract<Operator, { op: "select" }>): Scores {
  const coded = codedOf(lowering, condition);
  const [yes, no] = [constantOf(lowering, a), constantOf(lowering, b)];
  const excluding = (yes ?? no)?.data;
  if (coded === null || excluding === undefined || !excluding.every(isExcluding))
    throw fault(lowering, result, "a selection that is no mask");
  const inner = scoresOf(lowering, yes === undefined ? a : b);
  const isExcluded = (x: number): boolean => (yes === undefined ? x === 0 : x !== 0);
  return { ...inner, masks: [...inner.masks, maskOf(lowering, coded, isExcluded, shapeIn(lowering, condition))] };
}
