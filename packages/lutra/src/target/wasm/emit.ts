// A filled elementwise kernel as a WebAssembly module that depends on nothing: memory with the tables in it, and run(input, output, count)
// over addresses in that memory. Every answer has the bits of interpret(kernel), in the scalar and in the SIMD form.

import { LutraError } from "../../base/index.ts";
import { type Kernel, type Lane, tablesOf, type Value, verify } from "../../kernel/index.ts";
import { printFormat } from "../../num/index.ts";
import type { Table } from "../../table/index.ts";
import { emitAnswers } from "./answers.ts";
import { type Code, load, store } from "./assembler.ts";
import { assemble, type FunctionDefinition } from "./assembler-module.ts";
import { DataLayout } from "./data.ts";
import { Block, scalarLanes, vectorLanes } from "./lanes.ts";
import { type Loop, loops } from "./loops.ts";
import { emitTable, placeTable } from "./table.ts";
import { emitTopBitsScalar, emitTopBitsVector, type InMemory, placeTopBits } from "./top-bits.ts";

/** "simd" needs the 128-bit SIMD of WebAssembly 2.0; "scalar" nothing. */
export type Form = "scalar" | "simd";

export interface EmitOptions {
  readonly form: Form;
}

export interface EmittedModule {
  /**
   * Exports `memory`, `run(input, output, count)` and `heap`, the first address behind the tables. run may write where it reads, if both
   * have elements of one size; addresses are best multiples of 16.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What an element of the input and of the output is. */
  readonly input: Lane;
  readonly output: Lane;
}

/** Vectors of one round of the SIMD loop. */
const UNROLLED_VECTORS = 4;
const VECTOR_BYTES = 16;
const FLOAT_BYTES = 4;

/**
 * @throws LutraError "unsupported" for kernels of rows, of several inputs, of binary32 beyond one lookup, of inputs wider than 16 bits
 * that are not binary32, and for tables that give other floats; "mismatch" if a hole is empty
 */
export function emit(kernel: Kernel, { form }: EmitOptions): EmittedModule {
  verify(kernel);
  const tables = tablesOf(kernel);
  const { input, output } = lanesOf(kernel);
  const data = new DataLayout();
  if (input !== "f32") {
    if (input !== "i8" && input !== "u8" && input !== "i16" && input !== "u16") throw unsupported(`inputs in ${input}`);
    return { bytes: moduleOf(data, emitAnswers(kernel, input, output, data)), input, output };
  }
  const [, lookup, ...others] = kernel.values;
  if (lookup?.op !== "lookup" || others.length > 0) throw unsupported("binary32 beyond one table");
  const table = tables[lookup.hole] as Table;
  checkFormats(table);
  const emitters = emittersOf(table, data);
  const vectors = form === "simd" ? [vectorLoop(emitters)] : [];
  return { bytes: moduleOf(data, { run: loops([...vectors, scalarLoop(emitters)]) }), input, output };
}

function moduleOf(
  data: DataLayout,
  { run, start }: { readonly run: FunctionDefinition; readonly start?: FunctionDefinition },
): Uint8Array<ArrayBuffer> {
  return assemble({
    functions: { run },
    ...(start === undefined ? {} : { start }),
    globals: { heap: data.end },
    data: data.segments,
    memoryBytes: data.end,
  });
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

function checkFormats({ spec: { input, output } }: Table): void {
  const other = [input, output].find((format) => format.kind !== "float" || format.name !== "binary32");
  if (other !== undefined) throw unsupported(`floats of the format ${printFormat(other)}`);
}

function unsupported(what: string): LutraError {
  return new LutraError("unsupported", `the wasm target does not write kernels of ${what}`, {
    note: "it writes functions of one element: of 8 and 16-bit codes, and single tables of binary32",
  });
}

// binary32 ------------------------------------------------------------------------------------------------------------

/** The table's answers as code in a block: to four inputs, and to one. */
interface Emitters {
  vector(block: Block, at: InMemory): Code;
  scalar(block: Block, at: InMemory): Code;
}

/** The fastest way that is exact for the table; its words go into the data. */
function emittersOf(table: Table, data: DataLayout): Emitters {
  const lines = placeTopBits(table, data);
  if (lines !== null) {
    return {
      vector: (block, at) => emitTopBitsVector(block, table, lines, at),
      scalar: (block, at) => emitTopBitsScalar(block, table, lines, at),
    };
  }
  const placed = placeTable(table, data);
  return {
    vector: (block, { x }) => emitTable(vectorLanes(block), placed, x),
    scalar: (block, { x }) => emitTable(scalarLanes(block), placed, x),
  };
}

function vectorLoop(emitters: Emitters): Loop {
  let first: Block | undefined;
  return {
    inputBytes: VECTOR_BYTES,
    outputBytes: VECTOR_BYTES,
    unrolled: UNROLLED_VECTORS,
    body(builder, input, output, at, prologue) {
      const block = new Block(builder, first);
      first ??= block;
      const offset = at * VECTOR_BYTES;
      const x = block.keep(load("v128.load", input, offset));
      const y = emitters.vector(block, { x, address: input, offset });
      prologue.push(...block.prologue.splice(0));
      return [...block.statements, store("v128.store", output, y, offset)];
    },
  };
}

function scalarLoop(emitters: Emitters): Loop {
  return {
    inputBytes: FLOAT_BYTES,
    outputBytes: FLOAT_BYTES,
    unrolled: 1,
    body(builder, input, output) {
      const block = new Block(builder);
      const x = block.keep(load("f32.load", input));
      const y = emitters.scalar(block, { x, address: input, offset: 0 });
      return [...block.statements, store("f32.store", output, y)];
    },
  };
}
