// Operators that belong to no pattern, each in its plainest integer form: a Softmax of anything, a product of two activations, a mean, a choice.
// And a quotient of activations, which has none and is computed in binary32 where that is allowed.

import { fill, holes, type Kernel } from "../../kernel/index.ts";
import {
  floatQuotient,
  meanCodes,
  planRescaling,
  requantize,
  selectCodes,
  softmaxWeights,
  softmaxWideCodes,
} from "../../layer/index.ts";
import { type IntegerFormat, integerFormat, valuesOf } from "../../num/index.ts";
import type { Operator } from "../trace/network.ts";
import { type Aligned, fault, type Held, type Lowering, shapeIn } from "./context.ts";
import { codedOf, maskOf } from "./masks.ts";
import { rescaled } from "./rescaled.ts";

type Of<K extends Operator["op"]> = Extract<Operator, { op: K }>;

const SUMS: IntegerFormat = integerFormat(true, 32);
/** What softmaxWideCodes gives. */
const PROBABILITY: IntegerFormat = integerFormat(true, 16, 2 ** -15);
const WIDE_BITS = 16;

/** Softmax of numbers in 16 bits, in 16 bits or those of the format. */
export function plainSoftmax(lowering: Lowering, { input, result }: Of<"softmax">, format: IntegerFormat): Held {
  const { builder, options } = lowering;
  const x = inSixteenBits(lowering, lowering.need(input, "wide"));
  const shape = shapeIn(lowering, result);
  const y = builder.codes(PROBABILITY, shape);
  const empty = softmaxWideCodes({ input: x.format, maxRow: options.maxRow });
  builder.kernel(withTables(lowering, empty), shape, { x: x.tensor }, [y.tensor]);
  return format.bits < WIDE_BITS ? rescaled(lowering, y, format) : y;
}

/** Unnormalised exponentials of numbers in 8 bits, u8 up to 127, and their i32 sums: what attention is computed from. */
export function plainWeights(
  lowering: Lowering,
  { input, result }: Of<"softmax">,
): { readonly exponentials: string; readonly total: string } {
  const { builder, options } = lowering;
  const x = lowering.need(input, "byte");
  const shape = shapeIn(lowering, result);
  const exponentials = builder.declare("u8", shape, { range: [0, 127] });
  const total = builder.declare("i32", shape.slice(0, -1), { range: [0, 127 * options.maxRow] });
  const empty = softmaxWeights({ input: x.format, maxRow: options.maxRow });
  builder.kernel(withTables(lowering, empty), shape, { x: x.tensor }, [exponentials, total]);
  return { exponentials, total };
}

/** A product of two activations: one in 7 bits, one in 8. */
export function plainProduct(lowering: Lowering, { a, b, result }: Of<"product">, format: IntegerFormat): Held {
  const { builder } = lowering;
  const [left, right] = [lowering.need(a, "seven"), lowering.need(b, "even")];
  const ratio = (left.format.scale * right.format.scale) / format.scale;
  const { lo, hi } = valuesOf(format);
  const largest = Math.min(2 ** 29, Math.max(-lo, hi) / (left.format.scale * right.format.scale));
  const rescaling = planRescaling([ratio], { largest, bits: format.bits > WIDE_BITS ? 31 : 15 });
  const y = builder.codes(format, shapeIn(lowering, result));
  const multipliers = rescaling.bits === 15 ? Int16Array : Int32Array;
  builder.emit({
    op: "product",
    ...{ a: left.tensor, b: right.tensor, isTransposed: false },
    kernel: requantize({ input: SUMS, output: format, rescaling, bias: false, multiplier: "one" }),
    arguments: {
      multiplier: builder.constant(multipliers.from(rescaling.multipliers), rescaling.bits === 15 ? "i16" : "i32", []),
    },
    results: [y.tensor],
  });
  return y;
}

/** The mean of each row, whose axis goes. */
export function plainMean(lowering: Lowering, { input, result }: Of<"mean">, format: IntegerFormat): Held {
  const { builder, options } = lowering;
  const x = lowering.need(input, "wide");
  const y = builder.codes(format, shapeIn(lowering, result));
  const kernel = meanCodes({ input: x.format, output: format, maxRow: options.maxRow });
  builder.kernel(kernel, shapeIn(lowering, input), { x: x.tensor }, [y.tensor]);
  return y;
}

/** A choice between two tensors, by a condition of few values. */
export function plainSelect(
  lowering: Lowering,
  { condition, a, b, result }: Of<"select">,
  format: IntegerFormat,
): Held {
  const { builder } = lowering;
  const coded = codedOf(lowering, condition);
  if (coded === null) throw fault(lowering, result, "a choice by what a run computes has no integer form");
  const shape = shapeIn(lowering, result);
  const flag = maskOf(lowering, coded, (x) => x !== 0, shapeIn(lowering, condition));
  const of = (name: string): Aligned =>
    builder.aligned(rescaled(lowering, lowering.need(name, "wide"), format).tensor, shape);
  const args = { flag: builder.aligned(flag, shape), a: of(a), b: of(b) };
  const y = builder.codes(format, shape);
  const kernel = selectCodes(format, { flag: args.flag.over, a: args.a.over, b: args.b.over });
  const tensors = { flag: args.flag.tensor, a: args.a.tensor, b: args.b.tensor };
  builder.kernel(kernel, shape, tensors, [y.tensor]);
  return y;
}

/** A quotient of two tensors, in binary32. @throws LutraError "unsupported" unless floats are allowed */
export function quotient(lowering: Lowering, { a, b, result }: Of<"binary">, format: IntegerFormat): Held {
  const { builder, options } = lowering;
  if (options.allowFloat !== true) {
    throw fault(
      lowering,
      result,
      "a quotient of activations has no integer form",
      "--allow-float computes it in binary32",
    );
  }
  const shape = shapeIn(lowering, result);
  const [x, y] = [lowering.need(a, "wide"), lowering.need(b, "wide")];
  const [left, right] = [builder.aligned(x.tensor, shape), builder.aligned(y.tensor, shape)];
  const z = builder.codes(format, shape);
  const kernel = floatQuotient({ a: x.format, b: y.format, output: format, over: { a: left.over, b: right.over } });
  builder.kernel(kernel, shape, { a: left.tensor, b: right.tensor }, [z.tensor]);
  return z;
}

function inSixteenBits(lowering: Lowering, held: Held): Held {
  const { bits, scale } = held.format;
  return bits === WIDE_BITS
    ? held
    : rescaled(lowering, held, integerFormat(true, WIDE_BITS, scale * 2 ** (bits - WIDE_BITS)));
}

function withTables({ options }: Lowering, empty: Kernel): Kernel {
  return fill(empty, Object.fromEntries(holes(empty).map(({ hole, spec }) => [hole, options.table(spec)])));
}
