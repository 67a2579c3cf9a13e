// Model to bytes, as chunks in order. Small messages are encoded by the protobuf library; messages that hold large tensors are taken
// apart here, so that raw_data is passed on as it was read and never copied. Fields keep the order of their numbers, unknown fields last.

import { create, type DescField, type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import type { Model } from "./types.ts";

/** Bytes fields from this size on become chunks of their own. */
const LARGE_BYTES: number = 2 ** 16;

/** The file's bytes in order; their concatenation is the ONNX file. Large tensors are views of what readModel was given. */
export function writeModel(model: Model): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  encode(ModelProtoSchema, model.proto, pieces);
  return mergeSmall(pieces);
}

/** Appends the encoding of a message and returns its length. */
function encode(schema: DescMessage, message: Message, pieces: Uint8Array[]): number {
  if (!holdsLarge(schema, message)) return append(pieces, toBinary(schema, message));
  let total = 0;
  for (const field of inWireOrder(schema)) {
    const value = membersOf(message)[field.localName];
    if (value === undefined || !Object.hasOwn(message, field.localName)) continue;
    if (field.message !== undefined && field.fieldKind !== "map") {
      const children = (field.fieldKind === "list" ? value : [value]) as readonly Message[];
      for (const child of children) total += encodeChild(field, field.message, child, pieces);
    } else if (isLarge(value)) {
      total += append(pieces, prefix(field.number, value.length)) + append(pieces, value);
    } else {
      total += append(pieces, toBinary(schema, only(schema, field, value)));
    }
  }
  return total + append(pieces, toBinary(schema, unknownOf(schema, message)));
}

function encodeChild(field: DescField, schema: DescMessage, child: Message, pieces: Uint8Array[]): number {
  const inner: Uint8Array[] = [];
  const length = encode(schema, child, inner);
  const total = append(pieces, prefix(field.number, length)) + length;
  for (const piece of inner) pieces.push(piece);
  return total;
}

/** Whether some bytes field in the message, at any depth, is large. Only these kinds of message can lead to a tensor. */
function holdsLarge(schema: DescMessage, message: Message): boolean {
  const members = membersOf(message);
  return carriersOf(schema).some((field) => {
    const value = members[field.localName];
    if (field.message === undefined)
      return field.fieldKind === "list" ? (value as unknown[]).some(isLarge) : isLarge(value);
    const child = field.message;
    if (field.fieldKind === "list") return (value as readonly Message[]).some((item) => holdsLarge(child, item));
    return value !== undefined && holdsLarge(child, value as Message);
  });
}

const carriers = new WeakMap<DescMessage, readonly DescField[]>();

/** Fields through which a message can hold bytes: bytes themselves, and messages that can. */
function carriersOf(schema: DescMessage): readonly DescField[] {
  const known = carriers.get(schema);
  if (known !== undefined) return known;
  const reaches = (start: DescMessage, seen: Set<DescMessage>): boolean =>
    !seen.has(start) &&
    start.fields.some((field) =>
      field.message === undefined ? field.name === "raw_data" : reaches(field.message, seen.add(start)),
    );
  const found = schema.fields.filter((field) =>
    field.message === undefined ? field.name === "raw_data" : reaches(field.message, new Set()),
  );
  carriers.set(schema, found);
  return found;
}

function isLarge(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length >= LARGE_BYTES;
}

function inWireOrder(schema: DescMessage): readonly DescField[] {
  return [...schema.fields].sort((a, b) => a.number - b.number);
}

/** A message with one field of the original, so that the library encodes just that. */
function only(schema: DescMessage, field: DescField, value: unknown): Message {
  return Object.assign(create(schema), { [field.localName]: value });
}

function unknownOf(schema: DescMessage, message: Message): Message {
  return message.$unknown === undefined
    ? create(schema)
    : Object.assign(create(schema), { $unknown: message.$unknown });
}

function membersOf(message: Message): Readonly<Record<string, unknown>> {
  return message as unknown as Readonly<Record<string, unknown>>;
}

/** Tag and length of a length-delimited field. */
function prefix(fieldNumber: number, length: number): Uint8Array {
  return Uint8Array.from([...varint(fieldNumber * 8 + 2), ...varint(length)]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function append(pieces: Uint8Array[], bytes: Uint8Array): number {
  if (bytes.length > 0) pieces.push(bytes);
  return bytes.length;
}

/** Joins neighbouring small pieces, so that a caller writes few chunks; large ones stay as they are. */
function mergeSmall(pieces: readonly Uint8Array[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  const flush = (): void => {
    if (run.length > 0) chunks.push(concatenate(run));
    run = [];
  };
  for (const piece of pieces) {
    if (piece.length < LARGE_BYTES) run.push(piece);
    else {
      flush();
      chunks.push(piece);
    }
  }
  flush();
  return chunks;
}

/** One array of all chunks: a copy, for callers that need the file in one piece. */
export function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((total, chunk) => total + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
