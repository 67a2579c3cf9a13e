// A binary32 table as statements: operation for operation what evaluate() does, each rounded to binary32. No conversion of a float to an
// integer ever sees a NaN or a number out of range; a NaN's answer is decided at the end.

import { LutraError } from "../../base/index.ts";
import { MAX_BINARY32, MIN_NORMAL_BINARY32 } from "../../num/index.ts";
import { type Index, type NestedIndex, type Reduction, segmentCount, type Table } from "../../table/index.ts";
import { emitSearch } from "./search.ts";
import { Body, type Source } from "./source.ts";

/** Adds a function of one binary32 number under the given name. @throws LutraError "unsupported" */
export function addFloatTable(source: Source, table: Table, name: string, part: string): void {
  checkNumbers(table);
  const body = new Body(source, new Map([["x", 1]]));
  const y = evaluateFrom({ table, part, body }, 0, "x");
  body.lines.push(`return ${source.choose(source.dialect.isNaN("x"), "x", y)};`);
  source.add(source.dialect.func(name, [{ name: "x", lane: "f32", over: "one" }], "f32", body.lines));
}

/** What a table's text is made from. */
interface Written {
  readonly table: Table;
  /** Prefix of the names of its arrays; "" for a file of one table. */
  readonly part: string;
  readonly body: Body;
}

/** evaluate() takes binary64 numbers for ends and origins; text in binary32 needs them to be binary32. */
function checkNumbers({ spec, clamp, index }: Table): void {
  const isBinary32 = [spec.input, spec.output].every((format) => format.kind === "float" && format.name === "binary32");
  if (!isBinary32) {
    throw new LutraError("unsupported", "source code is written for tables of integers and of binary32", {
      note: "fit the table with --in binary32 --out binary32",
    });
  }
  const numbers = [...clamp, ...(index.rule === "uniform" ? [index.first, index.width] : [])];
  const wrong = numbers.find((x) => Math.fround(x) !== x);
  if (wrong !== undefined) throw new LutraError("unsupported", `${wrong} in the table is not a binary32 value`);
}

function evaluateFrom(written: Written, depth: number, x: string): string {
  const reduction = written.table.reductions[depth];
  if (reduction === undefined) return line(written, x);
  return reduced(written.body, reduction, x, (t) => evaluateFrom(written, depth + 1, t));
}

type Rest = (t: string) => string;

function reduced(body: Body, reduction: Reduction, x: string, rest: Rest): string {
  const { dialect, source } = body;
  const op = dialect.arithmetic.bind(dialect);
  const number = (value: number): string => dialect.literal("f32", value);
  switch (reduction.by) {
    case "odd": {
      const y = rest(body.let("f32", "t", source.choose(`${x} < ${number(0)}`, `-${x}`, x)));
      return body.let("f32", "y", source.choose(`${x} < ${number(0)}`, `-${y}`, y));
    }
    case "even":
      return rest(body.let("f32", "t", magnitude(body, x)));
    case "reflect": {
      const y = rest(body.let("f32", "t", `-${magnitude(body, x)}`));
      return body.let("f32", "y", op("+", y, source.choose(`${x} > ${number(0)}`, x, number(0))));
    }
    case "complement": {
      const y = rest(body.let("f32", "t", source.choose(`${x} > ${number(0)}`, `-${x}`, x)));
      return body.let("f32", "y", source.choose(`${x} > ${number(0)}`, op("-", number(1), y), y));
    }
    case "octave": {
      const { mantissa, octave } = splitOctave(body, x, reduction.step);
      const y = rest(mantissa);
      const scale = reduction.power === 1 ? powerOfTwo(body, octave) : smallPowerOfTwo(body, `-${octave}`);
      return body.let("f32", "y", op("*", y, scale));
    }
    case "logarithm": {
      const { mantissa, octave } = splitOctave(body, x, 1);
      const y = rest(mantissa);
      return body.let("f32", "y", op("+", y, op("*", number(reduction.perOctave), dialect.toFloat(octave))));
    }
    case "exponential":
      return exponential(body, reduction.factor, x, rest);
    default:
      return reduction satisfies never;
  }
}

function magnitude(body: Body, x: string): string {
  return `${body.source.helper("float")}(${body.source.helper("bits")}(${x}) & 0x7fffffff)`;
}

/** 2^n for -126 <= n <= 127. */
function powerOfTwo(body: Body, n: string): string {
  return `${body.source.helper("float")}((${n} + 127) << 23)`;
}

/** 2^n for -127 <= n <= 127: the least is subnormal. */
function smallPowerOfTwo(body: Body, n: string): string {
  return `${body.source.helper("float")}(${n} > -127 ? (${n} + 127) << 23 : 0x400000)`;
}

/** x, clamped to the positive normal numbers, as mantissa * 2^(step * octave): its exponent taken out of the bits. */
function splitOctave(body: Body, x: string, step: 1 | 2): { readonly mantissa: string; readonly octave: string } {
  const [least, most] = [MIN_NORMAL_BINARY32, MAX_BINARY32].map((value) => body.dialect.literal("f32", value)) as [
    string,
    string,
  ];
  const { source } = body;
  const below = source.choose(`${x} <= ${most}`, x, most);
  const normal = body.let("f32", "normal", source.choose(`${x} >= ${least}`, below, least));
  const bits = body.let("i32", "bits", `${body.source.helper("bits")}(${normal})`);
  const exponent = body.let("i32", "exponent", `(${bits} >> 23) - 127`);
  const octave = step === 1 ? exponent : body.let("i32", "octave", `${exponent} >> 1`);
  const rest = step === 1 ? "0x3f800000" : `((127 + (${exponent} & 1)) << 23)`;
  const mantissa = body.let("f32", "t", `${body.source.helper("float")}((${bits} & 0x7fffff) | ${rest})`);
  return { mantissa, octave };
}

/** y = T(z - j) 2^j with z = factor x, j = floor(z); 0 below 2^-126, infinite from 2^128 on. */
function exponential(body: Body, factor: number, x: string, rest: Rest): string {
  const { dialect, source } = body;
  const number = (value: number): string => dialect.literal("f32", value);
  const z = body.let("f32", "z", dialect.arithmetic("*", number(factor), x));
  const above = source.choose(`${z} >= ${number(-126)}`, z, number(0));
  const inside = body.let("f32", "inside", source.choose(`${z} < ${number(128)}`, above, number(0)));
  const whole = body.let("i32", "whole", dialect.truncate(inside));
  const octave = body.let("i32", "octave", `${whole} - (${dialect.toFloat(whole)} > ${inside} ? 1 : 0)`);
  const y = rest(body.let("f32", "t", dialect.arithmetic("-", inside, dialect.toFloat(octave))));
  const scaled = body.let("f32", "y", dialect.arithmetic("*", y, powerOfTwo(body, octave)));
  const large = source.choose(`${z} >= ${number(128)}`, number(Infinity), scaled);
  return body.let("f32", "y", source.choose(`${z} < ${number(-126)}`, number(0), large));
}

// the line ------------------------------------------------------------------------------------------------------------

function line(written: Written, x: string): string {
  const { table, body, part } = written;
  const { dialect, source } = body;
  const t = clamped(body, x, table.clamp);
  const place = segment(written, t);
  const [intercepts, slopes] = table.coefficients;
  const entry = (list: string, values: readonly number[]): string =>
    dialect.at(source.list("f32", `${part}${list}`, values), place);
  const intercept = entry("intercepts", intercepts as readonly number[]);
  if (slopes === undefined) return body.let("f32", "y", intercept);
  const product = dialect.arithmetic("*", entry("slopes", slopes), t);
  return body.let("f32", "y", dialect.arithmetic("+", product, intercept));
}

/** As Math.max and Math.min: -0 counts as less than +0. A NaN stays. */
function clamped(body: Body, x: string, [low, high]: Table["clamp"]): string {
  let t = x;
  if (low > -Infinity) {
    const end = body.dialect.literal("f32", low);
    t = body.let("f32", "t", body.source.choose(`${t} ${Object.is(low, -0) ? "<" : "<="} ${end}`, end, t));
  }
  if (high === Infinity) return t;
  const end = body.dialect.literal("f32", high);
  return body.let("f32", "t", body.source.choose(`${t} ${Object.is(high, -0) ? ">=" : ">"} ${end}`, end, t));
}

function segment(written: Written, t: string): string {
  const { table, body, part } = written;
  const { index } = table;
  const { dialect } = body;
  const last = segmentCount(table) - 1;
  if (last === 0) return "0";
  switch (index.rule) {
    case "breakpoints":
      return search(written, index.codes, t);
    case "float-bits":
      return floatBits(body, index, last, t);
    case "uniform": {
      const offset = dialect.arithmetic("-", t, dialect.literal("f32", index.first));
      const position = dialect.arithmetic("/", offset, dialect.literal("f32", index.width));
      return whole(body, body.let("f32", "position", position), dialect.literal("f32", last));
    }
    case "nested":
      return nested(written, index, t);
    case "direct":
      throw new LutraError("unsupported", "a direct table has no binary32 form", { where: part });
    default:
      return index satisfies never;
  }
}

/** floor(position) between 0 and `last`; 0 for NaN. */
function whole(body: Body, position: string, last: string): string {
  const zero = body.dialect.literal("f32", 0);
  const below = body.source.choose(`${position} < ${last}`, position, last);
  const inside = body.source.choose(`${position} > ${zero}`, below, zero);
  return body.let("i32", "place", body.dialect.truncate(inside));
}

function search({ body, part }: Written, codes: readonly number[], t: string): string {
  return emitSearch(body, { part: `${part}breakpoints`, lane: "f32", codes, greatest: Infinity }, t);
}

/** floor(key / 2^shift) - first, with the key of -0 that of 0. Clamped before `first` is taken off, so that nothing overflows. */
function floatBits(body: Body, index: Extract<Index, { rule: "float-bits" }>, last: number, t: string): string {
  const { first, shift } = index;
  if (first < -(2 ** 31) || first + last >= 2 ** 31) {
    throw new LutraError("unsupported", `the table's first position ${first} is beyond 32 bits`);
  }
  const { dialect, source } = body;
  const bits = body.let("i32", "bits", `${source.helper("bits")}(${t})`);
  const sign = body.let("i32", "sign", `${bits} >> 31`);
  const key = `((${bits} ^ (${sign} & 0x7fffffff)) - ${sign})`;
  const place = body.let("i32", "place", shift === 0 ? key : `${key} >> ${shift}`);
  const [low, high] = [first, first + last].map((value) => dialect.literal("i32", value));
  // One end after the other: gcc sees a maximum and a minimum, and no jump.
  const above = body.let("i32", "place", `${place} < ${low} ? ${low} : ${place}`);
  const inside = body.let("i32", "place", `${above} > ${high} ? ${high} : ${above}`);
  return first === 0 ? inside : body.let("i32", "place", `${inside} - ${dialect.literal("i32", first)}`);
}

function nested(written: Written, { first, codes, scales, counts }: NestedIndex, t: string): string {
  const { body, part } = written;
  const { dialect, source } = body;
  const interval = search(written, codes, t);
  const before = counts.map((_, i) => counts.slice(0, i).reduce((sum, count) => sum + count, 0));
  const entry = (lane: "f32" | "i32", list: string, values: readonly number[]): string =>
    dialect.at(source.list(lane, `${part}${list}`, values), interval);
  const offset = dialect.arithmetic("-", t, entry("f32", "starts", [first, ...codes]));
  const position = body.let("f32", "position", dialect.arithmetic("*", offset, entry("f32", "scales", scales)));
  const last = entry(
    "f32",
    "lasts",
    counts.map((count) => count - 1),
  );
  const inside = whole(body, position, last);
  return body.let("i32", "place", `${entry("i32", "before", before)} + ${inside}`);
}
