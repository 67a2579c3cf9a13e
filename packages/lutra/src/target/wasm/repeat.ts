// Tables that are kept as runs, written out when a module is made: the code of its start. What it writes is the same each time, so
// threads that share a memory may each make their module.

import { type Code, get, i32, type Local, load, op, repeatWhile, set, store } from "./assembler.ts";
import { FunctionBuilder, type FunctionDefinition } from "./assembler-module.ts";
import { type Repetition, RUN_BYTES } from "./data.ts";

const PAIR_BYTES = 8;
const PAIR_SHIFT = 3;

export function emitRepetitions(repetitions: readonly Repetition[]): FunctionDefinition {
  const builder = new FunctionBuilder([], null);
  const [run, from, to, end] = [0, 1, 2, 3].map(() => builder.local("i32")) as [Local, Local, Local, Local];
  const pair = builder.local("i64");
  const advance = (local: Local, by: number): Code => set(local, op("i32.add", get(local), i32(by)));
  const copies = repeatWhile(
    op("i32.lt_u", get(to), get(end)),
    store("i64.store", get(to), get(pair)),
    advance(to, PAIR_BYTES),
  );
  const code = repetitions.flatMap(({ runs, count, to: address }) => [
    set(run, i32(runs)),
    set(to, i32(address)),
    repeatWhile(
      op("i32.lt_u", get(run), i32(runs + count)),
      set(from, get(run)),
      set(end, op("i32.add", get(to), i32(PAIR_BYTES))),
      repeatWhile(
        op("i32.lt_u", get(to), get(end)),
        store("i32.store8", get(to), load("i32.load8_u", get(from))),
        advance(from, count),
        advance(to, 1),
      ),
      set(to, op("i32.sub", get(to), i32(PAIR_BYTES))),
      set(pair, load("i64.load", get(to))),
      set(end, op("i32.add", get(to), op("i32.shl", length(get(from), count), i32(PAIR_SHIFT)))),
      copies,
      advance(run, 1),
    ),
  ]);
  return builder.finish(...code);
}

/** How often a pair is there: the bytes behind its own. */
function length(from: Code, count: number): Code {
  const bytes = Array.from({ length: RUN_BYTES - PAIR_BYTES }, (_, k) => {
    const byte = load("i32.load8_u", from, k * count);
    return k === 0 ? byte : op("i32.shl", byte, i32(8 * k));
  });
  return bytes.reduce((low, high) => op("i32.or", low, high));
}
