// A filled kernel as C99 without dependencies: NAME.h with the function of one value (inline) and NAME.c with that over arrays, which gcc and
// clang vectorise. The same bits as interpret(kernel); integer kernels have no floating point in them.

import type { Kernel } from "../../kernel/index.ts";
import { about, comment, type SourceFile, type SourceOptions, sourceName, writeKernel } from "../source/index.ts";
import { C, prototype } from "./dialect.ts";

/**
 * The kernel as NAME.h and NAME.c. Elementwise: NAME(x) and NAME_array(x, y, n). Of a row: NAME_rows(x, ..., y, rows, columns), rows
 * of at most 2^24 numbers. y may be x.
 * @throws LutraError "unsupported" for binary16, bfloat16, integer tables of more than 16 bits, several results; "mismatch" if a hole is empty
 */
export function emit(kernel: Kernel, options: SourceOptions = {}): readonly SourceFile[] {
  const name = sourceName(kernel, options);
  const { text, overArrays, signature } = writeKernel(kernel, name, C);
  const top = comment(about(kernel, options));
  const needs = preamble(`${text}\n${overArrays}`);
  const guard = `${name.toUpperCase()}_H`;
  const declaration = `${prototype(signature)};`;
  const inHeader = signature.isOverRows
    ? ["#include <stddef.h>\n#include <stdint.h>", declaration]
    : [needs, text, declaration];
  const inSource = signature.isOverRows ? [needs, text, overArrays] : [overArrays];
  const header = [top, `#ifndef ${guard}\n#define ${guard}`, ...inHeader, "#endif"];
  const source = [top, `#include "${name}.h"`, ...inSource];
  return [
    { name: `${name}.h`, text: `${header.join("\n\n")}\n` },
    { name: `${name}.c`, text: `${source.join("\n\n")}\n` },
  ];
}

/** Headers that the text needs, and what it needs of the compiler. */
function preamble(text: string): string {
  const isFloat = /\bfloat\b/.test(text);
  const headers = [
    ...(isFloat ? ["float.h"] : []),
    ...(text.includes("INFINITY") ? ["math.h"] : []),
    ...["stddef.h", "stdint.h"],
    ...(text.includes("memcpy") ? ["string.h"] : []),
  ];
  const includes = headers.map((header) => `#include <${header}>`).join("\n");
  return isFloat ? `${includes}\n\n${FLOATS}` : `${includes}\n\n${INTEGERS}`;
}

const INTEGERS = "// Needs >> of negative integers to keep the sign, as every common compiler has it.";

const FLOATS = `${INTEGERS}
// Every operation is rounded to binary32 on its own: compile with -ffp-contract=off (gcc) and without -ffast-math.
#if defined(__FAST_MATH__) || FLT_EVAL_METHOD != 0
#error "the results of this file are exact only where each operation is rounded to binary32"
#endif
#if defined(__clang__) || !defined(__GNUC__)
#pragma STDC FP_CONTRACT OFF
#endif`;
