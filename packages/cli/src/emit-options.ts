// What lutra emit is asked for.

import type { WasmForm } from "lutra";
import type { CommonOptions } from "./command.ts";

export interface LayerOptions {
  /** A kind of layer, as layerFor knows it; one table alone if absent. */
  readonly layer?: string;
  readonly maxRow?: number;
  /** Of softmax: the format of its codes, instead of tables for binary32. */
  readonly in?: string;
  /** Of the norms. */
  readonly epsilon?: number;
  readonly gamma?: boolean;
  readonly beta?: boolean;
}

export interface EmitOptions extends CommonOptions, LayerOptions {
  readonly files: readonly string[];
  readonly target: "c" | "typescript" | "wasm";
  /** Folder for the files. */
  readonly output: string;
  /** Of files and functions; from the function or layer if absent. */
  readonly name?: string;
  /** Of the WebAssembly module, the preferred one first. */
  readonly form?: readonly WasmForm[];
  /** Write over files that say something else. */
  readonly force?: boolean;
}
