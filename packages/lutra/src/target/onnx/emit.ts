// A filled kernel as an ONNX function over standard operators. Runs unchanged in any runtime; portable, not fast (a fused Gelu is
// about 10 times faster). Sums run in the runtime's own order: the kernel's certificate holds for any order.

import { hash, LutraError } from "../../base/index.ts";
import type { Kernel, Lane, Value } from "../../kernel/index.ts";
import { tablesOf, verify } from "../../kernel/index.ts";
import type { FunctionDefinition } from "../../onnx/index.ts";
import { emitComputed, emitMean, LANE_TYPES } from "./arithmetic.ts";
import { FunctionBuilder, INT64 } from "./builder.ts";
import { emitLookup } from "./lookup.ts";

export interface EmitOptions {
  /** Axes that make a row, negative from the end; [-1] unless the layer says otherwise. Unused by elementwise kernels. */
  readonly axes: readonly number[];
  /** Opset of the model that will hold the function. */
  readonly opset: number;
}

/** The first opset that has every operator used here (GreaterOrEqual). */
const FIRST_OPSET = 12;

const REDUCTIONS = { add: "ReduceSum", max: "ReduceMax", mean: "ReduceMean" } as const;

/** A value's tensor: in its lane's element type, or, if wide, in int64. */
interface Emitted {
  readonly name: string;
  readonly lane: Lane;
  readonly isWide: boolean;
}

/**
 * The kernel as a function whose inputs are the kernel's params in order of first use.
 * Named after the kernel's function and a fingerprint, so that equal layers share one function.
 * @throws LutraError "unsupported" for tables that the target does not write or an opset below FIRST_OPSET; "mismatch" if a hole is empty
 */
export function emit(kernel: Kernel, { axes, opset }: EmitOptions): FunctionDefinition {
  verify(kernel);
  checkOpset(opset);
  const tables = tablesOf(kernel);
  const build = new FunctionBuilder(opset);
  const inputs: string[] = [];
  const emitted: Emitted[] = [];
  for (const value of kernel.values) emitted.push(emitValue(build, value, emitted, inputs, tables, axes));
  const readable = kernel.spec.fn.match(/[A-Za-z0-9]+/g)?.join("_") ?? "f";
  const name = `${readable}_${hash({ kernel, axes, opset }).slice(0, 8)}`;
  return build.finish(
    name,
    inputs,
    kernel.results.map((i) => narrowed(build, emitted[i] as Emitted)),
  );
}

/** @throws LutraError "unsupported" below the first operator set that functions are written for */
export function checkOpset(opset: number): void {
  if (opset >= FIRST_OPSET) return;
  throw new LutraError("unsupported", `the model's opset is ${opset}, emitted functions need ${FIRST_OPSET}`, {
    note: "convert the model to a newer opset first",
  });
}

function emitValue(
  build: FunctionBuilder,
  value: Value,
  emitted: readonly Emitted[],
  inputs: string[],
  tables: ReturnType<typeof tablesOf>,
  axes: readonly number[],
): Emitted {
  const { lane } = value;
  const argument = (i: number): Emitted => emitted[i] as Emitted;
  const own = (name: string): Emitted => ({ name, lane, isWide: lane === "i64" });
  const computed = (name: string): Emitted => ({ name, lane, isWide: lane !== "f32" });
  switch (value.op) {
    case "param":
      if (!inputs.includes(value.name)) inputs.push(value.name);
      return own(value.name);
    case "const":
      return computed(lane === "f32" ? build.floats(value.value) : build.ints(value.value));
    case "reduce": {
      const data = widened(build, argument(value.args[0]));
      const isMean = value.with === "mean" && lane !== "f32";
      if (isMean) return computed(emitMean(build, data, axes, value.rounding ?? "half-even"));
      return computed(build.reduce(REDUCTIONS[value.with], data, axes));
    }
    case "lookup": {
      const table = tables[value.hole];
      if (table === undefined) throw new RangeError(`no table for ${value.hole}`);
      return own(emitLookup(build, table, narrowed(build, argument(value.args[0]))));
    }
    default: {
      const args = value.args.map(argument);
      const tensors = args.map((arg) => widened(build, arg));
      const lanes = args.map((arg) => arg.lane);
      return computed(emitComputed(build, value, tensors, lanes));
    }
  }
}

function widened(build: FunctionBuilder, { name, lane, isWide }: Emitted): string {
  return isWide || lane === "f32" ? name : build.op("Cast", [name], { to: INT64 });
}

function narrowed(build: FunctionBuilder, { name, lane, isWide }: Emitted): string {
  return isWide && lane !== "i64" ? build.op("Cast", [name], { to: LANE_TYPES[lane] }) : name;
}
