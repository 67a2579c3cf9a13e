// A filled kernel as a WebAssembly module that depends on nothing: memory with the tables in it, and run over addresses in that memory. Every
// answer has the bits of interpret(kernel), in every form. Which of the ways to write it is chosen here.

import { type Kernel, type Lane, tablesOf, verify } from "../../kernel/index.ts";
import type { Table } from "../../table/index.ts";
import { emitAnswers } from "./answers.ts";
import { DataLayout } from "./data.ts";
import { emitFloatTable } from "./float-table.ts";
import { type EmitOptions, type EmittedModule, moduleBytes, type Ports, portsOf } from "./module.ts";
import { emitRows, isOverRows } from "./rows/emit-rows.ts";

/**
 * @throws LutraError "unsupported" for tables of floats other than binary32, and for integer tables of more than 65536 codes that clamp to
 * what is no code; "mismatch" if a hole is empty; RangeError if verify refuses the kernel
 */
export function emit(kernel: Kernel, { form, memory = { kind: "own" } }: EmitOptions): EmittedModule {
  verify(kernel);
  const tables = tablesOf(kernel);
  const data = new DataLayout(memory.kind === "own" ? 0 : memory.base);
  const ports = portsOf(kernel);
  const module = { form, ...ports, isOverRows: isOverRows(kernel), scratchBytesPerColumn: 0 };
  const codes = codesOf(kernel, ports);
  if (codes !== null) {
    return { bytes: moduleBytes(data, emitAnswers(kernel, codes.input, codes.output, data, form), memory), ...module };
  }
  const [, lookup, ...others] = kernel.values;
  if (lookup?.op === "lookup" && lookup.lane === "f32" && others.length === 0 && kernel.results.join() === "1") {
    const run = emitFloatTable(tables[lookup.hole] as Table, form, data);
    return { bytes: moduleBytes(data, { run }, memory), ...module };
  }
  const { run, scratchBytesPerColumn } = emitRows(kernel, form, data);
  return { bytes: moduleBytes(data, { run }, memory), ...module, scratchBytesPerColumn };
}

/** The lanes of a kernel that gives one code for one code of at most 16 bits; null for others. */
function codesOf(
  kernel: Kernel,
  { params, results }: Ports,
): { readonly input: "i8" | "u8" | "i16" | "u16"; readonly output: Lane } | null {
  const [param, ...otherParams] = params;
  const [result, ...otherResults] = results;
  const isSingle = otherParams.length === 0 && otherResults.length === 0 && !isOverRows(kernel);
  if (!isSingle || param?.over !== "element" || result?.over !== "element" || result.lane === "i64") return null;
  const input = param.lane;
  const isShort = input === "i8" || input === "u8" || input === "i16" || input === "u16";
  return isShort ? { input, output: result.lane } : null;
}
