// What every file of source text is told and tells: its name, and the lines at its top.

import { hash, LutraError } from "../../base/index.ts";
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

/** Keywords, names that emitted text uses itself, and functions of C's library that programs include. */
const RESERVED: ReadonlySet<string> = new Set(
  `auto break case char const continue default do double else enum extern float for goto if inline int long register restrict return
  short signed sizeof static struct switch typedef union unsigned void volatile while abstract any as async await bigint boolean catch
  class debugger delete export extends false finally function get implements import in instanceof interface let load module namespace new
  null number of package private protected public set string super symbol this throw true try type typeof undefined var with yield
  main memcpy memset memmove malloc free printf NAN INFINITY x y n rows columns gamma beta
  abs fabs exp exp2 log log2 pow sqrt tanh sinh cosh sin cos tan erf floor ceil round fmin fmax`.split(/\s+/),
);

/** "lut_gelu": C knows functions called exp and tanh. @throws LutraError "bad-argument" for a given name that is none in C */
export function sourceName(kernel: Kernel, { name }: SourceOptions): string {
  if (name === undefined) return `lut_${identifier(kernel.spec.fn).slice(0, LONGEST_NAME)}`;
  if (!/^[A-Za-z]\w*$/.test(name)) throw badName(`a name has letters, digits and underscores, got "${name}"`);
  if (RESERVED.has(name))
    throw badName(`"${name}" is a word of C or JavaScript, or the name of one of their functions`);
  return name;
}

function badName(message: string): LutraError {
  return new LutraError("bad-argument", message, { note: "take another name, such as lut_gelu" });
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
