// What every file of source text is told and tells: its name, and the lines at its top.

import { hash } from "../../base/index.ts";
import type { Kernel } from "../../kernel/index.ts";
import { printFormat } from "../../num/index.ts";
import { identifier } from "./kernel.ts";

export interface SourceOptions {
  /** Name of functions and files: letters, digits and underscores. From the kernel's function if absent: lut_gelu. */
  readonly name?: string;
  /** Lines of the comment at the top of each file, after function and formats: what is proven, how to make the file again. */
  readonly about?: readonly string[];
}

export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/** Most that is taken of a function's text: file systems and C's linkers have limits. */
const LONGEST_NAME = 48;

/** "lut_gelu": C knows functions called exp and tanh. @throws RangeError for a given name that is none in C */
export function sourceName(kernel: Kernel, { name }: SourceOptions): string {
  if (name === undefined) return `lut_${identifier(kernel.spec.fn).slice(0, LONGEST_NAME)}`;
  if (!/^[A-Za-z]\w*$/.test(name)) throw new RangeError(`a name has letters, digits and underscores, got "${name}"`);
  return name;
}

/** The comment's lines: what the file computes, and what the caller says about it. */
export function about(kernel: Kernel, options: SourceOptions): readonly string[] {
  const { fn, input, output, maxRow } = kernel.spec;
  return [
    `${fn}, ${printFormat(input)} to ${printFormat(output)}. Made by lutra: change its source, not this file.`,
    ...(maxRow === undefined ? [] : [`Rows of at most ${maxRow} numbers.`]),
    ...(options.about ?? []),
    `kernel ${hash(kernel)}`,
  ];
}
