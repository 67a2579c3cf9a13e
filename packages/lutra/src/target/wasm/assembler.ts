// Typed code: every instruction becomes a Code whose operands were checked, so that what is built is valid by construction. Operands are
// nested like the text format's folded instructions: op("f32.add", a, b). Modules are put together in assembler-module.ts.

import { float32, littleEndian, signed, unsigned } from "./assembler-bytes.ts";
import {
  CORE,
  EXTRACT,
  LANE_MEMORY,
  MEMORY,
  RELAXED,
  REPLACE,
  SATURATING,
  SIMD,
  SIMD_MEMORY,
} from "./assembler-instructions.ts";

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

/**
 * Instructions that leave one value of a type, or none: those of the operands, then its own bytes. A tree, so that nothing is copied before
 * the function is whole; shared parts are written wherever they stand.
 */
export interface Code {
  readonly type: ValueType | null;
  readonly operands: readonly Code[];
  readonly bytes: readonly number[];
  /** Bytes of operands and its own. */
  readonly length: number;
}

const NONE: readonly Code[] = [];

function code(type: ValueType | null, operands: readonly Code[], bytes: readonly number[]): Code {
  let length = bytes.length;
  for (let i = 0; i < operands.length; i++) length += (operands[i] as Code).length;
  return { type, operands, bytes, length };
}

/** All bytes of the code. */
export function bytesOf(whole: Code): Uint8Array {
  const bytes = new Uint8Array(whole.length);
  writeCode(whole, bytes, 0);
  return bytes;
}

/** Writes the code's bytes from `at` on: long before engines have compiled it, so without iterators. @returns the place behind them */
export function writeCode({ operands, bytes: own }: Code, bytes: Uint8Array, at: number): number {
  let end = at;
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i] as Code;
    if (operand.operands.length > 0) {
      end = writeCode(operand, bytes, end);
      continue;
    }
    const leaf = operand.bytes;
    for (let k = 0; k < leaf.length; k++) bytes[end++] = leaf[k] as number;
  }
  for (let i = 0; i < own.length; i++) bytes[end++] = own[i] as number;
  return end;
}

export interface Local {
  readonly type: ValueType;
  readonly index: number;
}

const TYPES: Readonly<Record<string, ValueType>> = { i: "i32", l: "i64", f: "f32", d: "f64", v: "v128" };
const SIMD_PREFIX = 0xfd;
/** Behind that prefix. */
const CONSTANT = 0x0c;
const SATURATING_PREFIX = 0xfc;
/** Of a loop or an if without a result. */
const EMPTY_BLOCK = 0x40;
const END = 0x0b;

/** What an instruction takes and gives. */
interface Signature {
  readonly takes: readonly ValueType[];
  readonly gives: ValueType | null;
}

/** By their text, as in "ff>f". */
const SIGNATURES = new Map<string, Signature>();

function signatureOf(text: string): Signature {
  const known = SIGNATURES.get(text);
  if (known !== undefined) return known;
  const [takes = "", gives = ""] = text.split(">");
  const signature = { takes: Array.from(takes, (letter) => TYPES[letter] as ValueType), gives: TYPES[gives] ?? null };
  SIGNATURES.set(text, signature);
  return signature;
}

/** @throws TypeError if the operands are not those of the signature */
function apply(name: string, { takes, gives }: Signature, bytes: readonly number[], operands: readonly Code[]): Code {
  let length = bytes.length;
  let fits = operands.length === takes.length;
  for (let i = 0; fits && i < takes.length; i++) {
    const operand = operands[i] as Code;
    length += operand.length;
    fits = operand.type === takes[i];
  }
  if (fits) return { type: gives, operands, bytes, length };
  throw new TypeError(`${name} takes (${takes.join(", ")}), got (${operands.map(({ type }) => type).join(", ")})`);
}

function prefixed(opcode: number): number[] {
  return [SIMD_PREFIX, ...unsigned(opcode)];
}

export type Operation = keyof typeof CORE | keyof typeof SATURATING | keyof typeof SIMD | keyof typeof RELAXED;

/** Instructions without immediates, by name. */
const OPERATIONS: ReadonlyMap<string, { readonly signature: Signature; readonly bytes: readonly number[] }> = new Map([
  ...instructions(CORE, (opcode) => [opcode]),
  ...instructions(SATURATING, (opcode) => [SATURATING_PREFIX, ...unsigned(opcode)]),
  ...instructions(SIMD, prefixed),
  ...instructions(RELAXED, prefixed),
]);

function instructions(
  table: Readonly<Record<string, readonly [opcode: number, signature: string]>>,
  encode: (opcode: number) => readonly number[],
): [string, { readonly signature: Signature; readonly bytes: readonly number[] }][] {
  return Object.entries(table).map(([name, [opcode, text]]) => [
    name,
    { signature: signatureOf(text), bytes: encode(opcode) },
  ]);
}

/** An instruction without immediates. */
export function op(name: Operation, ...operands: readonly Code[]): Code {
  const known = OPERATIONS.get(name);
  if (known === undefined) throw new TypeError(`${name} is no instruction`);
  return apply(name, known.signature, known.bytes, operands);
}

export function extractLane(name: keyof typeof EXTRACT, lane: number, v: Code): Code {
  const [opcode, signature] = EXTRACT[name];
  return apply(name, signatureOf(signature), [...prefixed(opcode), lane], [v]);
}

/** The vector v with another value in one lane. */
export function replaceLane(name: keyof typeof REPLACE, lane: number, v: Code, value: Code): Code {
  const [opcode, signature] = REPLACE[name];
  return apply(name, signatureOf(signature), [...prefixed(opcode), lane], [v, value]);
}

/** Sixteen bytes out of the 32 of a and b. */
export function shuffle(lanes: readonly number[], a: Code, b: Code): Code {
  return apply("i8x16.shuffle", signatureOf("vv>v"), [...prefixed(0x0d), ...lanes], [a, b]);
}

/** condition ? a : b, both computed. */
export function select(a: Code, b: Code, condition: Code): Code {
  const letter = a.type?.charAt(0) === "v" ? "v" : a.type === "i64" ? "l" : (a.type?.charAt(0) ?? "i");
  if (letter === "v") throw new TypeError("select takes numbers; vectors have v128.bitselect");
  return apply("select", signatureOf(`${letter}${letter}i>${letter}`), [0x1b], [a, b, condition]);
}

// memory --------------------------------------------------------------------------------------------------------------

export type Access = keyof typeof MEMORY | keyof typeof SIMD_MEMORY;

/** A load at address + offset. */
export function load(name: Access, address: Code, offset = 0): Code {
  return access(name, [address], offset);
}

/** A store at address + offset. */
export function store(name: Access, address: Code, value: Code, offset = 0): Code {
  return access(name, [address, value], offset);
}

/** Loads and stores by name: their bytes but for the offset. */
const ACCESSES: ReadonlyMap<string, { readonly signature: Signature; readonly head: readonly number[] }> = new Map([
  ...accesses(MEMORY, (opcode) => [opcode]),
  ...accesses(SIMD_MEMORY, prefixed),
]);

function accesses(
  table: Readonly<Record<string, readonly [opcode: number, signature: string, alignment: number]>>,
  encode: (opcode: number) => readonly number[],
): [string, { readonly signature: Signature; readonly head: readonly number[] }][] {
  return Object.entries(table).map(([name, [opcode, text, alignment]]) => [
    name,
    { signature: signatureOf(`i${text}`), head: [...encode(opcode), alignment] },
  ]);
}

function access(name: Access, operands: readonly Code[], offset: number): Code {
  const known = ACCESSES.get(name);
  if (known === undefined) throw new TypeError(`${name} is no access`);
  const bytes = known.head.slice();
  if (offset < 0x80) bytes.push(offset);
  else bytes.push(...unsigned(offset));
  return apply(name, known.signature, bytes, operands);
}

/** The vector with one lane from memory at address + offset. */
export function loadLane(name: keyof typeof LANE_MEMORY, address: Code, v: Code, lane: number, offset = 0): Code {
  const [opcode, signature, alignment] = LANE_MEMORY[name];
  const bytes = [...prefixed(opcode), alignment, ...unsigned(offset), lane];
  return apply(name, signatureOf(`i${signature}`), bytes, [address, v]);
}

// constants -----------------------------------------------------------------------------------------------------------

/** @param value an integer from -2^31 to 2^32 - 1 */
export function i32(value: number): Code {
  const integer = value | 0;
  const isShort = integer >= -0x40 && integer < 0x40;
  return code("i32", NONE, isShort ? [0x41, integer & 0x7f] : [0x41, ...signed(integer)]);
}

/** @param value an integer of at most 2^62 in size that binary64 holds */
export function i64(value: number): Code {
  return code("i64", NONE, [0x42, ...signed(value)]);
}

export function f32(value: number): Code {
  return code("f32", NONE, [0x43, ...float32(value)]);
}

/** Four equal lanes. */
export function f32x4(value: number): Code {
  return v128([value, value, value, value], "f32");
}

/** Four equal lanes. */
export function i32x4(value: number): Code {
  return equalLanes(value, 4);
}

/** Eight equal lanes. */
export function i16x8(value: number): Code {
  return equalLanes(value, 2);
}

/** Sixteen equal lanes. */
export function i8x16(value: number): Code {
  return equalLanes(value, 1);
}

/** Integers of so many bytes, all the same. */
function equalLanes(value: number, width: 1 | 2 | 4): Code {
  const bytes = [SIMD_PREFIX, CONSTANT];
  for (let i = 0; i < 16; i++) bytes.push((value >> (8 * (i % width))) & 0xff);
  return code("v128", NONE, bytes);
}

/** A vector of 16 bytes, of lanes of one type. */
export function v128(values: readonly number[], type: "f32" | "i32" | "i16" | "i8"): Code {
  return code("v128", NONE, [SIMD_PREFIX, CONSTANT, ...new Uint8Array(littleEndian(values, type))]);
}

// locals and control --------------------------------------------------------------------------------------------------

export function get({ type, index }: Local): Code {
  const known = GETS[type][index];
  if (known !== undefined) return known;
  const made = code(type, NONE, [0x20, ...unsigned(index)]);
  GETS[type][index] = made;
  return made;
}

/** Every function reads its locals often: made once, by type and index. */
const GETS: Readonly<Record<ValueType, Code[]>> = { i32: [], i64: [], f32: [], f64: [], v128: [] };

export function set(local: Local, value: Code): Code {
  return assign(local, value, 0x21, null);
}

/** Sets the local and leaves the value. */
export function tee(local: Local, value: Code): Code {
  return assign(local, value, 0x22, local.type);
}

function assign({ type, index }: Local, value: Code, opcode: number, result: ValueType | null): Code {
  if (value.type !== type) throw new TypeError(`the local is ${type}, the value ${value.type ?? "nothing"}`);
  const bytes = index < 0x80 ? [opcode, index] : [opcode, ...unsigned(index)];
  return { type: result, operands: [value], bytes, length: value.length + bytes.length };
}

/** One after another; only the last may leave a value. */
export function sequence(...codes: readonly Code[]): Code {
  const last = codes.length - 1;
  let length = 0;
  for (let i = 0; i <= last; i++) {
    const each = codes[i] as Code;
    length += each.length;
    if (i < last && each.type !== null) throw new TypeError(`a ${each.type} is left behind`);
  }
  return { type: codes[last]?.type ?? null, operands: codes, bytes: NO_BYTES, length };
}

const NO_BYTES: readonly number[] = [];
const LOOP: Code = code(null, NONE, [0x03, EMPTY_BLOCK]);
const IF: Code = code(null, NONE, [0x04, EMPTY_BLOCK]);
const BRANCH_TO_START: readonly number[] = [0x0d, 0];

/** Runs the body, again for as long as the condition holds. */
export function repeatWhile(condition: Code, ...body: readonly Code[]): Code {
  checkCondition(condition);
  return code(null, [LOOP, statements(body), condition], [...BRANCH_TO_START, END]);
}

/** Runs the body if the condition holds. */
export function when(condition: Code, ...body: readonly Code[]): Code {
  checkCondition(condition);
  return code(null, [condition, IF, statements(body)], [END]);
}

function checkCondition({ type }: Code): void {
  if (type !== "i32") throw new TypeError(`a condition is an i32, got ${type ?? "nothing"}`);
}

function statements(body: readonly Code[]): Code {
  const all = sequence(...body);
  if (all.type !== null) throw new TypeError(`a ${all.type} is left behind`);
  return all;
}
