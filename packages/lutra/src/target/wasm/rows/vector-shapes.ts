// Vectors of integers changed from one width to another, constants and copies of one number, by the names of the instructions.

import type { Interval } from "../../../num/index.ts";
import { type Code, i8x16, i16x8, i32x4, type Operation, op, shuffle, v128 } from "../assembler.ts";
import { converted } from "./scalar.ts";
import { fitsSigned, SHAPES, type Width } from "./widths.ts";

const BYTES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/** An instruction of a shape. */
export function shaped(width: Width, name: string, ...operands: readonly Code[]): Code {
  return op(`${SHAPES[width]}.${name}` as Operation, ...operands);
}

/** The lower or upper half of a vector's lanes in twice the width. */
export function extended(v: Code, to: Width, half: number, isSigned: boolean): Code {
  const from = SHAPES[(to / 2) as Width];
  return shaped(to, `extend_${half === 0 ? "low" : "high"}_${from}_${isSigned ? "s" : "u"}`, v);
}

/** Two vectors in half the width: integers of a range that it holds. */
export function narrowed(a: Code, b: Code, to: Width, range: Interval): Code {
  if (to === 32) return halves(a, b, to);
  return saturatedNarrow(a, b, to as 8 | 16, fitsSigned(range, to));
}

/** Signed integers in half the width, saturated to it. */
export function saturatedNarrow(a: Code, b: Code, to: 8 | 16, isSigned: boolean): Code {
  return shaped(to, `narrow_${SHAPES[(2 * to) as Width]}_${isSigned ? "s" : "u"}`, a, b);
}

/** Two vectors in half the width, modulo its power of two. */
export function halves(a: Code, b: Code, to: Width): Code {
  const lane = to / 8;
  return shuffle(
    BYTES.map((byte) => Math.floor(byte / lane) * 2 * lane + (byte % lane)),
    a,
    b,
  );
}

/** The lanes of a and b in turn: the first half of them, or the second. */
export function interleaved(a: Code, b: Code, width: Width, half: number): Code {
  const lane = width / 8;
  const lanes = BYTES.map((byte) => {
    const pair = Math.floor(byte / (2 * lane)) + (half * 16) / (2 * lane);
    const isSecond = byte % (2 * lane) >= lane;
    return pair * lane + (byte % lane) + (isSecond ? 16 : 0);
  });
  return shuffle(lanes, a, b);
}

/** A vector of equal integers. */
export function equal(width: Width, value: number): Code {
  if (width === 8) return i8x16(value);
  if (width === 16) return i16x8(value);
  if (width === 32) return i32x4(value);
  const high = Math.floor(value / 2 ** 32);
  return v128([value - high * 2 ** 32, high, value - high * 2 ** 32, high], "i32");
}

/** Copies of one integer. */
export function splat(width: Width, value: Code): Code {
  return shaped(width, "splat", converted(value, width === 64 ? "i64" : "i32"));
}

/** All ones in the first `count` lanes (an i32) of one of the vectors of a step. */
export function firstLanes(width: Width, part: number, count: Code): Code {
  const lanes = 128 / width;
  const places = Array.from({ length: lanes }, (_, i) => part * lanes + i);
  const least = width === 64 ? places.flatMap((place) => [place, 0]) : places;
  const type = width === 8 ? "i8" : width === 16 ? "i16" : "i32";
  return shaped(
    width,
    "lt_s",
    v128(least, type),
    splat(width, count.type === "i32" && width === 64 ? op("i64.extend_i32_u", count) : count),
  );
}

/** The greatest lane, moved to the first place of the vector, by halves: `both` joins two vectors. */
export function folded(v: Code, width: Width, both: (a: Code, b: Code) => Code, keep: (code: Code) => Code): Code {
  let rest = v;
  for (let bytes = 8; bytes >= width / 8; bytes /= 2) {
    const kept = keep(rest);
    const moved = shuffle(
      BYTES.map((byte) => (byte + bytes) % 16),
      kept,
      kept,
    );
    rest = both(kept, moved);
  }
  return rest;
}

/** The lesser or greater of two vectors of integers. */
export function extreme(name: "min" | "max", a: Code, b: Code, width: Width, isSigned: boolean): Code {
  if (width !== 64) return shaped(width, `${name}_${isSigned ? "s" : "u"}`, a, b);
  const isFirst = name === "min" ? op("i64x2.lt_s", a, b) : op("i64x2.lt_s", b, a);
  return op("v128.bitselect", a, b, isFirst);
}
