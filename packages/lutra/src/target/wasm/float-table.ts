// One table of binary32 over an array, in the fastest way that is exact for it: four values at a time where there is SIMD, and one.

import type { Table } from "../../table/index.ts";
import { load, store } from "./assembler.ts";
import type { FunctionDefinition } from "./assembler-module.ts";
import type { DataLayout } from "./data.ts";
import { Block, scalarLanes, vectorLanes } from "./lanes.ts";
import { type Loop, loops } from "./loops.ts";
import type { Form } from "./module.ts";
import { emitTable, type PlacedTable, placeTable } from "./table.ts";

/** Vectors of one round of the SIMD loop. */
const UNROLLED_VECTORS = 8;
const VECTOR_BYTES = 16;
const FLOAT_BYTES = 4;

/** run(input, output, count). @throws LutraError "unsupported" for tables of other floats */
export function emitFloatTable(table: Table, form: Form, data: DataLayout): FunctionDefinition {
  const placed = placeTable(table, data);
  const vectors = form === "scalar" ? [] : [vectorLoop(placed, form)];
  return loops([...vectors, scalarLoop(placed)]);
}

/** All vectors of a round go through a part of their statements before the first one goes on: what they store has arrived when it is loaded. */
function vectorLoop(placed: PlacedTable, form: "simd" | "relaxed"): Loop {
  const bytes = UNROLLED_VECTORS * VECTOR_BYTES;
  return {
    inputBytes: bytes,
    outputBytes: bytes,
    unrolled: 1,
    body(builder, input, output, _at, prologue) {
      const first = new Block(builder);
      const blocks = [first, ...Array.from({ length: UNROLLED_VECTORS - 1 }, () => new Block(builder, first))];
      blocks.forEach((block, i) => {
        const offset = i * VECTOR_BYTES;
        const x = block.keep(load("v128.load", input, offset));
        const lanes = vectorLanes(block, form, { address: output, offset });
        const y = emitTable(lanes, placed, x, { address: input, offset });
        block.statements.push(store("v128.store", output, y, offset));
      });
      prologue.push(...first.prologue);
      const parts = blocks.map((block) => block.parts());
      return (parts[0] ?? []).flatMap((_, part) => parts.flatMap((statements) => statements[part] ?? []));
    },
  };
}

function scalarLoop(placed: PlacedTable): Loop {
  return {
    inputBytes: FLOAT_BYTES,
    outputBytes: FLOAT_BYTES,
    unrolled: 1,
    body(builder, input, output) {
      const block = new Block(builder);
      const x = block.keep(load("f32.load", input));
      const y = emitTable(scalarLanes(block), placed, x, { address: input, offset: 0 });
      return [...block.statements, store("f32.store", output, y)];
    },
  };
}
