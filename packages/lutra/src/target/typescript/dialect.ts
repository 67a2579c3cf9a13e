// TypeScript as a dialect: numbers everywhere, Math.fround after each operation of binary32, integers exact below 2^53. No operation
// here yields -0 as an integer, since a conversion to binary32 would keep its sign.

import { LANE_ARRAYS, type Lane } from "../../kernel/index.ts";
import { type ArraysSignature, type Dialect, decimal32, indented, type Parameter, wrapped } from "../source/index.ts";
import { helperText } from "./helpers.ts";

/** Integers of 64 bits are numbers up to 2^53. */
function arrayName(lane: Lane): string {
  return lane === "i64" ? "Float64Array" : LANE_ARRAYS[lane].name;
}

export const TYPESCRIPT: Dialect = {
  name: (prefix, part) => camel(`${prefix}_${part}`),
  // In full: a number among others is a binary64, which a short text would not give exactly.
  literal: (_type, value) => (Object.is(value, -0) ? "-0" : String(value)),
  declare: (_type, name, value) => `const ${name} = ${value};`,
  variable: (_type, name, value) => `let ${name} = ${value};`,
  place: (name, value) => `const ${name} = ${value};`,
  list(lane, name, values) {
    const items = values.map((value) => (lane === "f32" ? short(value) : String(value)));
    return `const ${name} = ${arrayName(lane)}.of(\n${wrapped(items)}\n);`;
  },
  at: (list, place) => `(${list}[${place}] as number)`,
  arithmetic: (op, a, b) => `Math.fround(${a} ${op} ${b})`,
  product: (_type, a, b) => `${a} * ${b} + 0`,
  shiftDown: (type, a, places) => (type === "i32" ? `${a} >> ${places}` : `Math.floor(${a} / 2 ** ${places})`),
  shiftUp: (_type, a, places) => `${a} * 2 ** ${places}`,
  truncate: (x) => `Math.trunc(${x})`,
  toFloat: (x) => `Math.fround(${x})`,
  narrow: (_type, x) => x,
  wide: (x) => x,
  isNaN: (x) => `Number.isNaN(${x})`,
  choose: (condition, a, b) => `(${condition} ? ${a} : ${b})`,
  loop: (name, limit, step = 1) =>
    `for (let ${name} = 0; ${name} < ${limit}; ${step === 1 ? `${name}++` : `${name} += ${step}`}) {`,
  partialSums: (name) => `const ${name} = new Float32Array(16);`,
  increase: (list, place, by) => `${list}[${place}] = (${list}[${place}] as number) + ${by};`,
  store: (_lane, place, value) => `y[${place}] = ${value};`,
  hasSizes: false,
  helper: helperText,
  func(name, parameters, _result, lines) {
    const list = parameters.map((parameter) => `${parameter.name}: number`).join(", ");
    const rounded = parameters.filter(({ lane }) => lane === "f32").map((p) => `${p.name} = Math.fround(${p.name});`);
    return `export function ${name}(${list}): number {\n${indented([...rounded, ...lines])}\n}`;
  },
  overArrays(signature, lines) {
    return `export function ${signature.name}${parameterList(signature)} {\n${indented([...checks(signature), ...lines, "return y;"])}\n}`;
  },
};

/** lut_gelu_array as lutGeluArray. */
export function camel(name: string): string {
  return name.replace(/_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** What a Float32Array rounds to the value. */
function short(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? decimal32(value) : String(value);
}

/** Arrays that vary over elements give the sizes; an output is made where none is given. */
function parameterList({ parameters, result, isOverRows }: ArraysSignature): string {
  const given = parameters.map(({ name, lane, over }) => `${name}: ${over === "one" ? "number" : arrayName(lane)}`);
  const sizes = isOverRows ? ["rows: number", "columns: number"] : [];
  const size = isOverRows ? "rows * columns" : `${longest(parameters).name}.length`;
  const output = `y: ${arrayName(result)} = new ${arrayName(result)}(${size})`;
  return `(\n${indented([...given, ...sizes, output].map((line) => `${line},`))}\n): ${arrayName(result)}`;
}

function longest(parameters: readonly Parameter[]): Parameter {
  return parameters.find(({ over }) => over === "element") as Parameter;
}

/** Writing past the end of an array is silent in JavaScript. */
function checks({ parameters, isOverRows }: ArraysSignature): readonly string[] {
  const first = longest(parameters).name;
  if (!isOverRows) {
    return [
      `const n = ${first}.length;`,
      'if (y.length < n) throw new RangeError("the output is shorter than the input");',
    ];
  }
  return [
    `if (${first}.length < rows * columns || y.length < rows * columns) throw new RangeError("an array is too short");`,
  ];
}
