// Where a program's constants are in its file's data: one after another, in an order and at places that follow from their names and types,
// so that no list is in two places: from the widest on, without gaps. Short lists of 32 bits have as few bytes for each number as the largest
// needs, none if they count from 0, and are spread out when they are read; all others are used where they are.

import { LANE_ARRAYS } from "../kernel/index.ts";
import { laneOfCodes, spanOf } from "./lanes.ts";
import type { Codes, TensorLane } from "./types.ts";

/** Of the data, in the file and in the buffer it is read into. */
export const ALIGNMENT = 64;
/** The width of 0, 1, 2, ...: positions, which take no bytes. */
const COUNTED = 0;
/** Longer lists of 32 bits stay as they are: reading copies no large one. */
const MOST_SPREAD = 2 ** 14;

/** What decides a constant's place. */
export interface Stored {
  readonly name: string;
  readonly lane: TensorLane;
  readonly length: number;
  /** Bytes of each number in the file: as in the lane, or fewer. */
  readonly width: number;
}

export interface Placed extends Stored {
  readonly at: number;
}

/** How a constant is stored. */
export function storedForm(name: string, codes: Codes): Stored {
  const [lane, length] = [laneOfCodes(codes), codes.length];
  const whole = codes.BYTES_PER_ELEMENT;
  const { lo, hi } = spanOf(codes);
  const holds = (width: number): boolean =>
    lane === "i32" ? -(2 ** (8 * width - 1)) <= lo && hi < 2 ** (8 * width - 1) : hi < 2 ** (8 * width);
  if (whole < 4 || length > MOST_SPREAD) return { name, lane, length, width: whole };
  const isCount = length > 1 && codes.every((code, i) => code === i);
  return { name, lane, length, width: isCount ? COUNTED : ([1, 2, 3].find(holds) ?? whole) };
}

/** Whether a width is one that storedForm gives. */
export function isWidth({ lane, length, width }: Stored): boolean {
  const whole = LANE_ARRAYS[lane].BYTES_PER_ELEMENT;
  return width === whole || (whole === 4 && length <= MOST_SPREAD && [COUNTED, 1, 2, 3].includes(width));
}

/** The places of constants, in their order in the data, and how many bytes they take. */
export function layOut(constants: readonly Stored[]): { readonly placed: readonly Placed[]; readonly length: number } {
  const aligned = constants.map((stored) => ({ stored, alignment: alignmentOf(stored) }));
  aligned.sort((a, b) => b.alignment - a.alignment || (a.stored.name < b.stored.name ? -1 : 1));
  let end = 0;
  const placed = aligned.map(({ stored, alignment }): Placed => {
    const at = Math.ceil(end / alignment) * alignment;
    end = at + stored.length * stored.width;
    return { ...stored, at };
  });
  return { placed, length: end };
}

function alignmentOf(stored: Stored): number {
  return isNarrowed(stored) ? 1 : stored.width;
}

function isNarrowed({ lane, width }: Stored): boolean {
  return width < LANE_ARRAYS[lane].BYTES_PER_ELEMENT;
}

/** How many numbers of constants take no bytes: a file could have them without end. */
export function countedLength(constants: readonly Stored[]): number {
  return constants.reduce((sum, { length, width }) => (width === COUNTED ? sum + length : sum), 0);
}

/** Puts a constant into the data. */
export function store(codes: Codes, { at, width }: Placed, data: Uint8Array): void {
  const bytes = new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
  if (width === codes.BYTES_PER_ELEMENT) {
    data.set(bytes, at);
    return;
  }
  for (let i = 0; i < codes.length; i++) {
    for (let byte = 0; byte < width; byte++) data[at + i * width + byte] = bytes[i * 4 + byte] as number;
  }
}

/** A constant in the data: a view, or of a list that is to be spread out a new array. */
export function restored(placed: Placed, data: Uint8Array<ArrayBuffer>): Codes {
  const { lane, length, width, at } = placed;
  const array = LANE_ARRAYS[lane];
  if (!isNarrowed(placed)) return new array(data.buffer, data.byteOffset + at, length);
  const codes = new array(length);
  if (width === COUNTED) return codes.map((_, i) => i) as Codes;
  const unused = 8 * (4 - width);
  for (let i = 0; i < length; i++) {
    let code = 0;
    for (let byte = 0; byte < width; byte++) code |= (data[at + i * width + byte] as number) << (8 * byte);
    codes[i] = lane === "i32" ? (code << unused) >> unused : code;
  }
  return codes;
}
