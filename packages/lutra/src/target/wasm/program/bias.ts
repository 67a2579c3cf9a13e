// A bias that a kernel adds to the sums of a product, taken out of it: a product can begin its sums there for nothing.

import type { Kernel, Value } from "../../../kernel/index.ts";

export interface WithoutBias {
  /** Its sums have the bias in them. */
  readonly kernel: Kernel;
  /** The param that is no longer there. */
  readonly bias: string;
}

/** @param sums the param per element that the bias is added to. @returns null for kernels that do anything else with either */
export function withoutBias(kernel: Kernel, sums: string): WithoutBias | null {
  const { values, results } = kernel;
  const at = values.findIndex((value) => value.op === "param" && value.name === sums);
  const added = values.findIndex((value) => value.op === "add" && value.args.includes(at));
  const sum = values[added];
  if (sum?.op !== "add" || sum.lane !== "i32") return null;
  const biasAt = sum.args[0] === at ? sum.args[1] : sum.args[0];
  const [left, right] = [values[at], values[biasAt]];
  if (left?.op !== "param" || right?.op !== "param" || right.over !== "column" || right.lane !== "i32") return null;
  const isUsedElsewhere = values.some((value, i) => {
    return i !== added && "args" in value && value.args.some((arg) => arg === at || arg === biasAt);
  });
  if (isUsedElsewhere || results.includes(at) || results.includes(biasAt)) return null;
  if (left.range === undefined || right.range === undefined) return null;
  const range = [left.range[0] + right.range[0], left.range[1] + right.range[1]] as const;
  const places = placesWithout(values, biasAt, added, at);
  const kept = values.flatMap((value, i): Value[] => {
    if (i === biasAt || i === added) return [];
    if (i === at) return [{ ...left, range }];
    if (!("args" in value)) return [value];
    return [{ ...value, args: value.args.map((arg) => places[arg] as number) } as unknown as Value];
  });
  return { kernel: { ...kernel, values: kept, results: results.map((i) => places[i] as number) }, bias: right.name };
}

/** New places of values when two are left out, one of which another stands for. */
function placesWithout(values: readonly Value[], bias: number, sum: number, stands: number): number[] {
  let next = 0;
  const places = values.map((_, i) => (i === bias || i === sum ? -1 : next++));
  places[sum] = places[stands] as number;
  return places;
}
