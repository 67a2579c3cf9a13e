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
  const isFloat = /\bfloat\b/.test(`${text}\n${overArrays}`);
  const needs = preamble(`${text}\n${overArrays}`, isFloat);
  const guard = `${name.toUpperCase()}_H`;
  const declaration = `${LINKAGE}\n${prototype(signature)};\n${LINKAGE_END}`;
  const rounded = (...parts: readonly string[]): string[] => (isFloat ? [UNFUSED, ...parts, FUSED_AGAIN] : [...parts]);
  const inHeader = signature.isOverRows
    ? ["#include <stddef.h>\n#include <stdint.h>", declaration]
    : [needs, ...rounded(text), declaration];
  const inSource = signature.isOverRows ? [needs, ...rounded(text, overArrays)] : rounded(overArrays);
  const header = [top, `#ifndef ${guard}\n#define ${guard}`, ...inHeader, "#endif"];
  const source = [top, `#include "${name}.h"`, ...inSource];
  return [
    { name: `${name}.h`, text: `${header.join("\n\n")}\n` },
    { name: `${name}.c`, text: `${source.join("\n\n")}\n` },
  ];
}

/** Headers that the text needs, and what it needs of the compiler. */
function preamble(text: string, isFloat: boolean): string {
  const headers = [
    ...(isFloat ? ["float.h"] : []),
    ...(text.includes("INFINITY") ? ["math.h"] : []),
    ...["stddef.h", "stdint.h"],
    ...(text.includes("memcpy") ? ["string.h"] : []),
  ];
  const includes = headers.map((header) => `#include <${header}>`).join("\n");
  return isFloat ? `${includes}\n\n${FLOATS}` : `${includes}\n\n${INTEGERS}`;
}

/** For C++. */
const LINKAGE = '#ifdef __cplusplus\nextern "C" {\n#endif';
const LINKAGE_END = "#ifdef __cplusplus\n}\n#endif";

const INTEGERS = "// Needs >> of negative integers to keep the sign, as every common compiler has it.";

const FLOATS = `${INTEGERS}
// Every operation is rounded to binary32 on its own: compile without -ffast-math and its parts.
#if defined(__FAST_MATH__) || FLT_EVAL_METHOD != 0
#error "the results of this file are exact only where each operation is rounded to binary32"
#endif
#if defined(__clang__) || !defined(__GNUC__)
#pragma STDC FP_CONTRACT OFF
#endif`;

/** gcc knows no such pragma: for what is between these it does not fuse operations, whatever it is told. */
const UNFUSED = `#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off")
#endif`;
const FUSED_AGAIN = `#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif`;
