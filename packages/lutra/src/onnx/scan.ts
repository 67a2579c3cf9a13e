// Walks the wire format of an ONNX file before anything is allocated: every length fits its parent, every field has the wire type
// its schema asks for, every limit is kept. What passes here cannot make the protobuf library read past an end or exhaust memory.
// Tensor bytes are stepped over, not read.

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { AttributeProtoSchema, NodeProtoSchema } from "onnx-buf";
import { LutraError } from "../base/index.ts";
import { MAX_ATTRIBUTES, MAX_DEPTH, MAX_LIST_ITEMS, MAX_MESSAGES, MAX_NODES } from "./limits.ts";

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const GROUP = 3;
const END_GROUP = 4;
const FIXED32 = 5;

/** What the scanner needs to know of a field. */
interface Shape {
  readonly name: string;
  readonly repeated: boolean;
  /** Wire type of one value; numbers in lists may also come packed. */
  readonly wire: number;
  readonly kind: "message" | "string" | "bytes" | "number";
  readonly message: DescMessage | null;
}

/** Checks the bytes of one message of the schema. @throws LutraError "bad-model" with the path and byte of the first fault. */
export function scan(schema: DescMessage, bytes: Uint8Array): void {
  new Scanner(bytes).message(schema, bytes.length);
}

class Scanner {
  private readonly bytes: Uint8Array;
  private readonly path: string[] = [];
  private position = 0;
  private messages = 0;
  private nodes = 0;
  private items = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  message(schema: DescMessage, end: number): void {
    if (this.path.length >= MAX_DEPTH) this.fail(`messages are nested deeper than ${MAX_DEPTH}`);
    this.count(schema);
    const shapes = shapesOf(schema);
    let attributes = 0;
    while (this.position < end) {
      const tag = this.varint(end);
      const number = Math.floor(tag / 8);
      const wire = tag % 8;
      if (number === 0 || tag >= 2 ** 32) this.fail(`there is no field ${number}`);
      const shape = shapes.get(number);
      if (shape === undefined) {
        this.skip(wire, number, end, 0);
        continue;
      }
      if (shape.message === AttributeProtoSchema && ++attributes > MAX_ATTRIBUTES)
        this.fail(`a node has more than ${MAX_ATTRIBUTES} attributes`);
      this.path.push(shape.name);
      this.field(shape, wire, end);
      this.path.pop();
    }
  }

  private field(shape: Shape, wire: number, end: number): void {
    if (shape.repeated && shape.kind !== "message" && ++this.items > MAX_LIST_ITEMS) this.tooManyItems();
    const isPacked = wire === LENGTH && shape.kind === "number" && shape.repeated;
    if (isPacked) this.packed(shape.wire, this.length(end));
    else if (wire !== shape.wire) this.fail(`wire type ${wire} instead of ${shape.wire}`);
    else if (shape.message !== null) this.message(shape.message, this.length(end));
    else if (shape.kind === "string") this.text(this.length(end));
    else this.skip(wire, 0, end, 0);
  }

  /** A list of numbers in one field. */
  private packed(wire: number, end: number): void {
    if (wire === VARINT) {
      while (this.position < end) {
        this.varint(end);
        if (++this.items > MAX_LIST_ITEMS) this.tooManyItems();
      }
      return;
    }
    const width = wire === FIXED32 ? 4 : 8;
    const size = end - this.position;
    if (size % width !== 0) this.fail(`a list of ${width}-byte numbers has ${size} bytes`);
    this.items += size / width;
    if (this.items > MAX_LIST_ITEMS) this.tooManyItems();
    this.position = end;
  }

  private skip(wire: number, number: number, end: number, depth: number): void {
    if (wire === VARINT) this.varint(end);
    else if (wire === FIXED64) this.advance(8, end);
    else if (wire === LENGTH) this.position = this.length(end);
    else if (wire === FIXED32) this.advance(4, end);
    else if (wire === GROUP) this.group(number, end, depth);
    else this.fail(`wire type ${wire} cannot start a field`);
  }

  private group(number: number, end: number, depth: number): void {
    if (this.path.length + depth + 1 >= MAX_DEPTH) this.fail(`groups are nested deeper than ${MAX_DEPTH}`);
    for (;;) {
      const tag = this.varint(end);
      if (tag === number * 8 + END_GROUP) return;
      if (tag < 8 || tag >= 2 ** 32) this.fail(`there is no field ${Math.floor(tag / 8)}`);
      this.skip(tag % 8, Math.floor(tag / 8), end, depth + 1);
    }
  }

  /** Reads a length and returns where that many bytes end. */
  private length(end: number): number {
    const size = this.varint(end);
    const start = this.position;
    this.advance(size, end);
    this.position = start;
    return start + size;
  }

  private advance(size: number, end: number): void {
    if (this.position + size > this.bytes.length)
      this.fail(`the file ends at byte ${this.bytes.length} where ${size} more bytes are announced`, "truncated");
    if (this.position + size > end) this.fail(`a field of ${size} bytes is longer than what contains it`);
    this.position += size;
  }

  private varint(end: number): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.position >= end) this.advance(1, end);
      const byte = this.bytes[this.position++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return this.fail("an integer has more than 10 bytes");
  }

  /** The library would replace what is not UTF-8, and the file would no longer be written as it was read. */
  private text(end: number): void {
    let start = this.position;
    while (start < end && this.bytes[start] < 0x80) start++;
    if (start < end) {
      try {
        new TextDecoder("utf-8", { fatal: true }).decode(this.bytes.subarray(start, end));
      } catch {
        this.fail("a text is not UTF-8");
      }
    }
    this.position = end;
  }

  private count(schema: DescMessage): void {
    if (++this.messages > MAX_MESSAGES) this.fail(`there are more than ${MAX_MESSAGES} messages`);
    if (schema === NodeProtoSchema && ++this.nodes > MAX_NODES) this.fail(`there are more than ${MAX_NODES} nodes`);
  }

  private tooManyItems(): never {
    return this.fail(
      `there are more than ${MAX_LIST_ITEMS} numbers in lists`,
      "damaged",
      "Save large tensors as raw_data (onnx.save does) or as external data.",
    );
  }

  private fail(what: string, how = "damaged", note?: string): never {
    const where = `byte ${this.position}${this.path.length === 0 ? "" : `, in ${this.path.join(".")}`}`;
    throw new LutraError("bad-model", `the model is ${how}: ${what}`, {
      where,
      note: note ?? "Fetch or export the file again.",
    });
  }
}

const shapeCache = new WeakMap<DescMessage, ReadonlyMap<number, Shape>>();

function shapesOf(schema: DescMessage): ReadonlyMap<number, Shape> {
  let shapes = shapeCache.get(schema);
  if (shapes === undefined) {
    shapes = new Map(schema.fields.map((field) => [field.number, shapeOf(field)]));
    shapeCache.set(schema, shapes);
  }
  return shapes;
}

function shapeOf(field: DescField): Shape {
  const base = { name: field.name, repeated: field.fieldKind === "list" };
  const message = field.message ?? null;
  if (message !== null) return { ...base, message, kind: "message", wire: LENGTH };
  const scalar = field.fieldKind === "map" ? undefined : field.scalar;
  if (scalar === ScalarType.STRING) return { ...base, message, kind: "string", wire: LENGTH };
  if (scalar === ScalarType.BYTES) return { ...base, message, kind: "bytes", wire: LENGTH };
  if (scalar === ScalarType.FLOAT) return { ...base, message, kind: "number", wire: FIXED32 };
  if (scalar === ScalarType.DOUBLE) return { ...base, message, kind: "number", wire: FIXED64 };
  return { ...base, message, kind: "number", wire: VARINT };
}
