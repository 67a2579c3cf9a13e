// Integer lookups of vectors. A table of at most 16 answers is in registers as bytes: one instruction looks up 16 of them. Longer ones are in
// memory, and so are the places that are asked for: engines load a byte faster than they take it out of a register.

import { type Code, i8x16, load, loadLane, op, v128 } from "../assembler.ts";
import type { InMemory } from "../lanes.ts";
import { bytesOf } from "./addresses.ts";
import { type Block16, MOST_IN_REGISTER, type Placed } from "./lookup.ts";
import type { Vectors } from "./vector-scope.ts";
import { equal, interleaved, shaped } from "./vector-shapes.ts";
import type { Width } from "./widths.ts";

export type Answers = Placed & { readonly by: "answers" };

export function isInRegister(placed: Answers): boolean {
  return placed.answers.length <= MOST_IN_REGISTER;
}

/** The answers of a step, bytes of bytes: a vector for each 16 places, which gives 0 for the others. */
export function inBlocks(step: Vectors, blocks: readonly Block16[], arg: number): Code {
  const { block } = step;
  let at = step.part(arg, 8, 0);
  let start = 0;
  const found = blocks.map(({ first, answers }) => {
    const table = block.constant(
      v128(
        Array.from({ length: 16 }, (_, i) => answers[i] ?? 0),
        "i8",
      ),
    );
    // From block to block, for mostly that is 16: one constant in a register.
    if (first > start) at = block.keep(op("i8x16.sub", at, block.constant(i8x16(first - start))));
    start = first;
    // Not the relaxed one, which may take other places for those within 16.
    return op("i8x16.swizzle", table, at);
  });
  return found.length === 0 ? block.constant(i8x16(0)) : found.reduce((all, one) => op("v128.or", all, one));
}

/** The q-th vector of answers in a width of at most 32 bits. */
export function inRegister(step: Vectors, placed: Answers, arg: number, width: Width, q: number): Code {
  const { answers } = placed;
  const swizzle = step.scope.form === "relaxed" ? "i8x16.relaxed_swizzle" : "i8x16.swizzle";
  const index = placesOf(step, arg, placed, 8, 0);
  /** The n-th bytes of all 16 answers. */
  const plane = (n: number): Code =>
    step.remember(`plane ${n} ${arg} ${answers.join()}`, () => {
      const bytes = Array.from({ length: 16 }, (_, i) => Math.floor((answers[i] ?? 0) / 2 ** (8 * n)));
      return op(swizzle, step.block.constant(v128(bytes, "i8")), index);
    });
  /** Bytes n and above in a width, the part-th vector. */
  const joined = (n: number, of: Width, part: number): Code => {
    if (of === 8) return plane(n);
    const half = (of / 2) as Width;
    const [low, high] = [joined(n, half, part >> 1), joined(n + half / 8, half, part >> 1)];
    return step.block.keep(interleaved(low, high, half, part & 1));
  };
  return joined(0, width, q);
}

/** Whether a code's bit pattern is the place of its answer. */
export function isPlace({ range, isByPattern }: Answers): boolean {
  return range.lo === 0 || isByPattern;
}

/** The places of a vector's answers in their table. */
export function placesOf(step: Vectors, arg: number, placed: Answers, width: 8 | 16, q: number): Code {
  const codes = step.part(arg, width, q);
  if (isPlace(placed)) return codes;
  const { lo } = placed.range;
  const first = step.block.constant(equal(width, lo));
  return step.remember(`places ${arg} ${lo} ${width} ${q}`, () => shaped(width, "sub", codes, first));
}

/** Places of a step's answers in memory, each of a width. */
export interface Index extends InMemory {
  readonly width: 8 | 16;
}

/** The q-th vector of answers, one at a time from memory. */
export function gathered(step: Vectors, { width, address }: Answers, index: Index, q: number): Code {
  const of = width as 8 | 16 | 32;
  const lanes = 128 / of;
  const place = (lane: number): Code => {
    const at = index.offset + ((q * lanes + lane) * index.width) / 8;
    return bytesOf(load(index.width === 8 ? "i32.load8_u" : "i32.load16_u", index.address, at), of);
  };
  let v = load(`v128.load${of}_splat`, place(0), address);
  for (let lane = 1; lane < lanes; lane++)
    v = step.block.keep(loadLane(`v128.load${of}_lane`, place(lane), v, lane, address));
  return v;
}
