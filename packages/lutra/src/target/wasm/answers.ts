// Kernels of one input of at most 16 bits, whatever they compute: the answers to all codes in memory. 8 to 8 bits go two at a time, by a
// table of pairs that the module makes of the 256 answers when it is loaded: twice as fast as one at a time, and exact.

import { interpret, type Kernel, type Lane } from "../../kernel/index.ts";
import { type Access, type Code, get, i32, load, op, repeatWhile, set, store, tee } from "./assembler.ts";
import { littleEndian } from "./assembler-bytes.ts";
import { FunctionBuilder, type FunctionDefinition } from "./assembler-module.ts";
import type { DataLayout } from "./data.ts";
import { type Loop, loops } from "./loops.ts";

type Input = "i8" | "u8" | "i16" | "u16";

/** Bytes of a code. */
const LANE_BYTES: Readonly<Partial<Record<Lane, 1 | 2 | 4>>> = {
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  f32: 4,
  i32: 4,
  u32: 4,
};

const LOADS = { 1: "i32.load8_u", 2: "i32.load16_u", 4: "i32.load" } as const satisfies Record<1 | 2 | 4, Access>;
const STORES = { 1: "i32.store8", 2: "i32.store16", 4: "i32.store" } as const satisfies Record<1 | 2 | 4, Access>;
const WORDS = { 1: "i8", 2: "i16" } as const;

/** How many inputs, or pairs of inputs, each round of the loop answers. */
const UNROLLED = 16;

export interface Answers {
  readonly run: FunctionDefinition;
  readonly start?: FunctionDefinition;
}

/** @param output the lane of the result, of at most 32 bits */
export function emitAnswers(kernel: Kernel, input: Input, output: Lane, data: DataLayout): Answers {
  const from = LANE_BYTES[input] as 1 | 2;
  const to = LANE_BYTES[output] as 1 | 2 | 4;
  const answers = allAnswers(kernel, input);
  const type = output === "f32" ? "f32" : to === 4 ? "i32" : WORDS[to];
  const table = data.bytes(new Uint8Array(littleEndian(answers, type)));
  const single = lookup(from, to, table);
  if (from === 2 || to !== 1) return { run: loops([{ ...single, unrolled: UNROLLED }, single]) };
  const pairs = data.reserve(2 * answers.length * answers.length);
  return { run: loops([{ ...lookup(2, 2, pairs), unrolled: UNROLLED }, single]), start: fillPairs(table, pairs) };
}

/** The kernel's answers to all bit patterns of its input; codes outside a narrower range are answered as its nearest. */
function allAnswers(kernel: Kernel, input: Input): Float64Array {
  const bits = input.endsWith("8") ? 8 : 16;
  const param = kernel.values.find((value) => value.op === "param");
  const [low, high] = param?.op === "param" && param.range !== undefined ? param.range : [-(2 ** 16), 2 ** 16];
  const codes = Float64Array.from({ length: 2 ** bits }, (_, pattern) => {
    const code = input.startsWith("i") && pattern >= 2 ** (bits - 1) ? pattern - 2 ** bits : pattern;
    return Math.min(high, Math.max(low, code));
  });
  const name = param?.op === "param" ? param.name : "";
  return interpret(kernel, { [name]: codes }, 1, codes.length)[0] as Float64Array;
}

/** One answer: the input is the number of an entry. */
function lookup(from: 1 | 2, to: 1 | 2 | 4, table: number): Loop {
  return {
    inputBytes: from,
    outputBytes: to,
    unrolled: 1,
    body: (_builder, input, output, at) => {
      const code = load(LOADS[from], input, at * from);
      const offset = to === 1 ? code : op("i32.mul", code, i32(to));
      return [store(STORES[to], output, load(LOADS[to], offset, table), at * to)];
    },
  };
}

/** pairs[a + 256 b] = answers[a] + 256 answers[b], for all bytes a and b. */
function fillPairs(answers: number, pairs: number): FunctionDefinition {
  const builder = new FunctionBuilder([], null);
  const n = builder.local("i32");
  const answer = (code: Code): Code => load("i32.load8_u", code, answers);
  const low = answer(op("i32.and", get(n), i32(0xff)));
  const high = op("i32.shl", answer(op("i32.shr_u", get(n), i32(8))), i32(8));
  const next = tee(n, op("i32.add", get(n), i32(1)));
  return builder.finish(
    set(n, i32(0)),
    repeatWhile(
      op("i32.lt_u", next, i32(65536)),
      store("i32.store16", op("i32.shl", get(n), i32(1)), op("i32.or", low, high), pairs),
    ),
  );
}
