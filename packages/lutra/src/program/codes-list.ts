// Lists of integers beside a header of JSON: packed one after another in their narrowest lane, found again by lane, offset and length.

import type { Json, LutraError } from "../base/index.ts";
import { LANE_ARRAYS, laneRange } from "../kernel/index.ts";
import type { Interval } from "../num/index.ts";
import type { Codes, TensorLane } from "./types.ts";

/** Where lists are read from, and the error for what does not fit. */
export interface CodesList {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes that may still become numbers of JSON: no list of a file is in two places. */
  left: number;
  fault(where: string, message: string): LutraError;
}

/** Lanes of tensors, from the narrowest on. */
export const TENSOR_LANES: readonly TensorLane[] = ["i8", "u8", "i16", "u16", "i32", "u32"];
/** Shorter lists stay in the JSON. */
const SHORTEST = 16;

export class PackedCodes {
  readonly #alignment: number;
  readonly #lists: { readonly at: number; readonly codes: Codes }[] = [];
  #length = 0;

  constructor(alignment: number) {
    this.#alignment = alignment;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  add(codes: Codes): Json {
    const at = Math.ceil(this.#length / this.#alignment) * this.#alignment;
    this.#lists.push({ at, codes });
    this.#length = at + codes.byteLength;
    return { codes: [laneOfCodes(codes), at, codes.length] };
  }

  /** JSON with long lists of integers packed. */
  pack(json: Json): Json {
    if (Array.isArray(json)) {
      const lane = json.length >= SHORTEST ? narrowest(json) : undefined;
      return lane === undefined
        ? json.map((item: Json) => this.pack(item))
        : this.add(LANE_ARRAYS[lane].from(json as number[]));
    }
    if (json === null || typeof json !== "object") return json;
    return Object.fromEntries(Object.entries(json).map(([name, item]) => [name, this.pack(item)]));
  }

  copyTo(bytes: Uint8Array): void {
    for (const { at, codes } of this.#lists) {
      bytes.set(new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength), at);
    }
  }

  /** JSON with its lists in place again. @throws what the list's fault gives */
  static unpack(json: Json, list: CodesList, where: string): Json {
    if (Array.isArray(json)) return json.map((item: Json, i) => PackedCodes.unpack(item, list, `${where}[${i}]`));
    if (json === null || typeof json !== "object") return json;
    if (
      "codes" in json &&
      Object.keys(json).length === 1 &&
      Array.isArray(json.codes) &&
      typeof json.codes[0] === "string"
    ) {
      const codes = PackedCodes.view(json, list, where);
      list.left -= codes.byteLength;
      if (list.left < 0) throw list.fault(where, "the lists are longer than the data");
      return Array.from(codes);
    }
    return Object.fromEntries(
      Object.entries(json).map(([name, item]) => [name, PackedCodes.unpack(item, list, `${where}.${name}`)]),
    );
  }

  /** The list itself, without a copy. @throws what the list's fault gives */
  static view(json: Json, { bytes, fault }: CodesList, where: string): Codes {
    const given = json !== null && typeof json === "object" && "codes" in json ? json.codes : undefined;
    if (!Array.isArray(given) || given.length !== 3) throw fault(where, "must be a list of codes");
    const [name, offset, length] = given as readonly Json[];
    const lane = TENSOR_LANES.find((known) => known === name);
    if (lane === undefined) throw fault(where, `${name} is no lane`);
    const width = LANE_ARRAYS[lane].BYTES_PER_ELEMENT;
    const isInside =
      typeof offset === "number" &&
      typeof length === "number" &&
      Number.isInteger(offset) &&
      Number.isInteger(length) &&
      offset >= 0 &&
      length >= 0 &&
      offset % width === 0 &&
      offset + length * width <= bytes.length;
    if (!isInside) throw fault(where, `${length} codes of ${width} bytes at ${offset} are not in the data`);
    return new LANE_ARRAYS[lane](bytes.buffer, bytes.byteOffset + offset, length);
  }
}

export function laneOfCodes(codes: Codes): TensorLane {
  return `${codes[Symbol.toStringTag].startsWith("U") ? "u" : "i"}${(8 * codes.BYTES_PER_ELEMENT) as 8 | 16 | 32}`;
}

function narrowest(list: readonly Json[]): TensorLane | undefined {
  let [least, most] = [Infinity, -Infinity];
  for (const item of list) {
    if (typeof item !== "number" || !Number.isInteger(item) || Object.is(item, -0)) return undefined;
    least = Math.min(least, item);
    most = Math.max(most, item);
  }
  return TENSOR_LANES.find((lane) => {
    const { lo, hi } = laneRange(lane) as Interval;
    return lo <= least && most <= hi;
  });
}
