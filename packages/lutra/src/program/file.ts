// A program as a file, NAME.lutra, little-endian:
//   8 bytes "LUTRA\x1a\n\0", then u32: version, length of the header, CRC-32 of the header, CRC-32 of the data, length of the data, of the module
//   the header, as pack-json.ts has it: the program with its kernels once each, and of the constants names and bytes of each number
//   zeros up to a multiple of 64, then the constants, placed as constants.ts has it
//   the module, if any: u32 CRC-32 of what follows, then the CRC-32 of header and data once more, and what a runner made of them beforehand.
//   It says what the program says, but is code: whoever loads a file with one trusts its writer as one trusts a script
// Reading copies no large constant: these are views into the bytes given, which must begin at a multiple of 64 bytes of their buffer.

import { type Json, LutraError, toJson } from "../base/index.ts";
import type { Kernel } from "../kernel/index.ts";
import { ALIGNMENT, countedLength, isWidth, layOut, restored, type Stored, store, storedForm } from "./constants.ts";
import { crc32 } from "./crc32.ts";
import { packJson } from "./pack-json.ts";
import { PROGRAM, parseKernelAt, parseProgram } from "./parse.ts";
import { largest, product } from "./sizes.ts";
import type { Codes, Program, Step } from "./types.ts";
import { unpackJson } from "./unpack-json.ts";
import { verify } from "./verify.ts";

const MAGIC = Uint8Array.of(0x4c, 0x55, 0x54, 0x52, 0x41, 0x1a, 0x0a, 0x00);
const VERSION = 1;
const PREFIX_BYTES = 32;
/** Limits of the reader: what a file says is checked against them before anything is made of it. */
const MOST_HEADER_BYTES = 2 ** 26;
const MOST_DATA_BYTES = 2 ** 32 - 1;
/** Numbers of constants that are nowhere in the file. */
const MOST_COUNTED = 2 ** 20;
const MOST_MODULE_BYTES = 2 ** 26;
const FIELDS = { version: 8, headerBytes: 12, headerSum: 16, dataSum: 20, dataBytes: 24, moduleBytes: 28 } as const;
const SUM_BYTES = 4;
/** Before the module itself: the sums of what follows, of the header and of the data. */
const MODULE_HEAD_BYTES = 3 * SUM_BYTES;

/**
 * The file's bytes: the same for equal programs.
 * @param module what a runner made of the program, for whoever loads the file: programFile makes it
 * @throws LutraError "infeasible" beyond 4 GiB of constants
 */
export function writeProgram(program: Program, module?: Uint8Array): Uint8Array<ArrayBuffer> {
  verify(program);
  const names = Object.keys(program.constants);
  const stored = names.map((name) => storedForm(name, program.constants[name] as Codes));
  const { placed, length } = layOut(stored);
  const header = packJson(headerOf(program, stored));
  if (length > MOST_DATA_BYTES) throw new LutraError("infeasible", `a program of ${length} bytes is over 4 GiB`);
  const dataStart = aligned(PREFIX_BYTES + header.length);
  const dataEnd = dataStart + length;
  const bytes = new Uint8Array(dataEnd + (module === undefined ? 0 : MODULE_HEAD_BYTES + module.length));
  const data = bytes.subarray(dataStart, dataEnd);
  bytes.set(MAGIC);
  bytes.set(header, PREFIX_BYTES);
  for (const one of placed) store(program.constants[one.name] as Codes, one, data);
  const view = new DataView(bytes.buffer);
  view.setUint32(FIELDS.version, VERSION, true);
  view.setUint32(FIELDS.headerBytes, header.length, true);
  view.setUint32(FIELDS.headerSum, crc32(header), true);
  view.setUint32(FIELDS.dataSum, crc32(data), true);
  view.setUint32(FIELDS.dataBytes, length, true);
  if (module !== undefined) {
    view.setUint32(FIELDS.moduleBytes, MODULE_HEAD_BYTES + module.length, true);
    view.setUint32(dataEnd + SUM_BYTES, view.getUint32(FIELDS.headerSum, true), true);
    view.setUint32(dataEnd + 2 * SUM_BYTES, view.getUint32(FIELDS.dataSum, true), true);
    bytes.set(module, dataEnd + MODULE_HEAD_BYTES);
    view.setUint32(dataEnd, crc32(bytes.subarray(dataEnd + SUM_BYTES)), true);
  }
  return bytes;
}

/** What a runner made of the program in a file that readProgram reads; null where there is nothing, or what is there is of another program. */
export function moduleIn(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint32(FIELDS.moduleBytes, true);
  if (length === 0) return null;
  const start = bytes.length - length;
  const isOwn =
    view.getUint32(start + SUM_BYTES, true) === view.getUint32(FIELDS.headerSum, true) &&
    view.getUint32(start + 2 * SUM_BYTES, true) === view.getUint32(FIELDS.dataSum, true);
  return isOwn ? bytes.subarray(start + MODULE_HEAD_BYTES) : null;
}

function headerOf({ blocks, constants, ...rest }: Program, stored: readonly Stored[]): unknown {
  const kernels: Kernel[] = [];
  const numbers = new Map<Kernel | string, number>();
  const numberOf = (kernel: Kernel): number => {
    const known = numbers.get(kernel);
    if (known !== undefined) return known;
    const text = toJson(kernel);
    const number = numbers.get(text) ?? kernels.push(kernel) - 1;
    numbers.set(kernel, number).set(text, number);
    return number;
  };
  const step = (one: Step): unknown => ("kernel" in one ? { ...one, kernel: numberOf(one.kernel) } : one);
  const named = blocks.map(({ name, steps }) => ({ name, steps: steps.map(step) }));
  return {
    program: { ...rest, blocks: named },
    kernels,
    constants: Object.fromEntries(stored.map(({ name, width }) => [name, width])),
  };
}

/**
 * The program in a file's bytes, verified.
 * @throws LutraError "bad-model": no such file, of another version, damaged, or breaking a rule of programs
 */
export function readProgram(bytes: Uint8Array<ArrayBuffer>): Program {
  const { header, data } = sections(bytes);
  const members = PROGRAM.object(unpacked(header), "header");
  const kernels = PROGRAM.array(members.kernels, "kernels").map((kernel, i) => parseKernelAt(kernel, `kernels[${i}]`));
  const rest = parseProgram(members.program ?? null, kernels);
  const program = { ...rest, constants: constantsOf(members.constants, rest.tensors, data) };
  try {
    verify(program);
  } catch (cause) {
    if (cause instanceof LutraError) throw cause;
    throw new LutraError("bad-model", `not a valid program: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  return program;
}

function constantsOf(
  json: Json | undefined,
  tensors: Program["tensors"],
  data: Uint8Array<ArrayBuffer>,
): Record<string, Codes> {
  const stored = Object.entries(PROGRAM.object(json, "constants")).map(([name, bytes]): Stored => {
    const where = `constants.${name}`;
    const type = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (type === undefined) throw PROGRAM.fault(where, "is not declared");
    if (type.shape.some((size) => typeof size !== "number")) throw PROGRAM.fault(where, "its shape is in numbers");
    const length = largest(product(type.shape), []);
    const one = { name, lane: type.lane, length, width: PROGRAM.integer(bytes, where, 0, 4) };
    if (!isWidth(one)) throw PROGRAM.fault(where, `${length} numbers of ${type.lane} have no ${one.width} bytes each`);
    return one;
  });
  if (countedLength(stored) > MOST_COUNTED) throw PROGRAM.fault("constants", `more than ${MOST_COUNTED} numbers count`);
  const { placed, length } = layOut(stored);
  if (length !== data.length) throw PROGRAM.fault("constants", `they have ${length} bytes, the data ${data.length}`);
  return Object.fromEntries(placed.map((one) => [one.name, restored(one, data)]));
}

/** @throws LutraError "bad-model" */
function sections(bytes: Uint8Array<ArrayBuffer>): {
  readonly header: Uint8Array;
  readonly data: Uint8Array<ArrayBuffer>;
} {
  const bad = (message: string, note?: string): LutraError =>
    new LutraError("bad-model", message, note === undefined ? {} : { note });
  if (bytes.length < PREFIX_BYTES || MAGIC.some((byte, i) => bytes[i] !== byte)) throw bad("not a lutra program");
  if (bytes.byteOffset % ALIGNMENT !== 0) throw new RangeError(`the bytes begin at a multiple of ${ALIGNMENT}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX_BYTES);
  const field = (name: keyof typeof FIELDS): number => view.getUint32(FIELDS[name], true);
  if (field("version") !== VERSION) {
    throw bad(`the program has version ${field("version")} of the format`, `this lutra reads version ${VERSION}`);
  }
  const headerBytes = field("headerBytes");
  const dataBytes = field("dataBytes");
  if (headerBytes > MOST_HEADER_BYTES)
    throw bad(`a header of ${headerBytes} bytes is over the limit of ${MOST_HEADER_BYTES}`);
  const moduleBytes = field("moduleBytes");
  if (moduleBytes > MOST_MODULE_BYTES || (moduleBytes > 0 && moduleBytes < MODULE_HEAD_BYTES))
    throw bad(`a module of ${moduleBytes} bytes is outside the limits of ${MODULE_HEAD_BYTES} to ${MOST_MODULE_BYTES}`);
  const dataStart = aligned(PREFIX_BYTES + headerBytes);
  const dataEnd = dataStart + dataBytes;
  if (bytes.length !== dataEnd + moduleBytes)
    throw bad(`the file has ${bytes.length} bytes instead of ${dataEnd + moduleBytes}`);
  const header = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes);
  const data = bytes.subarray(dataStart, dataEnd);
  const gap = bytes.subarray(PREFIX_BYTES + headerBytes, dataStart);
  const isWhole =
    crc32(header) === field("headerSum") &&
    crc32(data) === field("dataSum") &&
    gap.every((byte) => byte === 0) &&
    (moduleBytes === 0 || isModuleWhole(bytes.subarray(dataEnd)));
  if (!isWhole) throw bad("the file is damaged: its checksums differ");
  return { header, data };
}

function isModuleWhole(section: Uint8Array): boolean {
  const sum = new DataView(section.buffer, section.byteOffset, SUM_BYTES).getUint32(0, true);
  return crc32(section.subarray(SUM_BYTES)) === sum;
}

function unpacked(header: Uint8Array): Json {
  try {
    return unpackJson(header);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw PROGRAM.fault("header", cause.message);
  }
}

function aligned(at: number): number {
  return Math.ceil(at / ALIGNMENT) * ALIGNMENT;
}
