// Exact arithmetic on int64 tensors that standard operators do not have, or that a runtime gets wrong.

import type { Rounding } from "../../table/index.ts";
import { type FunctionBuilder, INT64 } from "./builder.ts";

/** The lesser of two int64. onnxruntime 1.30's own Min is wrong beyond 32 bits: Min(5, 2^31) is 2^31 there. */
export function lesser(build: FunctionBuilder, a: string, b: string): string {
  return build.op("Where", [build.op("Less", [b, a]), b, a]);
}

export function greater(build: FunctionBuilder, a: string, b: string): string {
  return build.op("Where", [build.op("Less", [a, b]), b, a]);
}

/** a / b for b > 0: Mod gives the rest the divisor's sign, so that what is left divides exactly. */
export function divide(build: FunctionBuilder, a: string, b: string, rounding: Rounding): string {
  const rest = build.op("Mod", [a, b]);
  const down = build.op("Div", [build.op("Sub", [a, rest]), b]);
  if (rounding === "floor") return down;
  // Up from half of b on; for half-even beyond half of b, and at half where `down` is odd.
  const odd = rounding === "half-up" ? build.ints(1) : build.op("Mod", [down, build.ints(2)]);
  const isUp = build.op("Greater", [build.op("Add", [build.op("Add", [rest, rest]), odd]), b]);
  return build.op("Add", [down, build.op("Cast", [isUp], { to: INT64 })]);
}
