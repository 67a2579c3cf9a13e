// Certificates of element-wise kernels against a given function: enumerated where the input format allows, else an interval proof.

import { hash, LutraError, type Work } from "../base/index.ts";
import type { Fn } from "../fn/index.ts";
import { type Kernel, tablesOf, verify } from "../kernel/index.ts";
import { type Interval, isEnumerable } from "../num/index.ts";
import { evaluate, type Table } from "../table/index.ts";
import { enumerateKernel } from "./enumerate.ts";
import { proveTable } from "./interval.ts";
import type { RowOptions } from "./row-proof.ts";
import type { Certificate } from "./types.ts";

export interface CertifyOptions {
  /** Relative error is |error| / max(|f|, floor). 2^-14 by default, as NLI (Yu et al. 2026) measures it. */
  readonly relativeFloor?: number;
  /** Which rows a composed certificate covers. */
  readonly rows?: RowOptions;
}

export const DEFAULT_RELATIVE_FLOOR: number = 2 ** -14;

/** certify for element-wise kernels, with the function passed in. */
export function* certifyAgainst(kernel: Kernel, fn: Fn, options: CertifyOptions = {}): Work<Certificate> {
  verify(kernel);
  const { spec } = kernel;
  const kernelHash = hash(kernel);
  const floor = relativeFloorOf(options);
  if (isEnumerable(spec.input)) {
    const proof = yield* enumerateKernel(kernel, fn, floor);
    return { spec, kernelHash, ...proof, properties: [] };
  }
  if (spec.input.kind === "integer") {
    throw new LutraError(
      "unsupported",
      `integer inputs of up to 16 bits can be certified, this has ${spec.input.bits}`,
    );
  }
  const { hole, table } = onlyLookup(kernel);
  const proof = yield* proveTable(table, hole, fn, spec.domain, floor);
  return { spec, kernelHash, ...proof, properties: [ROUNDED_SINGLY, ...atInfinities(table, fn, spec.domain)] };
}

const ROUNDED_SINGLY =
  "holds where every binary32 operation rounds to nearest by itself; a fused multiply-add is not covered";

/** What happens at the infinities themselves, which are no numbers and so in no bound. */
function atInfinities(table: Table, fn: Fn, { lo, hi }: Interval): readonly string[] {
  return [-Infinity, Infinity].flatMap((x) => {
    if (x < lo || x > hi) return [];
    return [`at ${x} the table answers ${evaluate(table, x)}; the function tends to ${fn.evaluate(x)}`];
  });
}

/** @throws LutraError "bad-argument" */
export function relativeFloorOf({ relativeFloor = DEFAULT_RELATIVE_FLOOR }: CertifyOptions): number {
  if (relativeFloor > 0 && relativeFloor < Infinity) return relativeFloor;
  throw new LutraError("bad-argument", `the floor of the relative error must be positive, got ${relativeFloor}`);
}

/** The lookup of a kernel that is nothing but param, lookup. @throws LutraError "unsupported" */
export function onlyLookup(kernel: Kernel): { readonly hole: string; readonly table: Table } {
  const [param, lookup, ...more] = kernel.values;
  const isLookup = param?.op === "param" && lookup?.op === "lookup" && more.length === 0 && kernel.results[0] === 1;
  if (!isLookup) {
    throw new LutraError("unsupported", `no proof is known for a binary32 kernel of ${kernel.spec.fn} of this shape`, {
      note: "one lookup of the input itself can be proven, and the layers softmax, log-softmax, layer-norm and rms-norm",
    });
  }
  return { hole: lookup.hole, table: tablesOf(kernel)[lookup.hole] as Table };
}
