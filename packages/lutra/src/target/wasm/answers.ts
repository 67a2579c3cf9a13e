// Kernels of one input of at most 16 bits, whatever they compute: the answers to all codes in memory. 8 to 8 bits are computed without memory
// where SIMD can give the same answers; else they go two at a time, by a table of pairs that the module makes of the 256 answers when it is
// loaded: faster than one at a time.

import { interpret, type Kernel, type Lane, laneBits } from "../../kernel/index.ts";
import {
  type Access,
  type Code,
  get,
  i32,
  load,
  loadLane,
  op,
  repeatWhile,
  set,
  store,
  tee,
  v128,
} from "./assembler.ts";
import { littleEndian } from "./assembler-bytes.ts";
import { FunctionBuilder, type FunctionDefinition } from "./assembler-module.ts";
import type { DataLayout } from "./data.ts";
import { lineLoops } from "./eight-bit.ts";
import { Block } from "./lanes.ts";
import { type Loop, loops } from "./loops.ts";
import type { Form, ModuleFunctions } from "./module.ts";

type Input = "i8" | "u8" | "i16" | "u16";

const LOADS = { 1: "i32.load8_u", 2: "i32.load16_u", 4: "i32.load" } as const satisfies Record<1 | 2 | 4, Access>;
const STORES = { 1: "i32.store8", 2: "i32.store16", 4: "i32.store" } as const satisfies Record<1 | 2 | 4, Access>;
const WORDS = { 1: "i8", 2: "i16" } as const;

/** Lookups of one round of a loop. */
const UNROLLED = 16;
/** Vectors of one round, and words of a vector. */
const UNROLLED_VECTORS = 2;
const VECTOR_BYTES = 16;
const VECTOR_WORDS = 8;
/** To all bytes. */
const ANSWERS = 256;

/**
 * @param output the lane of the result, of at most 32 bits
 * @param isCompact without the table of pairs: bytes that are not computed go one at a time
 */
export function emitAnswers(
  kernel: Kernel,
  input: Input,
  output: Lane,
  data: DataLayout,
  form: Form,
  isCompact: boolean,
): ModuleFunctions {
  const from = (laneBits(input) / 8) as 1 | 2;
  const to = (laneBits(output) / 8) as 1 | 2 | 4;
  const answers = allAnswers(kernel, input);
  const type = output === "f32" ? "f32" : to === 4 ? "i32" : WORDS[to];
  const table = data.bytes(new Uint8Array(littleEndian(answers, type)));
  const single = lookup(from, to, table);
  const oneByOne = { run: loops([{ ...single, unrolled: UNROLLED }, single]) };
  if (from === 1 && to === 1) {
    const computed = bytes(answers, single, data, form);
    return computed ?? (isCompact ? oneByOne : inPairs(table, single, data, form));
  }
  if (from === 2 && to === 2) return { run: loops([words(table, form), single]) };
  return oneByOne;
}

function bytes(answers: Float64Array, single: Loop, data: DataLayout, form: Form): ModuleFunctions | null {
  const vectors = form === "scalar" ? null : lineLoops(answers, form, data, single);
  return vectors === null ? null : { run: loops([...vectors, single]) };
}

/** @param table address of the answers */
function inPairs(table: number, single: Loop, data: DataLayout, form: Form): ModuleFunctions {
  const pairs = data.reserve(2 * ANSWERS * ANSWERS);
  return { run: loops([words(pairs, form), single]), start: fillPairs(table, pairs) };
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

/** Lookups of 16 bits by 16 bits: stored eight at a time where there is SIMD. */
function words(table: number, form: Form): Loop {
  if (form === "scalar") return { ...lookup(2, 2, table), unrolled: UNROLLED };
  return {
    inputBytes: VECTOR_BYTES,
    outputBytes: VECTOR_BYTES,
    unrolled: UNROLLED_VECTORS,
    body(builder, input, output, at) {
      const block = new Block(builder);
      const halves = [0, VECTOR_WORDS / 2].map((first) => {
        const entries = Array.from({ length: VECTOR_WORDS / 2 }, (_, i) => first + i);
        const offset = (i: number): Code =>
          op("i32.shl", load("i32.load16_u", input, at * VECTOR_BYTES + 2 * i), i32(1));
        const empty = v128(Array(VECTOR_WORDS).fill(0), "i16");
        return block.keep(entries.reduce((v, i) => loadLane("v128.load16_lane", offset(i), v, i, table), empty));
      });
      const y = op("v128.or", ...halves);
      return [...block.statements, store("v128.store", output, y, at * VECTOR_BYTES)];
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
