// A filled kernel as a WebAssembly module that depends on nothing: memory with the tables in it, and run over addresses in that memory. Every
// answer has the bits of interpret(kernel), in every form. Which of the ways to write it is chosen here.

import { LutraError } from "../../base/index.ts";
import { type Kernel, type Lane, laneBits, tablesOf, verify } from "../../kernel/index.ts";
import type { Table } from "../../table/index.ts";
import { emitAnswers } from "./answers.ts";
import { DataLayout } from "./data.ts";
import { emitFloatTable } from "./float-table.ts";
import {
  type EmitOptions,
  type EmittedModule,
  FORMS,
  type Form,
  type ModuleFunctions,
  maxColumnsOf,
  moduleBytes,
  type Ports,
  portsOf,
} from "./module.ts";
import { isShortArithmetic } from "./rows/arithmetic.ts";
import { emitRows, isOverRows, type RowOptions } from "./rows/emit-rows.ts";

/**
 * @throws LutraError "bad-argument" for another form, "unsupported" for tables of floats other than binary32, and for integer tables of more than 65536 codes that clamp to
 * what is no code; "mismatch" if a hole is empty; RangeError if verify refuses the kernel
 */
export function emit(kernel: Kernel, { form, memory = { kind: "own" } }: EmitOptions): EmittedModule {
  if (!FORMS.includes(form)) {
    throw new LutraError("bad-argument", `a module's form is one of ${FORMS.join(", ")}, got ${String(form)}`);
  }
  verify(kernel);
  const base = memory.kind === "own" ? 0 : memory.base;
  const data = new DataLayout(base);
  const { scratchBytesPerColumn, ...functions } = kernelFunctions(kernel, form, data);
  const about = { form, ...portsOf(kernel), isOverRows: isOverRows(kernel), maxColumns: maxColumnsOf(kernel) };
  const bytes = moduleBytes(data, functions, memory);
  return { bytes, ...about, tableBytes: data.end - base, scratchBytesPerColumn };
}

export interface KernelFunctions extends ModuleFunctions {
  /** As of EmittedModule. */
  readonly scratchBytesPerColumn: number;
}

/** `isCompact` also leaves out tables that a start function would have to write; there is none then. */
export type KernelOptions = RowOptions;

/** The functions of a verified kernel, its tables put into `data`: run as EmittedModule describes it. @throws as emit */
export function kernelFunctions(
  kernel: Kernel,
  form: Form,
  data: DataLayout,
  options: KernelOptions = {},
): KernelFunctions {
  const { strided, isCompact = false } = options;
  if (strided !== undefined) return emitRows(kernel, form, data, options);
  const tables = tablesOf(kernel);
  const codes = codesOf(kernel, portsOf(kernel));
  if (codes !== null && isTabulated(kernel, codes, form)) {
    const answers = emitAnswers(kernel, codes.input, codes.output, data, form, isCompact);
    return { ...answers, scratchBytesPerColumn: 0 };
  }
  const hole = floatHoleOf(kernel);
  if (hole !== null) return { run: emitFloatTable(tables[hole] as Table, form, data), scratchBytesPerColumn: 0 };
  return emitRows(kernel, form, data, options);
}

/** Whether answers from a table are faster than computed ones: those of bytes to bytes, and whatever is no short arithmetic. */
function isTabulated(kernel: Kernel, { input, output }: CodeLanes, form: Form): boolean {
  const isOfBytes = laneBits(input) === 8 && laneBits(output) === 8;
  return form === "scalar" || isOfBytes || !isShortArithmetic(kernel);
}

interface CodeLanes {
  readonly input: "i8" | "u8" | "i16" | "u16";
  readonly output: Lane;
}

/** The lanes of a kernel that gives one code for one code of at most 16 bits; null for others. */
function codesOf(kernel: Kernel, { params, results }: Ports): CodeLanes | null {
  const [param, ...otherParams] = params;
  const [result, ...otherResults] = results;
  const isSingle = otherParams.length === 0 && otherResults.length === 0 && !isOverRows(kernel);
  if (!isSingle || param?.over !== "element" || result?.over !== "element" || result.lane === "i64") return null;
  const input = param.lane;
  const isShort = input === "i8" || input === "u8" || input === "i16" || input === "u16";
  return isShort ? { input, output: result.lane } : null;
}

/** The hole of a kernel that is one binary32 table, applied to each element; null for others. */
function floatHoleOf({ values, results }: Kernel): string | null {
  const [param, lookup, ...others] = values;
  if (lookup?.op !== "lookup" || lookup.lane !== "f32" || others.length > 0 || results.join() !== "1") return null;
  return param?.op === "param" && param.over === "element" ? lookup.hole : null;
}
