// expand(kernel): lookups as comparisons, selections, products and shifts, for targets without memory to look up in. The bits stay: segments
// begin where segmentStarts finds them, whatever the index rule, and each step is one that evaluate takes.

import type { Interval } from "../num/index.ts";
import { KernelBuilder } from "./build.ts";
import { binary32Steps } from "./expand-binary32.ts";
import { integerSteps } from "./expand-integer.ts";
import { ranges } from "./ranges.ts";
import { simplify } from "./simplify.ts";
import type { Kernel, Value } from "./types.ts";

export interface ExpandOptions {
  /** A lookup whose argument can reach more segments stays whole. 64 if absent. */
  readonly maxSegments?: number;
}

const MAX_SEGMENTS = 64;

/**
 * The kernel, simplified, with its lookups as scalar steps. What stays a lookup: holes without a table, tables with more segments than
 * `maxSegments`, binary32 tables with a reduction that needs the bits of a float (octave, logarithm, exponential) or with answers in binary16
 * or bfloat16, integer tables whose products pass 2^53. Coefficients become constants: cost counts no table bits for them.
 * @throws RangeError if verify refuses the kernel
 */
export function expand(kernel: Kernel, { maxSegments = MAX_SEGMENTS }: ExpandOptions = {}): Kernel {
  const known = ranges(kernel);
  const build = new KernelBuilder();
  const places: number[] = [];
  for (const value of kernel.values) {
    const args = ("args" in value ? value.args : []).map((arg) => places[arg] as number);
    const steps = value.op === "lookup" ? stepsOf(build, value, args, known[value.args[0]] ?? null, maxSegments) : null;
    places.push(steps ?? build.copy(value, args));
  }
  return simplify(build.finish(kernel.spec, ...kernel.results.map((i) => places[i] as number)));
}

/** Null where the lookup stays. */
function stepsOf(
  build: KernelBuilder,
  { table }: Value & { readonly op: "lookup" },
  args: readonly number[],
  range: Interval | null,
  maxSegments: number,
): number | null {
  const [x] = args;
  if (table === undefined || x === undefined) return null;
  return range === null
    ? binary32Steps(build, table, x, maxSegments)
    : integerSteps(build, table, x, range, maxSegments);
}
