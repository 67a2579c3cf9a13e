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

/** "lut_gelu": C knows functions called exp and tanh. */
export function sourceName(kernel: Kernel, { name }: SourceOptions): string {
  return name ?? `lut_${identifier(kernel.spec.fn)}`;
}

/** The comment's lines: what the file computes, and what the caller says about it. */
export function about(kernel: Kernel, options: SourceOptions): readonly string[] {
  const { fn, input, output } = kernel.spec;
  return [
    `${fn}, ${printFormat(input)} to ${printFormat(output)}. Made by lutra: change its source, not this file.`,
    ...(options.about ?? []),
    `kernel ${hash(kernel)}`,
  ];
}
