// A kernel made runnable in this process: emitted as WebAssembly, loaded, and called on typed arrays. Arrays from elsewhere go through the
// module's memory in parts that stay in cache; those that `buffers` gave are worked on where they are.

import { LutraError } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { type EmittedModule, emit, type Form, type Port } from "../target/wasm/index.ts";
import { type Codes, checkCodes, newCodes, overlap } from "./codes.ts";
import { type Memory, openMemory } from "./memory.ts";

export interface CompileKernelOptions {
  /** "simd" where the engine has it, else "scalar"; given, one of them whatever the engine has. */
  readonly form?: Form;
}

export interface CompiledKernel {
  readonly form: Form;
  /** The module, as `emit` of the wasm target gave it. */
  readonly module: EmittedModule;
  /**
   * The answers to `input`, in order, with the bits of interpret(kernel).
   * @param input codes: Float32Array for floats, else the array of the format's width and sign
   * @param output at least as long as the input; new if absent. May be the input itself, if formats have one width
   * @returns `output`
   * @throws LutraError "bad-argument" if an array is of another type, too short, detached or overlaps the other
   */
  run(input: Codes, output?: Codes): Codes;
  /**
   * Arrays in the module's own memory, for `run` without copies. They last as long as the kernel, but detach when a later call makes the
   * memory grow: call it once.
   * @throws LutraError "bad-argument" for a count that is no count; "infeasible" if there is no such memory
   */
  buffers(count: number): { readonly input: Codes; readonly output: Codes };
}

/**
 * Emits and loads a filled elementwise kernel.
 *
 *     compileKernel(fill(elementwise(table.spec), { f: table })).run(Float32Array.of(-1, 0, 2))
 *
 * @throws LutraError "unsupported" for kernels the wasm target does not write, or a form the engine does not have
 */
export function compileKernel(kernel: Kernel, options: CompileKernelOptions = {}): CompiledKernel {
  const { form, module } = chooseForm(kernel, options.form);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module.bytes));
  const exports = instance.exports as unknown as Exports;
  const memory = openMemory(exports.memory, exports.heap.value, module);
  return {
    form,
    module,
    run: (input, output) => run(module, memory, exports.run, input, output),
    buffers: (count) => memory.buffers(count),
  };
}

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly heap: { readonly value: number };
  readonly run: RunAddresses;
}

type RunAddresses = (input: number, output: number, count: number) => void;

function chooseForm(kernel: Kernel, asked: Form | undefined): { readonly form: Form; readonly module: EmittedModule } {
  for (const form of asked === undefined ? (["simd", "scalar"] as const) : [asked]) {
    const module = emit(kernel, { form });
    if (WebAssembly.validate(module.bytes)) return { form, module };
  }
  throw new LutraError("unsupported", `this engine does not run WebAssembly modules in the ${asked ?? "scalar"} form`);
}

function run(module: EmittedModule, memory: Memory, compute: RunAddresses, input: Codes, given?: Codes): Codes {
  checkCodes("input", input, (module.params[0] as Port).lane, 0);
  const output = given ?? newCodes((module.results[0] as Port).lane, input.length);
  checkCodes("output", output, (module.results[0] as Port).lane, input.length);
  if (overlap(input, output)) {
    throw new LutraError("bad-argument", "input and output overlap", {
      note: "they may be one array, or none of the other",
    });
  }
  const { part } = memory;
  for (let from = 0; from < input.length; from += part) {
    const count = Math.min(part, input.length - from);
    compute(memory.addressOf(input, from, count), memory.targetOf(output, from), count);
    memory.collect(output, from, count);
  }
  return output;
}
