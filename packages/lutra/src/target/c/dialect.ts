// C99 as a dialect. Nothing here is undefined behaviour: bits by memcpy, no shift of a negative number to the left, no conversion of a
// float out of range. What C leaves to the compiler is stated at the top of each file and, where it can be, checked by it.

import type { Lane } from "../../kernel/index.ts";
import {
  type ArraysSignature,
  type Dialect,
  decimal32,
  indented,
  type Parameter,
  type Type,
  wrapped,
} from "../source/index.ts";
import { helperText } from "./helpers.ts";

const TYPES: Readonly<Record<Type, string>> = { f32: "float", i32: "int32_t", i64: "int64_t" };

const LANES: Readonly<Record<Lane, string>> = {
  f32: "float",
  i8: "int8_t",
  u8: "uint8_t",
  i16: "int16_t",
  u16: "uint16_t",
  i32: "int32_t",
  u32: "uint32_t",
  i64: "int64_t",
};

export const C: Dialect = {
  name: (prefix, part) => `${prefix}_${part}`,
  literal,
  declare: (type, name, value) => `const ${TYPES[type]} ${name} = ${bare(value)};`,
  variable: (type, name, value) => `${TYPES[type]} ${name} = ${value};`,
  place: (name, value) => `const size_t ${name} = ${value};`,
  list(lane, name, values) {
    const type: Type = lane === "f32" ? "f32" : lane === "i64" ? "i64" : "i32";
    const items = wrapped(values.map((value) => literal(type, value)));
    return `static const ${LANES[lane]} ${name}[${values.length}] = {\n${items}\n};`;
  },
  at: (list, place) => `${list}[${place}]`,
  arithmetic: (op, a, b) => `(${a} ${op} ${b})`,
  product: (type, a, b) => (type === "i64" ? `(int64_t)${a} * ${b}` : `${a} * ${b}`),
  shiftDown: (_type, a, places) => `${a} >> ${places}`,
  shiftUp: (type, a, places) => `${a} * (${type === "i64" ? "INT64_C" : "INT32_C"}(1) << ${places})`,
  truncate: (x) => `(int32_t)${x}`,
  toFloat: (x) => `(float)${x}`,
  narrow: (type, x) => (type === "i32" ? `(int32_t)(${x})` : x),
  wide: (x) => `(int64_t)(${x})`,
  isNaN: (x) => `${x} != ${x}`,
  choose: (condition, a, b, named) => `${named("choose")}(${condition}, ${a}, ${b})`,
  loop: (name, limit, step = 1) =>
    `for (size_t ${name} = 0; ${name} < ${limit}; ${step === 1 ? `${name}++` : `${name} += ${step}`}) {`,
  partialSums: (name) => `float ${name}[16] = {0};`,
  increase: (list, place, by) => `${list}[${place}] += ${by};`,
  store: (lane, place, value) => `y[${place}] = ${castTo(lane)}${value};`,
  hasSizes: true,
  helper: helperText,
  func(name, parameters, result, lines) {
    const list = parameters.map((parameter) => `${LANES[parameter.lane]} ${parameter.name}`).join(", ");
    const body = lines.map((line) => line.replace(/^return (.*);$/, `return ${castTo(result)}$1;`));
    return `static inline ${LANES[result]} ${name}(${list}) {\n${indented(body)}\n}`;
  },
  overArrays: (signature, lines) => `${prototype(signature)} {\n${indented(lines)}\n}`,
};

/** What turns a value as it is computed into one of the lane. */
function castTo(lane: Lane): string {
  return lane === "f32" || lane === "i32" ? "" : `(${LANES[lane]})`;
}

/** Declares the function over arrays. An output may be its input; else they must not overlap. */
export function prototype({ name, parameters, result, isOverRows }: ArraysSignature): string {
  const given = parameters.map((parameter) => declared(parameter));
  const sizes = isOverRows ? ["size_t rows", "size_t columns"] : ["size_t n"];
  return `void ${name}(${[...given, `${LANES[result]} *y`, ...sizes].join(", ")})`;
}

function declared({ name, lane, over }: Parameter): string {
  return over === "one" ? `${LANES[lane]} ${name}` : `const ${LANES[lane]} *${name}`;
}

/** Without parentheses around the whole of it. */
function bare(text: string): string {
  if (!text.startsWith("(")) return text;
  let depth = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")") depth--;
    if (depth === 0) return text;
  }
  return text.slice(1, -1);
}

function literal(type: Type, value: number): string {
  if (type === "f32") return float(value);
  if (type === "i32" && value === -(2 ** 31)) return "(-2147483647 - 1)";
  const text = type === "i64" ? `INT64_C(${Math.abs(value)})` : String(Math.abs(value));
  return value < 0 ? `-${text}` : text;
}

function float(value: number): string {
  if (!Number.isFinite(value)) return value < 0 ? "-INFINITY" : "INFINITY";
  const text = decimal32(Math.abs(value));
  const spelled = /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
  return value < 0 || Object.is(value, -0) ? `-${spelled}` : spelled;
}
