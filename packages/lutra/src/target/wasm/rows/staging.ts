// Where the step behind the whole ones of a row reads and writes: in the arrays themselves while more of the tile follows, in room for one step at
// its end.

import type { Value } from "../../../kernel/index.ts";
import { type Code, get, i32, type Local, load, op, repeatWhile, select, set, store, when } from "../assembler.ts";
import type { FunctionBuilder } from "../assembler-module.ts";
import type { Block } from "../lanes.ts";
import { addressOf, bytesOf } from "./addresses.ts";
import type { Frame } from "./frame.ts";
import { VECTOR_BYTES, type Width } from "./widths.ts";

/** Room for one step of each param per element or column and of each result, by number. */
export interface Staging {
  readonly params: ReadonlyMap<number, Local>;
  readonly results: ReadonlyMap<number, Local>;
  /** Whether a whole step behind the whole steps of the row is inside the tile. */
  readonly isInside: Local;
  /** Whether no result lies where a param does. */
  readonly isApart: Local;
  /** Both: whether that step may write where it belongs. */
  readonly isFree: Local;
}

/** Address of the last step's elements of a param, which are at `from`; of a column, which is the same in all rows, a copy made before them. */
export function stagedParam(frame: Frame, block: Block, staging: Staging, i: number, from: Code): Code {
  const room = staging.params.get(i) as Local;
  if (frame.plan.kernel.values[i]?.over === "column") return get(room);
  const address = frame.builder.local("i32");
  block.statements.push(
    set(address, from),
    when(
      op("i32.eqz", get(staging.isInside)),
      ...copyIn(frame.builder, get(address), room, frame.left, frame.widthOfParam(i)),
      set(address, get(room)),
    ),
  );
  return get(address);
}

/** Copies of what is left of the columns of params, made once. */
export function stagedColumns(frame: Frame, staging: Staging): readonly Code[] {
  const { values } = frame.plan.kernel;
  const copies = [...staging.params].flatMap(([i, room]) => {
    const value = values[i] as Value;
    if (value.over !== "column") return [];
    const width = frame.widthOfParam(i);
    return copyIn(frame.builder, addressOf(get(frame.param(i)), get(frame.whole), width), room, frame.left, width);
  });
  return copies.length === 0 ? [] : [when(get(frame.left), ...copies)];
}

export interface StagedResult {
  readonly address: Local;
  readonly before: readonly Code[];
  readonly after: readonly Code[];
}

/** Where the last step's elements of a result go, and how they get from there to where they belong. */
export function stagedResult(frame: Frame, staging: Staging, at: number, width: Width): StagedResult {
  const { builder, left, whole } = frame;
  const room = get(staging.results.get(at) as Local);
  const own = builder.local("i32");
  const address = builder.local("i32");
  return {
    address,
    before: [
      set(own, addressOf(get(frame.result(at)), get(whole), width)),
      set(address, select(get(own), room, get(staging.isFree))),
    ],
    after: [when(op("i32.eqz", get(staging.isFree)), ...copy(builder, room, get(own), left, width))],
  };
}

const WORDS = {
  8: ["i32.load8_u", "i32.store8"],
  16: ["i32.load16_u", "i32.store16"],
  32: ["i32.load", "i32.store"],
  64: ["i64.load", "i64.store"],
} as const;

/** Copies `count` elements, at least 1, the last first. */
function copy(builder: FunctionBuilder, from: Code, to: Code, count: Local, width: Width): readonly Code[] {
  const [source, target, at] = [builder.local("i32"), builder.local("i32"), builder.local("i32")];
  const place = (base: Local): Code => op("i32.add", get(base), get(at));
  const [loads, stores] = WORDS[width];
  return [
    set(source, from),
    set(target, to),
    set(at, bytesOf(get(count), width)),
    repeatWhile(
      get(at),
      set(at, op("i32.sub", get(at), i32(width / 8))),
      store(stores, place(target), load(loads, place(source))),
    ),
  ];
}

/** Copies `count` elements, at least 1, to a room for 16, and the first of them into all places behind. */
function copyIn(builder: FunctionBuilder, from: Code, room: Local, count: Local, width: Width): readonly Code[] {
  const same = builder.local("v128");
  const fill = Array.from({ length: width / 8 }, (_, part) =>
    store("v128.store", get(room), get(same), part * VECTOR_BYTES),
  );
  return [set(same, load(`v128.load${width}_splat`, from)), ...fill, ...copy(builder, from, get(room), count, width)];
}
