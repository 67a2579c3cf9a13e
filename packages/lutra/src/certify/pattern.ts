// Recognises a layer kernel by what it computes, whatever order its values are in: a proof about another formula would be worthless.

import { LutraError } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";

/** The kernel's result as a formula: "min(mul(...), 1)". Lookups by hole name, params by name, reductions as "sum", "mean", "largest". */
export function formulaOf(kernel: Kernel): string {
  const formulas: string[] = [];
  for (const value of kernel.values) {
    const args = "args" in value ? value.args.map((i) => formulas[i] as string) : [];
    switch (value.op) {
      case "param":
        formulas.push(value.name);
        break;
      case "const":
        formulas.push(String(value.value));
        break;
      case "reduce":
        formulas.push(`${REDUCTIONS[value.with]}(${args.join(", ")})`);
        break;
      case "lookup":
        formulas.push(`${value.hole}(${args.join(", ")})`);
        break;
      default:
        formulas.push(`${value.op}(${args.join(", ")})`);
    }
  }
  return kernel.results.map((i) => formulas[i] as string).join("; ");
}

const REDUCTIONS = { add: "sum", mean: "mean", max: "largest" } as const;

/** The kernel's only constant: the epsilon of a norm. @throws LutraError "unsupported" */
export function onlyConstant(kernel: Kernel): number {
  const constants = kernel.values.flatMap((value) => (value.op === "const" ? [value.value] : []));
  if (constants.length !== 1) throw unknownShape(kernel);
  return constants[0] as number;
}

export function unknownShape(kernel: Kernel): LutraError {
  return new LutraError("unsupported", `the kernel of ${kernel.spec.fn} is not the layer that the proof is about`, {
    where: formulaOf(kernel),
    note: "softmax, log-softmax, layer-norm and rms-norm as the layer folder builds them can be proven",
  });
}
