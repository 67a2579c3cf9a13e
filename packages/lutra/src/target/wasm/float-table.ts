// One table of binary32 over an array, in the fastest way that is exact for it: four values at a time where there is SIMD, and one.

import { LutraError } from "../../base/index.ts";
import { printFormat } from "../../num/index.ts";
import type { Table } from "../../table/index.ts";
import { type Code, load, store } from "./assembler.ts";
import type { FunctionDefinition } from "./assembler-module.ts";
import type { DataLayout } from "./data.ts";
import { Block, scalarLanes, vectorLanes } from "./lanes.ts";
import { type Loop, loops } from "./loops.ts";
import type { Form } from "./module.ts";
import { emitTable, placeTable } from "./table.ts";
import { emitTopBitsScalar, emitTopBitsVector, type InMemory, placeTopBits } from "./top-bits.ts";

/** Vectors of one round of the SIMD loop. */
const UNROLLED_VECTORS = 4;
const VECTOR_BYTES = 16;
const FLOAT_BYTES = 4;

/** run(input, output, count). @throws LutraError "unsupported" for tables of other floats */
export function emitFloatTable(table: Table, form: Form, data: DataLayout): FunctionDefinition {
  checkFormats(table);
  const emitters = emittersOf(table, data);
  const vectors = form === "scalar" ? [] : [vectorLoop(emitters)];
  return loops([...vectors, scalarLoop(emitters)]);
}

function checkFormats({ spec: { input, output } }: Table): void {
  const other = [input, output].find((format) => format.kind !== "float" || format.name !== "binary32");
  if (other === undefined) return;
  throw new LutraError("unsupported", `the wasm target does not write floats of the format ${printFormat(other)}`, {
    note: "floats are binary32; integers have at most 16 bits where a table reads them",
  });
}

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
