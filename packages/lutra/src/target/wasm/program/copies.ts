// What moves numbers without computing any, as functions over addresses: rows of bytes, elements at any strides, rows of a table by their
// number; and the first place of a row's largest number.

import { type Lane, laneBits } from "../../../kernel/index.ts";
import { type Access, type Code, get, i32, type Local, load, op, repeatWhile, set, store, when } from "../assembler.ts";
import { FunctionBuilder, type FunctionDefinition } from "../assembler-module.ts";

const VECTOR_BYTES = 16;

/** Axes around a row or a line of elements: for each how many there are, and the strides in the source and in the target. */
export const OUTER_AXES = 3;

/** (source, target, of each outer axis count, source stride and target stride, bytes): rows of so many bytes. Strides in bytes. They do not overlap. */
export function copyRows(): FunctionDefinition {
  const { builder, locals } = functionOf(3 + 3 * OUTER_AXES);
  const { source, target, axes, rest } = boxOf(locals);
  const bytes = rest[0] as Local;
  return builder.finish(...nested(builder, source, target, axes, (from, to) => copyBytes(builder, from, to, bytes)));
}

/** (source, target, of each outer axis and of the elements count, source stride and target stride): elements, strides in bytes. */
export function copyElements(bytes: 1 | 2 | 4): FunctionDefinition {
  const { builder, locals } = functionOf(2 + 3 * (OUTER_AXES + 1));
  const { source, target, axes, rest } = boxOf(locals);
  const [count, read, write] = rest as readonly [Local, Local, Local];
  const [loads, stores] = WORDS[bytes];
  const all = [...axes, { count, read, write }];
  return builder.finish(
    ...nested(builder, source, target, all, (from, to) => [store(stores, get(to), load(loads, get(from)))]),
  );
}

interface LoopAxis {
  readonly count: Local;
  readonly read: Local;
  readonly write: Local;
}

function boxOf(locals: readonly Local[]): {
  readonly source: Local;
  readonly target: Local;
  readonly axes: readonly LoopAxis[];
  readonly rest: readonly Local[];
} {
  const [source, target, ...numbers] = locals as readonly [Local, Local, ...Local[]];
  const axes = Array.from({ length: OUTER_AXES }, (_, i) => {
    const [count, read, write] = numbers.slice(3 * i, 3 * i + 3) as [Local, Local, Local];
    return { count, read, write };
  });
  return { source, target, axes, rest: numbers.slice(3 * OUTER_AXES) };
}

/** The body at each place of the axes, the last one innermost. */
function nested(
  builder: FunctionBuilder,
  source: Local,
  target: Local,
  axes: readonly LoopAxis[],
  body: (source: Local, target: Local) => readonly Code[],
): readonly Code[] {
  const [axis, ...inner] = axes;
  if (axis === undefined) return body(source, target);
  const [from, to, left] = [builder.local("i32"), builder.local("i32"), builder.local("i32")];
  return [
    set(from, get(source)),
    set(to, get(target)),
    set(left, get(axis.count)),
    times(
      left,
      ...nested(builder, from, to, inner, body),
      increase(from, get(axis.read)),
      increase(to, get(axis.write)),
    ),
  ];
}

/** (table, ids, target, count, row bytes, rows): target[i] = table[ids[i]], ids of a lane. @returns which id is the first outside; count if none */
export function gatherRows(lane: Lane): FunctionDefinition {
  const { builder, locals } = functionOf(6, "i32");
  const [table, ids, target, count, bytes, rows] = locals as Six;
  const [at, source, isInside] = [builder.local("i32"), builder.local("i32"), builder.local("i32")];
  const id = load(numberLoad(lane), op("i32.add", get(ids), op("i32.mul", get(at), i32(laneBits(lane) / 8))));
  return builder.finish(
    when(
      get(count),
      repeatWhile(
        op("i32.and", get(isInside), op("i32.lt_u", get(at), get(count))),
        set(isInside, op("i32.lt_u", id, get(rows))),
        when(
          get(isInside),
          set(source, op("i32.add", get(table), op("i32.mul", id, get(bytes)))),
          ...copyBytes(builder, source, target, bytes),
          increase(target, get(bytes)),
          increase(at, i32(1)),
        ),
      ),
    ),
    get(at),
  );
}

/** (target, bytes, value): the value's lowest byte in all of them. */
export function fillBytes(): FunctionDefinition {
  const { builder, locals } = functionOf(3);
  const [target, bytes, value] = locals as readonly [Local, Local, Local];
  const vector = builder.local("v128");
  const whole = builder.local("i32");
  return builder.finish(
    set(vector, op("i8x16.splat", get(value))),
    set(whole, op("i32.shr_u", get(bytes), i32(4))),
    set(bytes, op("i32.and", get(bytes), i32(VECTOR_BYTES - 1))),
    times(whole, store("v128.store", get(target), get(vector)), increase(target, i32(VECTOR_BYTES))),
    times(bytes, store("i32.store8", get(target), get(value)), increase(target, i32(1))),
  );
}

/** (numbers, result, rows, columns): of each row the first place of its largest number, i32. At least one column. */
export function argmaxRows(lane: Lane): FunctionDefinition {
  const { builder, locals } = functionOf(4);
  const [numbers, result, rows, columns] = locals as readonly [Local, Local, Local, Local];
  const [at, best, place, number] = [0, 1, 2, 3].map(() => builder.local("i32")) as unknown as Four;
  const isMore = op(lane === "u32" ? "i32.lt_u" : "i32.lt_s", get(best), get(number));
  return builder.finish(
    times(
      rows,
      set(at, i32(0)),
      set(place, i32(0)),
      set(best, load(numberLoad(lane), get(numbers))),
      repeatWhile(
        op("i32.lt_s", get(at), get(columns)),
        set(number, load(numberLoad(lane), get(numbers))),
        when(isMore, set(best, get(number)), set(place, get(at))),
        increase(numbers, i32(laneBits(lane) / 8)),
        increase(at, i32(1)),
      ),
      store("i32.store", get(result), get(place)),
      increase(result, i32(4)),
    ),
  );
}

type Four = readonly [Local, Local, Local, Local];
type Six = readonly [Local, Local, Local, Local, Local, Local];

const WORDS = {
  1: ["i32.load8_u", "i32.store8"],
  2: ["i32.load16_u", "i32.store16"],
  4: ["i32.load", "i32.store"],
  8: ["i64.load", "i64.store"],
  16: ["v128.load", "v128.store"],
} as const;

function numberLoad(lane: Lane): Access {
  const loads: Partial<Record<Lane, Access>> = {
    i8: "i32.load8_s",
    u8: "i32.load8_u",
    i16: "i32.load16_s",
    u16: "i32.load16_u",
  };
  return loads[lane] ?? "i32.load";
}

function functionOf(
  parameters: number,
  result: "i32" | null = null,
): { builder: FunctionBuilder; locals: readonly Local[] } {
  const builder = new FunctionBuilder(Array(parameters).fill("i32"), result);
  return { builder, locals: builder.parameters };
}

function increase(local: Local, by: Code): Code {
  return set(local, op("i32.add", get(local), by));
}

/** The body so often, counting down to 0. */
function times(count: Local, ...body: readonly Code[]): Code {
  return when(get(count), repeatWhile(get(count), ...body, increase(count, i32(-1))));
}

/** Copies so many bytes, in words as long as there are: the last of them begins where it just ends. */
function copyBytes(builder: FunctionBuilder, source: Local, target: Local, bytes: Local): readonly Code[] {
  const [at, last] = [builder.local("i32"), builder.local("i32")];
  const place = (base: Local, offset: Local): Code => op("i32.add", get(base), get(offset));
  const word = (size: 1 | 8 | 16, offset: Local): Code =>
    store(WORDS[size][1], place(target, offset), load(WORDS[size][0], place(source, offset)));
  const inWords = (size: 8 | 16): readonly Code[] => [
    set(at, i32(0)),
    set(last, op("i32.sub", get(bytes), i32(size))),
    repeatWhile(op("i32.lt_s", get(at), get(last)), word(size, at), increase(at, i32(size))),
    word(size, last),
  ];
  const inBytes = [set(at, get(bytes)), times(at, set(last, op("i32.sub", get(at), i32(1))), word(1, last))];
  const isShorter = (size: number): Code => op("i32.lt_u", get(bytes), i32(size));
  return [
    when(op("i32.eqz", isShorter(16)), ...inWords(16)),
    when(op("i32.and", isShorter(16), op("i32.eqz", isShorter(8))), ...inWords(8)),
    when(isShorter(8), ...inBytes),
  ];
}
