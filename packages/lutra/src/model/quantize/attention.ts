// Attention: scores of 7-bit queries and 8-bit keys become unnormalised 7-bit exponentials, whose products with 8-bit values are divided by
// their sums.

import type { LutraError } from "../../base/index.ts";
import { fill } from "../../kernel/index.ts";
import { attentionContext, attentionShares, attentionWeights, eitherFlag } from "../../layer/index.ts";
import type { IntegerFormat } from "../../num/index.ts";
import { areSame, fromNumber, type Polynomial } from "../../program/index.ts";
import type { Operator, Shape } from "../trace/network.ts";
import { factorOf } from "./arithmetic.ts";
import { type Aligned, constantOf, fault, type Held, type Lowering, partOf, shapeIn } from "./context.ts";
import type { Role } from "./formats.ts";
import { flagsOf, valuesOf } from "./masks.ts";
import { plainProduct, plainSoftmax, plainWeights } from "./plain.ts";

const ONE = fromNumber(1);

type Product = Extract<Operator, { op: "product" }>;
type Softmax = Extract<Operator, { op: "softmax" }>;

/** A product whose first factor is a Softmax. */
export function attention(lowering: Lowering, operator: Product, format: IntegerFormat): Held {
  const { builder, options } = lowering;
  const softmax = lowering.operatorOf(operator.a);
  if (softmax?.op !== "softmax") return plainProduct(lowering, operator, format);
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
  if (scoresOf(lowering, softmax.input) === null) return plainSoftmax(lowering, softmax, format);
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
  const scores = scoresOf(lowering, softmax.input);
  if (scores === null) return plainWeights(lowering, softmax);
  const { product, factor, masks } = scores;
  const shape = shapeIn(lowering, softmax.result);
  const [queries, keys] = options.attention?.(product.result) ?? ["seven", "even"];
  const q = lowering.need(product.a, queries);
  const { held: k, isTransposed } = keysOf(lowering, product.b, keys);
  const mask = maskOver(lowering, masks, shape);
  const scale = q.format.scale * k.format.scale * factor;
  const empty = attentionWeights({ scale, mask: mask?.over ?? null, maxRow: options.maxRow });
  const exponentials = builder.declare("u8", shape, { range: [0, 127] });
  const total = builder.declare("i32", shape.slice(0, -1), { range: [0, 127 * options.maxRow] });
  builder.emit({
    op: "product",
    a: q.tensor,
    b: k.tensor,
    isTransposed,
    kernel: fill(empty.kernel, { exp: options.table(empty.exp) }),
    arguments: mask === undefined ? {} : { mask: mask.tensor },
    results: [exponentials, total],
  });
  return { exponentials, total };
}

interface Keys {
  readonly held: Held;
  readonly isTransposed: boolean;
}

/** Keys [..., k, n]. Exporters transpose them, number by number; as [..., n, k] a product takes them too, and whole rows are moved. */
function keysOf(lowering: Lowering, name: string, role: Role): Keys {
  const operator = lowering.operatorOf(name);
  const [piece, ...others] = operator?.op === "move" && operator.fill === 0 ? operator.pieces : [];
  const shape = shapeIn(lowering, name);
  const [k, n] = shape.slice(-2) as [Polynomial, Polynomial];
  const write = piece?.write.strides ?? [];
  const axes = [n, fromNumber(1)].map((stride) => write.findIndex((own) => areSame(own, stride)));
  const [alongK, alongN] = axes as [number, number];
  if (piece === undefined || others.length > 0 || alongK < 0 || alongN < 0 || alongK === alongN) {
    return { held: lowering.need(name, role), isTransposed: false };
  }
  const { builder } = lowering;
  const source = lowering.need(piece.from, role);
  const held = builder.codes(source.format, [...shape.slice(0, -2), n, k]);
  const strides = write.map((stride, axis) => (axis === alongK ? fromNumber(1) : axis === alongN ? k : stride));
  const turned = { ...piece, write: { ...piece.write, strides } };
  builder.emit({ op: "move", parts: [partOf(turned, source.tensor)], fill: 0, result: held.tensor });
  return { held, isTransposed: true };
}

/** Several masks as one: what any of them leaves out, of no more axes than they have. */
function maskOver({ builder }: Lowering, masks: readonly string[], shape: Shape): Aligned | undefined {
  const [first, ...others] = masks;
  if (first === undefined) return undefined;
  const all = others.reduce((one, other) => {
    const common = joinedShape(builder.shapeOf(one), builder.shapeOf(other));
    const [a, b] = [builder.aligned(one, common), builder.aligned(other, common)];
    const both = builder.declare("u8", common, { range: [0, 1] });
    builder.kernel(eitherFlag({ a: a.over, b: b.over }), common, { a: a.tensor, b: b.tensor }, [both]);
    return both;
  }, first);
  return builder.aligned(all, shape);
}

/** Of two tensors that repeat axes that are 1 or missing. */
function joinedShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a.at(i - rank) ?? ONE, b.at(i - rank) ?? ONE];
    return areSame(x, ONE) ? y : x;
  });
}

interface Scores {
  readonly product: Product;
  /** What the product is multiplied with. */
  readonly factor: number;
  /** u8 tensors of the program: 1 where a score is left out. */
  readonly masks: readonly string[];
}

/** From the input of a Softmax back to the product of queries and keys; null for any other input. */
function scoresOf(lowering: Lowering, name: string): Scores | null {
  const operator = lowering.operatorOf(name);
  if (operator?.op === "product") {
    return constantOf(lowering, operator.b) === undefined ? { product: operator, factor: 1, masks: [] } : null;
  }
  if (operator?.op === "select") return selected(lowering, operator);
  if (operator?.op !== "binary") return null;
  const factor = factorOf(lowering, operator);
  if (factor !== null) {
    const inner = factor.by > 0 ? scoresOf(lowering, factor.other) : null;
    return inner === null ? null : { ...inner, factor: inner.factor * factor.by };
  }
  return operator.fn === "add" ? masked(lowering, operator) : null;
}

/** A sum with numbers that are 0 or far below the others. */
function masked(lowering: Lowering, { a, b, result }: Extract<Operator, { op: "binary" }>): Scores | null {
  for (const [mask, rest] of [
    [b, a],
    [a, b],
  ] as const) {
    const values = valuesOf(lowering, mask);
    if (!values?.some(isExcluding)) continue;
    const inner = values.every((x) => x === 0 || isExcluding(x)) ? scoresOf(lowering, rest) : null;
    const masks = inner === null ? null : flagsOf(lowering, mask, isExcluding);
    if (inner === null || masks === null) throw unmasked(lowering, result);
    return { ...inner, masks: [...inner.masks, ...masks] };
  }
  return null;
}

function unmasked(lowering: Lowering, result: string): LutraError {
  return fault(
    lowering,
    result,
    "a mask has no integer form here",
    "what leaves scores out is added to a product of queries and keys, times a number, and holds 0 and numbers of -1000 and below",
  );
}

/** So far below the others that its exponential is 0. */
function isExcluding(x: number): boolean {
  return x <= -1000;
}

/** A condition that chooses between scores and numbers far below. */
function selected(lowering: Lowering, { condition, a, b, result }: Extract<Operator, { op: "select" }>): Scores | null {
  const [yes, no] = [a, b].map((name) => valuesOf(lowering, name)?.every(isExcluding) ?? false);
  if (yes === no) return null;
  const inner = scoresOf(lowering, yes ? b : a);
  const masks = inner === null ? null : flagsOf(lowering, condition, (x) => (x !== 0) === yes);
  if (inner === null || masks === null) throw unmasked(lowering, result);
  return { ...inner, masks: [...inner.masks, ...masks] };
}
