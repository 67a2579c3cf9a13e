// The forms that this engine runs, all three wherever it can. Node 20 has relaxed SIMD behind a flag, which may still be set before the
// first module that needs it.

import { setFlagsFromString } from "node:v8";
import { op, v128 } from "../../../packages/lutra/src/target/wasm/assembler.ts";
import { assemble, FunctionBuilder } from "../../../packages/lutra/src/target/wasm/assembler-module.ts";
import type { Form } from "../../../packages/lutra/src/target/wasm/index.ts";

function runsRelaxed(): boolean {
  const zero = v128([0, 0, 0, 0], "i32");
  const f = new FunctionBuilder([], "v128").finish(op("i8x16.relaxed_swizzle", zero, zero));
  return WebAssembly.validate(assemble({ functions: { f }, globals: {}, data: [], memoryBytes: 0 }));
}

if (!runsRelaxed()) setFlagsFromString("--experimental-wasm-relaxed-simd");

/**
 * Turns the baseline compiler off, for all modules from here on: that of Node 20 loses the addend of the relaxed dot product. Who uses that
 * instruction outside of tests tries it first.
 */
export function withoutBaselineCompiler(): void {
  setFlagsFromString("--no-liftoff");
}

export const FORMS: readonly Form[] = runsRelaxed() ? ["scalar", "simd", "relaxed"] : ["scalar", "simd"];

/** The forms that a program has. */
export const FAMILIES: readonly ("simd" | "relaxed")[] = FORMS.includes("relaxed") ? ["simd", "relaxed"] : ["simd"];
