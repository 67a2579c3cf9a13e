// Products with weights: weights of 7 bits with a scale for each column, the bias and the input's zero point in one offset, requantized by a
// multiplier for each column.

import { fill, type Kernel } from "../../kernel/index.ts";
import { longestWith, planRescaling, type Rescaling, requantize, requantizeResidual } from "../../layer/index.ts";
import { type IntegerFormat, integerFormat, valuesOf } from "../../num/index.ts";
import type { Spec } from "../../table/index.ts";
import type { Constant } from "../trace/network.ts";
import { constantOf, fault, type Held, type Lowering, shapeIn } from "./context.ts";
import type { Weighed } from "./fusion.ts";

/** Weights are -63 to 63: with 64 added they have 7 bits, which relaxed dot products need of one operand. */
const LARGEST_WEIGHT = 63;
/** Of a bias in units of its column's sums. */
const LARGEST_OFFSET = 2 ** 24;
/** Offsets up to these leave sums their last bit, of 16 and of 23 bits. */
const LOSSLESS = 2 ** 14;
const LOSSLESS_LONG = 2 ** 21;
/** Sums may be rounded to so many units: the roundings of the weights, up to half of one times 127 for each, make more. */
const HARMLESS_LOSS = 2 ** 4;
/** And in any case to what is so much of an output's unit. */
const HARMLESS_ERROR = 1 / 4;
/** Columns with weights so much smaller than the output's unit, and than the largest column's, are rounded in coarser units. */
const SMALLEST_COLUMN = 2 ** -16;
const SUMS: IntegerFormat = integerFormat(true, 32);

/** What the kernel of a product does besides. */
export type Ending =
  /** A table of the requantized code. */
  | { readonly by: "function"; readonly fn: string; readonly output: IntegerFormat }
  /**
   * A sum with codes of at most 16 bits without a zero point, of the result's shape; the result has 16 bits. `branch` is for the product's own
   * numbers, which may pass those of the sum.
   */
  | { readonly by: "residual"; readonly held: Held; readonly branch: IntegerFormat };

/** The result of a product, with a bias, in a format: with a function the format of its argument. */
export function linear(
  lowering: Lowering,
  { product: { a, b, result }, bias }: Weighed,
  format: IntegerFormat,
  ending?: Ending,
): Held {
  const weights = constantOf(lowering, b);
  if (weights?.shape.length !== 2) throw fault(lowering, result, "weights are one matrix");
  const [k, n] = weights.shape as [number, number];
  const x = lowering.need(a, lowering.options.weighed?.(a) ?? "byte");
  const data = weights.data.map((w, i) => w * (x.scales?.[Math.floor(i / n)] ?? 1));
  const scales = unitsOf({ data, k, n, bias }, x.format, format);
  const codes = Int8Array.from(data, (w, i) => Math.round(w / (scales[i % n] as number)));
  const sumScales = scales.map((scale) => scale * x.format.scale);
  const offsets = columns(n, (j) => {
    return (
      Math.round(biasOf(bias, j) / (sumScales[j] as number)) - x.format.zeroPoint * sumOf(codes, k, n, j, (w) => w)
    );
  });
  const rescaling = planRescaling(
    sumScales.map((scale) => scale / format.scale),
    {
      largest: largestSum(codes, offsets, sumScales, x.format, ending?.by === "residual" ? ending.branch : format),
      bits: format.bits > 16 ? 31 : 15,
      ...(ending?.by === "residual" ? { longest: longestWith(ending.held.format.scale / format.scale) } : {}),
    },
  );
  const { builder } = lowering;
  const y = builder.codes(ending?.by === "function" ? ending.output : format, shapeIn(lowering, result));
  const multiplier =
    rescaling.bits === 15
      ? builder.constant(Int16Array.from(rescaling.multipliers), "i16", [n])
      : builder.constant(Int32Array.from(rescaling.multipliers), "i32", [n]);
  builder.emit({
    op: "product",
    a: x.tensor,
    b: builder.constant(codes, "i8", [k, n]),
    isTransposed: false,
    kernel: endingKernel(lowering, { rescaling, format, ending }),
    arguments: {
      ...(ending?.by === "residual" ? { residual: ending.held.tensor } : {}),
      bias: builder.constant(Int32Array.from(offsets), "i32", [n]),
      multiplier,
    },
    results: [y.tensor],
  });
  return y;
}

interface KernelChoice {
  readonly rescaling: Rescaling;
  readonly format: IntegerFormat;
  readonly ending: Ending | undefined;
}

function endingKernel({ options }: Lowering, { rescaling, format, ending }: KernelChoice): Kernel {
  const common = { input: SUMS, rescaling, bias: true, multiplier: "column" } as const;
  switch (ending?.by) {
    case undefined:
      return requantize({ ...common, output: format });
    case "residual":
      return requantizeResidual({ ...common, output: format, residual: ending.held.format });
    case "function": {
      const { fn, output } = ending;
      const spec: Spec = { fn, domain: valuesOf(format), input: format, output };
      return fill(requantize({ ...common, output, activation: { fn, input: format } }), {
        activation: options.table(spec),
      });
    }
    default:
      return ending satisfies never;
  }
}

interface Matrix {
  readonly data: Float64Array;
  readonly k: number;
  readonly n: number;
  readonly bias: Constant | null;
}

/**
 * The scale of each column's weights: the finest that its codes hold, but where its weights are so small beside its bias that the bias would have
 * more bits than the sums of all others have. Sums lose as many bits as the largest has too many, those of the others too: a column that is hardly
 * more than its bias is rounded in a larger unit instead. One of zeros without a bias takes the largest of all.
 */
function unitsOf({ data, k, n, bias }: Matrix, input: IntegerFormat, format: IntegerFormat): number[] {
  const finest = columns(n, (j) => largestOf(data, k, n, j) / LARGEST_WEIGHT);
  const coarsest = finest.reduce((most, unit) => Math.max(most, unit), 0);
  const { lo, hi } = valuesOf(format);
  const needed = columns(n, (j) => {
    const reach = (2 ** input.bits - 1) * input.scale * sumOf(data, k, n, j, Math.abs);
    if (reach === 0 || reach < Math.abs(biasOf(bias, j))) return 0;
    return Math.min(reach, Math.max(-lo, hi)) / ((finest[j] as number) * input.scale);
  });
  const lossless = format.bits > 16 ? LOSSLESS_LONG : LOSSLESS;
  const harmless = Math.max(HARMLESS_LOSS, (format.scale * HARMLESS_ERROR) / (coarsest * input.scale || Infinity));
  const largest = needed.reduce((most, sum) => Math.max(most, sum), lossless * harmless);
  const units = columns(n, (j) => {
    const least = Math.abs(biasOf(bias, j)) / input.scale / Math.min(LARGEST_OFFSET, largest);
    const unit = Math.max(finest[j] as number, least);
    return unit === 0 ? 0 : Math.max(unit, SMALLEST_COLUMN * coarsest);
  });
  const most = units.reduce((a, b) => Math.max(a, b), 0) || 1 / LARGEST_WEIGHT;
  return units.map((unit) => unit || most);
}

function biasOf(bias: Constant | null, column: number): number {
  return bias === null ? 0 : (bias.data[bias.data.length === 1 ? 0 : column] as number);
}

function columns(n: number, of: (column: number) => number): number[] {
  return Array.from({ length: n }, (_, j) => of(j));
}

function largestOf(data: ArrayLike<number>, k: number, n: number, j: number): number {
  let most = 0;
  for (let i = 0; i < k; i++) most = Math.max(most, Math.abs(data[i * n + j] as number));
  return most;
}

function sumOf(data: ArrayLike<number>, k: number, n: number, j: number, of: (x: number) => number): number {
  let sum = 0;
  for (let i = 0; i < k; i++) sum += of(data[i * n + j] as number);
  return sum;
}

/** The largest sum that need not saturate: no column passes what its weights allow, nor need it pass the format's range. */
function largestSum(
  codes: Int8Array,
  offsets: readonly number[],
  sumScales: readonly number[],
  input: IntegerFormat,
  format: IntegerFormat,
): number {
  // Of a code without its zero point.
  const largestCode = 2 ** input.bits - 1;
  const n = offsets.length;
  const { lo, hi } = valuesOf(format);
  const bounds = columns(n, (j) => {
    const possible = largestCode * sumOf(codes, codes.length / n, n, j, Math.abs) + Math.abs(offsets[j] as number);
    return Math.min(possible, Math.max(-lo, hi) / (sumScales[j] as number));
  });
  return bounds.reduce((most, bound) => Math.max(most, bound), 0);
}
