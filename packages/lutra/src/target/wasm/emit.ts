// A filled kernel as a WebAssembly module that depends on nothing: memory with the tables in it, and run over addresses in that memory. Every
// answer has the bits of interpret(kernel), in every form. Which of the ways to write it is chosen here.

import { LutraError } from "../../base/index.ts";
import { type Kernel, type Lane, tablesOf, type Value, verify } from "../../kernel/index.ts";
import type { Table } from "../../table/index.ts";
import { emitAnswers } from "./answers.ts";
import { DataLayout } from "./data.ts";
import { emitFloatTable } from "./float-table.ts";
import { type EmitOptions, type EmittedModule, moduleBytes, portsOf } from "./module.ts";

/**
 * @throws LutraError "unsupported" for kernels of rows, of several inputs, of binary32 beyond one lookup, of inputs wider than 16 bits
 * that are not binary32, and for tables that give other floats; "mismatch" if a hole is empty
 */
export function emit(kernel: Kernel, { form, memory = { kind: "own" } }: EmitOptions): EmittedModule {
  verify(kernel);
  const tables = tablesOf(kernel);
  const { input, output } = lanesOf(kernel);
  const data = new DataLayout(memory.kind === "own" ? 0 : memory.base);
  const module = { form, ...portsOf(kernel), isOverRows: false, scratchBytesPerColumn: 0 };
  if (input !== "f32") {
    if (input !== "i8" && input !== "u8" && input !== "i16" && input !== "u16") throw unsupported(`inputs in ${input}`);
    return { bytes: moduleBytes(data, emitAnswers(kernel, input, output, data), memory), ...module };
  }
  const [, lookup, ...others] = kernel.values;
  if (lookup?.op !== "lookup" || others.length > 0) throw unsupported("binary32 beyond one table");
  const run = emitFloatTable(tables[lookup.hole] as Table, form, data);
  return { bytes: moduleBytes(data, { run }, memory), ...module };
}

/** @throws LutraError "unsupported" unless one element comes of one element */
function lanesOf({ values, results }: Kernel): { readonly input: Lane; readonly output: Lane } {
  const params = values.filter((value) => value.op === "param");
  const [param] = params;
  const result = values[results[0] ?? -1] as Value | undefined;
  if (values.some(({ op, over }) => op === "reduce" || over === "row" || over === "column")) throw unsupported("rows");
  if (param?.over !== "element" || params.length !== 1) throw unsupported(`${params.length} inputs`);
  if (result?.over !== "element" || results.length !== 1) throw unsupported(`${results.length} outputs`);
  if (result.lane === "i64") throw unsupported("outputs of 64 bits");
  return { input: param.lane, output: result.lane };
}

function unsupported(what: string): LutraError {
  return new LutraError("unsupported", `the wasm target does not write kernels of ${what}`, {
    note: "it writes functions of one element: of 8 and 16-bit codes, and single tables of binary32",
  });
}
