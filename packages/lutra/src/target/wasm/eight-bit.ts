// Kernels of 8 bits whose answers are short lines (code-lines.ts), 16 codes at a time. The upper four bits of a code choose slope and base by
// swizzles, the lower ones are multiplied: codes at even and at odd places apart, for products need 16 bits. All sums are of 8 bits and may
// wrap on the way. Between vectors, some codes are looked up one at a time: loads and stores have nothing to do otherwise.

import { type Code, i8x16, i16x8, i32, load, op, store } from "./assembler.ts";
import { type CodeLines, codeLines, LINE_KINDS } from "./code-lines.ts";
import type { DataLayout } from "./data.ts";
import { Block } from "./lanes.ts";
import type { Loop } from "./loops.ts";

type VectorForm = "simd" | "relaxed";

const VECTOR_BYTES = 16;
const LINES_OF_TABLE = 16;
/** Codes of a half of 16. */
const HALF = 8;
const BYTE_BITS = 8;

/** Bytes of a vector at even places. */
const EVEN = 0x00ff;

interface PlacedLines {
  readonly lines: CodeLines;
  readonly form: VectorForm;
  /** Addresses of tables of 16 bytes: of lines of 8 codes one for the lower half of each 16, one for the upper. */
  readonly slopes: readonly number[];
  readonly bases: readonly number[];
  readonly raised: readonly number[];
  /** Address of the bit of each code in its byte of `raised`. */
  readonly bits: number;
}

/** Without relaxed swizzles and products, lines of 8 codes with raised answers take longer than a table. */
const KINDS = { relaxed: LINE_KINDS, simd: LINE_KINDS.slice(0, -1) } as const;

/**
 * Loops over whole rounds, then over whole vectors; null if the answers are no lines.
 * @param answers to the bit patterns 0 to 255
 * @param single the lookup of one code in a table of all answers
 */
export function lineLoops(
  answers: ArrayLike<number>,
  form: VectorForm,
  data: DataLayout,
  single: Loop,
): readonly Loop[] | null {
  const lines = codeLines(answers, KINDS[form]);
  if (lines === null) return null;
  const placed = place(lines, form, data);
  return [vectorLoop(placed, vectorsPerLookup(placed), single), vectorLoop(placed, 1, null)];
}

/**
 * Vectors that take about as long as the lookups of 16 codes: measured on 64-bit x86, a little more than is best there, for hyperthreads that
 * share a core.
 */
function vectorsPerLookup({ lines, form }: PlacedLines): number {
  if (form === "simd") return lines.raised === null ? 4 : 3;
  return lines.width === 16 && lines.raised === null ? 6 : 4;
}

function place(lines: CodeLines, form: VectorForm, data: DataLayout): PlacedLines {
  const { slopes, bases, raised } = lines;
  const table = (bytes: readonly number[]): number => data.bytes(Uint8Array.from(bytes, (byte) => byte & 0xff));
  const halves = (values: readonly number[]): number[] =>
    values.length === LINES_OF_TABLE
      ? [table(values)]
      : [table(values.filter((_, i) => i % 2 === 0)), table(values.filter((_, i) => i % 2 === 1))];
  return {
    lines,
    form,
    slopes: halves(slopes),
    bases: halves(bases),
    raised: raised === null ? [] : halves(bytesOfBits(raised)),
    bits: raised === null ? 0 : table(Array.from({ length: VECTOR_BYTES }, (_, code) => 1 << (code % HALF))),
  };
}

function bytesOfBits(bits: readonly boolean[]): number[] {
  return Array.from({ length: bits.length / HALF }, (_, i) =>
    bits.slice(HALF * i, HALF * (i + 1)).reduce((byte, bit, j) => byte | (bit ? 1 << j : 0), 0),
  );
}

/** Rounds of some vectors and, besides, 16 lookups. */
function vectorLoop(placed: PlacedLines, vectors: number, single: Loop | null): Loop {
  const lookups = single === null ? 0 : VECTOR_BYTES;
  const bytes = vectors * VECTOR_BYTES + lookups;
  return {
    inputBytes: bytes,
    outputBytes: bytes,
    unrolled: 1,
    body(builder, input, output, _at, prologue) {
      const block = new Block(builder);
      for (let at = 0; at < vectors * VECTOR_BYTES; at += VECTOR_BYTES) {
        const y = emitVector(block, placed, block.keep(load("v128.load", input, at)));
        block.statements.push(store("v128.store", output, y, at));
      }
      for (let at = bytes - lookups; at < bytes; at++) {
        if (single !== null) block.statements.push(...single.body(builder, input, output, at, prologue));
      }
      prologue.push(...block.prologue);
      return block.statements;
    },
  };
}

/** The answers to 16 codes, which are kept. */
function emitVector(block: Block, placed: PlacedLines, x: Code): Code {
  const { lines, form, slopes, bases, raised } = placed;
  const index = block.keep(op("v128.and", op("i16x8.shr_u", x, i32(4)), block.constant(i8x16(0x0f))));
  const hasHalves = [slopes, raised].some(({ length }) => length === 2);
  // Bit 3 of each code, moved to its sign: whether it is in the upper half of its 16.
  const isUpper = hasHalves ? block.keep(op("i8x16.lt_s", op("i16x8.shl", x, i32(4)), block.constant(i8x16(0)))) : null;
  const chosen = (tables: readonly number[]): Code => {
    const [lower, upper] = tables.map((address) => swizzle(form, block.constant(table(address)), index));
    return isUpper === null || upper === undefined ? (lower as Code) : blend(form, upper, lower as Code, isUpper);
  };
  const y = op("i8x16.add", emitRise(block, placed, block.keep(chosen(slopes)), x), chosen(bases));
  if (lines.raised === null) return y;
  const offset = op("v128.and", x, block.constant(i8x16(0x0f)));
  const bit = block.keep(swizzle(form, block.constant(table(placed.bits)), offset));
  return op("i8x16.sub", y, op("i8x16.eq", op("v128.and", chosen(raised), bit), bit));
}

/** floor(slope j / 2^shift) in 8 bits: of even codes from the product's upper part, of odd ones moved to the upper byte. */
function emitRise(block: Block, { lines, form }: PlacedLines, slopes: Code, x: Code): Code {
  const even = op("v128.and", x, block.constant(i16x8(lines.width - 1)));
  const odd = op("v128.and", x, block.constant(i16x8((lines.width - 1) << BYTE_BITS)));
  const products =
    form === "relaxed"
      ? [even, odd].map((offsets) => op("i16x8.relaxed_dot_i8x16_i7x16_s", slopes, offsets))
      : [
          op("i16x8.mul", op("i16x8.shr_s", op("i16x8.shl", slopes, i32(BYTE_BITS)), i32(BYTE_BITS)), even),
          op("i16x8.mul", op("i16x8.shr_s", slopes, i32(BYTE_BITS)), op("i16x8.shr_u", odd, i32(BYTE_BITS))),
        ];
  const lower = op("i16x8.shr_s", products[0] as Code, i32(lines.shift));
  const upper = op("i16x8.shl", products[1] as Code, i32(BYTE_BITS - lines.shift));
  return blend(form, lower, upper, block.constant(i16x8(EVEN)));
}

function table(address: number): Code {
  return load("v128.load", i32(0), address);
}

function swizzle(form: VectorForm, entries: Code, index: Code): Code {
  return op(form === "relaxed" ? "i8x16.relaxed_swizzle" : "i8x16.swizzle", entries, index);
}

/** a where the mask is all ones, else b. */
function blend(form: VectorForm, a: Code, b: Code, mask: Code): Code {
  return op(form === "relaxed" ? "i8x16.relaxed_laneselect" : "v128.bitselect", a, b, mask);
}
