// The reader of pack-json: from untrusted bytes to JSON. Nothing is made of a count before the bytes that it asks for are there.

import type { Json } from "../base/index.ts";
import { LANE_ARRAYS } from "../kernel/index.ts";
import { TENSOR_LANES } from "./lanes.ts";
import { NODES, PROGRESSION, SHORT_TEXTS, SIMPLE } from "./pack-json.ts";

/** Nodes once every shared one is in each of its places, integers of lists included; and how deep they nest as written. */
const MOST_NODES = 2 ** 22;
const MOST_DEPTH = 64;
/** Of all texts together. */
const MOST_CHARACTERS = 2 ** 24;

/** The data that packJson wrote; equal parts are one object. @throws RangeError saying what is wrong and at which byte */
export function unpackJson(bytes: Uint8Array): Json {
  return new Unpacker(bytes).all();
}

class Unpacker {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #texts: string[] = [];
  readonly #shapes: (readonly string[])[] = [];
  readonly #shared: { readonly json: Json; readonly nodes: number }[] = [];
  #at = 0;
  /** Nodes read since this was last set to 0. */
  #nodes = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  all(): Json {
    this.#readTexts();
    for (let left = this.#count(); left > 0; left--) this.#shapes.push(this.#keys());
    for (let left = this.#count(); left > 0; left--) {
      this.#nodes = 0;
      const json = this.#node(0);
      this.#shared.push({ json, nodes: this.#nodes });
    }
    this.#nodes = 0;
    const json = this.#node(0);
    if (this.#at !== this.#bytes.length) throw this.#fault("more bytes than its contents");
    return json;
  }

  #fault(message: string): RangeError {
    return new RangeError(`${message}, at byte ${this.#at}`);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.#fault("it ends too early");
    this.#at++;
    return byte;
  }

  /** LEB128 of at most 2^56. */
  #number(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let scale = 0x80; scale < 2 ** 56; scale *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw this.#fault("a number is too long");
  }

  #signed(): number {
    const value = this.#number();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Of elements that have at least so many bytes each. */
  #count(bytesEach = 1): number {
    const count = this.#number();
    if (count * bytesEach > this.#bytes.length - this.#at) throw this.#fault(`${count} elements are not there`);
    return count;
  }

  #readTexts(): void {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let before: Uint8Array = this.#bytes.subarray(0, 0);
    let made = 0;
    for (let left = this.#count(2); left > 0; left--) {
      const [kept, length] = [this.#number(), this.#count()];
      made += kept + length;
      if (kept > before.length || made > MOST_CHARACTERS) throw this.#fault("a text is too long");
      const bytes = new Uint8Array(kept + length);
      bytes.set(before.subarray(0, kept));
      bytes.set(this.#bytes.subarray(this.#at, this.#at + length), kept);
      this.#at += length;
      this.#texts.push(this.#decoded(bytes, decoder));
      before = bytes;
    }
  }

  #decoded(bytes: Uint8Array, decoder: TextDecoder): string {
    // Most are names: short and plain.
    if (bytes.length < 64 && bytes.every((byte) => byte < 0x80)) return String.fromCharCode(...bytes);
    try {
      return decoder.decode(bytes);
    } catch {
      throw this.#fault("a text is no UTF-8");
    }
  }

  #keys(): readonly string[] {
    const keys: string[] = [];
    for (let left = this.#count(); left > 0; left--) {
      const key = this.#entry(this.#texts, this.#number(), "text");
      // JavaScript's objects have it of their own.
      if (key === "__proto__") throw this.#fault("__proto__ is no name");
      keys.push(key);
    }
    if (new Set(keys).size < keys.length) throw this.#fault("a key is there twice");
    return keys;
  }

  #entry<T>(list: readonly T[], number: number, what: string): T {
    if (number >= list.length) throw this.#fault(`there is no ${what} ${number}`);
    return list[number] as T;
  }

  #tally(nodes: number): void {
    this.#nodes += nodes;
    if (this.#nodes > MOST_NODES) throw this.#tooMany();
  }

  #tooMany(): RangeError {
    return this.#fault(`more than ${MOST_NODES} parts`);
  }

  #node(depth: number): Json {
    const byte = this.#byte();
    if (++this.#nodes > MOST_NODES) throw this.#tooMany();
    if (byte < NODES.object) return byte;
    if (byte <= NODES.longObject) return this.#object(byte, depth);
    if (byte < NODES.mediumText) return this.#entry(this.#texts, byte - NODES.text, "text");
    if (byte <= NODES.longText) return this.#text(byte);
    if (byte >= NODES.shortArray) return this.#array(byte - NODES.shortArray, depth);
    switch (byte) {
      case NODES.shared: {
        const { json, nodes } = this.#entry(this.#shared, this.#number(), "shared part");
        this.#tally(nodes);
        return json;
      }
      case NODES.integer:
        return this.#signed();
      case NODES.float:
        return this.#float();
      case NODES.array:
        return this.#array(this.#count(), depth);
      case NODES.list:
        return this.#list();
      default:
        return SIMPLE[byte - NODES.simple] as Json;
    }
  }

  #object(byte: number, depth: number): Json {
    this.#checkDepth(depth);
    const number = byte === NODES.longObject ? this.#number() : byte - NODES.object;
    const members: Record<string, Json> = {};
    for (const key of this.#entry(this.#shapes, number, "shape")) members[key] = this.#node(depth + 1);
    return members;
  }

  #array(length: number, depth: number): Json {
    this.#checkDepth(depth);
    const items: Json[] = [];
    for (let left = length; left > 0; left--) items.push(this.#node(depth + 1));
    return items;
  }

  #checkDepth(depth: number): void {
    if (depth >= MOST_DEPTH) throw this.#fault(`it nests more than ${MOST_DEPTH} deep`);
  }

  #text(byte: number): string {
    if (byte === NODES.longText) return this.#entry(this.#texts, this.#number(), "text");
    return this.#entry(this.#texts, SHORT_TEXTS + (byte - NODES.mediumText) * 2 ** 8 + this.#byte(), "text");
  }

  #float(): number {
    if (this.#bytes.length - this.#at < 8) throw this.#fault("it ends too early");
    const value = this.#view.getFloat64(this.#at, true);
    if (Number.isNaN(value)) throw this.#fault("a number is NaN");
    this.#at += 8;
    return value;
  }

  #list(): Json {
    const length = this.#number();
    this.#tally(length);
    const kind = this.#byte();
    if (kind === PROGRESSION) {
      const [first, step] = [this.#signed(), this.#signed()];
      return Array.from({ length }, (_, i) => first + i * step);
    }
    const array = LANE_ARRAYS[this.#entry(TENSOR_LANES, kind, "kind of list")];
    const bytes = length * array.BYTES_PER_ELEMENT;
    if (bytes > this.#bytes.length - this.#at) throw this.#fault(`${length} integers are not there`);
    // A copy, which slice is not of Node's Buffers.
    const own = new Uint8Array(this.#bytes.subarray(this.#at, this.#at + bytes));
    this.#at += bytes;
    return Array.from(new array(own.buffer, 0, length));
  }
}
