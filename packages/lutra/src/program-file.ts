// A program as the file that is loaded fastest: with the WebAssembly module that a page would otherwise emit when it loads it, compressed.

import { deflateSync } from "fflate";
import { type Program, writeProgram } from "./program/index.ts";
import { emitProgram, packModule } from "./target/wasm/index.ts";

/**
 * The bytes of NAME.lutra for `load`: those of writeProgram, and the module of the form that most engines take, "relaxed". Any other form is
 * emitted when it is loaded. The same bytes for equal programs.
 * @throws LutraError as writeProgram; "unsupported" for what no kernel or product of the wasm target does
 */
export function programFile(program: Program): Uint8Array<ArrayBuffer> {
  return writeProgram(program, deflateSync(packModule(emitProgram(program, "relaxed")), { level: 9 }));
}
