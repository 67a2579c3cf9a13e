// A filled kernel as TypeScript to paste: no imports, the same bits as interpret(kernel) in every engine.

import type { Kernel } from "../../kernel/index.ts";
import { about, comment, type SourceFile, type SourceOptions, sourceName, writeKernel } from "../source/index.ts";
import { camel, TYPESCRIPT } from "./dialect.ts";

/**
 * The kernel as NAME.ts. Elementwise: lutGelu(x) and lutGeluArray(x, y?). Of a row: lutSoftmaxRows(x, ..., rows, columns, y?). y may be x.
 * @throws LutraError "unsupported" for binary16, bfloat16, integer tables of more than 16 bits, several results; "mismatch" if a hole is empty
 */
export function emit(kernel: Kernel, options: SourceOptions = {}): readonly SourceFile[] {
  const name = sourceName(kernel, options);
  const { text, overArrays } = writeKernel(kernel, camel(name), TYPESCRIPT);
  const parts = [comment(about(kernel, options)), text, overArrays];
  return [{ name: `${name}.ts`, text: `${parts.join("\n\n")}\n` }];
}
