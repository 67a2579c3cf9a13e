// Functions and modules as bytes: one memory, exported or imported, functions, constant i32 globals, data segments. Sections in the order that the
// specification demands (5.5). Nothing here knows what is computed.

import { bytesOf, type Code, i32, type Local, sequence, type ValueType, writeCode } from "./assembler.ts";
import { text, unsigned, vector } from "./assembler-bytes.ts";

const PAGE_BYTES = 65536;
const MOST_PAGES = 65536;
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const TYPE_CODES: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };
const SECTIONS = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  code: 10,
  data: 11,
} as const;
const KINDS = { function: 0, memory: 2, global: 3 } as const;
const END = 0x0b;

/** A function in the making: its parameters are its first locals. */
export class FunctionBuilder {
  readonly parameters: readonly Local[];
  readonly result: ValueType | null;
  readonly #locals: ValueType[] = [];

  constructor(parameters: readonly ValueType[], result: ValueType | null) {
    this.parameters = parameters.map((type, index) => ({ type, index }));
    this.result = result;
  }

  /** A new local, 0 until it is set. */
  local(type: ValueType): Local {
    this.#locals.push(type);
    return { type, index: this.parameters.length + this.#locals.length - 1 };
  }

  /** @throws TypeError if the body leaves something else than the result */
  finish(...body: readonly Code[]): FunctionDefinition {
    const code = sequence(...body);
    if (code.type !== this.result) {
      throw new TypeError(`the function gives ${this.result ?? "nothing"}, its body ${code.type ?? "nothing"}`);
    }
    const locals = vector(this.#locals.map((type) => [1, TYPE_CODES[type]]));
    const length = locals.length + code.length + 1;
    const head = [...unsigned(length), ...locals];
    const bytes = new Uint8Array(head.length + code.length + 1);
    bytes.set(head);
    bytes[writeCode(code, bytes, head.length)] = END;
    const result = this.result === null ? [] : [[TYPE_CODES[this.result]]];
    return {
      type: [0x60, ...vector(this.parameters.map(({ type }) => [TYPE_CODES[type]])), ...vector(result)],
      body: bytes,
    };
  }
}

export interface FunctionDefinition {
  readonly type: readonly number[];
  readonly body: Uint8Array;
}

export interface DataSegment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface ModuleParts {
  /** By the names they are exported under. */
  readonly functions: Readonly<Record<string, FunctionDefinition>>;
  /** Runs once when the module is made; nothing if absent. */
  readonly start?: FunctionDefinition;
  /** Exported i32 constants, from -2^31 to 2^32 - 1. */
  readonly globals: Readonly<Record<string, number>>;
  readonly data: readonly DataSegment[];
  /** Size of the memory at first; grown to hold the data. */
  readonly memoryBytes: number;
  /** The memory is imported as "memory" from that module; absent, the module has one of its own and exports it. */
  readonly importedMemory?: { readonly module: string; readonly isShared: boolean };
}

/** The binary module. */
export function assemble(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const { functions, start, globals, data, memoryBytes, importedMemory } = parts;
  const all = [...Object.values(functions), ...(start === undefined ? [] : [start])];
  const end = data.reduce((most, { address, bytes }) => Math.max(most, address + bytes.length), memoryBytes);
  const pages = unsigned(Math.ceil(end / PAGE_BYTES));
  const isOwn = importedMemory === undefined;
  const exports = [
    ...(isOwn ? [[...text("memory"), KINDS.memory, 0]] : []),
    ...Object.keys(functions).map((name, i) => [...text(name), KINDS.function, ...unsigned(i)]),
    ...Object.keys(globals).map((name, i) => [...text(name), KINDS.global, ...unsigned(i)]),
  ];
  const constants = Object.values(globals).map((value) => [TYPE_CODES.i32, 0, ...bytesOf(i32(value)), END]);
  const small = [
    ...HEADER,
    ...section("type", vector(all.map(({ type }) => type))),
    ...(isOwn ? [] : section("import", vector([memoryImport(importedMemory, pages)]))),
    ...section("function", vector(all.map((_, i) => unsigned(i)))),
    ...(isOwn ? section("memory", vector([[0, ...pages]])) : []),
    ...section("global", vector(constants)),
    ...section("export", vector(exports)),
    ...(start === undefined ? [] : section("start", unsigned(all.length - 1))),
  ];
  return concatenated([Uint8Array.from(small), ...codeSection(all.map(({ body }) => body)), ...dataSection(data)]);
}

/** A shared memory has limits that its declaration must name. */
function memoryImport(from: NonNullable<ModuleParts["importedMemory"]>, pages: readonly number[]): readonly number[] {
  const limits = from.isShared ? [0x03, ...pages, ...unsigned(MOST_PAGES)] : [0x00, ...pages];
  return [...text(from.module), ...text("memory"), KINDS.memory, ...limits];
}

function section(name: keyof typeof SECTIONS, content: readonly number[]): number[] {
  return [SECTIONS[name], ...unsigned(content.length), ...content];
}

/** In chunks: functions may be long. */
function codeSection(bodies: readonly Uint8Array[]): readonly Uint8Array[] {
  return [sectionHead("code", bodies, bodies.length), ...bodies];
}

/** The head of a section of so many elements, whose bytes are the chunks. */
function sectionHead(name: keyof typeof SECTIONS, chunks: readonly Uint8Array[], elements: number): Uint8Array {
  const count = unsigned(elements);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, count.length);
  return Uint8Array.from([SECTIONS[name], ...unsigned(length), ...count]);
}

/** The data section in chunks: tables may be long. */
function dataSection(data: readonly DataSegment[]): Uint8Array[] {
  const heads = data.map(({ address, bytes }) =>
    Uint8Array.from([0, ...bytesOf(i32(address)), END, ...unsigned(bytes.length)]),
  );
  const segments = data.flatMap(({ bytes }, i) => [heads[i] as Uint8Array, bytes]);
  return [sectionHead("data", segments, data.length), ...segments];
}

/** The module with a section at its end that says something about it and does nothing: UTF-8 text under a name. */
export function withCustomSection(
  module: Uint8Array<ArrayBuffer>,
  name: string,
  content: string,
): Uint8Array<ArrayBuffer> {
  const body = Uint8Array.from([...text(name), ...new TextEncoder().encode(content)]);
  return concatenated([module, Uint8Array.from([SECTIONS.custom, ...unsigned(body.length)]), body]);
}

function concatenated(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
