// Certificates by enumeration: every code of an integer format up to 16 bits, of binary16 or of bfloat16, through the interpreter.

import { hash, LutraError, type Work } from "../base/index.ts";
import type { Fn } from "../fn/index.ts";
import { interpret, type Kernel, tablesOf, type Value } from "../kernel/index.ts";
import { allCodes, decode, encode, type Format, nextDown32, ulpOf } from "../num/index.ts";
import { segmentCount, segmentOf, type Table } from "../table/index.ts";
import { alone, bumped, collectDead, type Direction, entriesOf } from "./dead.ts";
import { locate } from "./locate.ts";
import type { Certificate, DeadEntry, ErrorBound, SegmentError } from "./types.ts";

export type EnumeratedProof = Omit<Certificate, "spec" | "kernelHash" | "properties" | "holes">;

type Lookup = Value & { readonly op: "lookup" };

/** Everything known about each code: what went in, what came out, what should have. All arrays have one element per code. */
interface Run {
  readonly kernel: Kernel;
  readonly param: string;
  readonly codes: Float64Array;
  readonly outputs: Float64Array;
  readonly exact: Float64Array;
  /** Bound on the reference's own error. */
  readonly doubt: Float64Array;
}

/**
 * Compares an element-wise kernel of one input with a function on every code of its input format inside the domain.
 * @throws LutraError "infeasible" if the error is not finite at a code, "unsupported" for kernels of several inputs
 */
export function* enumerateKernel(kernel: Kernel, fn: Fn, relativeFloor: number): Work<EnumeratedProof> {
  const run = yield* runAll(kernel, fn);
  const { input, output } = kernel.spec;
  const errors = run.outputs.map((code, i) => decode(output, code) - (run.exact[i] as number));
  const worst = (weight: (size: number) => number): ErrorBound => worstCode(run, errors, weight);
  const segments: SegmentError[] = [];
  const dead: DeadEntry[] = [];
  for (const [hole, uses] of lookupsByHole(kernel)) {
    yield { stage: `entries of ${hole}`, done: 0, total: 1 };
    const table = tablesOf(kernel)[hole] as Table;
    const places = uses.map((use) => placesOf(run, use, table));
    segments.push(...summarise(table, hole, run, errors, places));
    if (uses.length === 1) dead.push(...deadEntries(table, hole, run, places[0] as Places));
  }
  return {
    shown: "enumerated",
    over: `all ${run.codes.length.toLocaleString("en-US")} codes of the input format inside the domain`,
    absolute: worst(() => 1),
    relative: { ...worst((f) => 1 / Math.max(f, relativeFloor)), floor: relativeFloor },
    ulp: worst((f) => 1 / ulpOf(output, f)),
    mse: mean(errors, (e) => e * e),
    ...(input.kind === "float" && output.kind === "float" ? { offBy: null, undecided: 0 } : countOff(run, output)),
    segments,
    dead,
  };
}
