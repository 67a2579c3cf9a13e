// A filled kernel as files that a page or a Node program imports: its WebAssembly module, a loader without dependencies, the loader's types.

import type { Kernel } from "../../kernel/index.ts";
import { about, comment, type SourceFile, type SourceOptions, sourceName } from "../source/index.ts";
import { emit as emitModule, type Form, withCustomSection } from "../wasm/index.ts";
import { loaderText } from "./loader.ts";
import { callOf } from "./ports.ts";
import { typesText } from "./types.ts";

export interface LoaderOptions extends SourceOptions {
  /** Forms of the module, the preferred one first: the loader takes the first that its engine runs. ["simd"] if absent. */
  readonly forms?: readonly Form[];
}

export interface BinaryFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export type EmittedFile = SourceFile | BinaryFile;

/**
 * The kernel as NAME.wasm, NAME.js and NAME.d.ts; of several forms as NAME.FORM.wasm each. NAME.js exports `load`, which promises
 * a function over typed arrays. The module says the same about itself as the others do, in a custom section "lutra".
 * @throws LutraError "unsupported" for kernels the wasm target does not write; "mismatch" if a hole is empty
 */
export function emit(kernel: Kernel, options: LoaderOptions = {}): readonly EmittedFile[] {
  const name = sourceName(kernel, options);
  const { forms = ["simd"] } = options;
  const lines = about(kernel, options);
  const modules = forms.map((form) => ({
    name: forms.length === 1 ? `${name}.wasm` : `${name}.${form}.wasm`,
    module: emitModule(kernel, { form }),
  }));
  if (modules.length === 0) throw new RangeError("a loader needs a module of at least one form");
  const call = callOf(
    name,
    modules.map(({ module }) => module),
  );
  const top = comment(lines);
  const files = modules.map((file) => file.name);
  return [
    ...modules.map(({ name, module }) => ({ name, bytes: withCustomSection(module.bytes, "lutra", lines.join("\n")) })),
    { name: `${name}.js`, text: `${top}\n\n${loaderText(call, files)}` },
    { name: `${name}.d.ts`, text: `${top}\n\n${typesText(call)}` },
  ];
}
