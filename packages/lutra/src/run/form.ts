// Which form of a kernel's module is used. All have the same bits; which relaxed instructions are worth it differs between engines and
// machines, so where the two SIMD modules differ they are measured when the first kernel of a kind is loaded.

import { LutraError } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { emit, type Form, type ModuleMemory } from "../target/wasm/index.ts";
import { checkLanes } from "./codes.ts";
import type { Choice } from "./load.ts";
import { isFirstFaster } from "./measure.ts";

/** Kernels are loaded again and again: their emission is remembered as long as they live. By the form asked for, "" for none. */
const choices = new WeakMap<Kernel, Map<Form | "", Choice>>();
/** What measurements chose, by kind of kernel. */
const measured = new Map<string, "simd" | "relaxed">();

/**
 * The module of a form, or of the fastest that the engine has.
 * @throws LutraError "unsupported" for kernels the wasm target does not write, or a form the engine does not have
 */
export function chooseForm(kernel: Kernel, asked?: Form): Choice {
  const known = choices.get(kernel) ?? new Map<Form | "", Choice>();
  const found = known.get(asked ?? "") ?? (asked === undefined ? best(kernel) : compiled(kernel, asked));
  if (found === null) {
    throw new LutraError("unsupported", `this engine does not run the ${asked ?? "scalar"} form of WebAssembly`);
  }
  choices.set(kernel, known.set(asked ?? "", found));
  return found;
}

/** The same module for another memory. */
export function emitFor(kernel: Kernel, { emitted: { form } }: Choice, memory: ModuleMemory): WebAssembly.Module {
  return new WebAssembly.Module(emit(kernel, { form, memory }).bytes);
}

function best(kernel: Kernel): Choice | null {
  const simd = compiled(kernel, "simd");
  if (simd === null) return compiled(kernel, "scalar");
  const relaxed = compiled(kernel, "relaxed");
  if (relaxed === null || areSame(simd.emitted.bytes, relaxed.emitted.bytes)) return simd;
  const kind = kindOf(kernel, [simd, relaxed]);
  const fastest = measured.get(kind) ?? (isFirstFaster(kernel, simd, relaxed) ? "simd" : "relaxed");
  measured.set(kind, fastest);
  return fastest === "simd" ? simd : relaxed;
}

/** Null where the engine does not have the form. @throws LutraError "unsupported" for arrays that no typed array of numbers holds */
function compiled(kernel: Kernel, form: Form): Choice | null {
  const emitted = emit(kernel, { form });
  checkLanes(emitted);
  if (!WebAssembly.validate(emitted.bytes)) return null;
  return { emitted, compiled: new WebAssembly.Module(emitted.bytes) };
}

/** Kernels of one kind differ in numbers only: their modules have the same loops, which for short codes depend on the answers too. */
function kindOf(kernel: Kernel, choices: readonly Choice[]): string {
  const values = kernel.values.map(({ op, lane, over }) => `${op} ${lane} ${over}`);
  const lengths = choices.map(({ emitted }) => emitted.bytes.length);
  return [...values, ...lengths].join();
}

function areSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
