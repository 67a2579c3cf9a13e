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

/** Instructions that leave one value of a type, or none. */
export interface Code {
  readonly type: ValueType | null;
  readonly bytes: readonly number[];
}

export interface Local {
  readonly type: ValueType;
  readonly index: number;
}

const TYPES: Readonly<Record<string, ValueType>> = { i: "i32", l: "i64", f: "f32", d: "f64", v: "v128" };
const SIMD_PREFIX = 0xfd;
const SATURATING_PREFIX = 0xfc;
/** Of a loop or an if without a result. */
const EMPTY_BLOCK = 0x40;
const END = 0x0b;

/** @throws TypeError if the operands are not those of the signature */
function apply(name: string, signature: string, opcode: readonly number[], operands: readonly Code[]): Code {
  const [wanted = "", result = ""] = signature.split(">");
  const given = operands.map(({ type }) => type);
  const types = Array.from(wanted, (letter) => TYPES[letter] as ValueType);
  if (given.length !== types.length || given.some((type, i) => type !== types[i])) {
    throw new TypeError(`${name} takes (${types.join(", ")}), got (${given.join(", ")})`);
  }
  return { type: TYPES[result] ?? null, bytes: [...operands.flatMap(({ bytes }) => bytes), ...opcode] };
}

function prefixed(opcode: number): number[] {
  return [SIMD_PREFIX, ...unsigned(opcode)];
}

export type Operation = keyof typeof CORE | keyof typeof SATURATING | keyof typeof SIMD | keyof typeof RELAXED;

const VECTORS = { ...SIMD, ...RELAXED } as const;

/** An instruction without immediates. */
export function op(name: Operation, ...operands: readonly Code[]): Code {
  if (name in CORE) {
    const [opcode, signature] = CORE[name as keyof typeof CORE];
    return apply(name, signature, [opcode], operands);
  }
  if (name in SATURATING) {
    const [opcode, signature] = SATURATING[name as keyof typeof SATURATING];
    return apply(name, signature, [SATURATING_PREFIX, ...unsigned(opcode)], operands);
  }
  const [opcode, signature] = VECTORS[name as keyof typeof VECTORS];
  return apply(name, signature, prefixed(opcode), operands);
}

export function extractLane(name: keyof typeof EXTRACT, lane: number, v: Code): Code {
  const [opcode, signature] = EXTRACT[name];
  return apply(name, signature, [...prefixed(opcode), lane], [v]);
}

/** The vector v with another value in one lane. */
export function replaceLane(name: keyof typeof REPLACE, lane: number, v: Code, value: Code): Code {
  const [opcode, signature] = REPLACE[name];
  return apply(name, signature, [...prefixed(opcode), lane], [v, value]);
}

/** Sixteen bytes out of the 32 of a and b. */
export function shuffle(lanes: readonly number[], a: Code, b: Code): Code {
  return apply("i8x16.shuffle", "vv>v", [...prefixed(0x0d), ...lanes], [a, b]);
}

/** condition ? a : b, both computed. */
export function select(a: Code, b: Code, condition: Code): Code {
  const letter = a.type?.charAt(0) === "v" ? "v" : a.type === "i64" ? "l" : (a.type?.charAt(0) ?? "i");
  if (letter === "v") throw new TypeError("select takes numbers; vectors have v128.bitselect");
  return apply("select", `${letter}${letter}i>${letter}`, [0x1b], [a, b, condition]);
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

function access(name: Access, operands: readonly Code[], offset: number): Code {
  const isCore = name in MEMORY;
  const [opcode, signature, alignment] = isCore
    ? MEMORY[name as keyof typeof MEMORY]
    : SIMD_MEMORY[name as keyof typeof SIMD_MEMORY];
  const bytes = [...(isCore ? [opcode] : prefixed(opcode)), alignment, ...unsigned(offset)];
  return apply(name, `i${signature}`, bytes, operands);
}

/** The vector with one lane from memory at address + offset. */
export function loadLane(name: keyof typeof LANE_MEMORY, address: Code, v: Code, lane: number, offset = 0): Code {
  const [opcode, signature, alignment] = LANE_MEMORY[name];
  return apply(name, `i${signature}`, [...prefixed(opcode), alignment, ...unsigned(offset), lane], [address, v]);
}

// constants -----------------------------------------------------------------------------------------------------------

/** @param value an integer from -2^31 to 2^32 - 1 */
export function i32(value: number): Code {
  return { type: "i32", bytes: [0x41, ...signed(value | 0)] };
}

/** @param value an integer of at most 2^62 in size that binary64 holds */
export function i64(value: number): Code {
  return { type: "i64", bytes: [0x42, ...signed(value)] };
}

export function f32(value: number): Code {
  return { type: "f32", bytes: [0x43, ...float32(value)] };
}

/** Four equal lanes. */
export function f32x4(value: number): Code {
  return v128([value, value, value, value], "f32");
}

/** Four equal lanes. */
export function i32x4(value: number): Code {
  return v128([value, value, value, value], "i32");
}

/** Eight equal lanes. */
export function i16x8(value: number): Code {
  return v128(Array(8).fill(value), "i16");
}

/** Sixteen equal lanes. */
export function i8x16(value: number): Code {
  return v128(Array(16).fill(value), "i8");
}

/** A vector of 16 bytes, of lanes of one type. */
export function v128(values: readonly number[], type: "f32" | "i32" | "i16" | "i8"): Code {
  return { type: "v128", bytes: [...prefixed(0x0c), ...new Uint8Array(littleEndian(values, type))] };
}

// locals and control --------------------------------------------------------------------------------------------------

export function get({ type, index }: Local): Code {
  return { type, bytes: [0x20, ...unsigned(index)] };
}

export function set(local: Local, value: Code): Code {
  return assign(local, value, 0x21, null);
}

/** Sets the local and leaves the value. */
export function tee(local: Local, value: Code): Code {
  return assign(local, value, 0x22, local.type);
}

function assign({ type, index }: Local, value: Code, opcode: number, result: ValueType | null): Code {
  if (value.type !== type) throw new TypeError(`the local is ${type}, the value ${value.type ?? "nothing"}`);
  return { type: result, bytes: [...value.bytes, opcode, ...unsigned(index)] };
}

/** One after another; only the last may leave a value. */
export function sequence(...codes: readonly Code[]): Code {
  codes.slice(0, -1).forEach(({ type }) => {
    if (type !== null) throw new TypeError(`a ${type} is left behind`);
  });
  return { type: codes.at(-1)?.type ?? null, bytes: codes.flatMap(({ bytes }) => bytes) };
}

/** Runs the body, again for as long as the condition holds. */
export function repeatWhile(condition: Code, ...body: readonly Code[]): Code {
  checkCondition(condition);
  const toStart = [0x0d, ...unsigned(0)];
  const { bytes } = statements(body);
  return { type: null, bytes: [0x03, EMPTY_BLOCK, ...bytes, ...condition.bytes, ...toStart, END] };
}

/** Runs the body if the condition holds. */
export function when(condition: Code, ...body: readonly Code[]): Code {
  checkCondition(condition);
  return { type: null, bytes: [...condition.bytes, 0x04, EMPTY_BLOCK, ...statements(body).bytes, END] };
}

function checkCondition({ type }: Code): void {
  if (type !== "i32") throw new TypeError(`a condition is an i32, got ${type ?? "nothing"}`);
}

function statements(body: readonly Code[]): Code {
  const code = sequence(...body);
  if (code.type !== null) throw new TypeError(`a ${code.type} is left behind`);
  return code;
}
