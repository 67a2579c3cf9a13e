// What compileKernel and openPool give: run and buffers of a loaded kernel, whoever computes.

import type { EmittedModule, Form } from "../target/wasm/index.ts";
import type { Extent, Inputs } from "./call.ts";
import type { Codes } from "./codes.ts";
import { type Buffers, type Loaded, Runner } from "./runner.ts";
import { type ComputeOne, withShortRuns } from "./short-run.ts";

export interface CompiledKernel {
  readonly form: Form;
  /** The module, as `emit` of the wasm target gives it for memory of its own. */
  readonly module: EmittedModule;
  /**
   * The answers to `input`, with the bits of interpret(kernel). Arrays in the kernel's memory are worked on where they are, others are copied
   * through it in parts. Where rows come that are longer than any before, a memory of its own may grow, as for `buffers`.
   * @param input codes: Float32Array for floats, else the array of the format's width and sign; or arrays by the params' names, each of
   * as many as it varies over: rows x columns (row-major), rows, columns or 1. That codes are ones of a format narrower than its array is
   * the caller's promise, which is not checked
   * @param output at least as long as the answers; new if absent. May be an input of values per element itself, if formats have one width.
   * For several results a record by the names "y0", "y1", ...: those that it lacks are made and put in
   * @param columns length of a row, of kernels that work on rows; may be left out where a param has one value for each
   * @returns `output`, or the new array
   * @throws LutraError "bad-argument" if an array is missing, of another type or length, too short, detached or overlaps another, before
   * anything is written; "infeasible" if a memory cannot grow, or a caller's region is too small for arrays that are elsewhere
   */
  run(input: Inputs, output?: Codes, columns?: number): Codes;
  run(input: Inputs, output: Record<string, Codes>, columns?: number): Record<string, Codes>;
  /**
   * Arrays in the kernel's own memory, for `run` without copies: for a count of values, or rows x columns. They last as long as the kernel,
   * but detach when a later call makes the memory grow: call it once.
   * @throws LutraError "bad-argument" for a count that is no count; "infeasible" if there is no such memory; "unsupported" in a caller's
   */
  buffers(size: number | Extent): Buffers;
}

/** @param computeOne of elementwise kernels with one param and one result */
export function callable(module: EmittedModule, computeOne: ComputeOne, loaded: Loaded): CompiledKernel {
  const runner = new Runner(loaded);
  const ports = [...module.params, ...module.results];
  const isShort = !module.isOverRows && ports.length === 2 && ports.every(({ over }) => over === "element");
  const run = isShort ? withShortRuns(loaded, runner, computeOne) : runner.run.bind(runner);
  return { form: module.form, module, run: run as CompiledKernel["run"], buffers: (size) => runner.buffers(size) };
}
