// A program as a file, NAME.lutra, little-endian:
//   8 bytes "LUTRA\x1a\n\0", then u32: version, length of the header, CRC-32 of the header, CRC-32 of the data, length of the data, 0
//   the header: JSON with the kernels once each; lists of 16 and more integers are in the data, as {"codes": [lane, offset, length]}
//   zeros up to a multiple of 64, then the data, each list at a multiple of 64
// Reading copies nothing: constants are views into the bytes given, which must begin at a multiple of 64 bytes of their buffer.

import { fromJson, type Json, LutraError, toJson } from "../base/index.ts";
import { type CodesList, PackedCodes } from "./codes-list.ts";
import { crc32 } from "./crc32.ts";
import { PROGRAM, parseProgram } from "./parse.ts";
import type { Codes, Program, Step } from "./types.ts";
import { verify } from "./verify.ts";

const MAGIC = Uint8Array.of(0x4c, 0x55, 0x54, 0x52, 0x41, 0x1a, 0x0a, 0x00);
const VERSION = 1;
const PREFIX_BYTES = 32;
const ALIGNMENT = 64;
/** Limits of the reader: what a file says is checked against them before anything is made of it. */
const MOST_HEADER_BYTES = 2 ** 26;
const MOST_DATA_BYTES = 2 ** 32 - 1;
const FIELDS = { version: 8, headerBytes: 12, headerSum: 16, dataSum: 20, dataBytes: 24 } as const;

/** The file's bytes: the same for equal programs. @throws LutraError "infeasible" beyond 4 GiB of constants */
export function writeProgram(program: Program): Uint8Array<ArrayBuffer> {
  verify(program);
  const data = new PackedCodes(ALIGNMENT);
  const header = new TextEncoder().encode(toJson(headerOf(program, data)));
  if (data.length > MOST_DATA_BYTES)
    throw new LutraError("infeasible", `a program of ${data.length} bytes is over 4 GiB`);
  const dataStart = aligned(PREFIX_BYTES + header.length);
  const bytes = new Uint8Array(dataStart + data.length);
  bytes.set(MAGIC);
  bytes.set(header, PREFIX_BYTES);
  data.copyTo(bytes.subarray(dataStart));
  const view = new DataView(bytes.buffer);
  view.setUint32(FIELDS.version, VERSION, true);
  view.setUint32(FIELDS.headerBytes, header.length, true);
  view.setUint32(FIELDS.headerSum, crc32(header), true);
  view.setUint32(FIELDS.dataSum, crc32(bytes.subarray(dataStart)), true);
  view.setUint32(FIELDS.dataBytes, data.length, true);
  return bytes;
}

function headerOf({ blocks, constants, ...rest }: Program, data: PackedCodes): unknown {
  const kernels: unknown[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (kernel: unknown): number => {
    const text = toJson(kernel);
    const known = numbers.get(text);
    if (known !== undefined) return known;
    kernels.push(data.pack(fromJson(text)));
    numbers.set(text, kernels.length - 1);
    return kernels.length - 1;
  };
  const step = (one: Step): unknown => ("kernel" in one ? { ...one, kernel: numberOf(one.kernel) } : one);
  return {
    program: { ...rest, blocks: blocks.map(({ name, steps }) => ({ name, steps: steps.map(step) })) },
    kernels,
    constants: Object.fromEntries(
      Object.keys(constants)
        .sort()
        .map((name) => [name, data.add(constants[name] as Codes)]),
    ),
  };
}

/**
 * The program in a file's bytes, verified.
 * @throws LutraError "bad-model": no such file, of another version, damaged, or breaking a rule of programs
 */
export function readProgram(bytes: Uint8Array<ArrayBuffer>): Program {
  const { header, data } = sections(bytes);
  const members = PROGRAM.object(parseText(header), "header");
  const list: CodesList = { bytes: data, left: data.length, fault: PROGRAM.fault };
  const kernels = PROGRAM.array(members.kernels, "kernels").map((kernel, i) =>
    PackedCodes.unpack(kernel, list, `kernels[${i}]`),
  );
  const constants: Record<string, Codes> = {};
  for (const [name, json] of Object.entries(PROGRAM.object(members.constants, "constants"))) {
    constants[name] = PackedCodes.view(json, list, `constants.${name}`);
  }
  const program = { ...parseProgram(withKernels(members.program ?? null, kernels)), constants };
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

function withKernels(json: Json, kernels: readonly Json[]): Json {
  const program = PROGRAM.object(json, "program");
  const blocks = PROGRAM.array(program.blocks, "blocks").map((block, b) => {
    const members = PROGRAM.object(block, `blocks[${b}]`);
    const steps = PROGRAM.array(members.steps, `blocks[${b}].steps`).map((step, i) => {
      const where = `blocks[${b}].steps[${i}]`;
      const fields = PROGRAM.object(step, where);
      if (fields.kernel === undefined) return fields;
      const at = PROGRAM.integer(fields.kernel, `${where}.kernel`, 0, kernels.length - 1);
      return { ...fields, kernel: kernels[at] as Json };
    });
    return { ...members, steps };
  });
  return { ...program, blocks };
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
  const dataStart = aligned(PREFIX_BYTES + headerBytes);
  if (bytes.length !== dataStart + dataBytes)
    throw bad(`the file has ${bytes.length} bytes instead of ${dataStart + dataBytes}`);
  const header = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerBytes);
  const data = bytes.subarray(dataStart);
  const gaps = [
    ...bytes.subarray(FIELDS.dataBytes + 4, PREFIX_BYTES),
    ...bytes.subarray(PREFIX_BYTES + headerBytes, dataStart),
  ];
  const isWhole =
    crc32(header) === field("headerSum") && crc32(data) === field("dataSum") && gaps.every((byte) => byte === 0);
  if (!isWhole) throw bad("the file is damaged: its checksums differ");
  return { header, data };
}

function parseText(header: Uint8Array): Json {
  try {
    return fromJson(new TextDecoder("utf-8", { fatal: true }).decode(header));
  } catch (cause) {
    throw new LutraError("bad-model", "not a valid program: the header is no JSON", { cause });
  }
}

function aligned(at: number): number {
  return Math.ceil(at / ALIGNMENT) * ALIGNMENT;
}
