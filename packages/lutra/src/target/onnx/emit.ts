// A filled kernel as an ONNX function over standard operators. Runs unchanged in any runtime; portable, not fast (a fused Gelu is
// about 10 times faster). Sums run in the runtime's own order: the kernel's certificate holds for any order.

import { hash, LutraError } from "../../base/index.ts";
import type { Kernel, Value } from "../../kernel/index.ts";
import { tablesOf, verify } from "../../kernel/index.ts";
import type { FunctionDefinition } from "../../onnx/index.ts";
import { FunctionBuilder } from "./builder.ts";
import { emitLookup } from "./lookup.ts";

export interface EmitOptions {
  /** Axes that make a row, negative from the end; [-1] unless the layer says otherwise. Unused by elementwise kernels. */
  readonly axes: readonly number[];
  /** Opset of the model that will hold the function. */
  readonly opset: number;
}

/** The first opset that has every operator used here (GreaterOrEqual). */
const FIRST_OPSET = 12;

const OPERATORS: Readonly<Record<"add" | "sub" | "mul" | "div" | "min" | "max", string>> = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  min: "Min",
  max: "Max",
};

const REDUCTIONS = { add: "ReduceSum", max: "ReduceMax", mean: "ReduceMean" } as const;

/**
 * The kernel as a function whose inputs are the kernel's params in order of first use.
 * Named after the kernel's function and a fingerprint, so that equal layers share one function.
 * @throws LutraError "unsupported" for integer kernels or an opset below FIRST_OPSET; "mismatch" if a hole is empty
 */
export function emit(kernel: Kernel, { axes, opset }: EmitOptions): FunctionDefinition {
  verify(kernel);
  if (opset < FIRST_OPSET) {
    throw new LutraError("unsupported", `the model's opset is ${opset}, emitted functions need ${FIRST_OPSET}`, {
      note: "convert the model to a newer opset first",
    });
  }
  const tables = tablesOf(kernel);
  const build = new FunctionBuilder(opset);
  const inputs: string[] = [];
  const names: string[] = [];
  for (const value of kernel.values) names.push(emitValue(build, value, names, inputs, tables, axes));
  const readable = kernel.spec.fn.match(/[A-Za-z0-9]+/g)?.join("_") ?? "f";
  const name = `${readable}_${hash({ kernel, axes, opset }).slice(0, 8)}`;
  return build.finish(
    name,
    inputs,
    kernel.results.map((i) => names[i] as string),
  );
}

function emitValue(
  build: FunctionBuilder,
  value: Value,
  names: readonly string[],
  inputs: string[],
  tables: ReturnType<typeof tablesOf>,
  axes: readonly number[],
): string {
  const argument = (i: number): string => names[i] as string;
  switch (value.op) {
    case "param":
      if (!inputs.includes(value.name)) inputs.push(value.name);
      return value.name;
    case "const":
      return build.floats(value.value);
    case "reduce":
      return build.reduce(REDUCTIONS[value.with], argument(value.args[0]), axes);
    case "lookup": {
      const table = tables[value.hole];
      if (table === undefined) throw new RangeError(`no table for ${value.hole}`);
      return emitLookup(build, table, argument(value.args[0]));
    }
    default:
      return build.op(OPERATORS[value.op], value.args.map(argument));
  }
}
