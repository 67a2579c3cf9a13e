// What a row needs in memory beside its arrays, and what is known about where arrays lie: parts of scratch, and flags that each row sets.

import type { Value } from "../../../kernel/index.ts";
import { type Code, get, i32, type Local, op, select, set } from "../assembler.ts";
import type { Frame } from "./frame.ts";
import type { Reduction } from "./plan.ts";
import type { Staging } from "./staging.ts";
import { laneWidth } from "./vector-widths.ts";
import { STEP } from "./widths.ts";

export interface RowMemory {
  /** Where values are kept between passes. */
  readonly regions: ReadonlyMap<number, Local>;
  readonly staging: Staging;
  /** The same for the row ahead. */
  readonly next: Staging;
  /** By how many elements the next row of a param per element lies ahead: 0 in the last row. */
  readonly ahead: (value: Value) => Local;
  readonly aheadOf: ReadonlyMap<Local, Local>;
  /** For each sum of binary32, where its partial sums are: the scalar form. */
  readonly partial: ReadonlyMap<number, Local>;
}

export function rowMemory(frame: Frame): RowMemory {
  const { plan, form, builder } = frame;
  const { values } = plan.kernel;
  const regions = new Map([...plan.scratch].map(([i, width]) => [i, frame.region(width / 8)]));
  const flag = (): Local => builder.local("i32");
  const isApart = flag();
  const rooms = form === "scalar" ? { params: new Map(), results: new Map() } : stagingRooms(frame);
  const sums = plan.passes.flatMap(({ reductions }) => reductions).filter((i) => isFloatSum(values[i] as Reduction));
  const aheadOf = new Map(frame.rowLengths.map((length) => [length, flag()]));
  const staged = (): Staging => ({ ...rooms, isApart, isInside: flag(), isFree: flag() });
  return {
    regions,
    staging: staged(),
    next: staged(),
    ahead: (value) => aheadOf.get(frame.paramRowLength(value)) as Local,
    aheadOf,
    partial: new Map(form === "scalar" ? sums.map((i) => [i, frame.region(FLOAT_BYTES)]) : []),
  };
}

const FLOAT_BYTES = 4;

function isFloatSum(value: Reduction): boolean {
  return value.lane === "f32" && value.with !== "max";
}

/** Room for one step of each param per element or column and of each result. */
function stagingRooms(frame: Frame): Pick<Staging, "params" | "results"> {
  const { needed, kernel } = frame.plan;
  const { values, results } = kernel;
  const isAlongRow = (i: number): boolean => values[i]?.over === "element" || values[i]?.over === "column";
  const room = (i: number): Local => frame.region(laneWidth(values[i] as Value) / 8);
  const params = [...needed].filter((i) => values[i]?.op === "param" && isAlongRow(i));
  const outputs = results.flatMap((i, at) => (isAlongRow(i) ? [[at, room(i)] as const] : []));
  return { params: new Map(params.map((i) => [i, room(i)])), results: new Map(outputs) };
}

/** Finds out, once, whether a result lies where a param does, as it may. */
export function tileFlags(frame: Frame, { staging: { isApart } }: RowMemory): readonly Code[] {
  if (frame.form === "scalar") return [];
  const { values, results } = frame.plan.kernel;
  const pairs = results.flatMap((i, at) =>
    values.flatMap((param, p) => {
      const result = values[i] as Value;
      const isShared = param.op === "param" && param.over === "element" && laneWidth(param) === laneWidth(result);
      return isShared && result.over === "element" ? [[frame.param(p), frame.result(at)] as const] : [];
    }),
  );
  const differ = pairs.map(([p, r]) => op("i32.eqz", op("i32.eqz", op("i32.xor", get(p), get(r)))));
  const all = differ.reduce((both, one) => op("i32.and", both, one), i32(1));
  return [set(isApart, all)];
}

/** What the steps behind the whole ones may do in this row, and where the next row is; `rows` counts this row and those behind. */
export function rowFlags(frame: Frame, { staging, next, aheadOf }: RowMemory): readonly Code[] {
  if (frame.form === "scalar") return [];
  const { rows, columns, whole, builder } = frame;
  const rest = builder.local("i32");
  return [
    set(rest, op("i32.sub", op("i32.mul", get(rows), get(columns)), get(whole))),
    set(staging.isInside, op("i32.lt_u", i32(STEP - 1), get(rest))),
    set(staging.isFree, op("i32.and", get(staging.isInside), get(staging.isApart))),
    set(next.isInside, op("i32.lt_s", i32(STEP - 1), op("i32.sub", get(rest), get(columns)))),
    ...[...aheadOf].map(([length, ahead]) =>
      set(ahead, select(get(length), i32(0), op("i32.lt_u", i32(1), get(rows)))),
    ),
  ];
}
