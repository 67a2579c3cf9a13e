// JSON in few bytes: every text once, lists of keys once, equal parts once. What a program's file keeps its header in.
//
//   packed  = texts shapes shared root      each of the first three a count and its elements
//   text    = kept, length, UTF-8           behind `kept` bytes of the text before; the most frequent first, then the others in order
//   shape   = count, numbers of texts       the keys of an object, sorted
//   shared  = node                          which later nodes name by its number
//   node    = 00-3f                         an integer from 0 to 63
//             40-7e, 7f shape               an object: its values in the order of the keys
//             80-df, e0-ef byte, f0 number  a text: the first 96, the next 4096, any
//             f1 number                     a shared node
//             f2 f3 f4                      null, false, true
//             f5 zigzag                     an integer of at most 2^51 in size
//             f6 8 bytes                    binary64
//             f7 count nodes, f9-ff nodes   an array, of 0 to 6 elements
//             f8 count kind numbers         an array of integers: a lane's, little-endian, or 6, first and step (zigzag)
//
// Numbers without a name are LEB128, zigzag those with a sign.

import { LANE_ARRAYS } from "../kernel/index.ts";
import { narrowestLane, spanOf, TENSOR_LANES } from "./lanes.ts";

/** First bytes of nodes, as above; ranges by their first. */
export const NODES = {
  object: 0x40,
  longObject: 0x7f,
  text: 0x80,
  mediumText: 0xe0,
  longText: 0xf0,
  shared: 0xf1,
  simple: 0xf2,
  integer: 0xf5,
  float: 0xf6,
  array: 0xf7,
  list: 0xf8,
  shortArray: 0xf9,
} as const;
/** In the order of their bytes. */
export const SIMPLE: readonly [null, false, true] = [null, false, true];
export const SHORT_TEXTS: number = NODES.mediumText - NODES.text;
const MEDIUM_TEXTS = 2 ** 12;
const MOST_SHORT = 0xff - NODES.shortArray;
/** The kind of a list that is no lane's. */
export const PROGRESSION: number = TENSOR_LANES.length;
/** So that twice as much is exact; others are binary64. */
const LARGEST_INTEGER = 2 ** 51;
/** Shorter arrays of integers are arrays. */
const SHORTEST_LIST = 8;
/** Parts of fewer bytes are not worth a number. */
const LEAST_SHARED_BYTES = 5;

/** A part of the JSON, equal ones being one object. */
interface Node {
  /** Its bytes, and the nodes between them. */
  readonly parts: readonly (Node | number | Text | Shape)[];
  /** In how many places of other nodes it is. */
  uses: number;
  /** Its bytes, where shared nodes are by number. */
  size: number;
  /** Its number among the shared ones; -1 for others. */
  number: number;
}

interface Text {
  readonly text: string;
  uses: number;
  number: number;
}

interface Shape {
  readonly keys: readonly Text[];
  readonly number: number;
}

/**
 * The bytes of plain data: the same for equal data, whatever the order of keys. Undefined members are dropped, typed arrays become arrays.
 * @throws TypeError for NaN and what JSON has no form for
 */
export function packJson(value: unknown): Uint8Array {
  return new Packer().pack(value);
}

class Packer {
  readonly #nodes = new Map<string, Node>();
  readonly #numbers = new Map<Node, number>();
  readonly #texts = new Map<string, Text>();
  readonly #shapes = new Map<string, Shape>();

  pack(value: unknown): Uint8Array {
    const root = this.#node(value);
    const texts = this.#numberedTexts();
    const shared = this.#shared();
    const out = new Bytes();
    out.number(texts.length);
    out.texts(texts.map(({ text }) => text));
    out.number(this.#shapes.size);
    for (const { keys } of this.#shapes.values()) {
      out.number(keys.length);
      for (const { number } of keys) out.number(number);
    }
    out.number(shared.length);
    for (const node of shared) this.#write(node, out, true);
    this.#write(root, out, true);
    return out.taken();
  }

  #numberedTexts(): readonly Text[] {
    const inOrder = (a: Text, b: Text): number => (a.text < b.text ? -1 : 1);
    const texts = [...this.#texts.values()].sort((a, b) => b.uses - a.uses || inOrder(a, b));
    const numbered = [...texts.slice(0, SHORT_TEXTS), ...texts.slice(SHORT_TEXTS).sort(inOrder)];
    numbered.forEach((text, number) => {
      text.number = number;
    });
    return numbered;
  }

  /** Numbers what is worth it, in order: the parts of a node come before it. */
  #shared(): readonly Node[] {
    const shared: Node[] = [];
    for (const node of this.#nodes.values()) {
      node.size = node.parts.reduce<number>((sum, part) => sum + sizeOf(part), 0);
      if (node.uses > 1 && node.size >= LEAST_SHARED_BYTES) {
        node.number = shared.length;
        shared.push(node);
      }
    }
    return shared;
  }

  #write(node: Node, out: Bytes, isWhole = false): void {
    if (node.number >= 0 && !isWhole) {
      out.byte(NODES.shared);
      out.number(node.number);
      return;
    }
    for (const part of node.parts) {
      if (typeof part === "number") out.byte(part);
      else if ("parts" in part) this.#write(part, out);
      else if ("keys" in part) writeShape(part.number, out);
      else writeText(part.number, out);
    }
  }

  #node(value: unknown): Node {
    if (typeof value === "number") return this.#made(numberBytes(value));
    if (typeof value === "string") return this.#made([this.#text(value)]);
    if (value === null || typeof value === "boolean") return this.#made([NODES.simple + SIMPLE.indexOf(value as null)]);
    if (Array.isArray(value) || ArrayBuffer.isView(value)) return this.#array(Array.from(value as ArrayLike<unknown>));
    if (typeof value === "object") return this.#object(value as Readonly<Record<string, unknown>>);
    throw new TypeError(`a ${typeof value} has no JSON form`);
  }

  #array(items: readonly unknown[]): Node {
    const list = listBytes(items);
    if (list !== null) return this.#made(list);
    const head =
      items.length <= MOST_SHORT ? [NODES.shortArray + items.length] : [NODES.array, ...leb128(items.length)];
    return this.#made([...head, ...items.map((item) => this.#used(item))]);
  }

  #object(members: Readonly<Record<string, unknown>>): Node {
    const names = Object.keys(members)
      .filter((name) => members[name] !== undefined)
      .sort();
    const key = JSON.stringify(names);
    const shape = this.#shapes.get(key) ?? { keys: names.map((name) => this.#text(name)), number: this.#shapes.size };
    this.#shapes.set(key, shape);
    return this.#made([shape, ...names.map((name) => this.#used(members[name]))]);
  }

  #used(value: unknown): Node {
    const node = this.#node(value);
    node.uses++;
    return node;
  }

  #text(text: string): Text {
    const known = this.#texts.get(text) ?? { text, uses: 0, number: 0 };
    known.uses++;
    this.#texts.set(text, known);
    return known;
  }

  #made(parts: Node["parts"]): Node {
    const key = parts
      .map((part) => {
        if (typeof part === "number") return part;
        if ("parts" in part) return `n${this.#numbers.get(part)}`;
        return "keys" in part ? `s${part.number}` : JSON.stringify(part.text);
      })
      .join();
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    const node: Node = { parts, uses: 0, size: 0, number: -1 };
    this.#nodes.set(key, node);
    this.#numbers.set(node, this.#numbers.size);
    return node;
  }
}

/** About: which texts and shapes have short numbers is not known yet. */
function sizeOf(part: Node["parts"][number]): number {
  if (typeof part === "number") return 1;
  if (!("parts" in part)) return "keys" in part ? 1 : 2;
  return part.number >= 0 ? 2 : part.size;
}

function writeShape(number: number, out: Bytes): void {
  const isShort = NODES.object + number < NODES.longObject;
  out.byte(isShort ? NODES.object + number : NODES.longObject);
  if (!isShort) out.number(number);
}

function writeText(number: number, out: Bytes): void {
  const rest = number - SHORT_TEXTS;
  if (rest < 0) {
    out.byte(NODES.text + number);
  } else if (rest < MEDIUM_TEXTS) {
    out.byte(NODES.mediumText + (rest >> 8));
    out.byte(rest & 0xff);
  } else {
    out.byte(NODES.longText);
    out.number(number);
  }
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) <= LARGEST_INTEGER && !Object.is(value, -0);
}

function numberBytes(value: number): readonly number[] {
  if (Number.isNaN(value)) throw new TypeError("NaN has no JSON form");
  if (isInteger(value)) {
    return value >= 0 && value < NODES.object ? [value] : [NODES.integer, ...leb128(zigzag(value))];
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value, true);
  return [NODES.float, ...new Uint8Array(view.buffer)];
}

/** Of an array of integers that a lane holds; null for others. */
function listBytes(items: readonly unknown[]): readonly number[] | null {
  if (items.length < SHORTEST_LIST || !items.every(isInteger)) return null;
  const head = [NODES.list, ...leb128(items.length)];
  const [first, second] = items as readonly [number, number];
  const step = second - first;
  if (items.every((item, i) => i === 0 || item - (items[i - 1] as number) === step)) {
    return [...head, PROGRESSION, ...leb128(zigzag(first)), ...leb128(zigzag(step))];
  }
  const lane = narrowestLane(spanOf(items));
  if (lane === undefined) return null;
  const { buffer } = LANE_ARRAYS[lane].from(items);
  return [...head, TENSOR_LANES.indexOf(lane), ...new Uint8Array(buffer)];
}

/** 0, -1, 1, -2, ... as 0, 1, 2, 3, ... */
function zigzag(value: number): number {
  return value >= 0 ? 2 * value : -2 * value - 1;
}

/** Unsigned, of integers up to 2^53. */
function leb128(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  bytes.push(rest);
  return bytes;
}

class Bytes {
  readonly #bytes: number[] = [];

  byte(byte: number): void {
    this.#bytes.push(byte);
  }

  number(value: number): void {
    for (const byte of leb128(value)) this.#bytes.push(byte);
  }

  texts(texts: readonly string[]): void {
    let before = new Uint8Array();
    for (const text of texts) {
      const bytes = new TextEncoder().encode(text);
      let kept = 0;
      while (kept < bytes.length && bytes[kept] === before[kept]) kept++;
      this.number(kept);
      this.number(bytes.length - kept);
      for (const byte of bytes.subarray(kept)) this.#bytes.push(byte);
      before = bytes;
    }
  }

  taken(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
