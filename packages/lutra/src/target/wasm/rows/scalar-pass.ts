// A pass over the columns one element at a time: all of the scalar form, and what is left of an array of elements behind its whole steps.

import type { Value } from "../../../kernel/index.ts";
import type { Interval } from "../../../num/index.ts";
import { type Code, get, i32, type Local, op, repeatWhile, set, tee, when } from "../assembler.ts";
import type { Block } from "../lanes.ts";
import { addressOf } from "./addresses.ts";
import { type Frame, placedAt } from "./frame.ts";
import { scalarLookup } from "./lookup.ts";
import { loadNumber, storeNumber } from "./numbers.ts";
import type { Pass, Reduction } from "./plan.ts";
import { scalarCode } from "./scalar.ts";
import { scalarAccumulator } from "./scalar-reductions.ts";
import { isLoaded, laneWidth } from "./vector-widths.ts";
import type { Width } from "./widths.ts";

/** Where values are kept between passes. */
export type Regions = ReadonlyMap<number, Local>;

export interface ScalarPassOptions {
  readonly stage: number;
  readonly regions: Regions;
  /** For each sum of binary32, where its partial sums are. */
  readonly partial: ReadonlyMap<number, Local>;
  /** The first column. */
  readonly from: Code;
}

/** Statements that compute a pass; the reductions are then known to the frame. */
export function scalarPass(frame: Frame, pass: Pass, options: ScalarPassOptions): readonly Code[] {
  const { plan, builder, columns } = frame;
  const { stage, regions, partial, from } = options;
  const c = builder.local("i32");
  const loop = frame.block();
  const at = elements(frame, loop, get(c), stage, regions);
  const sums = pass.reductions.map((i) => {
    const value = plan.kernel.values[i] as Reduction;
    const place = partial.get(i);
    const sum = scalarAccumulator(plan, builder, value, i, place === undefined ? i32(0) : get(place));
    sum.take(loop, at(value.args[0]), get(c));
    return { i, sum };
  });
  for (const i of pass.stored) {
    const width = plan.scratch.get(i) as Width;
    const y = at(i);
    loop.statements.push(storeNumber(width, y, addressOf(get(regions.get(i) as Local), get(c), width)));
  }
  const stores = pass.results.map((result) => {
    const i = plan.kernel.results[result] as number;
    const width = laneWidth(plan.kernel.values[i] as Value);
    return storeNumber(width, at(i), addressOf(get(frame.result(result)), get(c), width));
  });
  const next = tee(c, op("i32.add", get(c), i32(1)));
  const isMore = op("i32.lt_u", next, get(columns));
  const body = [...loop.statements, ...stores];
  const after = frame.block();
  for (const { i, sum } of sums) frame.setScalar(i, after.keep(sum.finish(after, get(columns))));
  return [
    ...sums.flatMap(({ sum }) => sum.start),
    set(c, from),
    when(op("i32.lt_u", get(c), get(columns)), repeatWhile(isMore, ...body)),
    ...after.statements,
  ];
}

/** The values of the element in column c, each computed once. */
function elements(frame: Frame, block: Block, c: Code, stage: number, regions: Regions): (i: number) => Code {
  const { plan, lookups } = frame;
  const known = new Map<number, Code>();
  const at = (i: number): Code => {
    const value = plan.kernel.values[i] as Value;
    if (value.over === "one" || value.over === "row") return frame.scalar(i);
    const code = known.get(i) ?? block.keep(computed(i, value));
    known.set(i, code);
    return code;
  };
  const computed = (i: number, value: Value): Code => {
    const range = plan.ranges[i] as Interval | null;
    if (isLoaded(plan, i, stage)) {
      const width = plan.scratch.get(i) as Width;
      return loadNumber(width, range, addressOf(get(regions.get(i) as Local), c, width));
    }
    if (value.op === "param") {
      const width = laneWidth(value);
      return loadNumber(width, range, addressOf(get(frame.param(i)), c, width));
    }
    if (value.op === "lookup") return scalarLookup(block, placedAt(lookups, i), at(value.args[0]), range);
    return scalarCode({ plan, block, at }, i);
  };
  return at;
}
