// run() of a kernel as passes: over each row of a tile, or over one array of elements.

import { type Kernel, simplify, type Value } from "../../../kernel/index.ts";
import type { Interval } from "../../../num/index.ts";
import { type Code, get, i32, type Local, op, repeatWhile, set, when } from "../assembler.ts";
import type { FunctionDefinition } from "../assembler-module.ts";
import type { DataLayout } from "../data.ts";
import type { Form } from "../module.ts";
import { Frame } from "./frame.ts";
import { isGathered, type Lookups, placeLookups } from "./lookup.ts";
import { storeNumber } from "./numbers.ts";
import { factsOf, type Pass, type Plan, plan, type Reduction } from "./plan.ts";
import { type RowMemory, rowFlags, rowMemory, tileFlags } from "./row-memory.ts";
import { typeOf } from "./scalar.ts";
import { scalarPass } from "./scalar-pass.ts";
import { stagedColumns } from "./staging.ts";
import { vectorPass } from "./vector-pass.ts";
import { laneWidth } from "./vector-widths.ts";
import type { Width } from "./widths.ts";

export interface Rows {
  readonly run: FunctionDefinition;
  readonly scratchBytesPerColumn: number;
}

/** Whether a kernel is more than a function of one element at a time. */
export function isOverRows({ values }: Kernel): boolean {
  return values.some(({ op: operation, over }) => operation === "reduce" || over === "row" || over === "column");
}

export interface RowOptions {
  /**
   * A param per element whose rows lie apart by a number of elements of their own, all else per element by another:
   * run(params..., results..., scratch, row length of that param, of the others, rows, columns). Without reductions, or with rows of results
   * that lie apart by more than columns, columns are a multiple of 16.
   */
  readonly strided?: string;
  /** Short code rather than the last few percent of speed. */
  readonly isCompact?: boolean;
}

/** run(params..., results..., scratch, rows, columns), or (params..., results..., count) of kernels of elements. */
export function emitRows(kernel: Kernel, form: Form, data: DataLayout, options: RowOptions = {}): Rows {
  const { strided, isCompact = false } = options;
  const facts = factsOf(simplify(kernel));
  const overRows = strided !== undefined || isOverRows(kernel);
  const lookups = placeLookups(facts, data);
  const gathered = overRows && form !== "scalar" ? gatheredLookups(facts.kernel, lookups) : new Set<number>();
  const planned = plan(facts, gathered);
  const frame = new Frame(planned, lookups, form, { isOverRows: overRows, strided, isCompact });
  const run = frame.finish(...(overRows ? rowsBody(frame) : elementsBody(frame)));
  return { run, scratchBytesPerColumn: frame.scratchBytesPerColumn };
}

/** Lookups of elements, one at a time, of what is not in memory already. */
function gatheredLookups({ values }: Kernel, lookups: Lookups): ReadonlySet<number> {
  const found = [...lookups].filter(([i, placed]) => {
    const { op: operation, over, args } = values[i] as Value & { readonly op: "lookup" };
    return isGathered(placed) && operation === "lookup" && over === "element" && values[args[0]]?.op !== "param";
  });
  return new Set(found.map(([i]) => i));
}

// elements ------------------------------------------------------------------------------------------------------------

function elementsBody(frame: Frame): readonly Code[] {
  const { plan: planned, form, whole } = frame;
  const before = frame.block();
  frame.computeScalars(before, "one", 0);
  const stores = storesOver(frame, "one");
  const passes = planned.passes.flatMap((pass) => {
    const rest = { stage: 0, regions: new Map(), partial: new Map() };
    if (form === "scalar") return scalarPass(frame, pass, { ...rest, from: i32(0) });
    const vectors = vectorPass(frame, { pass, ...rest, finish: () => {} });
    return [...vectors, ...scalarPass(frame, pass, { ...rest, from: get(whole) })];
  });
  return [...before.statements, ...frame.copies.setup.statements, ...stores, ...passes];
}

// rows ----------------------------------------------------------------------------------------------------------------

function rowsBody(frame: Frame): readonly Code[] {
  const { plan: planned, columns, rows } = frame;
  const before = frame.block();
  frame.computeScalars(before, "one", 0);
  const memory = rowMemory(frame);
  const perColumn: Pass = { reductions: [], stored: [], results: planned.columnResults };
  const columnPass = planned.columnResults.length === 0 ? [] : onePass(frame, perColumn, 0, memory);
  const { first, row } = isPipelined(frame) ? pipelinedRow(frame, memory) : { first: [], row: plainRow(frame, memory) };
  const next = set(rows, op("i32.sub", get(rows), i32(1)));
  const eachRow = repeatWhile(get(rows), ...rowFlags(frame, memory), ...row, ...advances(frame), next);
  const all = [
    ...stagedColumns(frame, memory.staging),
    ...columnPass,
    when(get(rows), ...tileFlags(frame, memory), ...first, eachRow),
  ];
  const made = [...before.statements, ...frame.copies.setup.statements];
  return [...made, ...storesOver(frame, "one"), when(get(columns), ...all)];
}

function onePass(frame: Frame, pass: Pass, stage: number, { regions, staging, partial }: RowMemory): readonly Code[] {
  if (frame.form === "scalar") return scalarPass(frame, pass, { stage, regions, partial, from: i32(0) });
  return vectorPass(frame, { pass, stage, regions, staging, finish: (i, code) => frame.setScalar(i, code) });
}

/** One row: its values and passes in turn. */
function plainRow(frame: Frame, memory: RowMemory): readonly Code[] {
  const { passes } = frame.plan;
  const code = passes.flatMap((pass, stage) => [...rowScalars(frame, stage), ...onePass(frame, pass, stage, memory)]);
  return [...code, ...rowScalars(frame, passes.length), ...storesOver(frame, "row")];
}

/** The values of the row that wait for so many passes. */
function rowScalars(frame: Frame, stage: number): readonly Code[] {
  const block = frame.block();
  frame.computeScalars(block, "row", stage);
  return block.statements;
}

// two rows at once ----------------------------------------------------------------------------------------------------

/**
 * Whether the first pass over a row may run together with the last one over the row before: sums wait for one another, the last pass
 * for memory. The first must need nothing of its row, and cost little: behind the last row it runs in vain.
 */
function isPipelined({ plan: planned, form }: Frame): boolean {
  const [first, ...others] = planned.passes;
  if (form === "scalar" || first === undefined || others.length === 0 || first.stored.length > 0) return false;
  return first.reductions.every((i) => isPlain(planned, (planned.kernel.values[i] as Reduction).args[0]));
}

/** Whether a value comes of params per element or column, by operations that have vector instructions. */
function isPlain(planned: Plan, i: number): boolean {
  const value = planned.kernel.values[i] as Value;
  if (value.over === "one") return true;
  if (value.over === "row" || value.op === "lookup" || value.op === "div" || value.op === "bits") return false;
  return !("args" in value) || value.args.every((arg) => isPlain(planned, arg));
}

/** The first pass over the first row; then of each row the others, the last together with the first of the next. */
function pipelinedRow(
  frame: Frame,
  memory: RowMemory,
): { readonly first: readonly Code[]; readonly row: readonly Code[] } {
  const { plan: planned, builder } = frame;
  const { regions, staging, next: nextStaging, ahead } = memory;
  const [pass, ...others] = planned.passes as readonly [Pass, ...Pass[]];
  const last = others.length;
  const carried = new Map(
    pass.reductions.map((i) => [i, builder.local(typeOf(planned.ranges[i] as Interval | null))] as const),
  );
  const carry: Code[] = [];
  const finish = (i: number, code: Code): void => {
    carry.push(set(carried.get(i) as Local, code));
  };
  const alone = vectorPass(frame, { pass, stage: 0, regions, staging: nextStaging, finish });
  const first = [...alone, ...carry.splice(0)];
  const current = [...carried].map(([i, local]) => {
    const own = builder.local(local.type);
    frame.setScalar(i, get(own));
    return set(own, get(local));
  });
  const middle = others
    .slice(0, -1)
    .flatMap((each, k) => [...rowScalars(frame, k + 1), ...onePass(frame, each, k + 1, memory)]);
  const before = [...rowScalars(frame, 0), ...middle, ...rowScalars(frame, last)];
  const both = vectorPass(
    frame,
    { pass: others[last - 1] as Pass, stage: last, regions, staging, finish: (i, code) => frame.setScalar(i, code) },
    { pass, stage: 0, regions, staging: nextStaging, ahead, finish },
  );
  const after = [...rowScalars(frame, planned.passes.length), ...storesOver(frame, "row")];
  return { first, row: [...current, ...before, ...both, ...after, ...carry] };
}

// results and arrays --------------------------------------------------------------------------------------------------

/** Stores of the results that are one number for each row, or one in all. */
function storesOver(frame: Frame, over: "one" | "row"): readonly Code[] {
  const { values, results } = frame.plan.kernel;
  return results.flatMap((i, at) => {
    const value = values[i] as Value;
    return value.over === over ? [storeNumber(laneWidth(value), frame.scalar(i), get(frame.result(at)))] : [];
  });
}

/** From each array's part of this row to that of the next. */
function advances(frame: Frame): readonly Code[] {
  const { values, results } = frame.plan.kernel;
  const arrays = [
    ...values.flatMap((value, i) => {
      return value.op === "param" ? [{ value, array: frame.param(i), length: frame.paramRowLength(value) }] : [];
    }),
    ...results.map((i, at) => ({
      value: values[i] as Value,
      array: frame.result(at),
      length: frame.resultRowLength,
    })),
  ];
  return arrays.flatMap(({ value, array, length }) => {
    const width: Width = laneWidth(value);
    if (value.over === "element") return [frame.advanced(array, width, get(length))];
    return value.over === "row" ? [frame.advanced(array, width, i32(1))] : [];
  });
}
