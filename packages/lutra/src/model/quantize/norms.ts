// Norms of rows, in one format or in two at once.

import { fill, type Hole, holes } from "../../kernel/index.ts";
import { layerNormCodes, normParameters, rmsNormCodes } from "../../layer/index.ts";
import type { IntegerFormat } from "../../num/index.ts";
import { numberOf, type Polynomial } from "../../program/index.ts";
import type { Operator } from "../trace/network.ts";
import { constantOf, fault, type Held, type Lowering, shapeIn } from "./context.ts";

type Norm = Extract<Operator, { op: "norm" }>;

/** A norm in a format, and in a coarser one too. */
export function normTo(
  lowering: Lowering,
  { kind, epsilon, input, gamma, beta, result }: Norm,
  format: IntegerFormat,
  coarse?: IntegerFormat,
): readonly [Held, ...Held[]] {
  const { builder, options } = lowering;
  const x = lowering.need(input, "wide");
  const shape = shapeIn(lowering, result);
  const columns = numberOf(shape.at(-1) as Polynomial);
  if (columns === null) throw fault(lowering, result, "a norm's rows have one length in every run");
  const numbers = (name: string | null, otherwise: number): ArrayLike<number> => {
    const data = name === null ? undefined : constantOf(lowering, name)?.data;
    return data !== undefined && data.length > 1 ? data : new Float64Array(columns).fill(data?.[0] ?? otherwise);
  };
  const parameters = normParameters(numbers(gamma, 1), numbers(beta, 0), format);
  const make = kind === "layer-norm" ? layerNormCodes : rmsNormCodes;
  const { gammaShift, betaShift } = parameters;
  const about = {
    input: x.format,
    output: format,
    columns,
    epsilon,
    gammaShift,
    betaShift,
    mantissaBits: 8,
  } as const;
  const empty = make({ ...about, beta: true, ...(coarse === undefined ? {} : { coarse }) });
  const [{ spec }] = holes(empty) as [Hole];
  const results = [format, ...(coarse === undefined ? [] : [coarse])].map((each) => builder.codes(each, shape));
  const args = {
    x: x.tensor,
    gamma: builder.constant(parameters.gamma, "i16", [columns]),
    beta: builder.constant(parameters.beta, "i16", [columns]),
  };
  const kernel = fill(empty, { rsqrt: options.table(spec) });
  builder.kernel(
    kernel,
    shape,
    args,
    results.map(({ tensor }) => tensor),
  );
  return results as unknown as readonly [Held, ...Held[]];
}
